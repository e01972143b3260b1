/**
 * How users write a distribution of durations: `exponential('5ms')`. A bare duration is a constant.
 */
import type { Knob } from './config.ts';
import type { Distribution } from './distribution.ts';
import { LoadpathError } from './errors.ts';
import { type DurationText, durationText, parseDuration } from './units.ts';

/** A duration that is always the same, or one that is drawn. */
export type Draw = DurationText | Distribution;

export function constant(value: DurationText): Distribution {
  return { kind: 'constant', value: us(value) };
}

export function uniform(min: DurationText, max: DurationText): Distribution {
  return { kind: 'uniform', min: us(min), max: us(max) };
}

export function exponential(mean: DurationText): Distribution {
  return { kind: 'exponential', mean: us(mean) };
}

/** `cv` is the coefficient of variation: 0 is constant, 1 exponential, above it burstier. */
export function gamma(mean: DurationText, options: { readonly cv: number }): Distribution {
  return { kind: 'gamma', mean: us(mean), cv: options.cv };
}

export function lognormal(options: {
  readonly median: DurationText;
  readonly p99: DurationText;
}): Distribution {
  return { kind: 'lognormal', median: us(options.median), p99: us(options.p99) };
}

export function pareto(options: {
  readonly min: DurationText;
  readonly alpha: number;
}): Distribution {
  return { kind: 'pareto', min: us(options.min), alpha: options.alpha };
}

/** Drawn from what was measured: paste latencies of the real service. */
export function observed(samples: readonly DurationText[]): Distribution {
  return { kind: 'empirical', samples: samples.map(us).sort((a, b) => a - b) };
}

/** A knob for a draw: in a design a value, from outside a line as `readDraw` takes it. */
export function drawKnob(preset: Draw | undefined, doc: string): Knob<'draw', Draw, Distribution> {
  return {
    unit: 'draw',
    preset,
    doc,
    allowed: "a duration like '5ms' or 'exponential(5ms)'",
    parse: (given) => (typeof given === 'string' ? readDraw(given) : parseDraw(given)),
    print: (given) => {
      const draw = parseDraw(given);
      return draw && drawText(draw);
    },
  };
}

/** The distribution meant by what a user wrote, or undefined when it means none. */
export function parseDraw(draw: unknown): Distribution | undefined {
  if (typeof draw === 'string') {
    const value = parseDuration(draw);
    return value === undefined ? undefined : { kind: 'constant', value };
  }
  if (typeof draw !== 'object' || draw === null || !('kind' in draw)) return undefined;
  return valid(draw as Distribution) ? (draw as Distribution) : undefined;
}

/**
 * A draw in one line, for a command line and a form: `5ms`, `exponential(5ms)`, `uniform(1ms, 2ms)`,
 * `gamma(5ms, 0.5)`, `lognormal(20ms, 90ms)`, `pareto(1ms, 2)`. Figures stand in the order of the
 * fields of the distribution.
 */
export function readDraw(text: string): Distribution | undefined {
  const plain = parseDuration(text);
  if (plain !== undefined) return { kind: 'constant', value: plain };
  const match = /^([a-z]+)\s*\((.*)\)$/.exec(text.trim());
  const fields = match && fieldsOf[match[1]!];
  if (!fields) return undefined;
  const given = match[2]!.split(',').map((figure) => figure.trim());
  if (given.length !== fields.length) return undefined;
  const values = fields.map((field, index) => [
    field,
    isNumber(field) ? Number(given[index]) : (parseDuration(given[index]!) ?? Number.NaN),
  ]);
  return parseDraw({ kind: match[1], ...Object.fromEntries(values) });
}

/** The other way round; undefined for what has no such line. */
export function drawText(draw: Distribution): string | undefined {
  if (draw.kind === 'constant') return durationText(draw.value);
  const fields = fieldsOf[draw.kind];
  const values = Object.entries(draw);
  const figures = fields?.map((field) => {
    const value = Number(values.find(([name]) => name === field)?.[1]);
    return isNumber(field) ? String(value) : durationText(value);
  });
  return figures && `${draw.kind}(${figures.join(', ')})`;
}

const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  constant: ['value'],
  exponential: ['mean'],
  uniform: ['min', 'max'],
  gamma: ['mean', 'cv'],
  lognormal: ['median', 'p99'],
  pareto: ['min', 'alpha'],
};

/** The others are durations. */
function isNumber(field: string): boolean {
  return field === 'cv' || field === 'alpha';
}

function valid(draw: Distribution): boolean {
  switch (draw.kind) {
    case 'constant':
      return draw.value >= 0;
    case 'uniform':
      return draw.min >= 0 && draw.max >= draw.min;
    case 'exponential':
      return draw.mean > 0;
    case 'gamma':
      return draw.mean > 0 && draw.cv >= 0;
    case 'lognormal':
      return draw.median > 0 && draw.p99 >= draw.median;
    case 'pareto':
      return draw.min > 0 && draw.alpha > 0;
    case 'zipf':
      return draw.count >= 1 && draw.exponent >= 0;
    case 'empirical':
      return draw.samples.length > 0;
    default:
      return false;
  }
}

function us(value: DurationText): number {
  const parsed = parseDuration(value);
  if (parsed === undefined) {
    throw new LoadpathError('bad-design', `'${value}' is not a duration; write '5ms', '2s'`);
  }
  return parsed;
}
