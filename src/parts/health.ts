/**
 * Active health checks, the decision in them: who is asked when, and after how many answers in a row
 * opinions change.
 *
 *   unknown ──first answer──▶ up ──`fall` bad in a row──▶ down
 *                             ▲──`rise` good in a row──────┘
 *
 * ```ts
 * import { configure } from 'loadpath/parts/config';
 * import { HealthCheck, healthKnobs, seeded } from 'loadpath/parts/health';
 *
 * const { config } = configure('health', healthKnobs, { rise: 2, fall: 3, interval: '2s' });
 * const check = new HealthCheck(config, seeded(1));
 * [true, false, false].map((ok) => check.answered(ok)); // → ['up', undefined, undefined]
 * [check.answered(false), check.isUp]; // → ['down', false]
 * ```
 *
 * As HAProxy's `inter`, `fall`, `rise` and `fastinter`. A check sees what it asks for; bad answers to
 * real calls are seen by `outliers.ts`.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, count, duration, ratio } from '../kit/config.ts';
import type { Random } from '../kit/random.ts';

export { seeded } from '../kit/random.ts';

export const healthKnobs = {
  interval: duration('2s', {
    min: '1ms',
    doc: 'How often a target is asked. With three bad answers a dead one is out after six seconds; each caller asks each target.',
  }),
  intervalUndecided: duration('500ms', {
    min: '1ms',
    doc: 'How often while answers contradict what is believed: being sure costs little then.',
  }),
  timeout: duration('1s', {
    min: '1ms',
    doc: 'How long an answer may take. Shorter than the interval; longer than a pause for garbage.',
  }),
  rise: count(2, { min: 1, doc: 'Good answers in a row that bring a target back.' }),
  fall: count(3, {
    min: 1,
    doc: 'Bad answers in a row that take it out. Three: one lost packet is nothing.',
  }),
  jitter: ratio(0.1, {
    max: 0.5,
    doc: 'By what share an interval is longer or shorter, so that a hundred callers do not ask in step.',
  }),
};

export type HealthConfig = ConfigOf<typeof healthKnobs>;

export class HealthCheck {
  readonly #config: HealthConfig;
  readonly #random: Random;
  #believed: 'unknown' | 'up' | 'down' = 'unknown';
  /** Answers in a row that contradict what is believed. */
  #against = 0;

  constructor(config: HealthConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  /** A target that was not asked yet is not up: it may not have started. */
  get isUp(): boolean {
    return this.#believed === 'up';
  }

  /** An answer, or none in time. Returns what is believed from now on, if that is something new. */
  answered(ok: boolean): 'up' | 'down' | undefined {
    const said = ok ? 'up' : 'down';
    if (said === this.#believed) {
      this.#against = 0;
      return undefined;
    }
    const needed = ok ? this.#config.rise : this.#config.fall;
    this.#against++;
    // Of one that is unknown the first word counts: waiting for more would only delay the start.
    if (this.#believed !== 'unknown' && this.#against < needed) return undefined;
    this.#believed = said;
    this.#against = 0;
    return said;
  }

  /** How long until it is asked again. */
  nextInUs(): Micros {
    const { intervalUs, intervalUndecidedUs, jitter } = this.#config;
    const isDecided = this.#against === 0 && this.#believed !== 'unknown';
    const us = isDecided ? intervalUs : Math.min(intervalUs, intervalUndecidedUs);
    return Math.max(1, Math.round(us * (1 + jitter * (2 * this.#random.next() - 1))));
  }
}
