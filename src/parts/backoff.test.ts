import { describe, expect, test } from 'vitest';
import { seeded } from '../kit/random.ts';
import { backoffUs } from './backoff.ts';

const options = { backoffUs: 10_000, backoffMaxUs: 250_000 };

function waits(attempt: number, count = 4_000): number[] {
  const random = seeded(7).fork(`attempt ${attempt}`);
  return Array.from({ length: count }, () => backoffUs(options, attempt, random));
}

describe('a backoff', () => {
  test.each([
    [1, 10_000],
    [2, 20_000],
    [3, 40_000],
    [5, 160_000],
    [6, 250_000],
    [1_000, 250_000],
  ])('before retry %i is a whole number up to %i us', (attempt, bound) => {
    for (const wait of waits(attempt)) {
      expect(Number.isInteger(wait) && wait >= 0 && wait <= bound).toBe(true);
    }
  });

  test('is spread over the whole range, so that a crowd that failed together comes back apart', () => {
    const drawn = waits(3);
    const mean = drawn.reduce((sum, wait) => sum + wait, 0) / drawn.length;
    expect(mean).toBeGreaterThan(19_000);
    expect(mean).toBeLessThan(21_000);
    for (let quarter = 0; quarter < 4; quarter++) {
      const share = drawn.filter((wait) => Math.floor(wait / 10_001) === quarter).length;
      expect(share / drawn.length).toBeGreaterThan(0.2);
    }
  });

  test('of zero is no wait at all', () => {
    expect(backoffUs({ backoffUs: 0, backoffMaxUs: 250_000 }, 4, seeded(1))).toBe(0);
  });
});
