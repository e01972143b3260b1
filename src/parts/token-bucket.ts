/**
 * Token bucket: a bucket of `burst` tokens refills at `rate`; a request takes one or is refused.
 * Bursts pass, the average holds.
 *
 *   tokens
 *   burst ─┐      ┌──────   refills in a straight line, stops at the brim
 *          │╲    ╱
 *          │ ╲  ╱           each request takes one out
 *        0 └──╲╱────── time
 *
 * ```ts
 * import { TokenBucket } from 'loadpath/parts/token-bucket';
 *
 * const bucket = new TokenBucket({ rate: { count: 10, periodUs: 1_000_000 }, burst: 1 }, 0);
 * bucket.take(0); // → { allowed: true, remaining: 0 }
 * bucket.take(0); // → { allowed: false, retryAfterUs: 100_000 }
 * ```
 *
 * One bucket an object; for many keys `limit/gcra.ts` keeps the same law in two numbers a key. Use a
 * sliding log instead when "never more than N in any window" must hold exactly: a burst on top of
 * the steady rate lets through up to burst + rate a period.
 */
import type { Micros } from '../host/host.ts';
import type { Rate } from '../kit/units.ts';

export interface TokenBucketOptions {
  readonly rate: Rate;
  readonly burst: number;
}

export type Verdict =
  | { readonly allowed: true; readonly remaining: number }
  | { readonly allowed: false; readonly retryAfterUs: Micros };

export class TokenBucket {
  /**
   * A token is `periodUs` parts: then `count` parts arrive each microsecond and everything stays a
   * whole number. With fractions, a caller that waited exactly `retryAfterUs` is now and then refused
   * again. Tokens and parts are counted apart: a million tokens a day are 10^17 parts.
   */
  readonly #partsPerToken: number;
  readonly #partsPerUs: number;
  readonly #burst: number;
  /** No bucket is emptier than this fills; a longer span need not be multiplied. */
  readonly #fillsWithinUs: number;
  #tokens: number;
  #parts = 0;
  #filledAt: Micros;

  constructor(options: TokenBucketOptions, now: Micros) {
    const { rate, burst } = options;
    this.#partsPerToken = rate.periodUs;
    this.#partsPerUs = rate.count;
    this.#burst = burst;
    this.#fillsWithinUs = Math.ceil((burst / rate.count) * rate.periodUs) + 1;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  take(now: Micros): Verdict {
    this.#fill(now);
    if (this.#tokens > 0) {
      this.#tokens--;
      return { allowed: true, remaining: this.#tokens };
    }
    return {
      allowed: false,
      retryAfterUs: Math.ceil((this.#partsPerToken - this.#parts) / this.#partsPerUs),
    };
  }

  /** True when nothing was taken for long enough that forgetting this bucket changes nothing. */
  isFull(now: Micros): boolean {
    this.#fill(now);
    return this.#tokens === this.#burst;
  }

  /** Fills on demand rather than on a timer: idle keys cost nothing. */
  #fill(now: Micros): void {
    const elapsedUs = now - this.#filledAt;
    if (elapsedUs <= 0) return;
    this.#filledAt = now;
    if (elapsedUs >= this.#fillsWithinUs) return this.#brim();
    const parts = this.#parts + elapsedUs * this.#partsPerUs;
    if (parts > Number.MAX_SAFE_INTEGER) return this.#fillExactly(elapsedUs);
    const tokens = Math.floor(parts / this.#partsPerToken);
    this.#tokens += tokens;
    this.#parts = parts - tokens * this.#partsPerToken;
    if (this.#tokens >= this.#burst) this.#brim();
  }

  /** Rare: a large bucket after a long pause. */
  #fillExactly(elapsedUs: Micros): void {
    const parts = BigInt(this.#parts) + BigInt(elapsedUs) * BigInt(this.#partsPerUs);
    const partsPerToken = BigInt(this.#partsPerToken);
    this.#tokens += Number(parts / partsPerToken);
    this.#parts = Number(parts % partsPerToken);
    if (this.#tokens >= this.#burst) this.#brim();
  }

  #brim(): void {
    this.#tokens = this.#burst;
    this.#parts = 0;
  }
}
