/**
 * Adaptive concurrency: finds out how many calls at once a callee bears, from how long they take.
 * When more at once only makes them slower, a queue has formed and the limit is too high.
 *
 *   took │            ╱        below the knee more calls at once mean more done;
 *        │           ╱         above it they only wait for each other
 *        │__________╱
 *        └──────────┴─────▶ at once
 *                  limit
 *
 * | algorithm | looks at | use it |
 * | --- | --- | --- |
 * | `gradient` | how many times as long as without a queue | latencies that vary by themselves |
 * | `vegas` | how many are in the queue, by Little's law | steady latencies; the shortest queue |
 * | `aimd` | only calls that failed or took too long | a callee that refuses rather than queues |
 *
 * ```ts
 * import { AdaptiveLimit, adaptiveLimitKnobs, seeded } from 'loadpath/parts/adaptive-limit';
 * import { configure } from 'loadpath/parts/config';
 *
 * const { config } = configure('limit', adaptiveLimitKnobs, { limitStart: 1, limitMin: 1 });
 * const limit = new AdaptiveLimit(config, seeded(1));
 * [limit.enter(), limit.enter()]; // → [true, false]
 * limit.leave(20_000, 20_000, 'ok');
 * limit.enter(); // → true
 * ```
 *
 * What a call takes without a queue is known only when there is none: once in a while the limit falls to its
 * least for a moment (a *probe*), and what is measured then holds until the next. A mean over the
 * past instead, as Netflix's Gradient2 keeps, takes a long overload for the usual state and lets the
 * queue grow with it.
 *
 * After Envoy's adaptive concurrency filter (gradient, probes), Brakmo and Peterson, "TCP Vegas" (1995),
 * Chiu and Jain (1989). Put it where the work is done or just before; two in a row adapt to each other.
 */
import type { Micros } from '../host/host.ts';
import { assert } from '../kit/assert.ts';
import { type ConfigOf, choice, count, duration, ratio } from '../kit/config.ts';
import type { Random } from '../kit/random.ts';

export { seeded } from '../kit/random.ts';

export const adaptiveLimitKnobs = {
  algorithm: choice(
    ['gradient', 'vegas', 'aimd'],
    'gradient bears latencies that vary by themselves; vegas keeps the queue shortest when they do not; aimd looks only at failures.',
  ),
  limitStart: count(20, { min: 1, doc: 'Calls at once before anything is known.' }),
  limitMin: count(4, {
    min: 1,
    doc: 'Never fewer, and as many during a probe: too few to queue, enough to measure.',
  }),
  limitMax: count(1_000, { min: 1, doc: 'Never more, however well it goes.' }),
  window: duration('250ms', {
    min: '1ms',
    doc: 'Calls are judged together, so long at a time. Some dozen calls make a mean.',
  }),
  samplesMin: count(10, { min: 1, doc: 'A window with fewer calls goes on.' }),
  tolerance: ratio(1.25, {
    min: 1,
    max: 10,
    doc: 'gradient: how many times as long as without a queue is still well. Envoy’s quarter more.',
  }),
  probeEvery: duration('60s', {
    min: '100ms',
    doc: 'gradient and vegas: how often a probe is made, give or take a tenth. A window each minute refuses under half a percent of calls.',
  }),
  slowCall: duration('1s', { min: '1us', doc: 'aimd: a call that takes longer counts as failed.' }),
};

export type AdaptiveLimitConfig = ConfigOf<typeof adaptiveLimitKnobs>;

/** Normal: judged window by window. Draining: those from before the probe leave. Probing: what is measured has no queue. */
type Phase = 'normal' | 'draining' | 'probing';

/** What the calls of a window say. */
interface Sample {
  readonly meanUs: number;
  /** The mean when nothing waited. */
  readonly bareUs: number;
  readonly failedCount: number;
}

export class AdaptiveLimit {
  readonly #config: AdaptiveLimitConfig;
  readonly #random: Random;
  #limit: number;
  #phase: Phase = 'normal';
  #probeAt: Micros = 0;
  #bareUs = 0;
  #open = 0;
  #windowEndsAt: Micros = 0;
  #samples = 0;
  #sumUs = 0;
  #openMax = 0;
  #failedCount = 0;

  /** `random` keeps many callers from probing at once. */
  constructor(config: AdaptiveLimitConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#limit = config.limitStart;
  }

  /** Calls at once that it allows now. */
  get limit(): number {
    return this.#phase === 'normal' ? Math.floor(this.#limit) : this.#config.limitMin;
  }

