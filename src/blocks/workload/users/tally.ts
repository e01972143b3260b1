/**
 * Counts what becomes of requests, so that in every report
 * generated = completed + rejected + failed + in flight.
 *
 *   completed  a reply below 500, but for 429
 *   rejected   429: the system said, correctly, that it is too much
 *   failed     5xx, no reply in time, refused, broken off; by reason
 */
import type { Counter, Gauge, Meter, Recorder } from '../../../host/host.ts';

export class Tally {
  readonly #meter: Meter;
  readonly #generated: Counter;
  readonly #completed: Counter;
  readonly #rejected: Counter;
  readonly #failed: Counter;
  readonly #latency: Recorder;
  readonly #inFlight: Gauge;
  readonly #reasons = new Map<string, Counter>();
  #open = 0;

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#generated = meter.counter('generated');
    this.#completed = meter.counter('completed');
    this.#rejected = meter.counter('rejected');
    this.#failed = meter.counter('failed');
    this.#latency = meter.histogram('latency');
    this.#inFlight = meter.gauge('in flight');
  }

  get open(): number {
    return this.#open;
  }

  began(): void {
    this.#generated.add();
    this.#inFlight.set(++this.#open);
  }

  /** `tookUs` is counted from when the request should have begun. */
  replied(status: number, tookUs: number): void {
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
    this.#latency.record(tookUs);
    if (status >= 400) this.#because(String(status));
  }

  lost(why: string): void {
    this.#inFlight.set(--this.#open);
    this.#failed.add();
    this.#because(why);
  }

  /** A user got an answer that cannot be right. */
  complained(reason: string): void {
    this.#count(`complaint: ${reason}`);
  }

  #because(reason: string): void {
    this.#count(`reason: ${reason}`);
  }

  #count(name: string): void {
    let counter = this.#reasons.get(name);
    if (!counter) {
      counter = this.#meter.counter(name);
      this.#reasons.set(name, counter);
    }
    counter.add();
  }
}
