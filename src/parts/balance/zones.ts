/**
 * Zone-aware balancing: calls stay in the caller's own zone as far as every target can still get
 * its fair share; only the surplus crosses.
 *
 *   zone a: 3 callers, 1 target     a has 3/5 of the callers and 1/3 of the targets: it keeps 5/9 of
 *   zone b: 1 caller,  1 target     its calls and sends the rest where targets outnumber callers, to
 *   zone c: 1 caller,  1 target     b and c. Every target ends up with a third.
 *
 * ```ts
 * import { Balancer, seeded } from 'loadpath/parts/balance';
 * import { ZoneAware } from 'loadpath/parts/balance/zones';
 *
 * const targets = ['a', 'b'].map((zone) => ({ zone, open: 0, avoidUntil: 0 }));
 * const inner = new Balancer<(typeof targets)[number]>('round-robin', seeded(1));
 * const balancer = new ZoneAware({ zone: 'a', callers: { a: 1, b: 1 }, targetsMin: 2 }, inner, seeded(2));
 * balancer.pick(targets, 0)!.zone; // → 'a'
 * ```
 *
 * After Envoy's zone-aware routing. A crossing costs a millisecond or two and money; an overloaded
 * zone costs more, so fairness comes first.
 */
import type { Micros } from '../../host/host.ts';
import type { Random } from '../../kit/random.ts';
import { isUsable, lastResort, type Picker, type Target } from './target.ts';

export interface ZonedTarget extends Target {
  readonly zone: string;
}

export interface ZoneOptions {
  /** Of this caller. */
  readonly zone: string;
  /** How many callers stand in each zone: they are taken to call equally often. */
  readonly callers: Readonly<Record<string, number>>;
  /** With fewer usable targets zones do not matter: one that fails would take a whole zone with it. */
  readonly targetsMin: number;
}

interface Group<T> {
  readonly zone: string;
  readonly targets: T[];
  /** Share of all callers. */
  readonly callers: number;
  usable: number;
}

export class ZoneAware<T extends ZonedTarget> implements Picker<T> {
  readonly #options: ZoneOptions;
  readonly #inner: Picker<T>;
  readonly #random: Random;
  #known: readonly T[] = [];
  #groups: readonly Group<T>[] = [];
  #own: Group<T> | undefined;

  constructor(options: ZoneOptions, inner: Picker<T>, random: Random) {
    this.#options = options;
    this.#inner = inner;
    this.#random = random;
  }

  pick(targets: readonly T[], now: Micros, except?: T, key?: string): T | undefined {
    if (targets !== this.#known) this.#learn(targets);
    let usable = 0;
    for (const group of this.#groups) {
      group.usable = 0;
      for (const target of group.targets) if (isUsable(target, now, except)) group.usable++;
      usable += group.usable;
    }
    if (usable === 0) return lastResort(targets, except, this.#random);
    const group = usable < this.#options.targetsMin ? undefined : this.#choose(usable);
    return this.#inner.pick(group?.targets ?? targets, now, except, key);
  }

  /** Undefined: any. */
  #choose(usable: number): Group<T> | undefined {
    const own = this.#own;
    if (!own || own.usable === 0) return this.#elsewhere(usable);
    // What this zone's targets can take, over what its callers send.
    const kept = own.usable / usable / own.callers;
    if (kept >= 1 || this.#random.next() < kept) return own;
    return this.#elsewhere(usable);
  }

  /** A zone drawn by what its targets can take beyond what its own callers send them. */
  #elsewhere(usable: number): Group<T> | undefined {
    let spare = 0;
    for (const group of this.#groups) spare += this.#spareOf(group, usable);
    let left = this.#random.next() * spare;
    for (const group of this.#groups) {
      left -= this.#spareOf(group, usable);
      if (left < 0) return group;
    }
    return undefined;
  }

  #spareOf(group: Group<T>, usable: number): number {
    return group === this.#own ? 0 : Math.max(0, group.usable / usable - group.callers);
  }

  #learn(targets: readonly T[]): void {
    this.#known = targets;
    const { callers, zone } = this.#options;
    let callerCount = 0;
    for (const count of Object.values(callers)) callerCount += count;
    const groups = new Map<string, Group<T>>();
    for (const target of targets) {
      let group = groups.get(target.zone);
      if (!group) {
        const share = (callers[target.zone] ?? 0) / Math.max(1, callerCount);
        group = { zone: target.zone, targets: [], callers: share, usable: 0 };
        groups.set(target.zone, group);
      }
      group.targets.push(target);
    }
    this.#groups = [...groups.values()];
    this.#own = groups.get(zone);
  }
}
