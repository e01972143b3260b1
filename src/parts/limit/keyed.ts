/**
 * One limiter for many keys: users, addresses, locations, routes. Memory is bounded: beyond
 * `keysMax` the key seen longest ago is forgotten, and starts afresh when it comes back.
 *
 *   'alice' ─▶ slot 3 ─▶ limiter's typed arrays        the key seen longest ago gives up its slot
 *
 * ```ts
 * import { Gcra } from 'loadpath/parts/limit/gcra';
 * import { KeyedLimiter } from 'loadpath/parts/limit/keyed';
 *
 * const rate = { count: 10, periodUs: 60_000_000 };
 * const limiter = new KeyedLimiter(new Gcra({ rate, burst: 1 }), { keysMax: 100_000 });
 * [limiter.take('alice', 0), limiter.take('alice', 0), limiter.take('bob', 0)]; // → [0, 6_000_000, 0]
 * ```
 *
 * Who is forgotten is forgiven. With fewer keys at once than `keysMax` that is nobody whose limit was
 * not long whole again; a crowd of invented keys can push others out, so limit what is cheap to
 * invent (an address) before what is not (a paid account), and in stores of their own.
 */
import type { Micros } from '../../host/host.ts';
import { Lru } from '../lru.ts';
import { type Limiter, take } from './limiter.ts';

const slotsMin = 16;

/** The slot of each key, for whatever keeps its state in slots. */
export class KeySlots {
  readonly #keeper: Pick<Limiter, 'clear' | 'grow'>;
  readonly #keysMax: number;
  readonly #slots: Lru<string, number>;
  #slotCount: number;
  /** The slot of the key that had to go for the one that comes. */
  #freed = -1;

  constructor(keeper: Pick<Limiter, 'clear' | 'grow'>, options: { readonly keysMax: number }) {
    this.#keeper = keeper;
    this.#keysMax = options.keysMax;
    this.#slotCount = Math.min(slotsMin, options.keysMax);
    keeper.grow(this.#slotCount);
    this.#slots = new Lru({
      entriesMax: options.keysMax,
      onEvict: (_, slot) => {
        this.#freed = slot;
      },
    });
  }

  /** Keys remembered. */
  get size(): number {
    return this.#slots.size;
  }

  /** Its slot, a clear one if it is new. Another key may have it once this one is forgotten: do not keep it. */
  of(key: string): number {
    return this.#slots.get(key) ?? this.#open(key);
  }

  /** Without being seen; undefined: not remembered. */
  peek(key: string): number | undefined {
    return this.#slots.peek(key);
  }

  #open(key: string): number {
    const isFull = this.#slots.size === this.#keysMax;
    const next = this.#slots.size;
    if (!isFull && next === this.#slotCount) {
      this.#slotCount = Math.min(this.#keysMax, 2 * this.#slotCount);
      this.#keeper.grow(this.#slotCount);
    }
    this.#slots.set(key, next);
    if (!isFull) return next;
    // Set to `next` above only to learn from the eviction which slot is free.
    this.#slots.set(key, this.#freed);
    this.#keeper.clear(this.#freed);
    return this.#freed;
  }
}

export class KeyedLimiter {
  readonly #limiter: Limiter;
  readonly #slots: KeySlots;

  constructor(limiter: Limiter, options: { readonly keysMax: number }) {
    this.#limiter = limiter;
    this.#slots = new KeySlots(limiter, options);
  }

  /** Keys remembered. */
  get size(): number {
    return this.#slots.size;
  }

  /** 0: `cost` units were there and are spent. Otherwise nothing is, and this is how long to wait. */
  take(key: string, now: Micros, cost = 1): Micros {
    return take(this.#limiter, now, cost, this.#slots.of(key));
  }

  remaining(key: string, now: Micros): number {
    const slot = this.#slots.peek(key);
    return slot === undefined ? this.#limiter.limit : this.#limiter.remaining(now, slot);
  }

  resetUs(key: string, now: Micros): Micros {
    const slot = this.#slots.peek(key);
    return slot === undefined ? 0 : this.#limiter.resetUs(now, slot);
  }
}
