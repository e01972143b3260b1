import { describe, expect, test } from 'vitest';
import { seeded } from '../../../kit/random.ts';
import { Arrivals, peakPerSec, perSecAt } from './arrivals.ts';
import type { Shape } from './config.ts';
import { diurnal, ramp, spike } from './index.ts';

const steady: Shape = { kind: 'steady', perSec: 200 };
const shapes = {
  steady,
  ramp: ramp({ from: '0/s', to: '400/s', over: '60s' }),
  spike: spike({ base: '100/s', peak: '1000/s', at: '20s', for: '10s' }),
  day: diurnal({ mean: '200/s', swing: 0.8, period: '30s' }),
};

function arrivalsUntil(
  shape: Shape,
  process: 'poisson' | 'even',
  untilUs: number,
  seed = 1,
): number[] {
  const arrivals = new Arrivals(shape, process, seeded(seed).fork('arrivals'));
  const found: number[] = [];
  for (let at = arrivals.nextAfter(0); at < untilUs; at = arrivals.nextAfter(at)) found.push(at);
  return found;
}

/** The area under the rate: how many are to be expected. */
function expected(shape: Shape, fromUs: number, toUs: number): number {
  let sum = 0;
  for (let at = fromUs; at < toUs; at += 1_000) sum += perSecAt(shape, at) / 1_000;
  return sum;
}

describe.each(['poisson', 'even'] as const)('%s arrivals', (process) => {
  test.each(Object.entries(shapes))('follow a %s, window by window', (_name, shape) => {
    const found = arrivalsUntil(shape, process, 60_000_000);
    for (let fromUs = 0; fromUs < 60_000_000; fromUs += 5_000_000) {
      const count = found.filter((at) => at >= fromUs && at < fromUs + 5_000_000).length;
      const mean = expected(shape, fromUs, fromUs + 5_000_000);
      // Poisson: five standard deviations. Even: an arrival or two at the edges of a window.
      const slack = process === 'poisson' ? 5 * Math.sqrt(mean) + 1 : 2 + 0.01 * mean;
      expect(Math.abs(count - mean), `from ${fromUs}`).toBeLessThan(slack);
    }
  });

  test('never go back in time, and end where the shape ends', () => {
    const ending = ramp({ from: '1000/s', to: '0/s', over: '5s' });
    const found = arrivalsUntil(ending, process, Number.POSITIVE_INFINITY);
    expect(found.length).toBeGreaterThan(2_300);
    expect(found.every((at, i) => at > (found[i - 1] ?? 0) && at < 5_000_000)).toBe(true);
    const once = spike({ base: '0/s', peak: '100/s', at: '10s', for: '1s' });
    const during = arrivalsUntil(once, process, Number.POSITIVE_INFINITY);
    expect(during.length).toBeGreaterThan(60);
    expect(during.every((at) => at >= 9_990_000 && at < 11_000_000)).toBe(true);
  });

  test('a surge multiplies them', () => {
    const arrivals = new Arrivals(steady, process, seeded(3).fork('arrivals'));
    arrivals.factor = 5;
    let count = 0;
    for (let at = arrivals.nextAfter(0); at < 10_000_000; at = arrivals.nextAfter(at)) count++;
    expect(count).toBeGreaterThan(9_500);
    expect(count).toBeLessThan(10_500);
    arrivals.factor = 0;
    expect(arrivals.nextAfter(10_000_000)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('between two arrivals', () => {
  test('poisson gaps are exponential: mean and deviation are equal, and half are below the median', () => {
    const found = arrivalsUntil(steady, 'poisson', 100_000_000);
    const gaps = found.map((at, i) => at - (found[i - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(
      gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length,
    );
    expect(mean / 5_000).toBeCloseTo(1, 1);
    expect(deviation / mean).toBeCloseTo(1, 1);
    const median = gaps.filter((gap) => gap < mean * Math.LN2).length / gaps.length;
    expect(median).toBeCloseTo(0.5, 1);
  });

  test('poisson counts of a second vary as much as their mean, also where the rate changes', () => {
    const ratios = Object.values(shapes).map((shape) => {
      const scores = [];
      for (let seed = 1; seed <= 40; seed++) {
        const found = arrivalsUntil(shape, 'poisson', 30_000_000, seed);
        const mean = expected(shape, 24_000_000, 25_000_000);
        const count = found.filter((at) => at >= 24_000_000 && at < 25_000_000).length;
        scores.push((count - mean) ** 2 / mean);
      }
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    });
    for (const ratio of ratios) {
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(1.8);
    }
  });

  test('even gaps are all the same', () => {
    const found = arrivalsUntil(steady, 'even', 1_000_000);
    for (let i = 1; i < found.length; i++) expect(found[i]! - found[i - 1]!).toBeCloseTo(5_000, 6);
  });
});

test('no shape is ever above its peak, which thinning rests on', () => {
  for (const shape of Object.values(shapes)) {
    for (let at = 0; at < 90_000_000; at += 37_000) {
      expect(perSecAt(shape, at)).toBeLessThanOrEqual(peakPerSec(shape) + 1e-9);
    }
  }
});
