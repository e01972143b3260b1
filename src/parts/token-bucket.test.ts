import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const rates = fc.record({
  count: fc.integer({ min: 1, max: 5_000 }),
  periodUs: fc.constantFrom(1_000, 1_000_000, 60_000_000, 3_600_000_000),
});
const bursts = fc.integer({ min: 1, max: 500 });
/** Gaps between requests: mostly close together, now and then a pause. */
const gaps = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 10_000_000 })),
  { minLength: 1, maxLength: 200 },
);

describe('a token bucket', () => {
  test('lets a whole burst pass at once, then refuses', () => {
    const bucket = new TokenBucket({ rate: { count: 10, periodUs: 1_000_000 }, burst: 3 }, 0);
    expect(bucket.take(0)).toEqual({ allowed: true, remaining: 2 });
    expect(bucket.take(0)).toEqual({ allowed: true, remaining: 1 });
    expect(bucket.take(0)).toEqual({ allowed: true, remaining: 0 });
    expect(bucket.take(0)).toEqual({ allowed: false, retryAfterUs: 100_000 });
  });

  test('no span of time admits more than the burst and what the rate brings in it', () => {
    fc.assert(
      fc.property(rates, bursts, gaps, (rate, burst, pauses) => {
        const bucket = new TokenBucket({ rate, burst }, 0);
        const admittedAt: number[] = [];
        let now = 0;
        for (const gap of pauses) {
          now += gap;
          if (bucket.take(now).allowed) admittedAt.push(now);
        }
        for (let first = 0; first < admittedAt.length; first++) {
          for (let last = first; last < admittedAt.length; last++) {
            const spanUs = admittedAt[last]! - admittedAt[first]!;
            const most = burst + Math.floor((spanUs * rate.count) / rate.periodUs);
            if (last - first + 1 > most) return false;
          }
        }
        return true;
      }),
    );
  });

  test('who waits exactly as long as told is admitted, and a microsecond less is not enough', () => {
    fc.assert(
      fc.property(rates, bursts, gaps, (rate, burst, pauses) => {
        const bucket = new TokenBucket({ rate, burst }, 0);
        let now = 0;
        for (const gap of pauses) {
          now += gap;
          const verdict = bucket.take(now);
          if (verdict.allowed) continue;
          if (verdict.retryAfterUs < 1) return false;
          if (bucket.take(now + verdict.retryAfterUs - 1).allowed) return false;
          now += verdict.retryAfterUs;
          if (!bucket.take(now).allowed) return false;
        }
        return true;
      }),
    );
  });

  test('is full again after the time its burst takes to come in, and never fuller', () => {
    const bucket = new TokenBucket({ rate: { count: 10, periodUs: 1_000_000 }, burst: 3 }, 0);
    for (let i = 0; i < 3; i++) bucket.take(0);
    expect(bucket.isFull(299_999)).toBe(false);
    expect(bucket.isFull(300_000)).toBe(true);
    const admitted = [0, 0, 0, 0].filter(() => bucket.take(3_600_000_000).allowed);
    expect(admitted).toHaveLength(3);
  });

  test('a million tokens a day are counted exactly, although their parts go beyond 2^53', () => {
    const rate = { count: 999_983, periodUs: 86_400_000_000 };
    const bucket = new TokenBucket({ rate, burst: 999_983 }, 0);
    for (let i = 0; i < 999_983; i++) bucket.take(0);
    expect(bucket.take(0)).toEqual({ allowed: false, retryAfterUs: 86_402 });
    // Half a day brings 499,991 and a half; the half is not lost.
    const noon = 43_200_000_000;
    expect(bucket.take(noon)).toEqual({ allowed: true, remaining: 499_990 });
    for (let i = 0; i < 499_990; i++) bucket.take(noon);
    expect(bucket.take(noon)).toEqual({ allowed: false, retryAfterUs: 43_201 });
    expect(bucket.isFull(2 * noon + 43_200)).toBe(false);
    expect(bucket.isFull(3 * noon)).toBe(true);
  });

  test('a pause of a hundred days loses no microsecond to rounding', () => {
    const bucket = new TokenBucket(
      { rate: { count: 999, periodUs: 86_400_000_000 }, burst: 200_000 },
      0,
    );
    for (let i = 0; i < 200_000; i++) bucket.take(0);
    // Times 999 this is odd and above 2^53: a floating point number holds only its even neighbours.
    const later = 9_071_913_513_519;
    for (let i = 0; i < 104_894; i++) bucket.take(later);
    expect(bucket.take(later)).toEqual({ allowed: false, retryAfterUs: 86_486_481 });
  });

  test('a clock that stands still or steps back takes nothing away', () => {
    const bucket = new TokenBucket({ rate: { count: 1, periodUs: 1_000 }, burst: 1 }, 5_000);
    expect(bucket.take(5_000).allowed).toBe(true);
    expect(bucket.take(4_000).allowed).toBe(false);
    expect(bucket.take(6_000).allowed).toBe(true);
  });
});
