import { describe, expect, test } from 'vitest';
import { Histogram } from '../kit/histogram.ts';
import { seeded } from '../kit/random.ts';
import {
  assemble,
  availabilityOf,
  blockReport,
  conservation,
  exitCode,
  type InvariantResult,
  judge,
  type Measured,
  type NodeFigures,
} from './report.ts';
import { estimate, student95, summarise, summaryExitCode } from './summary.ts';

function histogram(...valuesUs: readonly number[]): Histogram {
  const found = new Histogram(0.001);
  for (const value of valuesUs) found.record(value);
  return found;
}

function measured(change: Partial<Measured> = {}): Measured {
  return {
    version: '0.0.0',
    design: 'shop',
    world: 'simulated',
    seed: 1,
    digest: 'abc',
    loadUs: 10_000_000,
    wallUs: 500_000,
    counts: { generated: 100, completed: 90, rejected: 5, failed: 4, inFlight: 1 },
    servedCount: 80,
    latencies: histogram(1_000, 2_000, 3_000, 100_000),
    objectives: {},
    invariants: [],
    errors: { timeout: 4, 'status 429': 5, never: 0 },
    blocks: {},
    series: { at: [], throughput: [], p50Ms: [], p99Ms: [], errors: [], blocks: {} },
    events: [],
    notes: [],
    ...change,
  };
}

const invariant = (verdict: InvariantResult['verdict']): InvariantResult => ({
  name: `is ${verdict}`,
  verdict,
  detail: '',
});

describe('a report', () => {
  test('has the names that --json promises', () => {
    expect(Object.keys(assemble(measured())).sort()).toEqual(
      [
        'availability blocks completed design digest errors events failed generated inFlight',
        'invariants latencyMs notes objectives rejected seed series simulatedSeconds',
        'throughputPerSec version wallSeconds world',
      ]
        .join(' ')
        .split(' '),
    );
  });

  test('counts what was served while the load lasted, a second of it', () => {
    expect(assemble(measured()).throughputPerSec).toBe(8);
  });

  test('lists errors by how often they came, and none that did not', () => {
    expect(Object.entries(assemble(measured()).errors)).toEqual([
      ['status 429', 5],
      ['timeout', 4],
    ]);
  });

  test('always judges that requests are conserved', () => {
    const lost = { generated: 100, completed: 90, rejected: 0, failed: 0, inFlight: 0 };
    expect(assemble(measured()).invariants.at(-1)?.verdict).toBe('holds');
    expect(conservation(lost)).toMatchObject({
      verdict: 'violated',
      detail: expect.stringContaining('100 generated, but 90 accounted for'),
    });
  });

  test('counts what users were refused on purpose as no lack of availability', () => {
    expect(availabilityOf({ completed: 99, failed: 1, inFlight: 0 })).toBe(0.99);
    expect(availabilityOf({ completed: 0, failed: 0, inFlight: 0 })).toBe(1);
  });

  test('counts what was never answered as not available, though it did not fail', () => {
    expect(availabilityOf({ completed: 60, failed: 20, inFlight: 20 })).toBe(0.6);
  });
});

describe('objectives', () => {
  test('compare what was measured with what was promised', () => {
    const found = judge(
      { p50Us: 5_000, p99Us: 50_000, availability: 0.99, throughputPerSec: 10 },
      histogram(1_000, 2_000, 100_000),
      0.995,
      9,
    );
    expect(found.map(({ name, holds }) => [name, holds])).toEqual([
      ['p50', true],
      ['p99', false],
      ['availability', true],
      ['throughput', false],
    ]);
    expect(found[1]).toMatchObject({ unit: 'ms', target: 50 });
  });

  test('on latency do not hold when nothing was completed: silence is not speed', () => {
    expect(judge({ p99Us: 50_000 }, histogram(), 1, 0)[0]?.holds).toBe(false);
  });
});

