/**
 * Load shedding by priority: when requests wait in line for longer than they should, the least
 * important are refused at the door, just as many as it takes, so that those let in are answered
 * in time.
 *
 *   level    0 ─ checkout    1 ─ browsing      2 ─ crawlers
 *          ├──────────────┼─────────────────┼───────────────┤
 *            admitted                 ▲ refused
 *                                  threshold, moves each interval
 *
 * A line is no trouble while it empties now and then: what counts is the *shortest* wait in an
 * interval, as in CoDel (Nichols and Jacobson; RFC 8289). The threshold moves over levels and, within one,
 * over a request's `rank`: take it from a hash of the user, and a user is either served or not,
 * instead of each seeing half his requests fail (DAGOR: Zhou et al., "Overload control for scaling WeChat
 * microservices", 2018).
 *
 * ```ts
 * import { configure } from 'loadpath/parts/config';
 * import { Shedder, shedderKnobs } from 'loadpath/parts/shedder';
 *
 * const { config } = configure('shed', shedderKnobs, { levels: 2, target: '5ms', interval: '100ms' });
 * const shedder = new Shedder(config);
 * for (let now = 0; now < 6_000_000; now += 1_000) {
 *   shedder.admit(now, 1, 0.9);
 *   shedder.started(now, 50_000);
 * }
 * [shedder.admit(6_000_000, 0, 0.1), shedder.admit(6_000_000, 1, 0.9)]; // → [true, false]
 * ```
 *
 * A rate limiter knows what a caller may have; this knows what there is. Use both.
 */
import type { Micros } from '../host/host.ts';
import { type ConfigOf, count, duration, ratio } from '../kit/config.ts';

export const shedderKnobs = {
  levels: count(4, {
    min: 1,
    max: 64,
    doc: 'Levels of importance, 0 the highest. Four: paying, signed in, anonymous, machines.',
  }),
  target: duration('5ms', {
    min: '1us',
    doc: 'The shortest wait in an interval that is still well. CoDel’s 5 ms; a tenth of what an answer may take.',
  }),
  interval: duration('100ms', {
    min: '1ms',
    doc: 'How often it is decided anew. CoDel’s 100 ms: longer than a burst, shorter than a user’s patience.',
  }),
  stepDown: ratio(0.05, {
    min: 0.001,
    doc: 'The share of admitted requests that one more interval of waiting costs. DAGOR’s 5 %.',
  }),
  stepUp: ratio(0.01, {
    min: 0.001,
    doc: 'The share of arrivals that one interval without waiting brings back. DAGOR’s 1 %: slower up than down, or it swings.',
  }),
};

export type ShedderConfig = ConfigOf<typeof shedderKnobs>;

/** Ranks within a level that are told apart: what a step can be no finer than. */
const ranks = 128;

export class Shedder {
  readonly #config: ShedderConfig;
  /** Arrivals of this interval, by level and rank, the most important first. */
  readonly #arrivals: Uint32Array;
  /** Places before this one are admitted. */
  #threshold: number;
  #arrived = 0;
  #admitted = 0;
  #intervalEndsAt: Micros = 0;
  #waitMinUs: Micros = Number.POSITIVE_INFINITY;

  constructor(config: ShedderConfig) {
    this.#config = config;
    this.#arrivals = new Uint32Array(config.levels * ranks);
    this.#threshold = this.#arrivals.length;
  }

  /** 0 to `levels`: below it everything is admitted. For meters. */
  get threshold(): number {
    return this.#threshold / ranks;
  }

  /** `rank` from 0 to below 1: which of a level go first when some must. The same for the same user. */
  admit(now: Micros, level: number, rank: number): boolean {
    if (now >= this.#intervalEndsAt) this.#decide(now);
    const lowest = this.#config.levels - 1;
    const place = Math.min(level, lowest) * ranks + Math.floor(rank * ranks);
    this.#arrivals[place]!++;
    this.#arrived++;
    if (place >= this.#threshold) return false;
    this.#admitted++;
    return true;
  }

  /** An admitted request comes to be worked on, having waited so long. */
  started(now: Micros, waitedUs: Micros): void {
    if (now >= this.#intervalEndsAt) this.#decide(now);
    if (waitedUs < this.#waitMinUs) this.#waitMinUs = waitedUs;
  }

  #decide(now: Micros): void {
    const { targetUs, intervalUs, stepDown, stepUp } = this.#config;
    if (this.#intervalEndsAt > 0) {
      // Some were admitted and none was started: that is a line that stands still.
      const isLate = this.#waitMinUs > targetUs;
      const isQuiet = this.#waitMinUs === Number.POSITIVE_INFINITY && this.#admitted === 0;
      if (isLate && !isQuiet) this.#fall(stepDown * this.#admitted);
      else this.#rise(stepUp * this.#arrived);
      // Intervals in which nobody came, each of which brings back its place.
      const missed = Math.floor((now - this.#intervalEndsAt) / intervalUs);
      this.#threshold = Math.min(this.#arrivals.length, this.#threshold + missed);
    }
    this.#intervalEndsAt = now + intervalUs;
    this.#waitMinUs = Number.POSITIVE_INFINITY;
    this.#arrivals.fill(0);
    this.#arrived = 0;
    this.#admitted = 0;
  }

  /** Until about `wanted` fewer would have been admitted; the most important place always is. */
  #fall(wanted: number): void {
    let fewer = 0;
    while (this.#threshold > 1 && fewer < wanted) fewer += this.#arrivals[--this.#threshold]!;
  }

  /** Until about `wanted` more would have been admitted, and a place at least. */
  #rise(wanted: number): void {
    let more = 0;
    do {
      if (this.#threshold === this.#arrivals.length) return;
      more += this.#arrivals[this.#threshold++]!;
    } while (more < wanted);
  }
}
