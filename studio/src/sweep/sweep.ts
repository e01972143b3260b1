/** What can be swept, over which values, and the curves that come of it. Pure. */
import {
  parseBytes,
  parseDuration,
  parseRate,
  parseValues,
  type RunRequest,
  type SweepPoint,
  sweepValuesForm,
} from 'loadpath/studio';
import { plural, shareText } from '../parts/format.ts';
import type { Curve, Plot } from '../parts/plot/plot.ts';
import type { Options, OptionValue } from '../state/edits.ts';
import { timeText } from '../state/faults.ts';
import { allFaults } from '../state/form.ts';

export interface Sweepable {
  /** `rate`, `api.instances`. */
  readonly over: string;
  /** What the design says; null: not said in one number. */
  readonly now: OptionValue | null;
  /** A first idea, around what stands there. */
  readonly values: string;
}

/** Options in the order of the design, and first the load, which one asks about most. */
export function sweepables(options: Options, ratePerSec: number | undefined): Sweepable[] {
  const rate: Sweepable = {
    over: 'rate',
    now: ratePerSec === undefined ? null : `${round(ratePerSec)}/s`,
    values: around(ratePerSec ?? 100, (value) => `${round(value)}/s`),
  };
  const others = Object.entries(options).flatMap(([block, table]) =>
    Object.entries(table).flatMap(([name, value]): Sweepable[] => {
      const values = suggested(value);
      return values === undefined ? [] : [{ over: `${block}.${name}`, now: value, values }];
    }),
  );
  return [rate, ...others];
}

function suggested(value: OptionValue): string | undefined {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return [0.1, 0.25, 0.5, 0.75, 0.9].join(', ');
    return value <= 8 ? '1..8' : around(value, (one) => String(Math.max(1, Math.round(one))));
  }
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(.*)$/.exec(value);
  const isQuantity = [parseDuration, parseRate, parseBytes].some(
    (parse) => parse(value) !== undefined,
  );
  if (!match || !isQuantity || Number(match[1]) === 0) return undefined;
  return around(Number(match[1]), (one) => `${round(one)}${match[2]}`);
}

/** From a quarter to four times as much. */
function around(value: number, write: (value: number) => string): string {
  return [0.25, 0.5, 1, 2, 4].map((factor) => write(value * factor)).join(', ');
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** What every point is run with beside its value: what stands in the bar, the fault list and the inspector. */
export function restInWords(
  over: string,
  run: RunRequest,
  seedCount: number,
  designFaults: readonly string[],
): string {
  const { seed, set, ratePerSec, forUs, ownFaults } = run;
  const faultCount = allFaults(run, designFaults).length;
  const parts = [
    ...Object.entries(set).flatMap(([key, value]) => (key === over ? [] : `${key} = ${value}`)),
    ...(ratePerSec === undefined || over === 'rate' ? [] : [`${round(ratePerSec)}/s`]),
    ...(faultCount === 0 ? [] : [plural(faultCount, 'fault')]),
    ...(designFaults.length > 0 && !ownFaults ? ['without the design’s own faults'] : []),
    ...(forUs === undefined ? [] : [`for ${timeText(forUs)}`]),
    seedCount === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + seedCount - 1}`,
  ];
  return `With ${parts.join(', ')}; everything else as the design says.`;
}

/** Read as the server reads them, for an early word. */
export function valuesProblem(values: string): string | null {
  const parsed = parseValues(values);
  if (!parsed) return `Write ${sweepValuesForm}.`;
  return parsed.length < 2 ? 'A curve needs at least two values.' : null;
}

export function latencyPlot(over: string, points: readonly SweepPoint[]): Plot {
  const of = (name: string, key: 'p50' | 'p99', i: number): Curve => ({
    name,
    // Milliseconds in reports, microseconds in plots.
    values: points.map((point) => point.latencyMs[key].mean * 1_000),
    ...interval(
      points.map((point) => point.latencyMs[key]),
      1_000,
    ),
    ink: i === 0 ? 'series-2' : 'series-1',
    dash: i === 0 ? [] : [6, 3],
  });
  return {
    id: `sweep-latency-${over}`,
    title: 'Latency',
    unit: 'us',
    x: points.map((point) => point.x),
    curves: [of('p99', 'p99', 0), of('p50', 'p50', 1)],
    stacked: false,
    limits: [],
  };
}

export function throughputPlot(over: string, points: readonly SweepPoint[]): Plot {
  return {
    id: `sweep-throughput-${over}`,
    title: 'Throughput',
    unit: 'perSec',
    x: points.map((point) => point.x),
    curves: [
      {
        name: 'completed',
        values: points.map((point) => point.throughputPerSec.mean),
        ...interval(
          points.map((point) => point.throughputPerSec),
          1,
        ),
        ink: 'series-3',
        dash: [],
      },
      {
        name: 'offered',
        values: points.map((point) => point.offeredPerSec),
        ink: 'series-8',
        dash: [2, 3],
      },
    ],
    stacked: false,
    limits: [],
  };
}

function interval(
  estimates: readonly { readonly mean: number; readonly plusMinus: number | null }[],
  scale: number,
) {
  if (!estimates.some(({ plusMinus }) => plusMinus !== null && plusMinus > 0)) return {};
  return {
    low: estimates.map(({ mean, plusMinus }) => Math.max(0, mean - (plusMinus ?? 0)) * scale),
    high: estimates.map(({ mean, plusMinus }) => (mean + (plusMinus ?? 0)) * scale),
  };
}

/** The point in one breath, as its button is called. */
export function pointInWords(over: string, point: SweepPoint): string {
  const kept =
    point.heldCount === point.seedCount
      ? 'every promise kept'
      : `promises kept in ${point.heldCount} of ${point.seedCount} seeds`;
  return `${over} = ${point.value}: ${Math.round(point.throughputPerSec.mean)}/s, p99 ${Number(point.latencyMs.p99.mean.toPrecision(3))} ms, ${point.busiest} ${shareText(point.utilisation.mean)} busy, ${kept}`;
}

export function firstBroken(points: readonly SweepPoint[]): string | null {
  const broken = points.find((point) => point.heldCount < point.seedCount);
  return broken ? `The first value that breaks a promise is ${broken.value}.` : null;
}
