import type { ComparedRow } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { events, framesOf, layout } from '../parts/run.fixture.ts';
import { pairedBands, pairedPlots } from './paired.ts';
import { runTitle } from './run-title.ts';
import { changeText, estimateText } from './words.ts';

const request = { seed: 1, faults: [], ownFaults: true, set: {} };
const estimate = (mean: number, plusMinus: number | null = null) => ({
  mean,
  plusMinus,
  min: mean,
  max: mean,
});
const row = (a: number, b: number, unit: ComparedRow['unit'] = 'ms'): ComparedRow => ({
  block: null,
  what: 'p99',
  unit,
  a: estimate(a),
  b: estimate(b),
  ratio: a === 0 ? null : b / a,
  change: null,
  difference: 'worse',
});

describe('two courses', () => {
  const a = { layout, frames: framesOf(600), events };
  const b = { layout, frames: framesOf(300, 2), events: events.slice(0, 3) };

  test('have points at the same places, and end where they end', () => {
    const [completed, p99] = pairedPlots(a, b);
    expect(completed!.curves.map((curve) => curve.name)).toEqual(['A', 'B']);
    const [first, second] = completed!.curves.map((curve) => curve.values);
    expect(first).toHaveLength(second!.length);
    expect(second!.at(-1)).toBeNull();
    expect(p99!.curves[1]!.values[3]! / p99!.curves[0]!.values[3]!).toBeCloseTo(2, 1);
  });

  test('a fault that only one has is drawn with its side', () => {
    expect(pairedBands(a, b).map((band) => band.text)).toEqual(['kill links/1', 'A: surge 3x']);
    expect(pairedBands(b, { ...a, events: [] }).map((band) => band.text)).toEqual([
      'A: kill links/1',
    ]);
  });
});

test('a run is called by what was asked of it', () => {
  expect(runTitle(null)).toBe('the running system');
  expect(runTitle(request)).toBe('seed 1');
  expect(
    runTitle({
      ...request,
      seeds: 10,
      set: { 'links.replicas': 5 },
      faults: ['kill links/1 at 12s'],
    }),
  ).toBe('10 seeds from 1 · links.replicas = 5 · kill links/1 at 12s');
  expect(runTitle({ ...request, faults: ['a', 'b', 'c'], ownFaults: false })).toBe(
    'seed 1 · 3 faults · without the design’s faults',
  );
});

test('changes are told by how they are felt', () => {
  expect(changeText(row(100, 96))).toBe('−4 %');
  expect(changeText(row(100, 132))).toBe('+32 %');
  expect(changeText(row(10, 45))).toBe('× 4.5');
  expect(changeText(row(0, 45))).toBe('+45\u202fms');
  expect(changeText(row(0.99, 0.95, 'ratio'))).toBe('−4 points');
  expect(changeText(row(3, 3))).toBe('=');
  expect(estimateText('ms', estimate(3.2, 0.1))).toBe('3.2\u202fms ± 100\u202fµs');
  expect(estimateText('count', estimate(12))).toBe('12');
});
