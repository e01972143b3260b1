import { describe, expect, test } from 'vitest';
import { sampler } from './distribution.ts';
import { Histogram, percentileOf } from './histogram.ts';
import { seeded } from './random.ts';

const percents = [0, 0.1, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100];

function exact(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1]!;
}

const shapes = {
  lognormal: sampler({ kind: 'lognormal', median: 5_000, p99: 200_000 }),
  pareto: sampler({ kind: 'pareto', min: 100, alpha: 0.8 }),
  uniform: sampler({ kind: 'uniform', min: 0, max: 500 }),
  constant: sampler({ kind: 'constant', value: 123_456 }),
};

describe.each([0.01, 0.001])('with an error of %d', (errorRatio) => {
  test.each(Object.entries(shapes))(
    'percentiles of %s are as sorting gives them',
    (_name, draw) => {
      for (const seed of [1, 2, 3]) {
        const random = seeded(seed);
        const histogram = new Histogram(errorRatio);
        const values = Array.from({ length: 20_000 }, () => draw(random));
        for (const value of values) histogram.record(value);
        values.sort((a, b) => a - b);
        for (const percent of percents) {
          const truth = exact(values, percent);
          const error = Math.abs(histogram.percentile(percent) - truth);
          expect(error, `seed ${seed}, p${percent}`).toBeLessThanOrEqual(truth * errorRatio);
        }
        expect(histogram.min).toBe(values[0]);
        expect(histogram.max).toBe(values.at(-1));
        const sum = values.reduce((total, value) => total + value, 0);
        expect(histogram.mean).toBeCloseTo(sum / values.length, 3);
        expect(histogram.count).toBe(values.length);
      }
    },
  );
});

test('every power of two and its neighbours come back within the error', () => {
  for (let power = 0; power <= 52; power++) {
    for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1, 1.5 * 2 ** power]) {
      const histogram = new Histogram();
      histogram.record(value);
      histogram.record(value * 4);
      histogram.record(value * 16);
      const truth = Math.round(value * 4);
      expect(Math.abs(histogram.percentile(50) - truth)).toBeLessThanOrEqual(truth * 0.01);
    }
  }
});

test('merging two histograms gives the histogram of both', () => {
  const random = seeded(7);
  const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 0; i < 5000; i++) {
    const value = shapes.lognormal(random);
    (i % 3 === 0 ? one : other).record(value);
    both.record(value);
  }
  const asData = Histogram.fromJSON(one.toJSON());
  asData.add(other.toJSON());
  asData.add(new Histogram().toJSON());
  one.merge(other);
  one.merge(new Histogram());
  expect(one.toJSON()).toEqual(both.toJSON());
  expect(asData.toJSON()).toEqual(both.toJSON());
  expect(() => one.merge(new Histogram(0.001))).toThrow(/one precision/);
});

test('a histogram survives JSON, and can be cleared', () => {
  const random = seeded(8);
  const histogram = new Histogram(0.001);
  for (let i = 0; i < 5000; i++) histogram.record(shapes.pareto(random), 3);
  const copy = Histogram.fromJSON(JSON.parse(JSON.stringify(histogram)));
  expect(copy.toJSON()).toEqual(histogram.toJSON());
  for (const percent of percents) {
    expect(copy.percentile(percent)).toBe(histogram.percentile(percent));
    expect(percentileOf(histogram.toJSON(), percent)).toBe(histogram.percentile(percent));
  }
  copy.clear();
  expect(copy.toJSON()).toEqual(new Histogram(0.001).toJSON());
  expect([copy.count, copy.mean, copy.min, copy.max, copy.percentile(99)]).toEqual([0, 0, 0, 0, 0]);
});

test('what is below zero or not a number counts as zero', () => {
  const histogram = new Histogram();
  for (const value of [-5, Number.NaN, 0]) histogram.record(value);
  expect([histogram.count, histogram.max, histogram.mean]).toEqual([3, 0, 0]);
});
