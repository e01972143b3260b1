/**
 * Rate limiting: who may spend how much, and how fast. `take` answers 0 or how long to wait.
 *
 * | limiter | state a key | lets through in a span |
 * | --- | --- | --- |
 * | `Gcra` (token bucket, leaky meter) | 16 bytes | burst + rate × span |
 * | `FixedWindow` | 12 bytes | limit, twice that around an edge |
 * | `SlidingWindow` | 16 bytes | limit × (1 + span / window) |
 * | `SlidingBuckets` | 4 bytes a part | limit in any window |
 * | `SlidingLog` | 8 bytes a request | limit in any window, exactly |
 * | `LeakyQueue` | 32 bytes | rate × span: it delays |
 * | `ConcurrencyLimiter` | a map's entry | so many at once |
 *
 * ```ts
 * import { KeyedLimiter, limiterOf } from 'loadpath/parts/limit';
 *
 * const rate = { count: 10, periodUs: 60_000_000 };
 * const limiter = limiterOf({ algorithm: 'sliding-log', rate, burst: 1, parts: 1 });
 * const users = new KeyedLimiter(limiter, { keysMax: 100_000 });
 * const waits = Array.from({ length: 11 }, () => users.take('alice', 0));
 * waits.filter((waitUs) => waitUs === 0).length; // → 10
 * ```
 */
export {
  type ConcurrencyConfig,
  ConcurrencyLimiter,
  concurrencyKnobs,
} from './limit/concurrency.ts';
export { type LimiterConfig, limiterKnobs, limiterOf } from './limit/config.ts';
export { type LimitPolicy, type RateLimitFields, rateLimitFields } from './limit/fields.ts';
export { FixedWindow, type WindowOptions } from './limit/fixed-window.ts';
export { Gcra, type GcraOptions } from './limit/gcra.ts';
export { JointLimiter } from './limit/joint.ts';
export { KeyedLimiter, KeySlots } from './limit/keyed.ts';
export { LeakyQueue, type LeakyQueueOptions } from './limit/leaky-queue.ts';
export { type Limiter, take } from './limit/limiter.ts';
export { SlidingBuckets, type SlidingBucketsOptions } from './limit/sliding-buckets.ts';
export { SlidingLog } from './limit/sliding-log.ts';
export { SlidingWindow } from './limit/sliding-window.ts';
