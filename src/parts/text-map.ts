/**
 * A map from texts to values, for tables that are looked up for every message and hold ten thousand
 * keys or more: there a look-up is a matter of memory, not of work.
 *
 *   hashes  ·  h  h  ·  ·  h  ·      one typed array, small enough to stay near the processor
 *   keys       k  k        k         looked at where the whole hash is equal: once, almost always
 *   values     v  v        v
 *
 * A `Map` looks at each key of a chain, and each is elsewhere in memory. Measured with three tables of
 * ten thousand keys between other work: a fifth to a quarter less a look-up. Use a `Map` where keys
 * are few, where the order in which they came matters (here there is none to rely on, though the same
 * calls give the same order), or where an adversary chooses keys: those made to collide make it slow.
 *
 * Open addressing with linear probing; removal shifts the followers back, as in `IdMap`.
 */
import { hashText } from '../kit/random.ts';

export class TextMap<V> {
  /** 0 where nothing is. */
  #hashes = new Int32Array(16);
  #keys: (string | undefined)[] = new Array(16).fill(undefined);
  #values: (V | undefined)[] = new Array(16).fill(undefined);
  #mask = 15;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#values[this.#find(key, hashOf(key))];
  }

  set(key: string, value: V): void {
    const hash = hashOf(key);
    let at = this.#find(key, hash);
    if (this.#hashes[at] === 0) {
      if (this.#size * 2 > this.#mask) {
        this.#grow();
        at = this.#find(key, hash);
      }
      this.#hashes[at] = hash;
      this.#keys[at] = key;
      this.#size++;
    }
    this.#values[at] = value;
  }

  /** True when the key was there. */
  delete(key: string): boolean {
    const hashes = this.#hashes;
    const keys = this.#keys;
    const values = this.#values;
    const mask = this.#mask;
    let hole = this.#find(key, hashOf(key));
    if (hashes[hole] === 0) return false;
    for (let at = (hole + 1) & mask; hashes[at] !== 0; at = (at + 1) & mask) {
      // An entry may fill the hole unless its own place lies behind the hole.
      const home = hashes[at]! & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      hashes[hole] = hashes[at]!;
      keys[hole] = keys[at];
      values[hole] = values[at];
      hole = at;
    }
    hashes[hole] = 0;
    keys[hole] = undefined;
    values[hole] = undefined;
    this.#size--;
    return true;
  }

  /** Do not change the map meanwhile. */
  *entries(): IterableIterator<readonly [string, V]> {
    for (let at = 0; at <= this.#mask; at++) {
      if (this.#hashes[at] !== 0) yield [this.#keys[at]!, this.#values[at] as V];
    }
  }

  /** Where the key is, or the free place where it would be. */
  #find(key: string, hash: number): number {
    const hashes = this.#hashes;
    const mask = this.#mask;
    let at = hash & mask;
    for (; hashes[at] !== 0; at = (at + 1) & mask) {
      if (hashes[at] === hash && this.#keys[at] === key) break;
    }
    return at;
  }

  #grow(): void {
    const { length } = this.#hashes;
    const hashes = this.#hashes;
    const keys = this.#keys;
    const values = this.#values;
    this.#hashes = new Int32Array(length * 2);
    this.#keys = new Array(length * 2).fill(undefined);
    this.#values = new Array(length * 2).fill(undefined);
    this.#mask = length * 2 - 1;
    for (let i = 0; i < length; i++) {
      if (hashes[i] === 0) continue;
      let at = hashes[i]! & this.#mask;
      while (this.#hashes[at] !== 0) at = (at + 1) & this.#mask;
      this.#hashes[at] = hashes[i]!;
      this.#keys[at] = keys[i];
      this.#values[at] = values[i];
    }
  }
}

/** Never 0. */
function hashOf(key: string): number {
  return hashText(key) || 1;
}
