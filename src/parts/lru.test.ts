import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lru } from './lru.ts';

/** The obvious way, which costs a Map's holes: the oracle. */
class Twin {
  readonly #map = new Map<number, number>();
  readonly #max: number;
  readonly evicted: number[] = [];
  constructor(max: number) {
    this.#max = max;
  }
  get(key: number): number | undefined {
    const value = this.#map.get(key);
    if (value === undefined) return undefined;
    this.#map.delete(key);
    this.#map.set(key, value);
    return value;
  }
  set(key: number, value: number): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size <= this.#max) return;
    const [oldest] = this.#map.keys();
    this.#map.delete(oldest!);
    this.evicted.push(oldest!);
  }
  delete(key: number): boolean {
    return this.#map.delete(key);
  }
  clear(): void {
    this.#map.clear();
  }
  entries(): (readonly [number, number])[] {
    return [...this.#map].reverse();
  }
}

test('does what a map of ordered entries would, for any operations', () => {
  const operation = fc.tuple(
    fc.constantFrom('get', 'set', 'set', 'set', 'delete', 'getOrSet', 'clear', 'peek'),
    fc.nat(30),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(operation), (entriesMax, operations) => {
      const evicted: number[] = [];
      const lru = new Lru<number, number>({ entriesMax, onEvict: (key) => evicted.push(key) });
      const twin = new Twin(entriesMax);
      let value = 0;
      for (const [what, key] of operations) {
        if (what === 'get') expect(lru.get(key)).toBe(twin.get(key));
        if (what === 'delete') expect(lru.delete(key)).toBe(twin.delete(key));
        if (what === 'peek') expect(lru.peek(key) !== undefined).toBe(lru.has(key));
        if (what === 'set') {
          lru.set(key, ++value);
          twin.set(key, value);
        }
        if (what === 'getOrSet') {
          const known = twin.get(key);
          const made = ++value;
          if (known === undefined) twin.set(key, made);
          expect(lru.getOrSet(key, () => made)).toBe(known ?? made);
        }
        if (what === 'clear' && key === 0) {
          lru.clear();
          twin.clear();
        }
        expect([...lru.entries()]).toEqual(twin.entries());
        expect(lru.size).toBe(twin.entries().length);
      }
      expect(evicted).toEqual(twin.evicted);
    }),
  );
});