describe('the exit code', () => {
  const code = (...verdicts: InvariantResult['verdict'][]) =>
    exitCode({ objectives: [], invariants: verdicts.map(invariant) });

  test('is 0 when all holds, 1 when something is violated, 3 when a verdict is unknown', () => {
    expect(code('holds')).toBe(0);
    expect(code('holds', 'violated')).toBe(1);
    expect(code('holds', 'unknown')).toBe(3);
  });

  test('of a violation wins over unknown', () => {
    expect(code('unknown', 'violated')).toBe(1);
    const reports = [
      assemble(measured({ invariants: [invariant('unknown')] })),
      assemble(measured({ invariants: [invariant('violated')] })),
    ];
    expect(summaryExitCode(reports)).toBe(1);
    expect(summaryExitCode(reports.slice(0, 1))).toBe(3);
  });

  test('is never 0 for a verdict that nobody knows', () => {
    const odd = JSON.parse('{"objectives":[],"invariants":[{"name":"x","detail":""}]}');
    expect(exitCode(odd)).toBe(3);
  });

  test('is 1 for a broken objective', () => {
    expect(exitCode(assemble(measured({ objectives: { p99Us: 10 } })))).toBe(1);
  });
});

describe('a block row', () => {
  const node = (id: string, change: Partial<NodeFigures> = {}): NodeFigures => ({
    id,
    zone: 'a',
    boots: 1,
    requests: 1_000,
    errors: 1,
    busyUs: 5_000_000,
    cores: 1,
    queueMax: 3,
    latencies: histogram(2_000),
    meters: { hits: 10 },
    ...change,
  });

  test('adds up its nodes', () => {
    const nodes = [node('kv/0'), node('kv/1', { cores: 3, queueMax: 7, busyUs: 15_000_000 })];
    expect(blockReport('kv', nodes, histogram(2_000), 10_000_000)).toMatchObject({
      requestsPerSec: 200,
      utilisation: 0.5,
      queueMax: 7,
      errors: 2,
      meters: { hits: 20 },
      nodes: [{ id: 'kv/0', utilisation: 0.5 }, { id: 'kv/1' }],
    });
  });
});

describe('a summary of seeds', () => {
  test("has Student's interval around the mean", () => {
    // Worked by hand: mean 3, s = sqrt(2.5), t(4) = 2.7764.
    const { mean, plusMinus, min, max } = estimate([1, 2, 3, 4, 5]);
    expect([mean, min, max]).toEqual([3, 1, 5]);
    expect(plusMinus).toBeCloseTo(2.7764 * Math.sqrt(2.5 / 5), 10);
  });

  test('has no interval from one run', () => {
    expect(estimate([7]).plusMinus).toBeNull();
  });

  test.each([
    [1, 12.7062],
    [10, 2.2281],
    [11, 2.201],
    [20, 2.086],
    [30, 2.0423],
    [60, 2.0003],
    [1_000, 1.9623],
  ])('with %d degrees of freedom uses t = %d', (freedom, expected) => {
    expect(student95(freedom)).toBeCloseTo(expected, 3);
  });

  test('covers the true mean in about 95 of 100 experiments', () => {
    const random = seeded(1);
    // The sum of twelve uniforms is normal enough for this, with mean 6.
    const draw = () => Array.from({ length: 12 }, () => random.next()).reduce((a, b) => a + b);
    let covered = 0;
    for (let experiment = 0; experiment < 4_000; experiment++) {
      const { mean, plusMinus } = estimate([draw(), draw(), draw(), draw(), draw()]);
      if (Math.abs(mean - 6) <= plusMinus!) covered++;
    }
    expect(covered / 4_000).toBeGreaterThan(0.94);
    expect(covered / 4_000).toBeLessThan(0.96);
  });

  test('names the seeds that broke a promise', () => {
    const reports = [1, 2, 3].map((seed) =>
      assemble(
        measured({
          seed,
          objectives: { availability: 0.95 },
          servedCount: seed,
          counts: { generated: 10, completed: seed, rejected: 0, failed: 10 - seed, inFlight: 0 },
          invariants: [{ ...invariant(seed === 2 ? 'unknown' : 'holds'), name: 'no loss' }],
        }),
      ),
    );
    const summary = summarise(reports);
    expect(summary.objectives[0]).toMatchObject({ heldCount: 0, brokenSeeds: [1, 2, 3] });
    expect(summary.invariants[0]).toMatchObject({ holdsCount: 2, unknownSeeds: [2] });
    expect(summary.throughputPerSec.mean).toBeCloseTo(0.2);
  });
});
