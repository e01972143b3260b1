/**
 * Counts what becomes of requests, so that in every report
 * generated = completed + rejected + failed + in flight.
 *
 *   completed  a reply below 500, but for 429
 *   rejected   429: the system said, correctly, that it is too much
 *   failed     5xx, no reply in time, refused, broken off; by reason
 *
 * What is answered while the load lasts is `served`, whenever it was asked. An overloaded system
 * completes the rest when nobody asks any more, and that is no throughput.
 *
 * What began in a warm-up is none of these: how often it was asked and failed is told apart, and what
 * users complained of counts as ever, since a wrong answer is wrong at any time.
 */
import type { Counter, Gauge, Meter, Recorder } from '../../../host/host.ts';

/** What is told of a warm-up, once it is over. */
export const warmUpMeters = { asked: 'warm-up: asked', failed: 'warm-up: failed' };

/**
 * The waits of those who gave up. They are no latencies, since nothing came; but who promises an answer
 * within 50 ms has not kept it where somebody left after ten seconds.
 */
export const waitedInVain = 'waited in vain';

const gaveUp: ReadonlySet<string> = new Set(['timeout', 'abandoned']);

/** As what a request counts, by when it began; undefined: not at all, as those of `setup`. */
export type Counted = 'load' | 'warm-up' | undefined;

export class Tally {
  readonly #meter: Meter;
  readonly #generated: Counter;
  readonly #completed: Counter;
  readonly #served: Counter;
  readonly #rejected: Counter;
  readonly #failed: Counter;
  readonly #latency: Recorder;
  readonly #inFlight: Gauge;
  readonly #reasons = new Map<string, Counter>();
  #waits: Recorder | undefined;
  #open = 0;
  #isWarmingUp = false;
  #isOver = false;
  readonly #warmUp = { asked: 0, failed: 0, complaints: new Map<string, number>() };

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#generated = meter.counter('generated');
    this.#completed = meter.counter('completed');
    this.#served = meter.counter('served');
    this.#rejected = meter.counter('rejected');
    this.#failed = meter.counter('failed');
    this.#latency = meter.histogram('latency');
    this.#inFlight = meter.gauge('in flight');
  }

  get open(): number {
    return this.#open;
  }

  warmUp(): void {
    this.#isWarmingUp = true;
  }

  /** From now on it counts. All meters were cleared just before. */
  load(): void {
    this.#isOver = false;
    if (!this.#isWarmingUp) return;
    this.#isWarmingUp = false;
    const { asked, failed, complaints } = this.#warmUp;
    this.#meter.counter(warmUpMeters.asked).add(asked);
    this.#meter.counter(warmUpMeters.failed).add(failed);
    for (const [reason, count] of complaints) this.#count(`complaint: ${reason}`, count);
  }

  over(): void {
    this.#isOver = true;
  }

  began(): Counted {
    if (this.#isWarmingUp) {
      this.#warmUp.asked++;
      return 'warm-up';
    }
    this.#generated.add();
    this.#inFlight.set(++this.#open);
    return 'load';
  }

  /** `tookUs` is counted from when the request should have begun. */
  replied(as: Counted, status: number, tookUs: number): void {
    if (as !== 'load') {
      if (as === 'warm-up' && status >= 500) this.#warmUp.failed++;
      if (as === 'warm-up' && status < 500 && status !== 429) this.#serve();
      return;
    }
    this.#inFlight.set(--this.#open);
    if (status === 429) {
      this.#rejected.add();
      this.#because('429');
      return;
    }
    if (status >= 500) {
      this.#failed.add();
      this.#because(String(status));
      return;
    }
    this.#completed.add();
    this.#serve();
    this.#latency.record(tookUs);
    if (status >= 400) this.#because(String(status));
  }

  /** `waitedUs`: for how long in vain, where a user waited at all. */
  lost(as: Counted, why: string, waitedUs: number): void {
    if (as !== 'load') {
      if (as === 'warm-up') this.#warmUp.failed++;
      return;
    }
    this.#inFlight.set(--this.#open);
    this.#failed.add();
    if (gaveUp.has(why)) this.#inVain().record(waitedUs);
    this.#because(why);
  }

  /** A user got an answer that cannot be right. */
  complained(reason: string): void {
    if (!this.#isWarmingUp) return this.#count(`complaint: ${reason}`);
    const { complaints } = this.#warmUp;
    complaints.set(reason, (complaints.get(reason) ?? 0) + 1);
  }

  /** Most runs never need it. */
  #inVain(): Recorder {
    this.#waits ??= this.#meter.histogram(waitedInVain);
    return this.#waits;
  }

  #serve(): void {
    if (!this.#isWarmingUp && !this.#isOver) this.#served.add();
  }

  #because(reason: string): void {
    this.#count(`reason: ${reason}`);
  }

  #count(name: string, count = 1): void {
    let counter = this.#reasons.get(name);
    if (!counter) {
      counter = this.#meter.counter(name);
      this.#reasons.set(name, counter);
    }
    counter.add(count);
  }
}
