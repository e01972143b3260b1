/**
 * Generic cell rate algorithm (ITU-T I.371; virtual scheduling): one instant a key, at which all that
 * was spent will have been paid back. Each unit pushes it on by one interval; it may lie at most a
 * burst ahead.
 *
 *     now                 due           now + burst
 *   ───┼───────────────────┼──────────────────┼────▶ time
 *      └── owed ───────────┴── still free ────┘
 *
 * Token bucket, leaky bucket as a meter and GCRA are one law told three ways, and admit the same
 * requests: tokens left = what is still free, water in the bucket = what is owed. This telling only
 * ever adds, so nothing overflows and nothing is rounded, whatever the rate.
 *
 * ```ts
 * import { Gcra } from 'loadpath/parts/limit/gcra';
 * import { take } from 'loadpath/parts/limit/limiter';
 *
 * const limiter = new Gcra({ rate: { count: 10, periodUs: 1_000_000 }, burst: 2 });
 * [take(limiter, 0), take(limiter, 0), take(limiter, 0)]; // → [0, 0, 100_000]
 * take(limiter, 100_000); // → 0
 * ```
 *
 * Use `SlidingLog` when "never more than N in any window" must hold: here a burst comes on top of
 * the rate.
 */
import type { Micros } from '../../host/host.ts';
import { assert } from '../../kit/assert.ts';
import type { Rate } from '../../kit/units.ts';
import { grownFloats } from '../grown.ts';
import type { Limiter } from './limiter.ts';

export interface GcraOptions {
  readonly rate: Rate;
  /** Units that may be spent at once by who was quiet. At least 1. */
  readonly burst: number;
}

export class Gcra implements Limiter {
  readonly limit: number;
  readonly windowUs: Micros;
  readonly #periodUs: Micros;
  /** Instants and spans are whole microseconds and parts of one: there are `#parts` in a microsecond. */
  readonly #parts: number;
  readonly #stepUs: Micros;
  readonly #stepPart: number;
  readonly #brimUs: Micros;
  readonly #brimPart: number;
  #dueUs = new Float64Array(1);
  #duePart = new Float64Array(1);

  constructor(options: GcraOptions) {
    const { rate, burst } = options;
    assert(Number.isInteger(burst) && burst >= 1, 'a burst is a whole number, at least 1');
    const shared = gcd(rate.count, rate.periodUs);
    this.#parts = rate.count / shared;
    this.#periodUs = rate.periodUs / shared;
    assert(Number.isSafeInteger(this.#parts * burst), 'burst times rate stays below 2^53');
    this.#stepUs = Math.floor(this.#periodUs / this.#parts);
    this.#stepPart = this.#periodUs % this.#parts;
    this.#brimUs = this.#costUs(burst);
    this.#brimPart = this.#costPart(burst);
    this.limit = burst;
    this.windowUs = this.#brimUs + (this.#brimPart > 0 ? 1 : 0);
  }

  waitUs(now: Micros, cost: number, slot: number): Micros {
    if (cost > this.limit) return Number.POSITIVE_INFINITY;
    let us = this.#dueUs[slot]! - now;
    let part = this.#duePart[slot]!;
    if (us < 0) {
      us = 0;
      part = 0;
    }
    us += this.#costUs(cost);
    part += this.#costPart(cost);
    if (part >= this.#parts) {
      part -= this.#parts;
      us++;
    }
    const overUs = us - this.#brimUs + (part > this.#brimPart ? 1 : 0);
    return Math.max(0, overUs);
  }

  spend(now: Micros, cost: number, slot: number): void {
    let us = this.#dueUs[slot]!;
    let part = this.#duePart[slot]!;
    if (us < now) {
      us = now;
      part = 0;
    }
    us += this.#costUs(cost);
    part += this.#costPart(cost);
    if (part >= this.#parts) {
      part -= this.#parts;
      us++;
    }
    this.#dueUs[slot] = us;
    this.#duePart[slot] = part;
  }

  remaining(now: Micros, slot: number): number {
    const us = this.#dueUs[slot]! - now;
    const freeUs = this.#brimUs - Math.max(0, us);
    const freePart = this.#brimPart - (us < 0 ? 0 : this.#duePart[slot]!);
    const free = (freeUs * this.#parts + freePart) / this.#periodUs;
    // Beyond 2^53 the division is off by one at most; the law itself is asked.
    let units = Math.min(this.limit, Math.max(0, Math.round(free) + 1));
    while (units > 0 && this.waitUs(now, units, slot) > 0) units--;
    return units;
  }

  resetUs(now: Micros, slot: number): Micros {
    return this.owedUs(now, slot);
  }

  /** How far ahead of the rate this slot is: the depth of the leaky bucket, in time. */
  owedUs(now: Micros, slot = 0): Micros {
    const us = this.#dueUs[slot]! - now;
    return us < 0 ? 0 : us + (this.#duePart[slot]! > 0 ? 1 : 0);
  }

  clear(slot: number): void {
    this.#dueUs[slot] = 0;
    this.#duePart[slot] = 0;
  }

  grow(slotCount: number): void {
    this.#dueUs = grownFloats(this.#dueUs, slotCount);
    this.#duePart = grownFloats(this.#duePart, slotCount);
  }

  #costUs(cost: number): Micros {
    if (cost === 1) return this.#stepUs;
    return cost * this.#stepUs + Math.floor((cost * this.#stepPart) / this.#parts);
  }

  #costPart(cost: number): number {
    return cost === 1 ? this.#stepPart : (cost * this.#stepPart) % this.#parts;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
