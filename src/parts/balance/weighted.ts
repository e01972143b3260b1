/**
 * Balancers that heed weights. All of them give a target of weight 2 twice what one of weight 1 gets;
 * they differ in what else they look at.
 *
 * | picker | looks at | use it |
 * | --- | --- | --- |
 * | `SmoothRoundRobin` | its own turn | when requests cost alike: shares are exact, and never in a row |
 * | `WeightedLeastRequests` | what is open | when they do not: a slow target gets less by itself |
 * | `WeightedTwoChoices` | what is open at two that were drawn | when many callers would all run to the least loaded |
 * | `WeightedRandom` | nothing | with very many callers, where no turn means anything |
 *
 * ```ts
 * import { SmoothRoundRobin } from 'loadpath/parts/balance/weighted';
 * import { seeded } from 'loadpath/parts/balance';
 *
 * const [big, small, tiny] = [5, 1, 1].map((weight) => ({ weight, open: 0, avoidUntil: 0, credit: 0 }));
 * const balancer = new SmoothRoundRobin(seeded(1));
 * const picked = Array.from({ length: 7 }, () => balancer.pick([big!, small!, tiny!], 0));
 * picked.filter((target) => target === big).length; // → 5
 * ```
 */
import type { Micros } from '../../host/host.ts';
import type { Random } from '../../kit/random.ts';
import { isUsable, lastResort, type Picker } from './target.ts';
import { ownWeight, type WeightAt, type WeightedTarget } from './weights.ts';

export interface TurnTarget extends WeightedTarget {
  /** What it has saved up for its turn. 0 at first. */
  credit: number;
}

/**
 * nginx's smooth weighted round robin (Dounin, 2012): each pick everybody earns his weight, the
 * richest is picked and pays what all earned. Of weights 5, 1, 1 come a a b a c a a, not a a a a a b c.
 */
export class SmoothRoundRobin<T extends TurnTarget> implements Picker<T> {
  readonly #random: Random;
  readonly #weightAt: WeightAt<T>;
  #turn: number;

  constructor(random: Random, weightAt: WeightAt<T> = ownWeight) {
    this.#random = random;
    this.#weightAt = weightAt;
    // Many callers that started together would otherwise march in step.
    this.#turn = random.below(1 << 20);
  }

  pick(targets: readonly T[], now: Micros, except?: T): T | undefined {
    const count = targets.length;
    let earned = 0;
    let best: T | undefined;
    // Who is first among equals changes with each pick.
    let place = count === 0 ? 0 : this.#turn++ % count;
    for (let step = 0; step < count; step++) {
      const target = targets[place]!;
      place = place + 1 === count ? 0 : place + 1;
      if (!isUsable(target, now, except)) continue;
      const weight = this.#weightAt(target, now);
      target.credit += weight;
      earned += weight;
      if (best === undefined || target.credit > best.credit) best = target;
    }
    if (best === undefined) return lastResort(targets, except, this.#random);
    best.credit -= earned;
    return best;
  }
}

/** The one that would have the least open for its weight, this request included; lots among equals. */
export class WeightedLeastRequests<T extends WeightedTarget> implements Picker<T> {
  readonly #random: Random;
  readonly #weightAt: WeightAt<T>;

  constructor(random: Random, weightAt: WeightAt<T> = ownWeight) {
    this.#random = random;
    this.#weightAt = weightAt;
  }

  pick(targets: readonly T[], now: Micros, except?: T): T | undefined {
    let best: T | undefined;
    let least = Number.POSITIVE_INFINITY;
    let equals = 0;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (!isUsable(target, now, except)) continue;
      const load = this.#load(target, now);
      if (load > least) continue;
      equals = load < least ? 1 : equals + 1;
      least = load;
      best = target;
    }
    if (equals <= 1) return best ?? lastResort(targets, except, this.#random);
    let left = this.#random.below(equals);
    for (let i = 0; ; i++) {
      const target = targets[i]!;
      if (!isUsable(target, now, except) || this.#load(target, now) > least) continue;
      if (left-- === 0) return target;
    }
  }

  #load(target: T, now: Micros): number {
    return (target.open + 1) / this.#weightAt(target, now);
  }
}

export class WeightedRandom<T extends WeightedTarget> implements Picker<T> {
  readonly #random: Random;
  readonly #weightAt: WeightAt<T>;

  constructor(random: Random, weightAt: WeightAt<T> = ownWeight) {
    this.#random = random;
    this.#weightAt = weightAt;
  }

  pick(targets: readonly T[], now: Micros, except?: T): T | undefined {
    const drawn = drawnByWeight(targets, now, except, this.#weightAt, this.#random);
    return drawn ?? lastResort(targets, except, this.#random);
  }
}

/** Two are drawn, each by its weight; the one that has less open for its weight is taken. */
export class WeightedTwoChoices<T extends WeightedTarget> implements Picker<T> {
  readonly #random: Random;
  readonly #weightAt: WeightAt<T>;

  constructor(random: Random, weightAt: WeightAt<T> = ownWeight) {
    this.#random = random;
    this.#weightAt = weightAt;
  }

  pick(targets: readonly T[], now: Micros, except?: T): T | undefined {
    const weightAt = this.#weightAt;
    const a = drawnByWeight(targets, now, except, weightAt, this.#random);
    if (a === undefined) return lastResort(targets, except, this.#random);
    const b = drawnByWeight(targets, now, except, weightAt, this.#random)!;
    // Of equals the first: weights have had their say in the draw.
    return b.open * weightAt(a, now) < a.open * weightAt(b, now) ? b : a;
  }
}

function drawnByWeight<T extends WeightedTarget>(
  targets: readonly T[],
  now: Micros,
  except: T | undefined,
  weightAt: WeightAt<T>,
  random: Random,
): T | undefined {
  let total = 0;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (isUsable(target, now, except)) total += weightAt(target, now);
  }
  let left = random.next() * total;
  let last: T | undefined;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (!isUsable(target, now, except)) continue;
    last = target;
    left -= weightAt(target, now);
    if (left < 0) break;
  }
  return last;
}
