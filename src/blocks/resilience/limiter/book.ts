/**
 * The counts that a node keeps, by key and by row: what one counter saw. The key seen longest ago is
 * forgotten beyond `keysMax`. With a journal, a row's counts are on disk before anybody is told.
 */
import type { Host, Micros } from '../../../host/host.ts';
import { Journal } from '../../../parts/journal.ts';
import { Lru } from '../../../parts/lru.ts';
import type { TallyData } from './messages.ts';
import { type Span, Tally } from './tally.ts';

export interface Entry {
  readonly rows: Map<string, Tally>;
  /** All of them, for who adds up. */
  readonly list: Tally[];
  /** Under which token of its lock the counts were written. */
  written: number;
}

/** The newest line of a key and row counts. */
type Line = {
  readonly key: string;
  readonly row: string;
  readonly written: number;
  readonly counts: TallyData;
};

const advice =
  'It holds what keys have taken of their limits. Without it, or with an older copy put back, they may take up to ' +
  'their limits once more; nothing else is lost.';

/** Lines beyond those that count, from which on the journal is written anew. */
const surplusMin = 4_096;

export class Book {
  readonly #spans: readonly Span[];
  readonly #keys: Lru<string, Entry>;
  readonly #known = new Set<string>();
  readonly #journal: Journal<Line> | undefined;
  readonly #ownRow: string;
  #isCompacting = false;

  /** Throws `LoadpathError` ('data-corrupt') when what was acknowledged cannot be read. */
  constructor(
    host: Host,
    options: {
      readonly spans: readonly Span[];
      readonly keysMax: number;
      readonly isDurable: boolean;
      readonly ownRow: string;
    },
  ) {
    this.#spans = options.spans;
    this.#ownRow = options.ownRow;
    this.#keys = new Lru({
      entriesMax: options.keysMax,
      onEvict: (key) => this.#known.delete(key),
    });
    if (!options.isDurable) return;
    const { journal, entries } = Journal.open<Line>(host.disk, 'limiter/counts', advice);
    this.#journal = journal;
    for (const { key, row, written, counts } of entries) {
      const entry = this.entry(key);
      this.row(entry, row).merge(counts);
      entry.written = Math.max(entry.written, written);
    }
    if (entries.length > 0) host.meter.note(`recovered the counts of ${this.#keys.size} keys`);
  }

  get size(): number {
    return this.#keys.size;
  }

  keys(): Iterable<string> {
    return this.#known;
  }

  entry(key: string): Entry {
    this.#known.add(key);
    return this.#keys.getOrSet(key, () => ({ rows: new Map(), list: [], written: 0 }));
  }

  peek(key: string): Entry | undefined {
    return this.#keys.peek(key);
  }

  row(entry: Entry, name: string): Tally {
    const known = entry.rows.get(name);
    if (known) return known;
    const row = new Tally(this.#spans);
    entry.rows.set(name, row);
    entry.list.push(row);
    return row;
  }

  /** In place of what was counted there. */
  replace(entry: Entry, name: string, counts: TallyData): Tally {
    const row = new Tally(this.#spans);
    row.merge(counts);
    const before = entry.rows.get(name);
    entry.rows.set(name, row);
    if (before) entry.list[entry.list.indexOf(before)] = row;
    else entry.list.push(row);
    return row;
  }

  /** Rows of lives that are over leave once they count nothing. */
  prune(entry: Entry, now: Micros): void {
    if (entry.list.length < 2) return;
    for (const [name, row] of entry.rows) {
      if (name === this.#ownRow || !row.isEmpty(now)) continue;
      entry.rows.delete(name);
      entry.list.splice(entry.list.indexOf(row), 1);
    }
  }

  /** `done(true)` once the own row of `key` would survive a crash; at once where nothing has to. */
  keep(key: string, entry: Entry, done: (kept: boolean) => void): void {
    if (!this.#journal) return done(true);
    this.#journal.append(this.#line(key, entry), (outcome) => done(outcome === 'ok'));
    this.#compact();
  }

  #line(key: string, entry: Entry): Line {
    const counts = this.row(entry, this.#ownRow).toData();
    return { key, row: this.#ownRow, written: entry.written, counts };
  }

  #compact(): void {
    const journal = this.#journal;
    if (!journal || this.#isCompacting) return;
    if (journal.entryCount < 2 * this.#keys.size + surplusMin) return;
    this.#isCompacting = true;
    const lines = [...this.#known].map((key) => this.#line(key, this.#keys.peek(key)!));
    journal.replaceWith(lines, () => {
      this.#isCompacting = false;
    });
  }
}
