import { describe, expect, test } from 'vitest';
import { type Distribution, meanOf, normalQuantile, sampler } from './distribution.ts';
import { seeded } from './random.ts';

const draws = 200_000;

function sample(distribution: Distribution, seed: number): Float64Array {
  const draw = sampler(distribution);
  const random = seeded(seed);
  return Float64Array.from({ length: draws }, () => draw(random)).sort();
}

function moments(sorted: Float64Array): { mean: number; cv: number } {
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length;
  return { mean, cv: Math.sqrt(variance) / mean };
}

const quantile = (sorted: Float64Array, ratio: number) => sorted[Math.floor(ratio * draws)]!;

/** With the coefficient of variation that theory gives, where there is one. */
const cases: readonly (readonly [Distribution, number | undefined])[] = [
  [{ kind: 'constant', value: 700 }, 0],
  [{ kind: 'uniform', min: 1_000, max: 3_000 }, 1 / (2 * Math.sqrt(3))],
  [{ kind: 'exponential', mean: 5_000 }, 1],
  [{ kind: 'gamma', mean: 5_000, cv: 0.3 }, 0.3],
  [{ kind: 'gamma', mean: 5_000, cv: 1 }, 1],
  [{ kind: 'gamma', mean: 5_000, cv: 2 }, 2],
  [{ kind: 'gamma', mean: 5_000, cv: 0 }, 0],
  [{ kind: 'lognormal', median: 300, p99: 1_500 }, undefined],
  [{ kind: 'pareto', min: 1_000, alpha: 3 }, undefined],
  [{ kind: 'zipf', count: 1_000, exponent: 0.9 }, undefined],
  [{ kind: 'zipf', count: 1_000_000, exponent: 1.1 }, undefined],
  [{ kind: 'zipf', count: 50, exponent: 0 }, undefined],
  [{ kind: 'empirical', samples: [40, 10, 20, 10, 1_000] }, undefined],
];

describe.each(cases)('%o', (distribution, cv) => {
  test('has the mean and the spread that theory gives', () => {
    for (const seed of [1, 2]) {
      const seen = moments(sample(distribution, seed));
      const { mean } = seen;
      // Five standard errors: a fixed seed that fails once would fail for ever.
      const tolerance = (5 * seen.cv * mean) / Math.sqrt(draws) + 0.01;
      expect(Math.abs(mean - meanOf(distribution)), `seed ${seed}`).toBeLessThan(tolerance);
      if (cv !== undefined) expect(Math.abs(seen.cv - cv)).toBeLessThan(0.03 * cv + 1e-9);
    }
  });

  test('gives whole numbers, none below zero', () => {
    const sorted = sample(distribution, 3);
    expect(sorted.every(Number.isInteger)).toBe(true);
    expect(sorted[0]).toBeGreaterThanOrEqual(0);
  });
});

test('a lognormal has its median and its 99th percentile where they were given', () => {
  const sorted = sample({ kind: 'lognormal', median: 3_000, p99: 20_000 }, 1);
  expect(Math.abs(quantile(sorted, 0.5) / 3_000 - 1)).toBeLessThan(0.02);
  expect(Math.abs(quantile(sorted, 0.99) / 20_000 - 1)).toBeLessThan(0.04);
});

test('a Pareto tail thins out as its exponent says', () => {
  const sorted = sample({ kind: 'pareto', min: 1_000, alpha: 1.5 }, 1);
  for (const factor of [2, 5, 20]) {
    const above = sorted.filter((value) => value > 1_000 * factor).length / draws;
    expect(Math.abs(above / factor ** -1.5 - 1)).toBeLessThan(0.1);
  }
});

test.each([0, 0.5, 0.99, 1, 1.5, 3])(
  'Zipf ranks of exponent %d come as often as their weights',
  (exponent) => {
    const count = 200;
    const sorted = sample({ kind: 'zipf', count, exponent }, 5);
    const seen = new Float64Array(count);
    for (const rank of sorted) seen[rank]! += 1 / draws;
    const weights = Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    // Chi-squared over ranks that are expected often enough; its mean is the number of cells.
    let chi = 0;
    let cells = 0;
    weights.forEach((weight, rank) => {
      const expected = (weight / total) * draws;
      if (expected < 10) return;
      chi += (seen[rank]! * draws - expected) ** 2 / expected;
      cells++;
    });
    expect(chi).toBeLessThan(cells + 5 * Math.sqrt(2 * cells));
  },
);

test('what was observed is drawn between its ends, and its quantiles are kept', () => {
  const samples = Array.from({ length: 101 }, (_, i) => i * i);
  const sorted = sample({ kind: 'empirical', samples }, 1);
  expect(sorted[0]).toBe(0);
  expect(sorted.at(-1)).toBeLessThanOrEqual(10_000);
  expect(Math.abs(quantile(sorted, 0.5) - 2_500)).toBeLessThan(40);
  expect(sampler({ kind: 'empirical', samples: [] })(seeded(1))).toBe(0);
  expect(sampler({ kind: 'empirical', samples: [9] })(seeded(1))).toBe(9);
});

test('normal quantiles are those of the tables', () => {
  const table = [
    [0.5, 0],
    [0.75, 0.674_489_750_196_081_7],
    [0.975, 1.959_963_984_540_054],
    [0.99, 2.326_347_874_040_840_8],
    [0.999_9, 3.719_016_485_455_68],
    [1 - 1e-9, 5.997_807_019_601_637],
  ] as const;
  for (const [probability, value] of table) {
    expect(normalQuantile(probability)).toBeCloseTo(value, 7);
    expect(normalQuantile(1 - probability)).toBeCloseTo(-value, 7);
  }
  // About 1e-16 from below: the far branch.
  expect(normalQuantile(1e-16)).toBeCloseTo(-8.222_082_216_130_435, 9);
  expect(Number.isFinite(normalQuantile(0))).toBe(true);
});

test('a Pareto tail of exponent 1 has no mean', () => {
  expect(meanOf({ kind: 'pareto', min: 1, alpha: 1 })).toBe(Number.POSITIVE_INFINITY);
});
