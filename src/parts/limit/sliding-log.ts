/**
 * Sliding log: the instants of all that was admitted in the last window. Exact: no span as long as
 * the window ever holds more than the limit.
 *
 *   ──·──··────·──····──▶         each leaves the log one window after it came
 *     └──── window ────┘
 *
 * ```ts
 * import { SlidingLog } from 'loadpath/parts/limit/sliding-log';
 * import { take } from 'loadpath/parts/limit/limiter';
 *
 * const limiter = new SlidingLog({ limit: 2, windowUs: 60_000_000 });
 * [take(limiter, 0), take(limiter, 59_000_000), take(limiter, 59_500_000)]; // → [0, 0, 500_000]
 * ```
 *
 * It costs 8 bytes for each unit in the window: 10 a minute are nothing, 10,000 a minute for a
 * million callers are 80 GB. Then `SlidingBuckets` is as strict for a fixed price.
 */
import type { Micros } from '../../host/host.ts';
import { assert } from '../../kit/assert.ts';
import { grownWords } from '../grown.ts';
import type { WindowOptions } from './fixed-window.ts';
import type { Limiter } from './limiter.ts';

const ringMin = 8;

export class SlidingLog implements Limiter {
  readonly limit: number;
  readonly windowUs: Micros;
  /** A ring of instants a slot, the oldest at its head; made when first used, as large as was needed. */
  #rings: (Float64Array | undefined)[] = [undefined];
  #heads = new Uint32Array(1);
  #sizes = new Uint32Array(1);

  constructor(options: WindowOptions) {
    assert(options.limit >= 1, 'a log has room for one instant at least');
    this.limit = options.limit;
    this.windowUs = options.windowUs;
  }

  waitUs(now: Micros, cost: number, slot: number): Micros {
    if (cost > this.limit) return Number.POSITIVE_INFINITY;
    const size = this.#forget(now, slot);
    const surplus = size + cost - this.limit;
    if (surplus <= 0) return 0;
    return this.#instant(slot, surplus - 1) + this.windowUs - now;
  }

  spend(now: Micros, cost: number, slot: number): void {
    const size = this.#sizes[slot]!;
    const ring = this.#roomFor(slot, size + cost);
    let place = this.#heads[slot]! + size;
    if (place >= ring.length) place -= ring.length;
    const last = ring[place === 0 ? ring.length - 1 : place - 1]!;
    // A clock that was set back does not make an instant older than the one before it.
    const at = size > 0 && last > now ? last : now;
    for (let unit = 0; unit < cost; unit++) {
      ring[place] = at;
      place = place + 1 === ring.length ? 0 : place + 1;
    }
    this.#sizes[slot] = size + cost;
  }

  remaining(now: Micros, slot: number): number {
    return this.limit - this.#forget(now, slot);
  }

  resetUs(now: Micros, slot: number): Micros {
    const size = this.#forget(now, slot);
    return size === 0 ? 0 : this.#instant(slot, size - 1) + this.windowUs - now;
  }

  clear(slot: number): void {
    this.#rings[slot] = undefined;
    this.#heads[slot] = 0;
    this.#sizes[slot] = 0;
  }

  grow(slotCount: number): void {
    while (this.#rings.length < slotCount) this.#rings.push(undefined);
    this.#heads = grownWords(this.#heads, slotCount);
    this.#sizes = grownWords(this.#sizes, slotCount);
  }

  /** Drops what has left the window; how many are in it. */
  #forget(now: Micros, slot: number): number {
    let size = this.#sizes[slot]!;
    if (size === 0) return 0;
    const ring = this.#rings[slot]!;
    const gone = now - this.windowUs;
    let head = this.#heads[slot]!;
    while (size > 0 && ring[head]! <= gone) {
      head = head + 1 === ring.length ? 0 : head + 1;
      size--;
    }
    this.#heads[slot] = head;
    this.#sizes[slot] = size;
    return size;
  }

  #instant(slot: number, index: number): Micros {
    const ring = this.#rings[slot]!;
    return ring[(this.#heads[slot]! + index) % ring.length]!;
  }

  #roomFor(slot: number, size: number): Float64Array {
    const ring = this.#rings[slot];
    if (ring && ring.length >= size) return ring;
    const wanted = Math.min(this.limit, Math.max(ringMin, size, 2 * (ring?.length ?? 0)));
    const larger = new Float64Array(wanted);
    for (let index = 0; index < this.#sizes[slot]!; index++) {
      larger[index] = this.#instant(slot, index);
    }
    this.#rings[slot] = larger;
    this.#heads[slot] = 0;
    return larger;
  }
}
