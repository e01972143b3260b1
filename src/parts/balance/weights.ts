/**
 * How much of the traffic a target should get, relative to the others. A weight may depend on the
 * time: who has just started begins with little (slow start).
 *
 *   share
 *      1 ┤            ╱────     a cold process fills caches, compiles code, opens connections;
 *        │        ╱             given its whole share at once, it answers late or dies again
 *   min  ┤────╱
 *        └────┴───────┴───▶ time since it came
 *
 * ```ts
 * import { slowStart } from 'loadpath/parts/balance/weights';
 *
 * const weightAt = slowStart({ warmupUs: 10_000_000, shareMin: 0.1 });
 * const target = { open: 0, avoidUntil: 0, weight: 4, cameAt: 0 };
 * [0, 5_000_000, 10_000_000].map((now) => weightAt(target, now)); // → [0.4, 2, 4]
 * ```
 */
import type { Micros } from '../../host/host.ts';
import { type ConfigOf, duration, ratio } from '../../kit/config.ts';
import type { Target } from './target.ts';

export interface WeightedTarget extends Target {
  readonly weight: number;
}

export interface WarmingTarget extends WeightedTarget {
  /** When it was added, or came back. Before all time for those that were always there. */
  readonly cameAt: Micros;
}

export type WeightAt<T extends Target> = (target: T, now: Micros) => number;

export const slowStartKnobs = {
  warmup: duration('30s', {
    min: '1ms',
    doc: 'How long a new target is spared. About what a just-in-time compiler and a cold cache take; Envoy and HAProxy are used with 10 s to 60 s.',
  }),
  shareMin: ratio(0.1, {
    min: 0.001,
    doc: 'The share of its weight that a new target starts with. Below a tenth it may see no request for long, and then does not warm up.',
  }),
};

export type SlowStartConfig = ConfigOf<typeof slowStartKnobs>;

export function ownWeight(target: WeightedTarget): number {
  return target.weight;
}

export function slowStart(config: SlowStartConfig): WeightAt<WarmingTarget> {
  const { warmupUs, shareMin } = config;
  return (target, now) => {
    const aliveUs = now - target.cameAt;
    if (aliveUs >= warmupUs) return target.weight;
    return target.weight * Math.max(shareMin, aliveUs / warmupUs);
  };
}
