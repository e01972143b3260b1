/** The clocks of one node on this machine. */
import type { Micros } from '../host/host.ts';

/** Two readings this close were not interrupted. */
const closeUs = 5;
const triesMax = 1_000;

/** The machine's one monotonic clock, shared by all processes on it, in whole microseconds. */
export function machineNow(): Micros {
  return Math.floor(performance.now() * 1_000 + machineOffsetUs);
}

/** `performance.now` counts from the start of the process; `hrtime` from the machine's own zero. */
const machineOffsetUs = offsetUs(
  () => performance.now() * 1_000,
  () => {
    const [seconds, nanos] = process.hrtime();
    return seconds * 1e6 + nanos / 1e3;
  },
);

/**
 * How far `theirs` is ahead of `ours`, both in microseconds. On a busy machine a process may stand
 * still between two readings; then its clock would be milliseconds off the other nodes', and their
 * histories, put together, would show answers before questions. So it is the pair of readings that
 * lie closest together which counts.
 */
export function offsetUs(ours: () => number, theirs: () => number): number {
  let best = { widthUs: Number.POSITIVE_INFINITY, offsetUs: 0 };
  for (let tries = 0; tries < triesMax && best.widthUs > closeUs; tries++) {
    const before = ours();
    const there = theirs();
    const after = ours();
    if (after - before < best.widthUs) {
      best = { widthUs: after - before, offsetUs: there - (before + after) / 2 };
    }
  }
  return best.offsetUs;
}

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
