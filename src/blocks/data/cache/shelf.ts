/**
 * What one cache node keeps: entries that expire and make room, by LRU or FIFO.
 *
 * Expiry is looked at when an entry is asked for; until then it takes up room, which the policy
 * reclaims like any other. No timer an entry.
 */
import type { Micros, Value } from '../../../host/host.ts';
import { Lru } from '../../../parts/lru.ts';

export interface Entry {
  /** Undefined: known to be absent. */
  readonly value: Value | undefined;
  readonly expiresAt: Micros;
}

export interface ShelfOptions {
  readonly capacity: number;
  readonly policy: 'lru' | 'fifo';
  readonly onEvict: () => void;
  readonly onExpire: () => void;
}

export class Shelf {
  readonly #entries: Lru<string, Entry>;
  readonly #options: ShelfOptions;

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#entries = new Lru({ entriesMax: options.capacity, onEvict: options.onEvict });
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now: Micros): Entry | undefined {
    const entry = this.#options.policy === 'lru' ? this.#entries.get(key) : this.#entries.peek(key);
    if (!entry || now < entry.expiresAt) return entry;
    this.#entries.delete(key);
    this.#options.onExpire();
    return undefined;
  }

  set(key: string, value: Value | undefined, ttlUs: Micros, now: Micros): void {
    // In a FIFO a value set anew keeps its place no longer: it counts as set now.
    if (this.#options.policy === 'fifo') this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAt: now + ttlUs });
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }
}
