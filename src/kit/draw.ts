/**
 * How users write a distribution of durations: `exponential('5ms')`. A bare duration is a constant.
 */
import type { Distribution } from './distribution.ts';
import { LoadpathError } from './errors.ts';
import { type DurationText, parseDuration } from './units.ts';

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

/** The distribution meant by what a user wrote, or undefined when it means none. */
export function parseDraw(draw: unknown): Distribution | undefined {
  if (typeof draw === 'string') {
    const value = parseDuration(draw);
    return value === undefined ? undefined : { kind: 'constant', value };
  }
  if (typeof draw !== 'object' || draw === null || !('kind' in draw)) return undefined;
  return valid(draw as Distribution) ? (draw as Distribution) : undefined;
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
