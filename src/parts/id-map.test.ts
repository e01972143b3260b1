import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdMap } from './id-map.ts';

describe('IdMap', () => {
  it('answers as a Map does, whatever comes and goes', () => {
    const id = fc.oneof(
      fc.nat(40),
      fc.nat(40).map((low) => 3 * 2 ** 32 + low * 4_096),
    );
    const step = fc.tuple(fc.constantFrom('set', 'take', 'get', 'has'), id, fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const map = new IdMap<number>();
        const twin = new Map<number, number>();
        for (const [what, key, value] of steps) {
          if (what === 'set') {
            map.set(key, value);
            twin.set(key, value);
          } else if (what === 'take') {
            expect(map.take(key)).toBe(twin.get(key));
            twin.delete(key);
          } else if (what === 'get') expect(map.get(key)).toBe(twin.get(key));
          else expect(map.has(key)).toBe(twin.has(key));
          expect(map.size).toBe(twin.size);
        }
        expect(map.ids()).toEqual([...twin.keys()].sort((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });

  it('takes ids of a life far beyond 32 bits apart', () => {
    const map = new IdMap<string>();
    const ids = Array.from({ length: 10_000 }, (_, i) => 7 * 2 ** 32 + i);
    for (const one of ids) map.set(one, String(one));
    expect(ids.every((one) => map.take(one) === String(one))).toBe(true);
    expect(map.size).toBe(0);
  });
});
