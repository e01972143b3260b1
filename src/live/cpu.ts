/** Modelled work on a real machine: charged work is real already, modelled work burns, waiting waits. */
import type { Cpu, Micros } from '../host/host.ts';
import { processNow } from './clocks.ts';
import type { Turn } from './turn.ts';
import type { Wheel } from './wheel.ts';

/** After burning this long in one go, sockets and timers are looked at. */
const burstUs = 5_000;

export class LiveCpu implements Cpu {
  /** How many times as long everything modelled takes. */
  slowFactor = 1;
  readonly #turn: Turn;
  readonly #wheel: Wheel;
  #spending: { readonly costUs: Micros; readonly done: () => void }[] = [];
  #burning = false;

  constructor(turn: Turn, wheel: Wheel) {
    this.#turn = turn;
    this.#wheel = wheel;
  }

  charge(costUs: Micros, done: () => void): void {
    // The code cannot be made slower, but its end can be held back.
    const extraUs = costUs * (this.slowFactor - 1);
    if (extraUs > 0) this.#wheel.after(extraUs, done);
    else this.#turn.soon(done);
  }

  spend(costUs: Micros, done: () => void): void {
    this.#spending.push({ costUs, done });
    if (!this.#burning) {
      this.#burning = true;
      this.#turn.later(() => this.#burn());
    }
  }

  hold(costUs: Micros, done: () => void): void {
    this.#wheel.after(Math.round(costUs * this.slowFactor), done);
  }

  busyUs(): Micros {
    const { user, system } = process.cpuUsage();
    return user + system;
  }

  /** In order of arrival, one at a time: this process is the core. */
  #burn(): void {
    const startedAt = processNow();
    let at = startedAt;
    let next = 0;
    while (next < this.#spending.length && at - startedAt < burstUs) {
      const { costUs, done } = this.#spending[next++]!;
      const until = at + costUs * this.slowFactor;
      do at = processNow();
      while (at < until);
      done();
    }
    this.#spending.splice(0, next);
    this.#burning = this.#spending.length > 0;
    if (this.#burning) this.#turn.later(() => this.#burn());
  }
}
