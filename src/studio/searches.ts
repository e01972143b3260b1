/** Hunts and sweeps: long searches with a stream of their own, one at a time. */
import { EventLog, type Keep } from './event-log.ts';
import type { Refusal } from './protocol.ts';
import { failureOf, newRunId } from './runs.ts';
import { Refused } from './server.ts';

const keptMax = 4;

interface Search<Events extends object> {
  readonly log: EventLog<Events>;
  readonly abort: AbortController;
}

export class Searches<Events extends { failed: Refusal }> {
  readonly #what: string;
  readonly #keep: Readonly<Record<keyof Events & string, Keep>>;
  readonly #searches = new Map<string, Search<Events>>();

  constructor(what: string, keep: Readonly<Record<keyof Events & string, Keep>>) {
    this.#what = what;
    this.#keep = keep;
  }

  start(work: (log: EventLog<Events>, signal: AbortSignal) => Promise<void>): string {
    for (const other of this.#searches.values()) other.abort.abort();
    const id = newRunId();
    const search = { log: new EventLog<Events>(this.#keep), abort: new AbortController() };
    this.#searches.set(id, search);
    const [oldest] = this.#searches.keys();
    if (this.#searches.size > keptMax && oldest !== undefined) this.#searches.delete(oldest);
    work(search.log, search.abort.signal)
      .catch((failure: unknown) => search.log.add('failed', failureOf(failure)))
      .finally(() => search.log.end());
    return id;
  }

  log(id: string | undefined): EventLog<Events> {
    return this.#get(id).log;
  }

  /** Ends it with what was found until now. */
  stop(id: string | undefined): void {
    this.#get(id).abort.abort();
  }

  close(): void {
    for (const { abort } of this.#searches.values()) abort.abort();
  }

  #get(id: string | undefined): Search<Events> {
    const search = this.#searches.get(id ?? '');
    if (search) return search;
    throw new Refused(
      404,
      `unknown-${this.#what}`,
      `This Studio has no such ${this.#what} any more.`,
    );
  }
}
