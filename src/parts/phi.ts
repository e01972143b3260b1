/**
 * Phi accrual failure detector: not "dead or alive", but how sure one may be. From the gaps between
 * past heartbeats follows how likely the present silence is; phi 1 means wrong in one of ten cases, phi 8 in
 * one of 10^8.
 *
 *   phi │                    ╱       a steady sender is suspected soon after its time,
 *     8 ┤ ─ ─ ─ ─ ─ ─ ─ ─ ╱─ ─       an unsteady one is given longer
 *       │______________╱
 *       └──♥────♥────♥────────▶
 *
 * ```ts
 * import { configure } from 'loadpath/parts/config';
 * import { PhiDetector, phiKnobs } from 'loadpath/parts/phi';
 *
 * const { config } = configure('phi', phiKnobs, {});
 * const detector = new PhiDetector(config);
 * for (let now = 0; now <= 60_000_000; now += 1_000_000) detector.heard(now);
 * [61_000_000, 65_000_000].map((now) => detector.isSuspect(now)); // → [false, true]
 * ```
 *
 * Hayashibara, Défago, Yared and Katayama, "The φ accrual failure detector" (2004). A fixed timeout (`health.ts`) is simpler where the
 * network is steady, and easier to explain to who is woken at night.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, count, duration, ratio } from '../kit/config.ts';

export const phiKnobs = {
  threshold: ratio(8, {
    min: 0.1,
    max: 16,
    doc: 'Suspected from this phi on. 8 is Cassandra’s and Akka’s: once in 10^8 by chance; 12 where the network is a shared cloud’s.',
  }),
  heartbeat: duration('1s', {
    min: '1ms',
    doc: 'How often heartbeats are sent: what is expected before any gap was measured.',
  }),
  pauseMax: duration('3s', {
    min: '0ms',
    doc: 'Silence beyond a heartbeat that is always borne: a pause for garbage, a moved virtual machine.',
  }),
  deviationMin: duration('100ms', {
    min: '1ms',
    doc: 'Gaps are taken to vary by this much at least: a very steady sender would be suspected for a hiccup.',
  }),
  samples: count(200, {
    min: 2,
    max: 10_000,
    doc: 'Gaps remembered, 8 bytes each. More are calmer and slower to learn.',
  }),
};

export type PhiConfig = ConfigOf<typeof phiKnobs>;

export class PhiDetector {
  readonly #config: PhiConfig;
  readonly #gaps: Float64Array;
  #next = 0;
  #count = 0;
  #sum = 0;
  #squares = 0;
  #heardAt: Micros | undefined;

  constructor(config: PhiConfig) {
    this.#config = config;
    this.#gaps = new Float64Array(config.samples);
    // Before anything is known: the heartbeat, give or take a quarter.
    const spread = config.heartbeatUs / 4;
    this.#keep(config.heartbeatUs - spread);
    this.#keep(config.heartbeatUs + spread);
  }

  /** A heartbeat arrived. */
  heard(now: Micros): void {
    if (this.#heardAt !== undefined && now > this.#heardAt) {
      // The gap in which it was suspected says that it was away, not how it sends.
      if (!this.isSuspect(now)) this.#keep(now - this.#heardAt);
    }
    this.#heardAt = now;
  }

  /** 0 before the first heartbeat: what was never here cannot be missed. */
  phi(now: Micros): number {
    if (this.#heardAt === undefined) return 0;
    const { pauseMaxUs, deviationMinUs } = this.#config;
    const mean = this.#sum / this.#count;
    const variance = Math.max(0, this.#squares / this.#count - mean * mean);
    const deviation = Math.max(deviationMinUs, Math.sqrt(variance));
    const y = (now - this.#heardAt - mean - pauseMaxUs) / deviation;
    return y > 0 ? -tailLog10(y) : -Math.log10(1 - 10 ** tailLog10(-y));
  }

  isSuspect(now: Micros): boolean {
    return this.phi(now) >= this.#config.threshold;
  }

  #keep(gapUs: Micros): void {
    if (this.#count === this.#gaps.length) {
      const oldest = this.#gaps[this.#next]!;
      this.#sum -= oldest;
      this.#squares -= oldest * oldest;
    } else this.#count++;
    this.#gaps[this.#next] = gapUs;
    this.#sum += gapUs;
    this.#squares += gapUs * gapUs;
    this.#next = this.#next + 1 === this.#gaps.length ? 0 : this.#next + 1;
  }
}

/**
 * The logarithm of the share of a normal distribution beyond `y` deviations, for y from 0 on: as a
 * logarithm, because the share itself is soon less than a number can hold. Chebyshev fit of Press et
 * al., "Numerical Recipes" (1992), to seven digits; Akka's shorter one says 9.3 where it is 8.
 */
function tailLog10(y: number): number {
  const z = y / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  let fit = 0;
  for (const coefficient of tailFit) fit = fit * t + coefficient;
  return (Math.log(t / 2) + fit - z * z) * Math.LOG10E;
}

/** The highest power first. */
const tailFit = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
  1.00002368, -1.26551223,
];
