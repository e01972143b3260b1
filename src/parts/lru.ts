/**
 * A map that holds at most `entriesMax` entries: beyond it the one used longest ago goes.
 *
 *   newest ⇄ … ⇄ … ⇄ oldest      a linked list in two typed arrays, found through one Map
 *
 * A `get` moves its entry to the front: four array writes. The usual trick of deleting and setting
 * again in a Map costs 20 to 40 µs for one hot key, because each deletion leaves a hole that the
 * Map must step over. Use `peek` to look without making an entry young: then this is a FIFO.
 *
 * Memory: about 60 bytes an entry beside key and value; grows by doubling, never shrinks.
 */
import { assert } from '../kit/assert.ts';

export interface LruOptions<K, V> {
  /** At least 1. */
  readonly entriesMax: number;
  /** Called for each entry that had to make room; not for `delete`, `clear` or an overwrite. */
  readonly onEvict?: ((key: K, value: V) => void) | undefined;
}

/** Slot 0 is the list's head and tail at once, so no link is ever missing. */
const root = 0;

export class Lru<K, V> {
  readonly #entriesMax: number;
  readonly #onEvict: ((key: K, value: V) => void) | undefined;
  readonly #slots = new Map<K, number>();
  #keys: (K | undefined)[] = [undefined];
  #values: (V | undefined)[] = [undefined];
  /** Towards older entries. */
  #older: Uint32Array;
  /** Towards newer entries. */
  #newer: Uint32Array;
  /** Freed slots, chained through `#older`; 0: none. */
  #free = 0;
  #slotCount = 1;

  constructor(options: LruOptions<K, V>) {
    assert(options.entriesMax >= 1, 'a cache has room for at least one entry');
    this.#entriesMax = options.entriesMax;
    this.#onEvict = options.onEvict;
    const capacity = Math.min(options.entriesMax, 15) + 1;
    this.#older = new Uint32Array(capacity);
    this.#newer = new Uint32Array(capacity);
  }

  get size(): number {
    return this.#slots.size;
  }

  has(key: K): boolean {
    return this.#slots.has(key);
  }

  /** The value, made the youngest; undefined when absent. */
  get(key: K): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    this.#touch(slot);
    return this.#values[slot];
  }

  /** The value, its age unchanged. */
  peek(key: K): V | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#values[slot];
  }

  /** The key that would go first; undefined when there is none. */
  oldest(): K | undefined {
    return this.#keys[this.#newer[root]!];
  }

  /** The value, or what `make` returns, kept from now on. */
  getOrSet(key: K, make: () => V): V {
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      this.#touch(slot);
      return this.#values[slot] as V;
    }
    const value = make();
    this.set(key, value);
    return value;
  }

  /** Sets and makes the youngest; evicts the oldest when there is no room. */
  set(key: K, value: V): void {
    const known = this.#slots.get(key);
    if (known !== undefined) {
      this.#values[known] = value;
      this.#touch(known);
      return;
    }
    if (this.#slots.size === this.#entriesMax) this.#evict();
    const slot = this.#take();
    this.#keys[slot] = key;
    this.#values[slot] = value;
    this.#slots.set(key, slot);
    this.#link(slot);
  }

  /** True when the key was there. */
  delete(key: K): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#slots.delete(key);
    this.#unlink(slot);
    this.#release(slot);
    return true;
  }

  clear(): void {
    this.#slots.clear();
    this.#keys = [undefined];
    this.#values = [undefined];
    this.#older[root] = root;
    this.#newer[root] = root;
    this.#free = 0;
    this.#slotCount = 1;
  }

  /** From the youngest to the oldest. Do not change the map meanwhile. */
  *entries(): IterableIterator<readonly [K, V]> {
    for (let slot = this.#older[root]!; slot !== root; slot = this.#older[slot]!) {
      yield [this.#keys[slot] as K, this.#values[slot] as V];
    }
  }

  #evict(): void {
    const slot = this.#newer[root]!;
    const key = this.#keys[slot] as K;
    const value = this.#values[slot] as V;
    this.#slots.delete(key);
    this.#unlink(slot);
    this.#release(slot);
    this.#onEvict?.(key, value);
  }

  #touch(slot: number): void {
    if (this.#older[root] === slot) return;
    this.#unlink(slot);
    this.#link(slot);
  }

  #link(slot: number): void {
    const second = this.#older[root]!;
    this.#older[slot] = second;
    this.#newer[slot] = root;
    this.#newer[second] = slot;
    this.#older[root] = slot;
  }

  #unlink(slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    this.#older[newer] = older;
    this.#newer[older] = newer;
  }

  #take(): number {
    if (this.#free !== 0) {
      const slot = this.#free;
      this.#free = this.#older[slot]!;
      return slot;
    }
    if (this.#slotCount === this.#older.length) this.#grow();
    return this.#slotCount++;
  }

  #release(slot: number): void {
    this.#keys[slot] = undefined;
    this.#values[slot] = undefined;
    this.#older[slot] = this.#free;
    this.#free = slot;
  }

  #grow(): void {
    const capacity = Math.min(this.#older.length * 2, this.#entriesMax + 1);
    const older = new Uint32Array(capacity);
    const newer = new Uint32Array(capacity);
    older.set(this.#older);
    newer.set(this.#newer);
    this.#older = older;
    this.#newer = newer;
  }
}
