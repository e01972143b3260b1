/**
 * Balancers by key: the same address, user or object goes to the same target while that one is
 * there, and only its own keys move when it goes.
 *
 * | picker | on a hot key | use it |
 * | --- | --- | --- |
 * | `SourceHash` | one target takes it all | sessions kept by a server; a handful of targets |
 * | `BoundedHash` | spills to the next ones | caches: hot objects get as many homes as they need |
 *
 * ```ts
 * import { seeded } from 'loadpath/parts/balance';
 * import { SourceHash } from 'loadpath/parts/balance/hashed';
 *
 * const targets = ['a', 'b', 'c'].map((id) => ({ id, open: 0, avoidUntil: 0 }));
 * const balancer = new SourceHash(seeded(1));
 * const first = balancer.pick(targets, 0, undefined, '10.0.0.7')!;
 * const without = targets.filter((target) => target === first || target.id !== 'b');
 * balancer.pick(without, 0, undefined, '10.0.0.7') === first; // → true
 * ```
 *
 * `hash % count` would move nearly all keys whenever a target comes or goes: 10 of 11 when ten
 * become eleven.
 */
import type { Micros } from '../../host/host.ts';
import { type ConfigOf, count, ratio } from '../../kit/config.ts';
import { hashText, mix, type Random } from '../../kit/random.ts';
import { Ring } from '../ring.ts';
import { isUsable, lastResort, type NamedTarget, type Picker } from './target.ts';

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): key and target together give a number, the
 * highest wins. Needs no memory of anything; a pick looks at every target.
 */
export class SourceHash<T extends NamedTarget> implements Picker<T> {
  readonly #random: Random;
  #known: readonly T[] = [];
  #hashes = new Int32Array(0);

  /** `random` is for when all targets are to be avoided. */
  constructor(random: Random) {
    this.#random = random;
  }

  pick(targets: readonly T[], now: Micros, except?: T, key = ''): T | undefined {
    if (targets !== this.#known) this.#learn(targets);
    const hash = hashText(key);
    let best: T | undefined;
    let highest = -1;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (!isUsable(target, now, except)) continue;
      const score = mix(hash ^ this.#hashes[i]!) >>> 0;
      if (score <= highest) continue;
      highest = score;
      best = target;
    }
    return best ?? lastResort(targets, except, this.#random);
  }

  #learn(targets: readonly T[]): void {
    this.#known = targets;
    this.#hashes = Int32Array.from(targets, (target) => hashText(target.id, 0x51ed270b));
  }
}

export const boundedHashKnobs = {
  overload: ratio(0.25, {
    min: 0.01,
    max: 10,
    doc: 'How far above the mean a target may be loaded before its keys spill over. 0.25 costs few misplaced keys and is what HAProxy and Vimeo run with; towards 0 it becomes least requests.',
  }),
  tokens: count(128, {
    min: 1,
    max: 4_096,
    doc: 'Places a target has on the ring. More spread keys better and cost memory.',
  }),
};

export type BoundedHashConfig = ConfigOf<typeof boundedHashKnobs>;

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018): a key goes to
 * the first target clockwise that has less than (1 + overload) of the mean open. No target is ever
 * above that, and a key that must move goes where its stand-in would be anyway.
 */
export class BoundedHash<T extends NamedTarget> implements Picker<T> {
  readonly #config: BoundedHashConfig;
  readonly #random: Random;
  #known: readonly T[] = [];
  #ring: Ring | undefined;
  readonly #byId = new Map<string, T>();

  constructor(config: BoundedHashConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  pick(targets: readonly T[], now: Micros, except?: T, key = ''): T | undefined {
    if (targets !== this.#known) this.#learn(targets);
    if (this.#ring === undefined) return undefined;
    let openCount = 0;
    let usable = 0;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (!isUsable(target, now, except)) continue;
      openCount += target.open;
      usable++;
    }
    if (usable === 0) return lastResort(targets, except, this.#random);
    const openMax = Math.ceil(((1 + this.#config.overload) * (openCount + 1)) / usable);
    const walk = this.#ring.walk(key);
    for (let i = 0; i < walk.length; i++) {
      const target = this.#byId.get(walk[i]!)!;
      if (isUsable(target, now, except) && target.open < openMax) return target;
    }
    return lastResort(targets, except, this.#random);
  }

  #learn(targets: readonly T[]): void {
    this.#known = targets;
    this.#byId.clear();
    for (const target of targets) this.#byId.set(target.id, target);
    const members = targets.map(({ id }) => ({ id, zone: '' }));
    this.#ring = targets.length === 0 ? undefined : new Ring(members, this.#config);
  }
}
