/**
 * Distributions as data, and as samplers. Durations are in microseconds and come out whole;
 * sizes and ranks likewise.
 */
import type { Random } from './random.ts';

export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  | { readonly kind: 'exponential'; readonly mean: number }
  /** Shape is 1 / cv². */
  | { readonly kind: 'gamma'; readonly mean: number; readonly cv: number }
  /** By its median and its 99th percentile: the two figures people have. */
  | { readonly kind: 'lognormal'; readonly median: number; readonly p99: number }
  /** Heavy tail: P(X > x) = (min / x)^alpha. */
  | { readonly kind: 'pareto'; readonly min: number; readonly alpha: number }
  /** Ranks 0 … count-1, rank r with weight 1 / (r + 1)^exponent. */
  | { readonly kind: 'zipf'; readonly count: number; readonly exponent: number }
  /** Drawn from what was observed, interpolated between sorted samples. */
  | { readonly kind: 'empirical'; readonly samples: readonly number[] };

/** A function that draws from `distribution`. Make it once: tables are built here. */
export type Sampler = (random: Random) => number;
