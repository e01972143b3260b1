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

/**
 * Durations, sizes and ranks come out whole and not negative. A sampler keeps nothing between
 * draws, so that the same draw of the same stream always gives the same value.
 */
export function sampler(distribution: Distribution): Sampler {
  switch (distribution.kind) {
    case 'constant': {
      const value = whole(distribution.value);
      return () => value;
    }
    case 'uniform': {
      const { min, max } = distribution;
      return (random) => whole(min + (max - min) * random.next());
    }
    case 'exponential': {
      const { mean } = distribution;
      return (random) => Math.round(-mean * Math.log(1 - random.next()));
    }
    case 'gamma':
      return gammaSampler(distribution.mean, distribution.cv);
    case 'lognormal': {
      const { mu, sigma } = lognormalOf(distribution.median, distribution.p99);
      return tabled((p) => Math.exp(mu + sigma * normalQuantile(p)));
    }
    case 'pareto': {
      const { min, alpha } = distribution;
      const power = -1 / alpha;
      return (random) => Math.round(min * (1 - random.next()) ** power);
    }
    case 'zipf':
      return zipfSampler(distribution.count, distribution.exponent);
    case 'empirical': {
      const sorted = Float64Array.from(distribution.samples).sort();
      return (random) => {
        if (sorted.length === 0) return 0;
        const place = random.next() * (sorted.length - 1);
        const below = Math.floor(place);
        const low = sorted[below]!;
        return whole(
          low + (sorted[Math.min(below + 1, sorted.length - 1)]! - low) * (place - below),
        );
      };
    }
  }
}

const tableSteps = 4_096;
/** The tails bend too much to be drawn as straight lines. */
const tableEdge = 16;

/**
 * Draws through a table of the quantile function, straight between its entries and exact in the
 * outer tails: every message on the network draws one, and a logarithm with two polynomials costs
 * more than sending it. Between entries it is off by less than 0.01 %.
 */
function tabled(quantile: (p: number) => number): Sampler {
  const table = Float64Array.from({ length: tableSteps + 1 }, (_, i) =>
    quantile(Math.min(Math.max(i, 0.5), tableSteps - 0.5) / tableSteps),
  );
  return (random) => {
    const p = random.next();
    const place = p * tableSteps;
    if (place < tableEdge || place >= tableSteps - tableEdge) return Math.round(quantile(p));
    const below = Math.floor(place);
    const low = table[below]!;
    return Math.round(low + (table[below + 1]! - low) * (place - below));
  };
}

/** The expected value, before rounding. Infinity for a Pareto tail with `alpha` of 1 or less. */
export function meanOf(distribution: Distribution): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value;
    case 'uniform':
      return (distribution.min + distribution.max) / 2;
    case 'exponential':
    case 'gamma':
      return distribution.mean;
    case 'lognormal': {
      const { mu, sigma } = lognormalOf(distribution.median, distribution.p99);
      return Math.exp(mu + (sigma * sigma) / 2);
    }
    case 'pareto':
      return distribution.alpha > 1
        ? (distribution.min * distribution.alpha) / (distribution.alpha - 1)
        : Number.POSITIVE_INFINITY;
    case 'zipf': {
      const { count, exponent } = distribution;
      return powerSum(count, exponent - 1) / powerSum(count, exponent) - 1;
    }
    case 'empirical': {
      const sorted = Float64Array.from(distribution.samples).sort();
      if (sorted.length < 2) return sorted[0] ?? 0;
      let sum = -(sorted[0]! + sorted[sorted.length - 1]!) / 2;
      for (const sample of sorted) sum += sample;
      return sum / (sorted.length - 1);
    }
  }
}

function whole(value: number): number {
  return value > 0 ? Math.round(value) : 0;
}

/** The 99th percentile of the standard normal distribution. */
const normalP99 = 2.3263478740408408;

function lognormalOf(median: number, p99: number): { mu: number; sigma: number } {
  return { mu: Math.log(median), sigma: Math.max(0, Math.log(p99 / median) / normalP99) };
}

/**
 * Marsaglia and Tsang, "A simple method for generating gamma variables" (2000): a squeezed
 * rejection that accepts more than 95 % of the time. Shapes below 1 are lifted by one and scaled back.
 */
function gammaSampler(mean: number, cv: number): Sampler {
  if (cv <= 0) return () => whole(mean);
  const shape = 1 / (cv * cv);
  const scale = mean / shape;
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  return (random) => {
    const lift = shape < 1 ? (1 - random.next()) ** (1 / shape) : 1;
    for (;;) {
      const x = normalQuantile(random.next());
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      const u = 1 - random.next();
      if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
        return Math.round(d * v * scale * lift);
      }
    }
  };
}

