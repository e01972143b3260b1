/**
 * Bucketed sliding log: the window is cut into parts, and requests of the same part are one count.
 * With 60 parts of a second it is the counter that many systems keep a user: {second: count}.
 *
 *   │2│0│5│1│·│3│      the oldest part counts whole until all of it has left the window, so never
 *    └─ window ─┘      more than the limit in any window; it forgives at most one part too late
 *
 * ```ts
 * import { SlidingBuckets } from 'loadpath/parts/limit/sliding-buckets';
 * import { take } from 'loadpath/parts/limit/limiter';
 *
 * const limiter = new SlidingBuckets({ limit: 10, windowUs: 60_000_000, parts: 60 });
 * take(limiter, 500_000, 10); // → 0
 * take(limiter, 900_000); // → 60_100_000
 * ```
 *
 * 4 bytes a part and key, whatever the limit. `SlidingLog` forgives to the microsecond and pays by
 * the request.
 */
import type { Micros } from '../../host/host.ts';
import { grownFloats, grownWords } from '../grown.ts';
import type { WindowOptions } from './fixed-window.ts';
import type { Limiter } from './limiter.ts';

export interface SlidingBucketsOptions extends WindowOptions {
  /** More forgive sooner and cost memory. */
  readonly parts: number;
}

export class SlidingBuckets implements Limiter {
  readonly limit: number;
  readonly windowUs: Micros;
  readonly #partUs: Micros;
  /** One more than the window has: the oldest is only partly in it. */
  readonly #kept: number;
  /** Number of the newest part, by the clock. */
  #newest = new Float64Array(1);
  #sums = new Uint32Array(1);
  #counts: Uint32Array;

  constructor(options: SlidingBucketsOptions) {
    const { limit, windowUs, parts } = options;
    this.#partUs = Math.ceil(windowUs / parts);
    this.#kept = Math.ceil(windowUs / this.#partUs) + 1;
    this.#counts = new Uint32Array(this.#kept);
    this.limit = limit;
    this.windowUs = (this.#kept - 1) * this.#partUs;
  }

  waitUs(now: Micros, cost: number, slot: number): Micros {
    if (cost > this.limit) return Number.POSITIVE_INFINITY;
    this.#turn(now, slot);
    let surplus = this.#sums[slot]! + cost - this.limit;
    if (surplus <= 0) return 0;
    let part = this.#newest[slot]! - this.#kept + 1;
    for (; surplus > 0; part++) surplus -= this.#counts[this.#place(part, slot)]!;
    return (part + this.#kept - 1) * this.#partUs - now;
  }

  spend(_now: Micros, cost: number, slot: number): void {
    this.#sums[slot]! += cost;
    this.#counts[this.#place(this.#newest[slot]!, slot)]! += cost;
  }

  remaining(now: Micros, slot: number): number {
    this.#turn(now, slot);
    return this.limit - this.#sums[slot]!;
  }

  resetUs(now: Micros, slot: number): Micros {
    this.#turn(now, slot);
    if (this.#sums[slot] === 0) return 0;
    let part = this.#newest[slot]!;
    while (this.#counts[this.#place(part, slot)] === 0) part--;
    return (part + this.#kept) * this.#partUs - now;
  }

  clear(slot: number): void {
    this.#newest[slot] = 0;
    this.#sums[slot] = 0;
    this.#counts.fill(0, slot * this.#kept, (slot + 1) * this.#kept);
  }

  grow(slotCount: number): void {
    this.#newest = grownFloats(this.#newest, slotCount);
    this.#sums = grownWords(this.#sums, slotCount);
    this.#counts = grownWords(this.#counts, slotCount * this.#kept);
  }

  #place(part: number, slot: number): number {
    const place = part % this.#kept;
    return slot * this.#kept + (place < 0 ? place + this.#kept : place);
  }

  /** Parts that have wholly left the window are emptied for those that begin. */
  #turn(now: Micros, slot: number): void {
    const part = Math.floor(now / this.#partUs);
    const newest = this.#newest[slot]!;
    if (part <= newest) return;
    this.#newest[slot] = part;
    if (this.#sums[slot] === 0) return;
    if (part - newest >= this.#kept) {
      this.#sums[slot] = 0;
      // A dozen writes: the call of `fill` costs more.
      for (let i = slot * this.#kept; i < (slot + 1) * this.#kept; i++) this.#counts[i] = 0;
      return;
    }
    for (let begun = newest + 1; begun <= part; begun++) {
      const place = this.#place(begun, slot);
      this.#sums[slot]! -= this.#counts[place]!;
      this.#counts[place] = 0;
    }
  }
}
