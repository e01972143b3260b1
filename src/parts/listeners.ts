/**
 * Several processes that listen on one address, and which of them gets the next connection.
 *
 *   shared                             sharded (SO_REUSEPORT)
 *   ──▶ │││││ ──▶ whoever comes        ──▶ hash of the client's address and port
 *               first: a, b or c             ├─▶ │││ ──▶ a
 *                                            ├─▶ │   ──▶ b      dies: its line dies with it
 *                                            └─▶ ││  ──▶ c
 *
 * A listener takes a connection when it gets round to it, a `turn`: never more than one at a time, so
 * that what waits, waits here. With one line nobody idles while somebody waits, and what waits outlives
 * a listener. With a line each there is no lock to fight for, and a client's connection is known to come
 * to the same process as long as their number is the same; but who was dealt to a slow one waits for it.
 *
 * ```ts
 * import { Listeners } from 'loadpath/parts/listeners';
 *
 * const woken: string[] = [];
 * const doors = new Listeners<string>({
 *   lines: { how: 'shared', backlog: 2 },
 *   wake: (listener) => woken.push(listener),
 *   drop: () => {},
 * });
 * doors.joined('a');
 * doors.came('10.0.0.7:40001', 'first');
 * woken; // → ['a']
 * doors.turn('a', (item) => woken.push(item));
 * woken; // → ['a', 'first']
 * ```
 *
 * The deal is that of Linux (`reuseport_select_sock`): a hash scaled to the number of listeners, and when
 * one leaves the last one moves into its place. A line that is full refuses at once, where Linux lets
 * the client try again a second later.
 */
import type { NodeId } from '../host/host.ts';
import type { LinesPlan } from '../host/plan.ts';
import { type ConfigOf, choice, count } from '../kit/config.ts';
import { hashText } from '../kit/random.ts';
import { Fifo } from './fifo.ts';

/** For blocks whose nodes may listen on one address. */
export const listenKnobs = {
  listen: choice(
    ['apart', 'shared', 'sharded'],
    'Where the nodes listen. apart: each on a port of its own, and users spread over them. Else all on one, as processes of one machine: shared, with one line of new connections from which whoever is free takes the next; sharded, with a line each, by a hash of address and port (SO_REUSEPORT).',
  ),
  backlog: count(511, {
    min: 1,
    max: 65_535,
    doc: 'New connections that may wait in a line of `listen`; beyond it they are refused. What Node asks of the kernel.',
  }),
};

/** For the plan of a node with these knobs. All are processes of one machine, so they stand in one zone. */
export function linesOf({ listen, backlog }: ConfigOf<typeof listenKnobs>): LinesPlan | undefined {
  return listen === 'apart' ? undefined : { how: listen, backlog };
}

export interface ListenersOptions<Item> {
  readonly lines: LinesPlan;
  /** Something waits for it: when it gets round to it, its `turn` is due. Not again before that. */
  readonly wake: (listener: NodeId) => void;
  /** Nobody takes it: no room, nobody listens, or who was to take it has gone. */
  readonly drop: (item: Item, why: 'full' | 'nobody' | 'gone') => void;
}

interface Listener<Item> {
  readonly id: NodeId;
  readonly line: Fifo<Item>;
  isWoken: boolean;
}

export class Listeners<Item> {
  readonly #options: ListenersOptions<Item>;
  readonly #shared = new Fifo<Item>();
  /** In the order of the deal. */
  readonly #present: Listener<Item>[] = [];
  /** Who is woken first, so that of equals all get their share. */
  #next = 0;

  constructor(options: ListenersOptions<Item>) {
    this.#options = options;
  }

  /** Connections that wait. */
  get size(): number {
    return this.#present.reduce((size, { line }) => size + line.size, this.#shared.size);
  }

  /** Whom a client is dealt to; undefined: nobody listens. */
  dealt(client: string): NodeId | undefined {
    return this.#dealt(client)?.id;
  }

  came(client: string, item: Item): void {
    const { lines, drop } = this.#options;
    const { how, backlog } = lines;
    const dealt = this.#dealt(client);
    if (!dealt) return drop(item, 'nobody');
    const line = how === 'shared' ? this.#shared : dealt.line;
    if (line.size >= backlog) return drop(item, 'full');
    line.push(item);
    if (how === 'shared') this.#wakeAll();
    else this.#wake(dealt);
  }

  /** It got round to it, and takes one if any is left. The next is due behind what that one makes it do. */
  turn(id: NodeId, take: (item: Item) => void): void {
    const index = this.#present.findIndex((one) => one.id === id);
    const listener = this.#present[index];
    if (!listener) return;
    listener.isWoken = false;
    const line = this.#options.lines.how === 'shared' ? this.#shared : listener.line;
    const item = line.shift();
    if (item === undefined) return;
    this.#next = index + 1;
    take(item);
    if (line.size > 0) this.#wake(listener);
  }

  joined(id: NodeId): void {
    if (this.#present.some((one) => one.id === id)) return;
    const listener = { id, line: new Fifo<Item>(), isWoken: false };
    this.#present.push(listener);
    if (this.#shared.size > 0) this.#wake(listener);
  }

  /** It listens no more: what waits for it alone is lost, and what waits for anybody if it was the last. */
  left(id: NodeId): void {
    const index = this.#present.findIndex((one) => one.id === id);
    const listener = this.#present[index];
    if (!listener) return;
    const last = this.#present.pop()!;
    if (last !== listener) this.#present[index] = last;
    this.#dropAll(listener.line);
    if (this.#present.length === 0) this.#dropAll(this.#shared);
  }

  #dealt(client: string): Listener<Item> | undefined {
    return this.#present[Math.floor(((hashText(client) >>> 0) / 2 ** 32) * this.#present.length)];
  }

  /** Whoever is free comes first, and the others find nothing. */
  #wakeAll(): void {
    const { length } = this.#present;
    for (let i = 0; i < length; i++) this.#wake(this.#present[(this.#next + i) % length]!);
  }

  #wake(listener: Listener<Item>): void {
    if (listener.isWoken) return;
    listener.isWoken = true;
    this.#options.wake(listener.id);
  }

  #dropAll(line: Fifo<Item>): void {
    for (let item = line.shift(); item !== undefined; item = line.shift()) {
      this.#options.drop(item, 'gone');
    }
  }
}
