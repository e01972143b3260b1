/**
 * Logs of several processes put together by their times. Between processes, events of one instant
 * have no order that anybody knows, so calls go before returns: then none is taken to have ended
 * before another began. Each process's own events stay in their order.
 *
 *   one  ├── a ──┤├── b ──┤          at 5: a returns, b is called
 *   two           ├── c ──┤          at 5: c is called         ──▶  call c, return a, call b
 */
export interface Order<E> {
  at(event: E): number;
  /** Whose it is: events of one lane keep their order. */
  lane(event: E): string;
  isCall(event: E): boolean;
}

export function inTime<E>(events: readonly E[], order: Order<E>): E[] {
  // Sorting is stable, so a lane's events within an instant keep their order.
  const sorted = [...events].sort((a, b) => order.at(a) - order.at(b));
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1;
    while (to < sorted.length && order.at(sorted[to]!) === order.at(sorted[from]!)) to++;
    if (to - from > 1) interleave(sorted, from, to, order);
    from = to;
  }
  return sorted;
}

/** Those of one instant, in place: the calls that each lane begins with, then returns, and so on. */
function interleave<E>(events: E[], from: number, to: number, order: Order<E>): void {
  const lanes = new Map<string, E[]>();
  for (let i = from; i < to; i++) {
    const name = order.lane(events[i]!);
    const lane = lanes.get(name);
    if (lane) lane.push(events[i]!);
    else lanes.set(name, [events[i]!]);
  }
  if (lanes.size === 1) return;
  const heads = [...lanes.values()].map((lane) => ({ lane, next: 0 }));
  let place = from;
  for (let isCalling = true; place < to; isCalling = !isCalling) {
    for (const head of heads) {
      for (;;) {
        const event = head.lane[head.next];
        if (event === undefined || order.isCall(event) !== isCalling) break;
        events[place++] = event;
        head.next++;
      }
    }
  }
}
