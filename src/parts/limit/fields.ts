/**
 * What a limited client is told: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10,
 * structured fields of RFC 9651) and, when it was refused, `Retry-After` (RFC 9110, section 10.2.3).
 *
 * ```ts
 * import { rateLimitFields } from 'loadpath/parts/limit/fields';
 * import { FixedWindow } from 'loadpath/parts/limit/fixed-window';
 * import { take } from 'loadpath/parts/limit/limiter';
 *
 * const limiter = new FixedWindow({ limit: 10, windowUs: 60_000_000 });
 * const waitUs = take(limiter, 53_500_000);
 * rateLimitFields([{ name: 'minute', limiter, slot: 0 }], 53_500_000, waitUs);
 * // → { 'ratelimit-policy': '"minute";q=10;w=60', ratelimit: '"minute";r=9;t=7' }
 * ```
 *
 * Seconds are rounded up: who comes back then is not refused for a fraction. `q` and `w` of a bucket
 * are its burst and the time in which it fills, so that their ratio is the rate.
 */
import type { Micros } from '../../host/host.ts';
import type { Limiter } from './limiter.ts';

export interface LimitPolicy {
  /** As clients see it: printable ASCII. */
  readonly name: string;
  readonly limiter: Limiter;
  /** Of the caller who is told. */
  readonly slot: number;
}

export interface RateLimitFields {
  readonly 'ratelimit-policy': string;
  readonly ratelimit: string;
  readonly 'retry-after'?: string;
}

/** `waitUs` is what the request was answered: 0, or how long its caller should stay away. */
export function rateLimitFields(
  policies: readonly LimitPolicy[],
  now: Micros,
  waitUs: Micros,
): RateLimitFields {
  const rules: string[] = [];
  const states: string[] = [];
  for (const { name, limiter, slot } of policies) {
    const label = rateLimitLabel(name);
    rules.push(rateLimitRule(label, limiter));
    states.push(rateLimitState(label, limiter, slot, now, waitUs));
  }
  const fields = { 'ratelimit-policy': rules.join(', '), ratelimit: states.join(', ') };
  if (waitUs === 0 || waitUs === Number.POSITIVE_INFINITY) return fields;
  return { ...fields, 'retry-after': String(seconds(waitUs)) };
}

/** What stays the same from reply to reply, for who writes many: the name and the rule of a limiter. */
export function rateLimitRule(label: string, limiter: Limiter): string {
  return `${label};q=${limiter.limit};w=${seconds(limiter.windowUs)}`;
}

/** One item of `RateLimit`. */
export function rateLimitState(
  label: string,
  limiter: Limiter,
  slot: number,
  now: Micros,
  waitUs: Micros,
): string {
  const remaining = limiter.remaining(now, slot);
  // Of the one that refused, the instant is that of Retry-After, as the draft asks.
  const isSpent = waitUs > 0 && remaining === 0;
  const resetUs = isSpent ? limiter.waitUs(now, 1, slot) : limiter.resetUs(now, slot);
  return `${label};r=${remaining};t=${seconds(resetUs)}`;
}

function seconds(us: Micros): number {
  return Math.ceil(us / 1_000_000);
}

/** A string of structured fields: quotes and backslashes escaped, other than ASCII left out. */
export function rateLimitLabel(name: string): string {
  return `"${name.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
