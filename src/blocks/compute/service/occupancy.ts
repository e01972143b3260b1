/**
 * How full the slots were, as the time for which all of them would have been: what a report and
 * Studio call busy where no core is. Counted whenever a slot is taken or given back.
 */
import type { Counter, Host, Micros } from '../../../host/host.ts';

export class Occupancy {
  readonly #host: Host;
  readonly #counter: Counter;
  readonly #size: number;
  #countedAt: Micros;
  /** Slot-microseconds that do not fill a microsecond of all yet. */
  #rest = 0;

  constructor(host: Host, size: number) {
    this.#host = host;
    this.#counter = host.meter.counter('occupied');
    this.#size = size;
    this.#countedAt = host.now();
  }

  /** `taken`: slots in use since the last call. */
  count(taken: number): void {
    const now = this.#host.now();
    this.#rest += taken * (now - this.#countedAt);
    this.#countedAt = now;
    const whole = Math.floor(this.#rest / this.#size);
    this.#rest -= whole * this.#size;
    this.#counter.add(whole);
  }
}
