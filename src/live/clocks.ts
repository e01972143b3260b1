/** The clocks of one node on this machine. */
import type { Micros } from '../host/host.ts';

/** The machine's one monotonic clock, shared by all processes on it, in whole microseconds. */
export function machineNow(): Micros {
  return Math.floor(performance.now() * 1_000 + machineOffsetUs);
}

/** `performance.now` counts from the start of the process; `hrtime` from the machine's own zero. */
const machineOffsetUs = (() => {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + nanos / 1e3 - performance.now() * 1_000;
})();

/** Monotonic in this process. Whole microseconds, cheap. */
export function processNow(): Micros {
  return Math.floor(performance.now() * 1_000);
}

/** A wall clock that can be put wrong: ahead or behind, fast or slow. */
export class WallClock {
  #offsetUs = 0;
  #driftPpm = 0;
  #since = 0;

  now(): Micros {
    const trueUs = Date.now() * 1_000;
    if (this.#driftPpm === 0) return trueUs + this.#offsetUs;
    const drifted = ((processNow() - this.#since) * this.#driftPpm) / 1e6;
    return Math.round(trueUs + this.#offsetUs + drifted);
  }

  /** Replaces what was wrong before; zeros put the clock right. */
  skew(offsetUs: Micros, driftPpm: number): void {
    this.#offsetUs = offsetUs;
    this.#driftPpm = driftPpm;
    this.#since = processNow();
  }
}
