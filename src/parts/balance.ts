/**
 * Balancers: which of several equal targets takes the next call. Pure but for the random stream
 * that is handed in; a caller tells `began` and `ended` so that load can be counted.
 *
 * Ties never favour an index: the scan starts at a place that moves on with each pick, or the
 * choice among equals is drawn.
 *
 * ```ts
 * import { Balancer, seeded } from 'loadpath/parts/balance';
 *
 * const targets = [3, 0, 1].map((open) => ({ open, avoidUntil: 0 }));
 * new Balancer('least-requests', seeded(1)).pick(targets, 0); // → { open: 0, avoidUntil: 0 }
 * ```
 *
 * Those that need more than this of a target stand in `balance/`: weights and slow start, hashes of a
 * key, latency, zones, stickiness. A `Balancer` is a `Picker` too, and what the latter three fall back on.
 */
import type { Random } from '../kit/random.ts';
import type { Target } from './balance/target.ts';

export { seeded } from '../kit/random.ts';
export type { NamedTarget, Picker, Target } from './balance/target.ts';

export type Balancing = 'round-robin' | 'random' | 'least-requests' | 'two-choices';

export const balancings = ['least-requests', 'round-robin', 'two-choices', 'random'] as const;

export class Balancer<T extends Target> {
  readonly #by: Balancing;
  readonly #random: Random;
  #turn: number;

  constructor(by: Balancing, random: Random) {
    this.#by = by;
    this.#random = random;
    // Many callers starting at target 0 together would march in step.
    this.#turn = random.below(1 << 20);
  }

  /** Undefined when there is no target. `except` is passed over when there is another (a retry goes elsewhere). */
  pick(targets: readonly T[], now: number, except?: T): T | undefined {
    const usable = this.#usable(targets, now, except);
    if (usable.length <= 1) return usable[0];
    switch (this.#by) {
      case 'round-robin':
        return usable[this.#turn++ % usable.length];
      case 'random':
        return usable[this.#random.below(usable.length)];
      case 'least-requests':
        return this.#leastRequests(usable);
      case 'two-choices':
        return this.#twoChoices(usable);
    }
  }

  /** Mostly all of them: then no list is made. */
  #usable(targets: readonly T[], now: number, except: T | undefined): readonly T[] {
    let clean = true;
    for (const target of targets) {
      if (target === except || target.avoidUntil > now) {
        clean = false;
        break;
      }
    }
    if (clean) return targets;
    const usable = targets.filter((target) => target !== except && target.avoidUntil <= now);
    if (usable.length > 0) return usable;
    // All have just failed. Asking one that may be back beats asking none.
    const others = targets.filter((target) => target !== except);
    return others.length > 0 ? others : targets;
  }

  #leastRequests(targets: readonly T[]): T {
    const start = this.#turn++ % targets.length;
    let best = targets[start]!;
    for (let step = 1; step < targets.length; step++) {
      const target = targets[(start + step) % targets.length]!;
      if (target.open < best.open) best = target;
    }
    return best;
  }

  /** Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001). */
  #twoChoices(targets: readonly T[]): T {
    const first = this.#random.below(targets.length);
    const second = (first + 1 + this.#random.below(targets.length - 1)) % targets.length;
    const a = targets[first]!;
    const b = targets[second]!;
    return b.open < a.open ? b : a;
  }
}