  get open(): number {
    return this.#open;
  }

  enter(): boolean {
    if (this.#open >= this.limit) return false;
    this.#open++;
    return true;
  }

  /** `failed` is a timeout or a refusal for load; `ignored` says nothing about load, as a wrong password. */
  leave(now: Micros, tookUs: Micros, outcome: 'ok' | 'failed' | 'ignored'): void {
    assert(this.#open > 0, 'only what entered leaves');
    if (this.#open > this.#openMax) this.#openMax = this.#open;
    this.#open--;
    if (this.#phase === 'draining') return this.#drain(now);
    if (outcome === 'ignored') return;
    this.#samples++;
    this.#sumUs += tookUs;
    const isSlow = this.#config.algorithm === 'aimd' && tookUs > this.#config.slowCallUs;
    if (outcome === 'failed' || isSlow) this.#failedCount++;
    if (this.#windowEndsAt === 0) this.#begin(now);
    if (now >= this.#windowEndsAt && this.#samples >= this.#config.samplesMin) this.#judge(now);
  }

  #judge(now: Micros): void {
    const { limitMin, limitMax, algorithm } = this.#config;
    const meanUs = this.#sumUs / this.#samples;
    if (this.#phase === 'probing') {
      this.#bareUs = meanUs;
      this.#phase = 'normal';
      this.#probeAt = now + this.#untilProbeUs();
    } else {
      if (this.#bareUs === 0) this.#bareUs = meanUs;
      // Lower than any queue allows: believed, but not for one lucky window alone.
      if (meanUs < this.#bareUs) this.#bareUs += (meanUs - this.#bareUs) * 0.2;
      // Who uses less than half of what is allowed has not tried it, and learns nothing about more.
      if (this.#failedCount > 0 || this.#openMax * 2 >= this.#limit) {
        const sample = { meanUs, bareUs: this.#bareUs, failedCount: this.#failedCount };
        const wanted = laws[algorithm](this.#limit, sample, this.#config);
        this.#limit = Math.max(limitMin, Math.min(limitMax, wanted));
      }
      if (algorithm !== 'aimd' && now >= this.#probeAt) this.#phase = 'draining';
    }
    this.#begin(now);
  }

  #drain(now: Micros): void {
    if (this.#open >= this.#config.limitMin) return;
    this.#phase = 'probing';
    this.#begin(now);
  }

  #begin(now: Micros): void {
    // The first of all probes comes at any time, so that callers that started together spread.
    if (this.#probeAt === 0) this.#probeAt = now + this.#random.below(this.#config.probeEveryUs);
    this.#windowEndsAt = now + this.#config.windowUs;
    this.#samples = 0;
    this.#sumUs = 0;
    this.#openMax = this.#open;
    this.#failedCount = 0;
  }

  #untilProbeUs(): Micros {
    const { probeEveryUs } = this.#config;
    return this.#random.between(Math.floor(probeEveryUs * 0.9), Math.ceil(probeEveryUs * 1.1));
  }
}

type Law = (limit: number, sample: Sample, config: AdaptiveLimitConfig) => number;

const laws: Readonly<Record<AdaptiveLimitConfig['algorithm'], Law>> = { gradient, vegas, aimd };

/** Room for a queue of the square root of the limit: what a burst needs, and what lets it grow at all. */
function gradient(limit: number, sample: Sample, config: AdaptiveLimitConfig): number {
  if (sample.failedCount > 0) return limit * 0.9;
  const slope = (config.tolerance * sample.bareUs) / sample.meanUs;
  const wanted = limit * Math.max(0.5, Math.min(1, slope)) + Math.sqrt(limit);
  return limit + (wanted - limit) * 0.2;
}

/** Steps of the logarithm of the limit, as Netflix has them: a step up of 1 is nothing at 500. */
function vegas(limit: number, sample: Sample): number {
  if (sample.failedCount > 0) return limit - Math.max(1, Math.log2(limit));
  const queue = limit * (1 - sample.bareUs / sample.meanUs);
  const step = Math.max(1, Math.log10(limit));
  if (queue <= step) return limit + 6 * step;
  if (queue < 3 * step) return limit + step;
  return queue > 6 * step ? limit - step : limit;
}

/** Additive increase, multiplicative decrease. */
function aimd(limit: number, sample: Sample): number {
  return sample.failedCount > 0 ? limit * 0.9 : limit + 1;
}
