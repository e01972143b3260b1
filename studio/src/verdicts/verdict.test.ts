import type { Report, Summary } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { runWith } from '../state/fixture.ts';
import { pillOf } from './pill.ts';
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

describe('the pill', () => {
  const progress = {
    phase: 'load',
    at: 3_600_000,
    endsAt: 60_000_000,
    generated: 9,
    completed: 9,
    failed: 0,
    rejected: 0,
    throughputPerSec: 9,
    p99Ms: 1,
  } as const;
  const going = runWith({ progress });

  test('says how far a run is while it can be followed', () => {
    expect(plain(pillOf(going, false).text)).toBe('Running 6 %');
  });

  test('speaks no verdict while other seeds may break it', () => {
    const request = { ...going.request!, seeds: 5 };
    const first = runWith({ progress, request, report });
    expect(pillOf(first, false)).toEqual({ standing: 'none', text: '1 of 5 seeds', share: 0.2 });
    const none = { mean: 0, plusMinus: null, min: 0, max: 0 };
    const summary: Summary = {
      ...report,
      seeds: [1, 2, 3],
      throughputPerSec: none,
      availability: none,
      latencyMs: { p50: none, p90: none, p99: none, p999: none, max: none, mean: none },
      objectives: [],
      invariants: [],
      runs: [],
    };
    expect(pillOf({ ...first, summary }, false).text).toBe('3 of 5 seeds');
    expect(pillOf({ ...first, summary, state: 'done' }, false).text).toMatch(/^Broken/);
    expect(plain(pillOf({ ...first, report: null }, false).text)).toBe('Running 6 %');
  });

  test('claims nothing of a run that can no longer be followed', () => {
    const lost = pillOf(going, true);
    expect({ ...lost, text: plain(lost.text) }).toEqual({
      standing: 'lost',
      text: 'Contact lost at 6 %',
      share: null,
    });
    const ended = runWith({ state: 'done', report });
    expect(pillOf(ended, true)).toEqual(pillOf(ended, false));
  });
});
