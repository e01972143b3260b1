import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Scramble, secretCheck } from './scramble.ts';

const secrets = fc.string({ minLength: 1, maxLength: 40 });

test('every number below the count is the image of exactly one, for any count and secret', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), secrets, (count, secret) => {
      const scramble = new Scramble(count, secret);
      const seen = new Set<number>();
      for (let value = 0; value < count; value++) {
        const image = scramble.apply(value);
        expect(image).toBeLessThan(count);
        expect(scramble.invert(image)).toBe(value);
        seen.add(image);
      }
      expect(seen.size).toBe(count);
    }),
    { numRuns: 25 },
  );
});

test('large ranges go there and back', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), secrets, (place, secret) => {
      for (const count of [62 ** 7, 62 ** 8, 2 ** 52]) {
        const value = Math.floor(place * count);
        const scramble = new Scramble(count, secret);
        expect(scramble.invert(scramble.apply(value))).toBe(value);
      }
    }),
  );
});

test('neighbours land far apart and evenly, and another secret lands elsewhere', () => {
  const count = 62 ** 7;
  const one = new Scramble(count, 'one secret');
  const two = new Scramble(count, 'one secret.');
  const buckets = new Array<number>(62).fill(0);
  let near = 0;
  let same = 0;
  const total = 6_200;
  for (let value = 0; value < total; value++) {
    const image = one.apply(value);
    buckets[Math.floor((image / count) * 62)]!++;
    if (Math.abs(image - one.apply(value + 1)) < count / 1_000) near++;
    if (image === two.apply(value)) same++;
  }
  // Chi-squared with 61 degrees of freedom: 110 is the 99.99th percentile.
  const chi = buckets.reduce((sum, seen) => sum + (seen - total / 62) ** 2 / (total / 62), 0);
  expect(chi).toBeLessThan(110);
  expect(near).toBeLessThan(40);
  expect(same).toBe(0);
});

test('a permutation is the same for ever: codes given out rest on it', () => {
  const scramble = new Scramble(62 ** 7, 'a long secret text');
  expect([0, 1, 2].map((value) => scramble.apply(value))).toMatchInlineSnapshot(`
    [
      132536675195,
      2903645173460,
      1791449891991,
    ]
  `);
  expect(secretCheck('a long secret text')).toMatchInlineSnapshot(`"763edea724d8bf9c"`);
});
