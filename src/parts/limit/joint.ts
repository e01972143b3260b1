/**
 * Several limits at once: ten a minute *and* a hundred an hour. A request spends from all of them or
 * from none, so that what one refuses costs nothing at the others.
 *
 * ```ts
 * import { FixedWindow } from 'loadpath/parts/limit/fixed-window';
 * import { JointLimiter } from 'loadpath/parts/limit/joint';
 * import { take } from 'loadpath/parts/limit/limiter';
 *
 * const minute = new FixedWindow({ limit: 2, windowUs: 60_000_000 });
 * const hour = new FixedWindow({ limit: 3, windowUs: 3_600_000_000 });
 * const both = new JointLimiter([minute, hour]);
 * [take(both, 0), take(both, 0), take(both, 0)]; // → [0, 0, 60_000_000]
 * [take(both, 60_000_000), take(both, 60_000_000)]; // → [0, 3_540_000_000]
 * ```
 *
 * For one key; limits on different keys (a user and an address) are asked by their owner, each with
 * `waitUs`, before any is charged.
 */
import type { Micros } from '../../host/host.ts';
import { assert } from '../../kit/assert.ts';
import type { Limiter } from './limiter.ts';

export class JointLimiter implements Limiter {
  readonly limit: number;
  readonly windowUs: Micros;
  readonly #limiters: readonly Limiter[];

  constructor(limiters: readonly Limiter[]) {
    assert(limiters.length > 0, 'joint limits are one at least');
    this.#limiters = limiters;
    this.limit = Math.min(...limiters.map((limiter) => limiter.limit));
    this.windowUs = Math.max(...limiters.map((limiter) => limiter.windowUs));
  }

  waitUs(now: Micros, cost: number, slot: number): Micros {
    let waitUs = 0;
    for (const limiter of this.#limiters) {
      const own = limiter.waitUs(now, cost, slot);
      if (own > waitUs) waitUs = own;
    }
    return waitUs;
  }

  spend(now: Micros, cost: number, slot: number): void {
    for (const limiter of this.#limiters) limiter.spend(now, cost, slot);
  }

  remaining(now: Micros, slot: number): number {
    let remaining = Number.POSITIVE_INFINITY;
    for (const limiter of this.#limiters) {
      remaining = Math.min(remaining, limiter.remaining(now, slot));
    }
    return remaining;
  }

  resetUs(now: Micros, slot: number): Micros {
    let resetUs = 0;
    for (const limiter of this.#limiters) resetUs = Math.max(resetUs, limiter.resetUs(now, slot));
    return resetUs;
  }

  clear(slot: number): void {
    for (const limiter of this.#limiters) limiter.clear(slot);
  }

  grow(slotCount: number): void {
    for (const limiter of this.#limiters) limiter.grow(slotCount);
  }
}
