import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seeded } from '../kit/random.ts';
import { TrafficSplit } from './traffic-split.ts';

const users = Array.from({ length: 4_000 }, (_, i) => `user ${i}`);

function sharesOf(split: TrafficSplit, keys: readonly (string | undefined)[]) {
  const counts: Record<string, number> = {};
  for (const key of keys) {
    const name = split.choose(key)!;
    counts[name] = (counts[name] ?? 0) + 1 / keys.length;
  }
  return counts;
}

describe('a traffic split', () => {
  test('gives each release its share, with keys and without', () => {
    const split = new TrafficSplit({ a: 70, b: 25, c: 5, off: 0 }, seeded(1));
    for (const keys of [users, users.map(() => undefined)]) {
      const shares = sharesOf(split, keys);
      expect(Object.keys(shares).sort()).toEqual(['a', 'b', 'c']);
      expect(Math.abs(shares.a! - 0.7)).toBeLessThan(0.03);
      expect(Math.abs(shares.b! - 0.25)).toBeLessThan(0.03);
      expect(Math.abs(shares.c! - 0.05)).toBeLessThan(0.02);
    }
  });

  test('when one weight grows, keys move to that release only; when it shrinks, from it only', () => {
    const weights = fc.record({
      a: fc.integer({ min: 1, max: 50 }),
      b: fc.integer({ min: 1, max: 50 }),
      c: fc.integer({ min: 0, max: 50 }),
    });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 50 }), (given, more) => {
        const split = new TrafficSplit(given, seeded(1));
        const before = users.slice(0, 300).map((user) => split.choose(user));
        split.shift({ ...given, b: given.b + more });
        const grown = users.slice(0, 300).map((user) => split.choose(user));
        split.shift(given);
        const after = users.slice(0, 300).map((user) => split.choose(user));
        return (
          grown.every((name, i) => name === before[i] || name === 'b') && `${after}` === `${before}`
        );
      }),
    );
  });

  test('every node chooses alike, and another experiment chooses others', () => {
    const weights = { on: 1, off: 1 };
    const one = new TrafficSplit(weights, seeded(1), 'checkout');
    const other = new TrafficSplit({ off: 1, on: 1 }, seeded(2), 'checkout');
    const search = new TrafficSplit(weights, seeded(1), 'search');
    expect(users.every((user) => one.choose(user) === other.choose(user))).toBe(true);
    const same = users.filter((user) => one.choose(user) === search.choose(user)).length;
    expect(Math.abs(same / users.length - 0.5)).toBeLessThan(0.05);
  });

  test('with nothing to choose from it chooses nothing', () => {
    expect(new TrafficSplit({ a: 0 }, seeded(1)).choose('x')).toBeUndefined();
    expect(new TrafficSplit({ a: 3 }, seeded(1)).choose(undefined)).toBe('a');
  });
});
