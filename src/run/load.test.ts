/** What a report says of a load that was sent to an address. */
import { describe, expect, test } from 'vitest';
import { Histogram } from '../kit/histogram.ts';
import type { LoadOutcome } from '../live/load.ts';
import { loadReport } from './load.ts';
import { exitCode } from './report.ts';

const sent: LoadOutcome = {
  generated: 100,
  completed: 100,
  rejected: 0,
  failed: 0,
  inFlight: 0,
  latencies: new Histogram(),
  inVain: new Histogram(),
  servedCount: 100,
  errors: {},
  goodCount: 100,
  otherwise: { count: 0, first: '' },
  seconds: [],
  loadUs: 1_000_000,
  wallUs: 1_000_000,
  requestedPerSec: 100,
  achievedPerSec: 100,
};

describe('the report of a load at an address', () => {
  test('holds when answers are good, or some are', () => {
    const report = loadReport('http://here', 1, { availability: 0.99 }, sent);
    expect(report).toMatchObject({ invariants: [{ verdict: 'holds' }], notes: [] });
    expect(exitCode(report)).toBe(0);
    const mixed = { ...sent, goodCount: 1, errors: { 404: 99 } };
    expect(loadReport('http://here', 1, {}, mixed)).toMatchObject({
      availability: 1,
      errors: { 404: 99 },
      invariants: [{ verdict: 'holds' }],
    });
  });

  test('does not hold when not one was good: that measured nothing', () => {
    const wrong = { ...sent, goodCount: 0, errors: { 404: 100 } };
    const report = loadReport('http://here/typo', 1, { availability: 0.99 }, wrong);
    expect(report.invariants).toContainEqual(
      expect.objectContaining({ verdict: 'unknown', detail: expect.stringContaining('but 404') }),
    );
    expect(exitCode(report)).toBe(3);
  });

  test('says what is answered otherwise than a log recorded', () => {
    const otherwise = { count: 12, first: 'GET /a, 404 instead of 200' };
    expect(loadReport('http://here', 1, {}, { ...sent, otherwise }).notes).toEqual([
      'answered otherwise than the log says: 12 requests, the first GET /a, 404 instead of 200',
    ]);
  });
});
