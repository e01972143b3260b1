/**
 * Deadlines of which almost none comes: of calls that are answered in milliseconds and would be given
 * up after seconds. A timer each would be set and cancelled a million times for nothing; here one
 * timer waits for the earliest of all.
 *
 *   heap of deadlines ──earliest──▶ one timer ──▶ over already? forget it : due(id)
 *
 * Lifting a deadline costs nothing: its owner merely forgets it, and the heap finds out when it gets
 * there. It is swept when the forgotten outnumber the rest, so that memory follows what is waited for.
 * Deadlines mostly come in order, and then adding one is an append.
 */
import type { Host, Micros, Timer } from '../host/host.ts';

/** What the deadlines are of, kept by their owner. */
export interface Awaited {
  /** Whoever is in here with another `until`, or not at all, has no such deadline any more. */
  readonly waiting: {
    readonly size: number;
    get(id: number): { readonly until: Micros } | undefined;
  };
  /** The deadline of `id` has come. What it does may set others. */
  due(id: number): void;
}

/** Sweeping fewer than this is not worth the walk. */
const sweepMin = 256;

export class Deadlines {
  readonly #host: Pick<Host, 'now' | 'after'>;
  readonly #awaited: Awaited;
  /** A binary heap: the earliest first. */
  #times = new Float64Array(16);
  #ids = new Float64Array(16);
  #size = 0;
  #timer: Timer | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(host: Pick<Host, 'now' | 'after'>, awaited: Awaited) {
    this.#host = host;
    this.#awaited = awaited;
  }

  /** `id` is, or is about to be, waited for until `at` on this node's clock. */
  set(id: number, at: Micros): void {
    if (this.#size === this.#times.length) this.#grow();
    this.#rise(this.#size++, id, at);
    if (at < this.#wakesAt) this.#wakeAt(at);
  }

  #holds(id: number, at: Micros): boolean {
    return this.#awaited.waiting.get(id)?.until === at;
  }

  #wakeAt(at: Micros): void {
    this.#timer?.cancel();
    this.#wakesAt = at;
    this.#timer = this.#host.after(Math.max(0, at - this.#host.now()), () => this.#wake());
  }

  #wake(): void {
    const now = this.#host.now();
    // What is set meanwhile is looked at below.
    this.#wakesAt = Number.NEGATIVE_INFINITY;
    while (this.#size > 0) {
      const at = this.#times[0]!;
      const id = this.#ids[0]!;
      const holds = this.#holds(id, at);
      if (holds && at > now) break;
      this.#drop();
      if (holds) this.#awaited.due(id);
    }
    this.#timer = undefined;
    this.#wakesAt = Number.POSITIVE_INFINITY;
    if (this.#size > 0) this.#wakeAt(this.#times[0]!);
  }

  /** Room for more: what is over makes it, or memory does. */
  #grow(): void {
    if (this.#size >= sweepMin && this.#size > 2 * this.#awaited.waiting.size) this.#sweep();
    if (this.#size * 2 <= this.#times.length) return;
    const times = new Float64Array(this.#size * 2);
    const ids = new Float64Array(this.#size * 2);
    times.set(this.#times.subarray(0, this.#size));
    ids.set(this.#ids.subarray(0, this.#size));
    this.#times = times;
    this.#ids = ids;
  }

  #sweep(): void {
    const size = this.#size;
    const times = this.#times;
    const ids = this.#ids;
    this.#size = 0;
    for (let i = 0; i < size; i++) {
      const at = times[i]!;
      const id = ids[i]!;
      // Never behind what is still to be read.
      if (this.#holds(id, at)) this.#rise(this.#size++, id, at);
    }
  }

  #rise(hole: number, id: number, at: Micros): void {
    const times = this.#times;
    const ids = this.#ids;
    let place = hole;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (times[parent]! <= at) break;
      times[place] = times[parent]!;
      ids[place] = ids[parent]!;
      place = parent;
    }
    times[place] = at;
    ids[place] = id;
  }

  /** The earliest goes; the last takes its place and sinks to where it belongs. */
  #drop(): void {
    const times = this.#times;
    const ids = this.#ids;
    const size = --this.#size;
    const at = times[size]!;
    const id = ids[size]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      if (child + 1 < size && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= at) break;
      times[place] = times[child]!;
      ids[place] = ids[child]!;
      place = child;
    }
    times[place] = at;
    ids[place] = id;
  }
}
