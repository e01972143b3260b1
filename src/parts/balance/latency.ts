/**
 * The target that is expected to answer first: a moving average of how long it took, times what is
 * already open there. Of two drawn at random the better one is taken, so that not everybody runs to
 * the fastest at once.
 *
 *   took  │      ▲ peak           'peak' jumps to a slow answer at once and forgets it slowly:
 *         │      │╲__               who stumbles is left alone within one request
 *         │──────┘   ╲____        'mean' follows both ways at the same pace
 *         └───────────────▶
 *
 * ```ts
 * import { seeded } from 'loadpath/parts/balance';
 * import { Latency, LeastLatency } from 'loadpath/parts/balance/latency';
 *
 * const config = { by: 'peak', decayUs: 10_000_000 } as const;
 * const targets = [1, 2].map(() => ({ open: 0, avoidUntil: 0, latency: new Latency(config) }));
 * targets[0]!.latency.observe(0, 80_000);
 * targets[1]!.latency.observe(0, 5_000);
 * new LeastLatency(seeded(1)).pick(targets, 0) === targets[1]; // → true
 * ```
 *
 * After Finagle's PeakEwma (Ruggeri). An observation weighs by the time since the last one, not by
 * their number (Eckner, "Algorithms for unevenly spaced time series"). Use `two-choices` when all
 * targets answer alike: what is open says as much then, and needs no clock.
 */
import type { Micros } from '../../host/host.ts';
import { type ConfigOf, choice, duration } from '../../kit/config.ts';
import type { Random } from '../../kit/random.ts';
import { lastResort, type Picker, type Target, usableAt, usableCount } from './target.ts';

export const latencyKnobs = {
  by: choice(
    ['peak', 'mean'],
    'peak reacts to one slow answer at once, and recovers slowly; mean is calmer where single answers vary by themselves.',
  ),
  decay: duration('10s', {
    min: '1ms',
    doc: 'After this long an old observation weighs a third. About ten times the slowest usual answer, so that one of them does not hide the others.',
  }),
};

export type LatencyConfig = ConfigOf<typeof latencyKnobs>;

export interface TimedTarget extends Target {
  readonly latency: Latency;
}

export class Latency {
  readonly #config: LatencyConfig;
  #us = 0;
  #observedAt = 0;

  constructor(config: LatencyConfig) {
    this.#config = config;
  }

  observe(now: Micros, tookUs: Micros): void {
    if (this.#us === 0 || (this.#config.by === 'peak' && tookUs > this.#us)) this.#us = tookUs;
    else this.#us = tookUs + (this.#us - tookUs) * this.#share(now);
    this.#observedAt = now;
  }

  /** Expected, in microseconds. It fades while nothing is heard, so that the target is tried again. */
  at(now: Micros): number {
    return this.#us * this.#share(now);
  }

  /** What the last observation still weighs. */
  #share(now: Micros): number {
    const sinceUs = now - this.#observedAt;
    return sinceUs <= 0 ? 1 : Math.exp(-sinceUs / this.#config.decayUs);
  }
}

/** What a target that has open requests and never answered is taken to need: longer than any timeout. */
const unknownUs = 3_600_000_000;

export class LeastLatency<T extends TimedTarget> implements Picker<T> {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  pick(targets: readonly T[], now: Micros, except?: T): T | undefined {
    const usable = usableCount(targets, now, except);
    if (usable === 0) return lastResort(targets, except, this.#random);
    const drawn = this.#random.below(usable);
    const first = this.#nth(targets, now, except, usable, drawn);
    if (usable === 1) return first;
    const other = (drawn + 1 + this.#random.below(usable - 1)) % usable;
    const second = this.#nth(targets, now, except, usable, other);
    return costOf(second, now) < costOf(first, now) ? second : first;
  }

  #nth(targets: readonly T[], now: Micros, except: T | undefined, usable: number, rank: number): T {
    return usable === targets.length ? targets[rank]! : usableAt(targets, now, except, rank);
  }
}

function costOf(target: TimedTarget, now: Micros): number {
  const expectedUs = target.latency.at(now);
  // A new target gets one request at a time until it has answered.
  if (expectedUs === 0) return target.open === 0 ? 0 : unknownUs + target.open;
  return expectedUs * (target.open + 1);
}
