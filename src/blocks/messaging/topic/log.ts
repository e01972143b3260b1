/**
 * One partition: an append-only log in segment files, each a journal with group commit.
 *
 *   …/s0000000000000000-…   …/s0000000000004096-…   …/s0000000000008192-…  ◀── appends
 *   oldest: goes first       closed: read when asked   newest: in memory
 *
 * An offset is given when its message is durable, so offsets have no holes and a message that was
 * never acknowledged takes none. Retention removes whole segments from the old end.
 */
import type { Disk, DiskOutcome, Micros, NodeId, Value } from '../../../host/host.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import { Journal } from '../../../parts/journal.ts';
import { Lru } from '../../../parts/lru.ts';
import { Producers, type Sent } from './producers.ts';

export interface Stored {
  readonly message: string;
  readonly key: string | null;
  readonly value: Value;
  readonly at: Micros;
}

/** message, key, value, at, and who sent it: node, life, seq, low. */
type StoredEntry = readonly [string, string | null, Value, Micros, NodeId, number, number, number];
type HeaderEntry = { readonly producers: Value };
type Entry = StoredEntry | HeaderEntry;

export interface LogOptions {
  readonly segmentBytes: number;
  readonly retentionUs: Micros;
  readonly retentionSizeBytes: number;
}

interface Segment {
  readonly name: string;
  readonly base: number;
  /** When it was begun, by the wall clock: about when the one before it ended. */
  readonly at: Micros;
  sizeBytes: number;
}

interface Held {
  readonly stored: Stored;
  readonly sent: Sent;
  readonly done: (outcome: DiskOutcome, offset: number) => void;
}

/** Of offsets that were acknowledged and cannot be read any more. */
export interface Damage {
  readonly from: number;
  /** From here on they can. */
  readonly to: number;
  readonly why: string;
}

/** Closed segments kept decoded, for groups that lag behind. */
const decodedMax = 2;

export class PartitionLog {
  readonly producers = new Producers();
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #options: LogOptions;
  readonly #segments: Segment[] = [];
  readonly #decoded = new Lru<string, readonly Stored[]>({ entriesMax: decodedMax });
  /** Closed segments that turned out damaged, by name. */
  readonly #damages = new Map<string, Damage>();
  #journal: Journal<Entry>;
  /** Of the newest segment. */
  #records: Stored[];
  #headed: boolean;
  #writingCount = 0;
  /** Waiting for the newest segment to come to rest, so that the next one can begin. */
  #held: Held[] = [];
  #end: number;