/**
 * Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
 * distributions" (1996): constant time and no table, for any count and any exponent from 0 up.
 */
function zipfSampler(count: number, exponent: number): Sampler {
  if (count <= 1) return () => 0;
  const integral = (x: number): number => {
    const log = Math.log(x);
    return growth((1 - exponent) * log) * log;
  };
  const weight = (x: number): number => Math.exp(-exponent * Math.log(x));
  const inverse = (x: number): number => {
    const t = Math.max(-1, x * (1 - exponent));
    return Math.exp(shrink(t) * x);
  };
  const first = integral(1.5) - 1;
  const last = integral(count + 0.5);
  const shortcut = 2 - inverse(integral(2.5) - weight(2));
  return (random) => {
    for (;;) {
      const u = last + random.next() * (first - last);
      const x = inverse(u);
      const rank = Math.min(count, Math.max(1, Math.round(x)));
      if (rank - x <= shortcut || u >= integral(rank + 0.5) - weight(rank)) return rank - 1;
    }
  };
}

/** (eˣ - 1) / x, also near zero. */
function growth(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.expm1(x) / x : 1 + (x / 2) * (1 + x / 3);
}

/** ln(1 + x) / x, also near zero. */
function shrink(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.log1p(x) / x : 1 - x * (0.5 - x / 3);
}

/** Sum of r^-exponent for r from 1 to `count`: the head added up, the tail as an integral. */
function powerSum(count: number, exponent: number): number {
  const head = Math.min(count, 10_000);
  let sum = 0;
  for (let rank = 1; rank <= head; rank++) sum += rank ** -exponent;
  if (count > head) {
    const integral = (x: number): number => growth((1 - exponent) * Math.log(x)) * Math.log(x);
    sum += integral(count + 0.5) - integral(head + 0.5);
  }
  return sum;
}

/**
 * The standard normal variate below which `probability` of them lie; to about 1e-16 of itself.
 * Wichura, "Algorithm AS 241" (1988). One draw a variate, where the polar method would take a
 * varying number and shift whatever the stream gives next.
 */
export function normalQuantile(probability: number): number {
  const q = probability - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q *
        (((((((2509.0809287301227 * r + 33430.57558358813) * r + 67265.7709270087) * r +
          45921.95393154987) *
          r +
          13731.69376550946) *
          r +
          1971.5909503065513) *
          r +
          133.14166789178438) *
          r +
          3.3871328727963665)) /
      (((((((5226.495278852854 * r + 28729.085735721943) * r + 39307.89580009271) * r +
        21213.794301586597) *
        r +
        5394.196021424751) *
        r +
        687.1870074920579) *
        r +
        42.31333070160091) *
        r +
        1)
    );
  }
  // A draw of exactly 0 would be minus infinity; half of the smallest step above it is as fair.
  const tail = Math.max(q < 0 ? probability : 1 - probability, 2 ** -54);
  let r = Math.sqrt(-Math.log(tail));
  let value: number;
  if (r <= 5) {
    r -= 1.6;
    value =
      (((((((0.0007745450142783414 * r + 0.022723844989269184) * r + 0.2417807251774506) * r +
        1.2704582524523684) *
        r +
        3.6478483247632045) *
        r +
        5.769497221460691) *
        r +
        4.630337846156546) *
        r +
        1.4234371107496835) /
      (((((((1.0507500716444169e-9 * r + 0.0005475938084995345) * r + 0.015198666563616457) * r +
        0.14810397642748008) *
        r +
        0.6897673349851) *
        r +
        1.6763848301838038) *
        r +
        2.053191626637759) *
        r +
        1);
  } else {
    r -= 5;
    value =
      (((((((2.0103343992922881e-7 * r + 0.000027115555687434876) * r + 0.0012426609473880784) * r +
        0.026532189526576124) *
        r +
        0.29656057182850487) *
        r +
        1.7848265399172913) *
        r +
        5.463784911164114) *
        r +
        6.657904643501103) /
      (((((((2.0442631033899397e-15 * r + 1.421511758316446e-7) * r + 0.000018463183175100548) * r +
        0.0007868691311456133) *
        r +
        0.014875361290850615) *
        r +
        0.1369298809227358) *
        r +
        0.599832206555888) *
        r +
        1);
  }
  return q < 0 ? -value : value;
}
