/**
 * The knobs of a rate limiter, and the limiter that they describe. Every algorithm is given a rate,
 * `100/s`: those with a burst read it as a pace, those with a window as so many in each.
 */
import { type ConfigOf, choice, count, rate } from '../../kit/config.ts';
import { FixedWindow } from './fixed-window.ts';
import { Gcra } from './gcra.ts';
import type { Limiter } from './limiter.ts';
import { SlidingBuckets } from './sliding-buckets.ts';
import { SlidingLog } from './sliding-log.ts';
import { SlidingWindow } from './sliding-window.ts';

export const limiterKnobs = {
  algorithm: choice(
    [
      'token-bucket',
      'leaky-meter',
      'gcra',
      'fixed-window',
      'sliding-window',
      'sliding-buckets',
      'sliding-log',
    ],
    'token-bucket, leaky-meter and gcra are one law: a pace, with bursts. fixed-window is a count a minute, and lets twice as many through around its edge; sliding-window weighs two such counts; sliding-buckets and sliding-log never admit more than the limit in any window.',
  ),
  rate: rate('100/s', { doc: 'Requests a key may make: averaged over time, or in each window.' }),
  burst: count(200, {
    min: 1,
    max: 1_000_000,
    doc: 'Requests a quiet key may make at once, where there is no window. Two seconds of the rate: a page with its parts.',
  }),
  parts: count(10, {
    min: 1,
    max: 3_600,
    doc: 'Parts of the window of sliding-buckets, 4 bytes a key each. With 10 a request is forgotten at most a tenth of the window too late.',
  }),
  keysMax: count(100_000, {
    min: 1,
    doc: 'Keys remembered. Beyond it the one seen longest ago is forgotten, and starts with a whole limit.',
  }),
};

export type LimiterConfig = ConfigOf<typeof limiterKnobs>;

export function limiterOf(config: Omit<LimiterConfig, 'keysMax'>): Limiter {
  const { algorithm, rate, burst, parts } = config;
  const window = { limit: rate.count, windowUs: rate.periodUs };
  switch (algorithm) {
    case 'token-bucket':
    case 'leaky-meter':
    case 'gcra':
      return new Gcra({ rate, burst });
    case 'fixed-window':
      return new FixedWindow(window);
    case 'sliding-window':
      return new SlidingWindow(window);
    case 'sliding-buckets':
      return new SlidingBuckets({ ...window, parts });
    case 'sliding-log':
      return new SlidingLog(window);
  }
}
