/**
 * What is to happen at a time and mostly is called off before: a hedge, the end of a wait in a queue.
 * One timer for all of them; calling off costs nothing.
 */
import type { Host, Micros } from '../host/host.ts';
import { Deadlines } from '../parts/deadlines.ts';
import { IdMap } from '../parts/id-map.ts';

interface Alarm {
  readonly until: Micros;
  readonly ring: () => void;
}

export class Alarms {
  readonly #waiting = new IdMap<Alarm>();
  readonly #deadlines: Deadlines;
  #nextId = 1;

  constructor(host: Pick<Host, 'now' | 'after'>) {
    this.#deadlines = new Deadlines(host, {
      waiting: this.#waiting,
      due: (id) => this.#waiting.take(id)?.ring(),
    });
  }

  /** An id above zero, to call it off with. `at` is on the host's clock. */
  set(at: Micros, ring: () => void): number {
    const id = this.#nextId++;
    const until = Math.ceil(at);
    this.#waiting.set(id, { until, ring });
    this.#deadlines.set(id, until);
    return id;
  }

  cancel(id: number): void {
    this.#waiting.take(id);
  }
}
