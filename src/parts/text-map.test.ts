import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextMap } from './text-map.ts';

describe('TextMap', () => {
  it('answers as a Map does, whatever comes and goes', () => {
    const key = fc.oneof(
      fc.nat(60).map((number) => `key ${number}`),
      fc.string({ maxLength: 3 }),
    );
    const step = fc.tuple(fc.constantFrom('set', 'delete', 'get'), key, fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const map = new TextMap<number>();
        const twin = new Map<string, number>();
        for (const [what, text, value] of steps) {
          if (what === 'set') {
            map.set(text, value);
            twin.set(text, value);
          } else if (what === 'delete') expect(map.delete(text)).toBe(twin.delete(text));
          else expect(map.get(text)).toBe(twin.get(text));
          expect(map.size).toBe(twin.size);
        }
        expect(new Map(map.entries())).toEqual(twin);
      }),
      { numRuns: 300 },
    );
  });

  it('finds every key of many, and none that is gone', () => {
    const map = new TextMap<number>();
    const keys = Array.from({ length: 20_000 }, (_, i) => `links/${i}`);
    keys.forEach((key, i) => {
      map.set(key, i);
    });
    for (let i = 0; i < keys.length; i += 2) expect(map.delete(keys[i]!)).toBe(true);
    expect(keys.every((key, i) => map.get(key) === (i % 2 === 0 ? undefined : i))).toBe(true);
    expect(map.size).toBe(10_000);
  });
});
