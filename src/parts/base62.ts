/**
 * Whole numbers as text of a fixed width in 62 digits: `0-9`, `A-Z`, `a-z`. The digits are in the
 * order of their character codes, so that texts of one width sort as their numbers do.
 *
 * 62^7 is 3.5 million million codes: a thousand a second for a century. Widths go up to 8, the
 * most that a double holds exactly.
 */
import { assert } from '../kit/assert.ts';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const base62WidthMax = 8;

/** -1 where a character is no digit. */
const digitOf = new Int8Array(128).fill(-1);
for (let i = 0; i < digits.length; i++) digitOf[digits.charCodeAt(i)] = i;

/** How many numbers fit: 62^width. */
export function base62Count(width: number): number {
  assert(
    Number.isInteger(width) && width >= 1 && width <= base62WidthMax,
    'a base62 width is a whole number from 1 to 8',
  );
  return 62 ** width;
}

/** `base62(125, 3)` is `'021'`. The number must be whole, not negative and below 62^width. */
export function base62(value: number, width: number): string {
  assert(
    Number.isInteger(value) && value >= 0 && value < base62Count(width),
    'the number fits the width',
  );
  let text = '';
  let rest = value;
  for (let i = 0; i < width; i++) {
    const higher = Math.floor(rest / 62);
    text = digits[rest - higher * 62]! + text;
    rest = higher;
  }
  return text;
}

/** The number that `text` stands for, or undefined when it is not 1 to 8 base62 digits. */
export function fromBase62(text: string): number | undefined {
  if (text.length === 0 || text.length > base62WidthMax) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digitOf[text.charCodeAt(i)] ?? -1;
    if (digit === -1) return undefined;
    value = value * 62 + digit;
  }
  return value;
}
