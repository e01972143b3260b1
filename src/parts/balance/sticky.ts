/**
 * Session affinity: who was served by a target goes there again as long as it lives.
 *
 * | picker | remembers | survives a restart of the balancer |
 * | --- | --- | --- |
 * | `StickyCookie` | the client, in a cookie with the target's name | yes |
 * | `StickyTable` | the balancer, key by key, the least recent forgotten | no |
 *
 * ```ts
 * import { Balancer, seeded } from 'loadpath/parts/balance';
 * import { StickyCookie } from 'loadpath/parts/balance/sticky';
 *
 * const targets = ['a', 'b', 'c'].map((id) => ({ id, open: 0, avoidUntil: 0 }));
 * const inner = new Balancer<(typeof targets)[number]>('round-robin', seeded(1));
 * const balancer = new StickyCookie(inner);
 * balancer.pick(targets, 0, undefined, 'b')!.id; // → 'b'
 * balancer.pick(targets.slice(0, 1), 0, undefined, 'b')!.id; // → 'a'
 * ```
 *
 * The price: load follows users rather than capacity, and whoever stuck to a target that dies loses
 * what it kept. Better keep sessions in a store.
 */
import type { Micros } from '../../host/host.ts';
import { Lru } from '../lru.ts';
import { isUsable, type NamedTarget, type Picker, type Target } from './target.ts';

/** `key` is what the cookie says: the `id` of the target that was picked before. */
export class StickyCookie<T extends NamedTarget> implements Picker<T> {
  readonly #inner: Picker<T>;

  constructor(inner: Picker<T>) {
    this.#inner = inner;
  }

  pick(targets: readonly T[], now: Micros, except?: T, key?: string): T | undefined {
    for (let i = 0; key !== undefined && i < targets.length; i++) {
      const target = targets[i]!;
      if (target.id === key && isUsable(target, now, except)) return target;
    }
    return this.#inner.pick(targets, now, except);
  }
}

export class StickyTable<T extends Target> implements Picker<T> {
  readonly #inner: Picker<T>;
  readonly #kept: Lru<string, T>;

  constructor(inner: Picker<T>, options: { readonly keysMax: number }) {
    this.#inner = inner;
    this.#kept = new Lru({ entriesMax: options.keysMax });
  }

  pick(targets: readonly T[], now: Micros, except?: T, key?: string): T | undefined {
    if (key === undefined) return this.#inner.pick(targets, now, except);
    const kept = this.#kept.get(key);
    if (kept !== undefined && isUsable(kept, now, except) && targets.includes(kept)) return kept;
    const picked = this.#inner.pick(targets, now, except, key);
    if (picked !== undefined) this.#kept.set(key, picked);
    return picked;
  }
}
