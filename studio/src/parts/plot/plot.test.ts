import { describe, expect, test } from 'vitest';
import { linearAxis, logAxis, placeOn, spanAxis } from './axis.ts';
import { faultBands, placeLabels, withoutTimes } from './bands.ts';
import { csvOf } from './csv.ts';
import { clipped, formatSecond, formatValue, type Plot, stacked } from './plot.ts';
import { areaPath, linePath, svgOf } from './svg.ts';

const plot: Plot = {
  id: 'latency',
  title: 'Latency <p99>',
  unit: 'us',
  x: [0.5, 1.5, 2.5],
  curves: [
    { name: 'p50', values: [1_000, null, 2_000], ink: 'series-1', dash: [] },
    {
      name: 'p99, worst',
      values: [5_000, null, 90_000],
      ink: 'series-2',
      dash: [6, 3],
      low: [4_000, null, 80_000],
      high: [6_000, null, 99_000],
    },
  ],
  stacked: false,
  limits: [{ name: 'p99 target', value: 50_000 }],
};

const drawn = {
  width: 400,
  height: 200,
  inkOf: (ink: string) => `#${ink}`,
  colours: { paper: '#fff', text: '#000', faint: '#777', line: '#ddd', fault: '#c7a' },
  bands: [{ fromUs: 1e6, toUs: Number.POSITIVE_INFINITY, text: 'kill links/1' }],
  log: false,
};

describe('axis', () => {
  test('ticks are round and hold the greatest value', () => {
    expect(linearAxis(870, 4).ticks).toEqual([0, 500, 1000]);
    expect(linearAxis(0).max).toBeGreaterThan(0);
    expect(linearAxis(1).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(spanAxis(18.07, 36.1, 4).ticks).toEqual([20, 25, 30, 35]);
    expect(logAxis(130, 95_000).ticks).toEqual([100, 1_000, 10_000, 100_000]);
    expect(logAxis(130, 950).ticks).toEqual([100, 200, 500, 1_000]);
  });

  test('a value lies where its share of the axis is', () => {
    expect(placeOn(linearAxis(1_000, 4), 250)).toBe(0.25);
    expect(placeOn(logAxis(10, 1_000), 100)).toBeCloseTo(0.5);
    expect(placeOn(logAxis(10, 1_000), 0)).toBe(0);
  });
});

describe('words', () => {
  test('values carry their unit, what was not measured is a dash', () => {
    expect(formatValue('perSec', 1234)).toBe('1,234/s');
    expect(formatValue('us', 1_500)).toBe('1.5\u202fms');
    expect(formatValue('ratio', 0.5)).toBe('50\u202f%');
    expect(formatValue('us', null)).toBe('–');
    expect(formatValue('count', 1_234_567)).toBe('1.23M');
  });

  test('seconds read as people say them', () => {
    expect([0.35, 12, 80, 120, 3_725].map(formatSecond)).toEqual([
      '0.35s',
      '12s',
      '1m 20s',
      '2m',
      '1h 2m 5s',
    ]);
  });
});

describe('bands', () => {
  const fault = (at: number, text: string, began: boolean) =>
    ({ type: 'fault', at, text, began }) as const;

  test('a fault lasts from its begin to its end, or on', () => {
    const bands = faultBands([
      fault(1, 'cut api from links at 1us', true),
      fault(2, 'surge 3x', true),
      fault(5, 'surge 3x', false),
    ]);
    expect(bands).toEqual([
      { fromUs: 1, toUs: Number.POSITIVE_INFINITY, text: 'cut api from links' },
      { fromUs: 2, toUs: 5, text: 'surge 3x' },
    ]);
  });

  test('times are drawn, not written', () => {
    expect(withoutTimes('kill links/1 at 12s, restart after 5s')).toBe('kill links/1');
    expect(withoutTimes('lose 5% between api and links at 10s for 30s')).toBe(
      'lose 5% between api and links',
    );
    expect(withoutTimes('surge 3x')).toBe('surge 3x');
  });

  test('labels never lie on one another, and those without room are left out', () => {
    const bands = [0, 1, 2, 50].map((fromUs) => ({ fromUs, toUs: fromUs + 1, text: 'abc' }));
    expect(placeLabels(bands, () => 10, 2).map(({ fromUs, row }) => [fromUs, row])).toEqual([
      [0, 0],
      [1, 1],
      [50, 0],
    ]);
  });
});

describe('files', () => {
  test('CSV has a column a curve, with its interval, and an empty cell where nothing was measured', () => {
    expect(csvOf(plot, 'seconds')).toBe(
      'seconds,p50 us,"p99, worst us","p99, worst low","p99, worst high"\n' +
        '0.5,1000,5000,4000,6000\n1.5,,,,\n2.5,2000,90000,80000,99000\n',
    );
  });

  test('SVG holds every curve, band and limit, and escapes names', () => {
    const svg = svgOf(plot, drawn);
    expect(svg).toContain('Latency &lt;p99&gt;');
    expect(svg).toContain('stroke="#series-2"');
    expect(svg).toContain('stroke-dasharray="6 3"');
    expect(svg).toContain('kill links/1');
    expect(svg).toContain('p99 target 50\u202fms');
    expect(svg).not.toContain('NaN');
    expect(svg).not.toContain('Infinity');
  });

  test('SVG on a log scale and of parts of a whole is whole, too', () => {
    expect(svgOf(plot, { ...drawn, log: true })).not.toContain('NaN');
    expect(svgOf({ ...plot, stacked: true }, drawn)).not.toContain('NaN');
    expect(svgOf({ ...plot, x: [], curves: [] }, drawn)).not.toContain('NaN');
  });

  test('a gap interrupts a line, and a lone point is still a mark', () => {
    expect(linePath([0, 1, 2, 3], [1, null, 2, 3])).toBe('M0 1h0M2 2L3 3');
    expect(areaPath([0, 1], [5, null], [1, 2])).toBe('M0 5L0 1Z');
    expect(areaPath([0], [null], [1])).toBe('');
  });
});

test('a clipped plot has the points that were in view, of every column', () => {
  const part = clipped(plot, 1, 3);
  expect(part.x).toEqual([1.5, 2.5]);
  expect(part.curves[1]).toMatchObject({ values: [null, 90_000], low: [null, 80_000] });
  expect(clipped(plot, 0, 10)).toBe(plot);
});

test('parts of a whole stand on one another', () => {
  expect(stacked(plot.curves)).toEqual([
    [1_000, 0, 2_000],
    [6_000, 0, 92_000],
  ]);
});
