/**
 * Fixed window: a count that starts again at each full minute (or whatever the window is), in step
 * with the clock that is handed in.
 *
 *   │··········│ ········· │            limit 10
 *   0         60          120 s
 *            ▲▲ 10 at 59 s and 10 at 60 s: twenty within a second pass. That is its weakness.
 *
 * ```ts
 * import { FixedWindow } from 'loadpath/parts/limit/fixed-window';
 * import { take } from 'loadpath/parts/limit/limiter';
 *
 * const limiter = new FixedWindow({ limit: 2, windowUs: 60_000_000 });
 * [take(limiter, 59_000_000), take(limiter, 59_000_000)]; // → [0, 0]
 * take(limiter, 59_000_000); // → 1_000_000
 * take(limiter, 60_000_000); // → 0
 * ```
 *
 * The cheapest to keep and to explain ("ten a minute"), and the easiest to share: one counter with
 * an expiry. Use `SlidingWindow` when doubling at the boundary would hurt.
 */
import type { Micros } from '../../host/host.ts';
import { grownFloats, grownWords } from '../grown.ts';
import type { Limiter } from './limiter.ts';

export interface WindowOptions {
  readonly limit: number;
  readonly windowUs: Micros;
}

export class FixedWindow implements Limiter {
  readonly limit: number;
  readonly windowUs: Micros;
  #windows = new Float64Array(1);
  #counts = new Uint32Array(1);

  constructor(options: WindowOptions) {
    this.limit = options.limit;
    this.windowUs = options.windowUs;
  }

  waitUs(now: Micros, cost: number, slot: number): Micros {
    if (cost > this.limit) return Number.POSITIVE_INFINITY;
    const window = this.#turn(now, slot);
    if (this.#counts[slot]! + cost <= this.limit) return 0;
    return (window + 1) * this.windowUs - now;
  }

  spend(_now: Micros, cost: number, slot: number): void {
    this.#counts[slot]! += cost;
  }

  remaining(now: Micros, slot: number): number {
    this.#turn(now, slot);
    return this.limit - this.#counts[slot]!;
  }

  resetUs(now: Micros, slot: number): Micros {
    const window = this.#turn(now, slot);
    return this.#counts[slot] === 0 ? 0 : (window + 1) * this.windowUs - now;
  }

  clear(slot: number): void {
    this.#windows[slot] = 0;
    this.#counts[slot] = 0;
  }

  grow(slotCount: number): void {
    this.#windows = grownFloats(this.#windows, slotCount);
    this.#counts = grownWords(this.#counts, slotCount);
  }

  /** The window that counts now. A clock that was set back stays in the later one. */
  #turn(now: Micros, slot: number): number {
    const window = Math.floor(now / this.windowUs);
    const kept = this.#windows[slot]!;
    if (window <= kept) return kept;
    this.#windows[slot] = window;
    this.#counts[slot] = 0;
    return window;
  }
}
