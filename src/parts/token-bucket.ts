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
 * Two numbers of state a key. Use a sliding log instead when "never more than N in any window"
 * must hold exactly: a burst on top of the steady rate lets through up to burst + rate a period.
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
   * A token is `periodUs` units: then `count` units arrive each microsecond and everything stays a
   * whole number. With fractions, a caller that waited exactly `retryAfterUs` is now and then refused again.
   */
  readonly #token: number;
  readonly #brim: number;
  readonly #perUs: number;
  #level: number;
  #filledAt: Micros;

  constructor(options: TokenBucketOptions, now: Micros) {
    this.#token = options.rate.periodUs;
    this.#perUs = options.rate.count;
    this.#brim = options.burst * this.#token;
    this.#level = this.#brim;
    this.#filledAt = now;
  }

  take(now: Micros): Verdict {
    this.#fill(now);
    if (this.#level >= this.#token) {
      this.#level -= this.#token;
      return { allowed: true, remaining: Math.floor(this.#level / this.#token) };
    }
    return {
      allowed: false,
      retryAfterUs: Math.ceil((this.#token - this.#level) / this.#perUs),
    };
  }

  /** True when nothing was taken for long enough that forgetting this bucket changes nothing. */
  isFull(now: Micros): boolean {
    this.#fill(now);
    return this.#level === this.#brim;
  }

  /** Fills on demand rather than on a timer: idle keys cost nothing. */
  #fill(now: Micros): void {
    if (now <= this.#filledAt) return;
    this.#level = Math.min(this.#brim, this.#level + (now - this.#filledAt) * this.#perUs);
    this.#filledAt = now;
  }
}
