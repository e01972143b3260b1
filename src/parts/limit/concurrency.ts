/**
 * How many at once: requests in flight, sessions or connections that a key may have open, and all
 * keys together. What entered must leave; nothing else gives a place back.
 *
 * ```ts
 * import { ConcurrencyLimiter } from 'loadpath/parts/limit/concurrency';
 *
 * const sessions = new ConcurrencyLimiter({ openMax: 100, openPerKeyMax: 1, keysMax: 1_000 });
 * [sessions.enter('alice'), sessions.enter('alice'), sessions.enter('bob')]; // → [true, false, true]
 * sessions.leave('alice');
 * sessions.enter('alice'); // → true
 * ```
 *
 * A rate says nothing about slow requests: by Little's law a hundred a second that take ten seconds
 * each are a thousand at once.
 */
import { assert } from '../../kit/assert.ts';
import { type ConfigOf, count } from '../../kit/config.ts';

export const concurrencyKnobs = {
  openMax: count(10_000, {
    min: 1,
    doc: 'Open at once by all keys together. About what one process holds without running out of memory.',
  }),
  openPerKeyMax: count(100, {
    min: 1,
    doc: 'Open at once by one key. Browsers open 6 connections to a host, or 100 streams on one: a household behind one address still fits.',
  }),
  keysMax: count(10_000, {
    min: 1,
    doc: 'Keys that have something open at the same time. Beyond it a new key is refused.',
  }),
};

export type ConcurrencyConfig = ConfigOf<typeof concurrencyKnobs>;

/** Of one key: changed in place, so that coming and going cost one look-up each. */
interface Places {
  taken: number;
}

export class ConcurrencyLimiter {
  readonly #config: ConcurrencyConfig;
  /**
   * Keys with nothing open stay until there are too many: a Map from which one hot key is deleted
   * and set again for each request slows down a thousandfold.
   */
  readonly #open = new Map<string, Places>();
  #openCount = 0;

  constructor(config: ConcurrencyConfig) {
    this.#config = config;
  }

  /** Open now, by all keys together. */
  get openCount(): number {
    return this.#openCount;
  }

  openBy(key: string): number {
    return this.#open.get(key)?.taken ?? 0;
  }

  enter(key: string): boolean {
    const { openMax, openPerKeyMax, keysMax } = this.#config;
    if (this.#openCount >= openMax) return false;
    let places = this.#open.get(key);
    if (places) {
      if (places.taken >= openPerKeyMax) return false;
    } else {
      if (this.#open.size >= keysMax && !this.#forgetIdle()) return false;
      places = { taken: 0 };
      this.#open.set(key, places);
    }
    places.taken++;
    this.#openCount++;
    return true;
  }

  leave(key: string): void {
    const places = this.#open.get(key);
    assert(places !== undefined && places.taken > 0, 'only what entered leaves');
    places.taken--;
    this.#openCount--;
  }

  /** Whether that made room. */
  #forgetIdle(): boolean {
    for (const [key, { taken }] of this.#open) if (taken === 0) this.#open.delete(key);
    return this.#open.size < this.#config.keysMax;
  }
}
