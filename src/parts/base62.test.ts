import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base62, base62Count, base62WidthMax, fromBase62 } from './base62.ts';

const widths = fc.integer({ min: 1, max: base62WidthMax });

test('a number comes back from its text, and texts of a width sort as numbers do', () => {
  fc.assert(
    fc.property(
      widths,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (w, a, b) => {
        const one = Math.floor(a * base62Count(w));
        const two = Math.floor(b * base62Count(w));
        expect(base62(one, w)).toMatch(/^[0-9A-Za-z]+$/);
        expect(base62(one, w).length).toBe(w);
        expect(fromBase62(base62(one, w))).toBe(one);
        expect(base62(one, w) < base62(two, w)).toBe(one < two);
      },
    ),
  );
});

test('the ends of the greatest width are exact', () => {
  expect(fromBase62('zzzzzzzz')).toBe(62 ** 8 - 1);
  expect(base62(62 ** 8 - 1, 8)).toBe('zzzzzzzz');
  expect(base62(0, 8)).toBe('00000000');
});

test('what is no code is told apart', () => {
  for (const text of ['', 'abc-d', 'ümlaut', '123456789', ' 1']) {
    expect(fromBase62(text)).toBeUndefined();
  }
});

test('a number that does not fit is a broken promise', () => {
  for (const value of [62, -1, 0.5, Number.NaN]) expect(() => base62(value, 1)).toThrow('fits');
  expect(() => base62Count(9)).toThrow('width');
});
