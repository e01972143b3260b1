/**
 * Bulkhead: so many calls at once to one callee, so many waiting, the rest refused at once. One that
 * hangs then fills its own compartment and not the ship.
 *
 *   enter ──▶ slots [■■■□]            entered
 *        └──▶ queue [▤▤▤···]          queued: goes on when a slot falls free, first come first served
 *        └──▶ full                    refused
 *
 * ```ts
 * import { Bulkhead } from 'loadpath/parts/bulkhead';
 *
 * const bulkhead = new Bulkhead<string>({ slots: 1, queueMax: 1 });
 * ['a', 'b', 'c'].map((name) => bulkhead.enter(name)); // → ['entered', 'queued', 'full']
 * bulkhead.leave(); // → 'b'
 * bulkhead.leave(); // → undefined
 * ```
 *
 * It says who goes on and calls nobody: `leave` returns the one whose turn it is, and its caller
 * starts that one. Nygard, "Release It!" (2007). Where the right number of slots is not known, let
 * `AdaptiveLimit` find it.
 */
import { assert } from '../kit/assert.ts';
import { type ConfigOf, count } from '../kit/config.ts';

export const bulkheadKnobs = {
  slots: count(50, {
    min: 1,
    doc: 'Calls at once. By Little’s law rate × time: 1,000/s that take 20 ms are 20 at once; twice that leaves room.',
  }),
  queueMax: count(50, {
    min: 0,
    doc: 'Calls that may wait for a slot. As many as there are slots: they wait about as long as one call takes.',
  }),
};

export type BulkheadConfig = ConfigOf<typeof bulkheadKnobs>;

export class Bulkhead<T> {
  readonly #config: BulkheadConfig;
  /** A ring; who withdrew left a hole. */
  #queue: (T | undefined)[] = [];
  #head = 0;
  #length = 0;
  #waiting = 0;
  #entered = 0;

  constructor(config: BulkheadConfig) {
    this.#config = config;
  }

  get entered(): number {
    return this.#entered;
  }

  get waiting(): number {
    return this.#waiting;
  }

  enter(caller: T): 'entered' | 'queued' | 'full' {
    if (this.#entered < this.#config.slots) {
      this.#entered++;
      return 'entered';
    }
    if (this.#waiting >= this.#config.queueMax) return 'full';
    if (this.#length === this.#queue.length) this.#makeRoom();
    this.#queue[(this.#head + this.#length++) % this.#queue.length] = caller;
    this.#waiting++;
    return 'queued';
  }

  /** One that had entered is done. Returns who takes its slot, if anybody waits. */
  leave(): T | undefined {
    assert(this.#entered > 0, 'only what entered leaves');
    while (this.#length > 0) {
      const next = this.#queue[this.#head];
      this.#queue[this.#head] = undefined;
      this.#head = (this.#head + 1) % this.#queue.length;
      this.#length--;
      if (next === undefined) continue;
      this.#waiting--;
      return next;
    }
    this.#entered--;
    return undefined;
  }

  /** Waits no more: its deadline came. False when it was not waiting. */
  withdraw(caller: T): boolean {
    for (let i = 0; i < this.#length; i++) {
      const place = (this.#head + i) % this.#queue.length;
      if (this.#queue[place] !== caller) continue;
      this.#queue[place] = undefined;
      this.#waiting--;
      return true;
    }
    return false;
  }

  /** Holes are closed; if there was none, the ring grows. */
  #makeRoom(): void {
    const callers: (T | undefined)[] = [];
    for (let i = 0; i < this.#length; i++) {
      const caller = this.#queue[(this.#head + i) % this.#queue.length];
      if (caller !== undefined) callers.push(caller);
    }
    this.#length = callers.length;
    this.#head = 0;
    const room = Math.max(8, 2 * callers.length);
    while (callers.length < room) callers.push(undefined);
    this.#queue = callers;
  }
}
