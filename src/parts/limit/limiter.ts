/**
 * What every rate limiter promises. A limiter keeps the state of many callers in *slots* of typed
 * arrays, a few numbers each; alone it has one, slot 0, and `KeyedLimiter` gives each key its own.
 *
 *   waitUs ──0──▶ spend            admitted and counted
 *      └──more──▶ come back then   refused: nothing was counted
 *
 * Asking and counting are two steps, so that several limiters can be asked before any is charged
 * (`JointLimiter`). An answer is a number, 0 or how long to wait: nothing is allocated for it, and what
 * `RateLimit` and `Retry-After` need is there to be asked for (`rateLimitFields`).
 */
import type { Micros } from '../../host/host.ts';

export interface Limiter {
  /** Units that a caller who was quiet may spend at once, and the time in which they come back. */
  readonly limit: number;
  readonly windowUs: Micros;
  /**
   * 0: `cost` units may be spent now. Otherwise how long until they may, if nobody else spends in
   * that slot meanwhile; infinite when `cost` exceeds the limit.
   */
  waitUs(now: Micros, cost: number, slot: number): Micros;
  /** Counts what `waitUs` has just answered 0 to. */
  spend(now: Micros, cost: number, slot: number): void;
  /** The most that may be spent at once now. */
  remaining(now: Micros, slot: number): number;
  /** How long until the whole limit is there again; 0 when it is. Then forgetting the slot changes nothing. */
  resetUs(now: Micros, slot: number): Micros;
  /** As if the slot had never been used. */
  clear(slot: number): void;
  /** Makes room for slots 0 to `slotCount` - 1. What is in use stays. */
  grow(slotCount: number): void;
}

/** Spends `cost` units if they are there and returns 0; otherwise spends nothing and returns the wait. */
export function take(limiter: Limiter, now: Micros, cost = 1, slot = 0): Micros {
  const waitUs = limiter.waitUs(now, cost, slot);
  if (waitUs === 0) limiter.spend(now, cost, slot);
  return waitUs;
}
