import { describe, expect, test } from 'vitest';
import { points } from './sweep.fixture.ts';
import {
  firstBroken,
  latencyPlot,
  pointInWords,
  restInWords,
  sweepables,
  throughputPlot,
  valuesProblem,
} from './sweep.ts';

const options = {
  api: { instances: 3, cost: '400us', cores: 16, sloppy: true, mode: 'fast', budget: 0.2 },
};

describe('what can be swept', () => {
  const byName = new Map(sweepables(options, 250).map((one) => [one.over, one.values]));

  test('is the load, and every option that is a number of something', () => {
    expect([...byName.keys()]).toEqual([
      'rate',
      'api.instances',
      'api.cost',
      'api.cores',
      'api.budget',
    ]);
  });

  test('is first tried around what the design says', () => {
    expect(byName.get('rate')).toBe('62.5/s, 125/s, 250/s, 500/s, 1000/s');
    expect(byName.get('api.instances')).toBe('1..8');
    expect(byName.get('api.cost')).toBe('100us, 200us, 400us, 800us, 1600us');
    expect(byName.get('api.cores')).toBe('4, 8, 16, 32, 64');
  });

  test('values are a range or a list', () => {
    expect(valuesProblem('1..8')).toBeNull();
    expect(valuesProblem('100/s..1000/s step 100/s')).toBeNull();
    expect(valuesProblem('100/s, 200/s')).toBeNull();
    expect(valuesProblem('100/s')).toMatch(/at least two/);
    expect(valuesProblem('1, , 2')).toMatch(/1\.\.8/);
  });
});

test('what every point is run with is what was asked for, not only what the design says', () => {
  const plain = { seed: 1, faults: [], ownFaults: true, set: {} };
  expect(restInWords('rate', plain, 3, [])).toBe(
    'With seeds 1 to 3; everything else as the design says.',
  );
  const asked = {
    seed: 2,
    forUs: 4_000_000,
    ratePerSec: 80,
    faults: ['kill api/1 at 2s'],
    ownFaults: false,
    set: { 'api.instances': 1, 'api.cores': 4 },
  };
  expect(restInWords('rate', asked, 1, ['kill links/1 at 1s'])).toBe(
    'With api.instances = 1, api.cores = 4, 1 fault, without the design’s own faults, for 4s, seed 2; everything else as the design says.',
  );
  // The value that is swept takes the place of what was set.
  expect(restInWords('api.instances', { ...asked, ownFaults: true }, 1, ['a', 'b'])).toBe(
    'With api.cores = 4, 80/s, 3 faults, for 4s, seed 2; everything else as the design says.',
  );
});

test('curves carry their intervals, in the units of plots', () => {
  const latency = latencyPlot('rate', points);
  expect(latency.curves[0]!.values[4]).toBeCloseTo(points[4]!.latencyMs.p99.mean * 1_000);
  expect(latency.curves[0]!.low![4]!).toBeLessThan(latency.curves[0]!.values[4]!);
  const alone = points.map((point) => ({
    ...point,
    throughputPerSec: { ...point.throughputPerSec, plusMinus: null },
  }));
  expect(throughputPlot('rate', alone).curves[0]!.low).toBeUndefined();
});

test('a point says itself in one line, and the first that breaks a promise is named', () => {
  expect(pointInWords('rate', points[2]!)).toBe(
    'rate = 400/s: 400/s, p99 7.67 ms, api 40\u202f% busy, every promise kept',
  );
  expect(firstBroken(points)).toBe('The first value that breaks a promise is 1000/s.');
  expect(firstBroken(points.slice(0, 3))).toBeNull();
});
