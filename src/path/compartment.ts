/**
 * The bulkhead of a path: so many calls at once, so many waiting for their turn until their deadline,
 * the rest refused at once.
 */
import type { Counter, Gauge, Meter } from '../host/host.ts';
import { Bulkhead, type BulkheadConfig } from '../parts/bulkhead.ts';
import type { Alarms } from './alarms.ts';
import type { Ongoing, Place } from './ongoing.ts';

export class Compartment implements Place {
  readonly #bulkhead: Bulkhead<Ongoing>;
  readonly #alarms: Alarms;
  readonly #begin: (call: Ongoing) => void;
  readonly #late: (call: Ongoing) => void;
  readonly #refused: Counter;
  readonly #waiting: Gauge;
  #freed = 0;
  #isHandingOn = false;

  constructor(options: {
    readonly config: BulkheadConfig;
    readonly alarms: Alarms;
    readonly meter: Meter;
    readonly service: string;
    /** Its turn has come. */
    readonly begin: (call: Ongoing) => void;
    /** Its deadline came first. */
    readonly late: (call: Ongoing) => void;
  }) {
    const { config, alarms, meter, service, begin, late } = options;
    this.#bulkhead = new Bulkhead(config);
    this.#alarms = alarms;
    this.#begin = begin;
    this.#late = late;
    this.#refused = meter.counter(`bulkhead refused ${service}`);
    this.#waiting = meter.gauge(`bulkhead waiting ${service}`);
  }

  /** False: it is full, and nothing became of the call. */
  enter(call: Ongoing): boolean {
    const entered = this.#bulkhead.enter(call);
    if (entered === 'full') {
      this.#refused.add();
      return false;
    }
    call.place = this;
    if (entered === 'entered') this.#begin(call);
    else {
      call.alarm = this.#alarms.set(call.until, () => this.#late(call));
      this.#waiting.set(this.#bulkhead.waiting);
    }
    return true;
  }

  leave(call: Ongoing): void {
    if (this.#bulkhead.withdraw(call)) return this.#waiting.set(this.#bulkhead.waiting);
    this.#freed++;
    // A call that fails at once leaves while it begins: its successor waits for this loop.
    if (this.#isHandingOn) return;
    this.#isHandingOn = true;
    while (this.#freed > 0) {
      this.#freed--;
      const next = this.#bulkhead.leave();
      if (next === undefined) continue;
      this.#waiting.set(this.#bulkhead.waiting);
      this.#alarms.cancel(next.alarm);
      next.alarm = 0;
      this.#begin(next);
    }
    this.#isHandingOn = false;
  }
}
