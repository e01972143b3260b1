/**
 * What a stream has said so far, so that a tab may come late, reload, or lose its connection, and
 * goes on where it was. Bounded by what is told: values of which only the last matters replace one
 * another, and of others the first or the last so many are kept.
 */

export interface LoggedEvent {
  /** Grows from 1; the `id` of the server-sent event. */
  readonly id: number;
  readonly name: string;
  /** JSON, made once for all who read it. */
  readonly data: string;
}

/** How much of one name is kept: `latest` one, the `first` so many, or the `last` so many. */
export type Keep = 'latest' | { readonly first: number } | { readonly last: number };

export class EventLog<Events extends object> {
  readonly #keep: Readonly<Record<keyof Events & string, Keep>>;
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #entries: LoggedEvent[] = [];
  #lastId = 0;
  #ended = false;

  constructor(keep: Readonly<Record<keyof Events & string, Keep>>) {
    this.#keep = keep;
  }

  get ended(): boolean {
    return this.#ended;
  }

  add<Name extends keyof Events & string>(name: Name, value: Events[Name]): void {
    if (this.#ended) return;
    const keep: Keep = this.#keep[name];
    const count = this.#counts.get(name) ?? 0;
    const max = keep === 'latest' ? 1 : 'first' in keep ? keep.first : keep.last;
    if (count >= max) {
      if (keep !== 'latest' && 'first' in keep) return;
      this.#forget(name);
    } else this.#counts.set(name, count + 1);
    this.#lastId++;
    this.#entries.push({ id: this.#lastId, name, data: JSON.stringify(value) });
    this.#tell();
  }

  /** Nothing more will be added. */
  end(): void {
    this.#ended = true;
    this.#tell();
    this.#listeners.clear();
  }

  /** The first event after `id`, of those that are kept. */
  after(id: number): LoggedEvent | undefined {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.id <= id) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low];
  }

  /** What is kept under `name`, parsed. */
  all<Name extends keyof Events & string>(name: Name): Events[Name][] {
    return this.#entries
      .filter((entry) => entry.name === name)
      .map((entry) => JSON.parse(entry.data) as Events[Name]);
  }

  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The oldest of `name`. A value that is replaced is usually the newest, so look from where it is. */
  #forget(name: string): void {
    const isIt = (entry: LoggedEvent) => entry.name === name;
    const at =
      this.#keep[name as keyof Events & string] === 'latest'
        ? this.#entries.findLastIndex(isIt)
        : this.#entries.findIndex(isIt);
    this.#entries.splice(at, 1);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
