import type { Report } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { accountOf, headlineOf, promisesOf } from './verdict.ts';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

const report = {
  version: '0.1.0',
  design: 'shop',
  world: 'simulated',
  seed: 1,
  digest: 'abc',
  simulatedSeconds: 60,
  wallSeconds: 3,
  generated: 1_000,
  completed: 990,
  rejected: 0,
  failed: 10,
  inFlight: 0,
  throughputPerSec: 16.5,
  availability: 0.99,
  latencyMs: { p50: 2, p90: 4, p99: 61, p999: 80, max: 90, mean: 3 },
  objectives: [
    { name: 'availability', unit: 'ratio', target: 0.9, measured: 0.99, holds: true },
    { name: 'p99', unit: 'ms', target: 50, measured: 61, holds: false },
  ],
  invariants: [
    { name: 'links is linearizable', verdict: 'unknown', detail: 'out of steps' },
    { name: 'requests are conserved', verdict: 'holds', detail: 'all 1000 requests accounted for' },
  ],
  errors: {},
  blocks: {},
  series: { at: [], throughput: [], p50Ms: [], p99Ms: [], errors: [], blocks: {} },
  events: [],
  notes: [],
} satisfies Report;

describe('a verdict', () => {
  test('names what is broken first, with measured and promised figures', () => {
    const promises = promisesOf(report);
    expect(promises.map(({ name, standing }) => [name, standing])).toEqual([
      ['p99', 'violated'],
      ['links is linearizable', 'unknown'],
      ['availability', 'holds'],
      ['requests are conserved', 'holds'],
    ]);
    expect(plain(promises[0]!.detail)).toBe('61 ms');
    expect(plain(promises[0]!.target)).toBe('at most 50 ms');
    expect(plain(promises[2]!.target)).toBe('at least 90 %');
  });

  test('says it in one line', () => {
    expect(headlineOf(report).text).toBe('1 of 4 promises is broken: p99');
    const undecided = { ...report, objectives: report.objectives.slice(0, 1) };
    expect(headlineOf(undecided).text).toBe('1 of 3 promises could not be decided');
    const kept = { ...undecided, invariants: report.invariants.slice(1) };
    expect(headlineOf(kept)).toMatchObject({
      word: 'Holds',
      text: 'All 2 promises are kept',
      short: '2/2',
    });
  });

  test('accounts for every request', () => {
    expect(accountOf(report)).toBe('1,000 requests in 60 s, 990 answered, 10 failed.');
  });
});
