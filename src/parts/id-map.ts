/**
 * A map from whole numbers to values, for entries that come and go by the million: calls in
 * flight, requests held.
 *
 * Not a `Map`: each time entries come and go, V8 builds it a new table and lets the old one point to
 * the new. Once one old table has moved to the old generation it keeps every later table alive, with
 * all that these held, until the next full collection: measured, a third of all garbage survived.
 *
 * Open addressing with linear probing; removal shifts the followers back, so there are no tombstones
 * (Knuth, The Art of Computer Programming, volume 3, 6.4, algorithm R).
 */
export class IdMap<V> {
  #keys = new Float64Array(16).fill(-1);
  #values: (V | undefined)[] = new Array(16).fill(undefined);
  #mask = 15;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `id` is a whole number, 0 or more. */
  get(id: number): V | undefined {
    return this.#values[this.#find(id)];
  }

  has(id: number): boolean {
    return this.#keys[this.#find(id)] === id;
  }

  set(id: number, value: V): void {
    let at = this.#find(id);
    if (this.#keys[at] !== id) {
      if (this.#size * 2 > this.#mask) {
        this.#grow();
        at = this.#find(id);
      }
      this.#keys[at] = id;
      this.#size++;
    }
    this.#values[at] = value;
  }

  /** The value that was there, or undefined. */
  take(id: number): V | undefined {
    let hole = this.#find(id);
    const keys = this.#keys;
    if (keys[hole] !== id) return undefined;
    const values = this.#values;
    const value = values[hole];
    const mask = this.#mask;
    for (let at = (hole + 1) & mask; keys[at] !== -1; at = (at + 1) & mask) {
      // An entry may fill the hole unless its own place lies behind the hole.
      const home = hash(keys[at]!) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      keys[hole] = keys[at]!;
      values[hole] = values[at];
      hole = at;
    }
    keys[hole] = -1;
    values[hole] = undefined;
    this.#size--;
    return value;
  }

  /** Ids at this moment, in ascending order: what is then done with them may change the map. */
  ids(): readonly number[] {
    return [...this.#keys].filter((key) => key !== -1).sort((a, b) => a - b);
  }

  #find(id: number): number {
    const keys = this.#keys;
    const mask = this.#mask;
    let at = hash(id) & mask;
    while (keys[at] !== id && keys[at] !== -1) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const { length } = this.#keys;
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Float64Array(length * 2).fill(-1);
    this.#values = new Array(length * 2).fill(undefined);
    this.#mask = length * 2 - 1;
    for (let i = 0; i < length; i++) {
      if (keys[i] === -1) continue;
      const at = this.#find(keys[i]!);
      this.#keys[at] = keys[i]!;
      this.#values[at] = values[i];
    }
  }
}

/** Ids count up, so that neighbours must not crowd: Fibonacci hashing of the low word. */
function hash(id: number): number {
  return Math.imul(id | 0, 0x9e3779b1) >>> 12;
}
