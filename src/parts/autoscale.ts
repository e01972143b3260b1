/**
 * Target tracking: how many instances there should be, so that each has as much to do as it should.
 *
 *   wanted = what all have to do together ÷ what one should have, rounded up
 *
 *   size │        ┌──────┐          up soon, by steps, when new ones have had time to take their share;
 *        │   ┌────┘      └──┐       down late: an instance too many costs less than one too few
 *        └───┴──────────────┴──▶
 *
 * ```ts
 * import { Autoscaler, scaleKnobs } from 'loadpath/parts/autoscale';
 * import { configure } from 'loadpath/parts/config';
 *
 * const { config } = configure('scale', scaleKnobs, { cpu: 0.5, cooldownDown: '1min' });
 * const scaler = new Autoscaler(config);
 * const busy = { ratePerSec: 90, cpuShare: 0.9, open: 4, p99Us: 8_000 };
 * scaler.wanted(0, [busy, busy], 0); // → 4
 * scaler.wanted(5_000_000, [busy, busy], 2); // → 4
 * const idle = { ratePerSec: 10, cpuShare: 0.1, open: 0, p99Us: 2_000 };
 * scaler.wanted(30_000_000, [idle, idle, idle, idle], 0); // → 4
 * scaler.wanted(70_000_000, [idle, idle, idle, idle], 0); // → 3
 * ```
 *
 * The rule is Kubernetes’ (horizontal pod autoscaler), with Amazon’s warm-up and cooldowns. It follows the load: a surge that
 * comes faster than instances start is for limiters and shedding.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, count, duration, optional, rate, ratio } from '../kit/config.ts';
import { ratePerSec } from '../kit/units.ts';

export const scaleKnobs = {
  rate: optional(rate('100/s', { doc: 'Requests that an instance should get.' })),
  cpu: optional(
    ratio(0.6, {
      min: 0.01,
      doc: 'Share of its cores that should be busy. 0.6 leaves room for what comes while others start.',
    }),
  ),
  queue: optional(
    count(10, { min: 1, doc: 'Requests that an instance should hold, running and waiting.' }),
  ),
  latency: optional(
    duration('100ms', {
      min: '1ms',
      doc: 'p99 that requests should have at an instance. It says that there are too few, not how many: steps bound what follows.',
    }),
  ),
  tolerance: ratio(0.1, {
    doc: 'How far from its target a figure may be before the number changes. Without it every flicker starts or stops something.',
  }),
  cooldownUp: duration('10s', {
    min: '0s',
    doc: 'How long after a change before the next one up.',
  }),
  cooldownDown: duration('1min', {
    min: '0s',
    doc: 'How long less must have been enough, and nothing have changed, before one goes. Longer than the lulls of the load.',
  }),
  warmUp: duration('15s', {
    min: '0s',
    doc: 'How long after it is up an instance counts as one that will take its share and says nothing yet: caches are cold.',
  }),
  stepUp: count(4, { min: 1, doc: 'The most that are started at once.' }),
  stepDown: count(1, { min: 1, doc: 'The most that are stopped at once.' }),
};

export type ScaleConfig = ConfigOf<typeof scaleKnobs>;

/** What one instance had to do since the last look. */
export interface Load {
  readonly ratePerSec: number;
  /** 0 to 1. */
  readonly cpuShare: number;
  /** Held now. */
  readonly open: number;
  readonly p99Us: Micros;
}

export class Autoscaler {
  readonly #config: ScaleConfig;
  /** What would have been enough, lately: the most of it bounds a step down. */
  #enough: { readonly at: Micros; readonly size: number }[] = [];
  #changedAt: Micros = Number.NEGATIVE_INFINITY;
  /** When it looked first: what was enough before that nobody can tell. */
  #beganAt: Micros | undefined;

  constructor(config: ScaleConfig) {
    this.#config = config;
  }

  /**
   * How many there should be. `loads`: of those that are up for long enough to tell; `warmingCount`:
   * of those that are not, or that were ordered. The number that it returns is taken to be acted on.
   */
  wanted(now: Micros, loads: readonly Load[], warmingCount: number): number {
    const { cooldownUpUs, cooldownDownUs, stepUp, stepDown } = this.#config;
    const size = loads.length + warmingCount;
    this.#beganAt ??= now;
    if (loads.length === 0) return size;
    const ideal = this.#ideal(loads, size);
    this.#enough.push({ at: now, size: ideal });
    this.#enough = this.#enough.filter(({ at }) => at > now - Math.max(1, cooldownDownUs));
    if (ideal > size) {
      if (now - this.#changedAt < cooldownUpUs) return size;
      this.#changedAt = now;
      return Math.min(ideal, size + stepUp);
    }
    const enough = Math.max(...this.#enough.map((one) => one.size));
    // Who is warming takes from the others soon: until then nobody can tell that there are too many.
    const calmSince = Math.max(this.#changedAt, this.#beganAt);
    if (enough >= size || warmingCount > 0 || now - calmSince < cooldownDownUs) return size;
    this.#changedAt = now;
    return Math.max(enough, size - stepDown);
  }

  #ideal(loads: readonly Load[], size: number): number {
    const { rate: perInstance, cpu, queue, latencyUs } = this.#config;
    const sum = (of: (load: Load) => number) => loads.reduce((total, load) => total + of(load), 0);
    const answers: number[] = [];
    // Those that warm up are counted as idle: what they will take is already in the others' figures.
    const share = (total: number, target: number) => answers.push(this.#by(total / target, size));
    if (perInstance)
      share(
        sum((load) => load.ratePerSec),
        ratePerSec(perInstance),
      );
    if (cpu !== undefined)
      share(
        sum((load) => load.cpuShare),
        cpu,
      );
    if (queue !== undefined)
      share(
        sum((load) => load.open),
        queue,
      );
    if (latencyUs !== undefined) {
      const mean = sum((load) => load.p99Us) / loads.length;
      // What is not there yet may be all that is missing.
      const isMending = size > loads.length && mean > latencyUs;
      answers.push(isMending ? size : this.#by((loads.length * mean) / latencyUs, size));
    }
    return Math.max(...answers, answers.length === 0 ? size : 1);
  }

  #by(needed: number, size: number): number {
    if (Math.abs(needed / size - 1) <= this.#config.tolerance) return size;
    return Math.ceil(needed);
  }
}