  /**
   * Opens what is there. `wallUs` dates a first segment. Throws `data-corrupt` when the newest segment
   * is damaged: how many messages were acknowledged is not known then, so none can get an offset.
   */
  constructor(disk: Disk, folder: string, options: LogOptions, wallUs: Micros) {
    this.#disk = disk;
    this.#folder = folder;
    this.#options = options;
    for (const name of disk.list(`${folder}/`)) {
      const match = /\/s(\d{16})-(\d{16})$/.exec(name);
      if (!match) continue;
      const base = Number(match[1]);
      // Its true size is not worth reading it for: it was closed when it had reached this one.
      this.#segments.push({ name, base, at: Number(match[2]), sizeBytes: options.segmentBytes });
    }
    let closedAt: number | undefined;
    for (;;) {
      const last = this.#segments[this.#segments.length - 1] ?? this.#begin(0, wallUs);
      const damage = closedAt === undefined ? undefined : this.#read(last, closedAt).damage;
      if (damage) throw damage;
      const { journal, entries } = Journal.open<Entry>(disk, last.name);
      // A crash while it was begun: nothing in it was acknowledged.
      if (entries.length === 0 && this.#segments.length > 1) {
        disk.remove(last.name);
        this.#segments.pop();
        closedAt = last.base;
        continue;
      }
      this.#journal = journal;
      this.#records = [];
      this.#headed = false;
      for (const entry of entries) {
        if (isStored(entry)) {
          const [, , , , node, life, seq, low] = entry;
          this.producers.stored({ node, life, seq, low }, last.base + this.#records.length);
          this.#records.push(recordOf(entry));
        } else if (!this.#headed) {
          this.#headed = true;
          this.producers.restore(entry.producers);
        }
      }
      this.#end = last.base + this.#records.length;
      return;
    }
  }

  /** The oldest offset there is. */
  get first(): number {
    return this.#segments[0]!.base;
  }

  /** The offset that the next message gets: those below it are durable. */
  get end(): number {
    return this.#end;
  }

  get segmentCount(): number {
    return this.#segments.length;
  }

  append(stored: Stored, sent: Sent, done: (outcome: DiskOutcome, offset: number) => void): void {
    this.#held.push({ stored, sent, done });
    this.#write();
  }

  /** Up to `max` messages from `offset` on: fewer at the end of a segment, none at the end of all. */
  read(offset: number, max: number): readonly Stored[] {
    let index = this.#segments.length - 1;
    while (index > 0 && this.#segments[index]!.base > offset) index--;
    const segment = this.#segments[index]!;
    const from = offset - segment.base;
    if (from < 0) return [];
    return this.#recordsOf(index).slice(from, from + max);
  }

  /** Why `read` found nothing at `offset`, if it was not the end. */
  damageAt(offset: number): Damage | undefined {
    for (const damage of this.#damages.values()) {
      if (offset >= damage.from && offset < damage.to) return damage;
    }
    return undefined;
  }

  /** The first message stored at or after `wallUs`; the end when there is none. */
  offsetAt(wallUs: Micros): number {
    let index = this.#segments.length - 1;
    while (index > 0 && this.#segments[index]!.at > wallUs) index--;
    const records = this.#recordsOf(index);
    const place = records.findIndex((record) => record.at >= wallUs);
    return this.#segments[index]!.base + (place < 0 ? records.length : place);
  }

  /** Removes segments that are too old or too many. How many messages went. */
  dropOld(wallUs: Micros): number {
    const { retentionUs, retentionSizeBytes } = this.#options;
    const before = this.first;
    let sizeBytes = 0;
    for (const segment of this.#segments) sizeBytes += segment.sizeBytes;
    while (this.#segments.length > 1) {
      const oldest = this.#segments[0]!;
      const endedAt = this.#segments[1]!.at;
      if (wallUs - endedAt < retentionUs && sizeBytes <= retentionSizeBytes) break;
      sizeBytes -= oldest.sizeBytes;
      this.#disk.remove(oldest.name);
      this.#decoded.delete(oldest.name);
      this.#damages.delete(oldest.name);
      this.#segments.shift();
    }
    return this.first - before;
  }

  #write(): void {
    const isFull = this.#journal.sizeBytes >= this.#options.segmentBytes;
    if (isFull && this.#writingCount > 0) return;
    const held = this.#held;
    this.#held = [];
    if (isFull && held.length > 0) this.#roll(held[0]!.stored.at);
    for (const one of held) this.#append(one);
  }

  #append({ stored, sent, done }: Held): void {
    if (!this.#headed) {
      // Again with each message until it is there: a disk may be full just now.
      this.#journal.append({ producers: this.producers.snapshot() }, (outcome) => {
        if (outcome === 'ok') this.#headed = true;
      });
    }
    const { message, key, value, at } = stored;
    const entry: StoredEntry = [message, key, value, at, sent.node, sent.life, sent.seq, sent.low];
    this.#writingCount++;
    this.#journal.append(entry, (outcome) => {
      this.#writingCount--;
      const segment = this.#segments[this.#segments.length - 1]!;
      segment.sizeBytes = this.#journal.sizeBytes;
      const offset = this.#end;
      if (outcome === 'ok') {
        this.#end++;
        this.#records.push(stored);
        this.producers.stored(sent, offset);
      }
      done(outcome, offset);
      if (this.#writingCount === 0 && this.#held.length > 0) this.#write();
    });
  }

  #roll(wallUs: Micros): void {
    const closed = this.#segments[this.#segments.length - 1]!;
    this.#decoded.set(closed.name, this.#records);
    const segment = this.#begin(this.#end, Math.max(wallUs, closed.at));
    this.#journal = Journal.open<Entry>(this.#disk, segment.name).journal;
    this.#records = [];
    this.#headed = false;
  }

  #begin(base: number, at: Micros): Segment {
    const name = `${this.#folder}/s${digits(base)}-${digits(at)}`;
    const segment: Segment = { name, base, at, sizeBytes: 0 };
    this.#segments.push(segment);
    return segment;
  }

  #recordsOf(index: number): readonly Stored[] {
    if (index === this.#segments.length - 1) return this.#records;
    const segment = this.#segments[index]!;
    return this.#decoded.getOrSet(segment.name, () => {
      const to = this.#segments[index + 1]!.base;
      const { records, damage } = this.#read(segment, to);
      const from = segment.base + records.length;
      if (damage) this.#damages.set(segment.name, { from, to, why: damage.message });
      return records;
    });
  }

  /** Of a segment that was closed at offset `end`: what can be read of it, from its beginning on. */
  #read(
    { name, base }: Segment,
    end: number,
  ): { readonly records: readonly Stored[]; readonly damage: LoadpathError | undefined } {
    const { entries, damage } = Journal.read<Entry>(this.#disk, name);
    const records = entries.filter(isStored).map(recordOf);
    const count = end - base;
    if (damage || records.length === count) return { records, damage };
    const text = `${name} holds ${records.length} messages, of ${count} that were acknowledged.`;
    return { records: records.slice(0, count), damage: new LoadpathError('data-corrupt', text) };
  }
}

function isStored(entry: Entry): entry is StoredEntry {
  return Array.isArray(entry);
}

function recordOf([message, key, value, at]: StoredEntry): Stored {
  return { message, key, value, at };
}

/** Sixteen digits, so that names sort as numbers do. */
function digits(value: number): string {
  return String(value).padStart(16, '0');
}
