/**
 * A plot as plain data: what the live chart, the still drawing, the SVG and the CSV are all made
 * from, so that what one exports is what one saw.
 */
import { countText, durationText, rateText, shareText } from '../format.ts';

/** What the values of an axis are. */
export type PlotUnit = 'perSec' | 'us' | 'ratio' | 'count';

/** Eight that people who see colours differently can tell apart, and four that mean something. */
export type Ink =
  | 'series-1'
  | 'series-2'
  | 'series-3'
  | 'series-4'
  | 'series-5'
  | 'series-6'
  | 'series-7'
  | 'series-8';

/** Never colour alone: every curve of a plot has its own dash, too. */
export const dashes: readonly (readonly number[])[] = [
  [],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [12, 3],
  [4, 2, 1, 2, 1, 2],
  [1, 3],
  [10, 2, 2, 2, 2, 2],
];

export const inks: readonly Ink[] = [
  'series-1',
  'series-2',
  'series-3',
  'series-4',
  'series-5',
  'series-6',
  'series-7',
  'series-8',
];

export interface Curve {
  readonly name: string;
  /** One a position on the x axis; null where nothing was measured. */
  readonly values: readonly (number | null)[];
  readonly ink: Ink;
  readonly dash: readonly number[];
  /** A 95 % interval around the values, when there is one. */
  readonly low?: readonly (number | null)[] | undefined;
  readonly high?: readonly (number | null)[] | undefined;
}

/** A level that should not be passed, drawn across the plot. */
export interface Limit {
  readonly name: string;
  readonly value: number;
}

export interface Plot {
  /** For file names and tests: `latency`. */
  readonly id: string;
  readonly title: string;
  readonly unit: PlotUnit;
  /** How a value came about, where that is not plain from the title. */
  readonly caption?: string | undefined;
  /** Seconds since the load began, or whatever is swept. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  /** Curves are parts of a whole: drawn on top of one another. */
  readonly stacked: boolean;
  readonly limits: readonly Limit[];
}

/** A span of time that something happened in: a fault, as a rule. */
export interface Band {
  readonly fromUs: number;
  /** Infinity while it has no end. */
  readonly toUs: number;
  readonly text: string;
}

/** The part of a plot that lies within a stretch of its x axis: what is saved is what was seen. */
export function clipped(plot: Plot, from: number, to: number): Plot {
  const kept = plot.x.flatMap((x, index) => (x >= from && x <= to ? [index] : []));
  if (kept.length === plot.x.length) return plot;
  const pick = <T>(values: readonly T[]) => kept.map((index) => values[index]!);
  const maybe = (values: Curve['low']) => (values ? pick(values) : undefined);
  return {
    ...plot,
    x: pick(plot.x),
    curves: plot.curves.map((curve) => ({
      ...curve,
      values: pick(curve.values),
      low: maybe(curve.low),
      high: maybe(curve.high),
    })),
  };
}

export function formatValue(unit: PlotUnit, value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  switch (unit) {
    case 'us':
      return durationText(value);
    case 'ratio':
      return shareText(value);
    case 'perSec':
      return rateText(value);
    case 'count':
      return countText(value);
  }
}

/** `12s`, `1m 20s`, `0.35s`: seconds on a time axis. */
export function formatSecond(second: number): string {
  if (Math.abs(second) < 60) return `${Number(second.toFixed(3))}s`;
  const minutes = Math.floor(second / 60);
  const rest = Number((second - minutes * 60).toFixed(1));
  if (minutes >= 60) {
    return `${Math.floor(minutes / 60)}h ${minutes % 60}m${rest === 0 ? '' : ` ${rest}s`}`;
  }
  return rest === 0 ? `${minutes}m` : `${minutes}m ${rest}s`;
}

/** The curves as they stand on top of one another: each with all before it beneath. */
export function stacked(curves: readonly Curve[]): readonly (readonly (number | null)[])[] {
  const totals: (readonly (number | null)[])[] = [];
  for (const curve of curves) {
    const below = totals.at(-1);
    totals.push(curve.values.map((value, i) => (value ?? 0) + (below?.[i] ?? 0)));
  }
  return totals;
}
