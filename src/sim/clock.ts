/**
 * A machine's two clocks as functions of true time. The crystal is a few parts per million fast or
 * slow, which both clocks show; the wall clock is off by what time synchronisation leaves, and by
 * whatever a `skew` fault does to it. The monotonic one begins anywhere, anew at each boot.
 */
import type { Micros } from '../host/host.ts';
import type { Random } from '../kit/random.ts';

export interface ClockOptions {
  /** Wall clocks are off by up to this much, either way. */
  readonly offsetMaxUs: Micros;
  /** Crystals run fast or slow by up to this much. */
  readonly driftMaxPpm: number;
}

export class Clock {
  readonly #random: Random;
  /** Local microseconds per true microsecond, for the monotonic clock. */
  readonly #rate: number;
  readonly #offsetUs: Micros;
  readonly #wallEpochUs: Micros;
  #base = 0;
  #bootedAt = 0;
  #skewUs = 0;
  #driftPpm = 0;
  #driftSince = 0;

  constructor(random: Random, options: ClockOptions, wallEpochUs: Micros) {
    this.#random = random;
    const { offsetMaxUs, driftMaxPpm } = options;
    this.#offsetUs = random.between(-offsetMaxUs, offsetMaxUs);
    this.#rate = 1 + (random.next() * 2 - 1) * driftMaxPpm * 1e-6;
    this.#wallEpochUs = wallEpochUs;
  }

  boot(now: Micros): void {
    this.#bootedAt = now;
    // Nobody may compare it with another node's or an earlier life's, so it helps nobody to try.
    this.#base = this.#random.below(1_000_000_000);
  }

  monotonic(now: Micros): Micros {
    return this.#base + Math.floor((now - this.#bootedAt) * this.#rate);
  }

  /** The true time at which at least `delayUs` will have passed on the monotonic clock. */
  after(now: Micros, delayUs: Micros): Micros {
    if (this.#rate === 1) return now + delayUs;
    const elapsed = Math.floor((now - this.#bootedAt) * this.#rate) + delayUs;
    const at = this.#bootedAt + Math.ceil(elapsed / this.#rate);
    return Math.floor((at - this.#bootedAt) * this.#rate) >= elapsed ? at : at + 1;
  }

  wall(now: Micros): Micros {
    const drifted = this.#driftPpm === 0 ? 0 : (now - this.#driftSince) * this.#driftPpm * 1e-6;
    return this.#wallEpochUs + now + Math.round(this.#offsetUs + this.#skewUs + drifted);
  }

  /** The sum of all `skew` faults in force. What had drifted before is forgotten, as by a time server. */
  skew(now: Micros, byUs: Micros, driftPpm: number): void {
    this.#skewUs = byUs;
    this.#driftPpm = driftPpm;
    this.#driftSince = now;
  }
}
