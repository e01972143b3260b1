/**
 * Who has not caught up: messages stored and not yet handled, hints not yet handed over. A run is
 * drained until nobody is behind, and no longer than a minute; whoever still is by then stands at
 * the end of the history, so that a judge does not take what lies in the log for lost.
 */
import type { HistoryEvent } from '../host/history.ts';
import type { Micros } from '../host/host.ts';
import type { MetersSnapshot } from '../kit/meters.ts';

const ofGroup = 'lag ';

export function isBehind(totals: MetersSnapshot): boolean {
  return totals.some(({ gauges }) =>
    Object.entries(gauges).some(
      ([name, { last }]) => (name === 'lag' || name.startsWith(ofGroup)) && last > 0,
    ),
  );
}

/** Of consumer groups, by what their brokers say; of the blocks whose history is recorded. */
export function lagEvents(
  totals: MetersSnapshot,
  at: Micros,
  isRecorded: (block: string) => boolean,
): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  for (const { node, block, gauges } of totals) {
    if (!isRecorded(block)) continue;
    for (const [name, { last: count }] of Object.entries(gauges)) {
      if (!name.startsWith(ofGroup) || count <= 0) continue;
      const value = { group: name.slice(ofGroup.length), count };
      // No program's: those live from 1 on.
      const where = { block, node, life: 0, op: events.length, at };
      events.push({ ...where, phase: 'invoke', f: 'lag', value });
    }
  }
  return events;
}
