/**
 * How long to wait before attempt `n`: exponential with full jitter, a uniform draw between
 * nothing and the exponential bound. Full jitter spreads a crowd of clients that failed together
 * better than half or equal jitter (Brooker, "Exponential Backoff and Jitter", 2015).
 */
import type { Micros } from '../host/host.ts';
import type { Random } from '../kit/random.ts';

export interface BackoffOptions {
  /** Bound of the first wait. */
  readonly backoffUs: Micros;
  readonly backoffMaxUs: Micros;
}

/** `attempt` counts from 1: the wait before the first retry. */
export function backoffUs(options: BackoffOptions, attempt: number, random: Random): Micros {
  const bound = Math.min(options.backoffMaxUs, options.backoffUs * 2 ** Math.min(attempt - 1, 30));
  return random.between(0, bound);
}
