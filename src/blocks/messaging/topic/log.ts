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
import { encodedSize } from '../../../parts/codec.ts';
import { Journal } from '../../../parts/journal.ts';
import { Lru } from '../../../parts/lru.ts';
import { Producers, type Sent } from './producers.ts';

export interface Stored {
  readonly message: string;
  readonly key: string | null;
  readonly value: Value;
  readonly at: Micros;
  /** Of key and value. */
  readonly sizeBytes: number;
}

/** message, key, value, at, and who sent it: node, life, seq, low. */
type StoredEntry = readonly [string, string | null, Value, Micros, NodeId, number, number, number];
type HeaderEntry = {
  readonly producers: Value;
  /** Missing in segments of an older release. */
  readonly shape?: string | undefined;
};
type Entry = StoredEntry | HeaderEntry;

export interface LogOptions {
  readonly segmentBytes: number;
  readonly retentionUs: Micros;
  readonly retentionSizeBytes: number;
  /** What decides which messages belong here: written down with them. */
  readonly shape?: string | undefined;
}

interface Segment {
  readonly name: string;
  readonly base: number;
  /** When it was begun, by the wall clock: about when the one before it ended. */
  readonly at: Micros;
  /** Bytes of all segments that there ever were before it: its own end where the next one begins. */
  readonly startBytes: number;
  /** The same as `at` by the clock of `dropOld`, once it has seen it: only that one never jumps. */
  agesFrom: Micros | undefined;
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

/** A closed segment never changes, so that any whole copy of it is the right one. */
const adviceClosed =
  'There is no other copy of it here: put back a whole one, if there is one elsewhere, and start the broker again.';
const adviceNewest =
  'There is no other copy of it here. Without it, or with an older copy put back, what was published since is lost ' +
  'and its offsets are given out again.';

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
  /** How far the header of the newest segment is. */
  #header: 'missing' | 'writing' | 'there';
  #shape: string | undefined;
  #writingCount = 0;
  /** Waiting for the newest segment's header, or for it to come to rest, so that the next one can begin. */
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
    this.#shape = options.shape;
    for (const name of disk.list(`${folder}/`)) {
      const match = /\/s(\d{16})-(\d{16})(?:-(\d{16}))?$/.exec(name);
      if (!match) continue;
      const [base, at] = [Number(match[1]), Number(match[2])];
      // Of an older release, which did not say: the one before it had reached what closes it.
      const guessed = (this.#segments.at(-1)?.startBytes ?? 0) + options.segmentBytes;
      const startBytes = match[3] === undefined ? guessed : Number(match[3]);
      this.#segments.push({ name, base, at, startBytes, agesFrom: at });
    }
    let closedAt: number | undefined;
    for (;;) {
      const last = this.#segments[this.#segments.length - 1] ?? this.#begin(0, wallUs, 0);
      const damage = closedAt === undefined ? undefined : this.#read(last, closedAt).damage;
      if (damage) throw damage;
      const { journal, entries } = Journal.open<Entry>(disk, last.name, adviceNewest);
      // A crash while it was begun: nothing in it was acknowledged.
      if (entries.length === 0 && this.#segments.length > 1) {
        disk.remove(last.name);
        this.#segments.pop();
        closedAt = last.base;
        continue;
      }
      this.#journal = journal;
      this.#records = [];
      this.#header = 'missing';
      for (const entry of entries) {
        if (isStored(entry)) {
          const [, , , , node, life, seq, low] = entry;
          this.producers.stored({ node, life, seq, low }, last.base + this.#records.length);
          this.#records.push(recordOf(entry));
        } else if (this.#header === 'missing') {
          this.#header = 'there';
          this.producers.restore(entry.producers);
          this.#shape = entry.shape ?? options.shape;
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

  /** Under which its messages were stored: that of `options` unless they say another. */
  get shape(): string | undefined {
    return this.#shape;
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

  /**
   * Removes segments that are too old or too many. How many messages went. `steadyUs` is a clock that was
   * right at boot and has not jumped since, or one wrong second would take what nobody has read.
   */
  dropOld(steadyUs: Micros): number {
    const { retentionUs, retentionSizeBytes } = this.#options;
    const before = this.first;
    const endBytes = this.#endBytes;
    for (const segment of this.#segments) segment.agesFrom ??= steadyUs;
    while (this.#segments.length > 1) {
      const [oldest, next] = this.#segments as [Segment, Segment];
      const sizeBytes = endBytes - oldest.startBytes;
      if (steadyUs - next.agesFrom! < retentionUs && sizeBytes <= retentionSizeBytes) break;
      this.#disk.remove(oldest.name);
      this.#decoded.delete(oldest.name);
      this.#damages.delete(oldest.name);
      this.#segments.shift();
    }
    return this.first - before;
  }

  get #endBytes(): number {
    return this.#segments.at(-1)!.startBytes + this.#journal.sizeBytes;
  }

  #write(): void {
    if (this.#held.length === 0 || this.#header === 'writing') return;
    const isFull = this.#journal.sizeBytes >= this.#options.segmentBytes;
    if (isFull && this.#writingCount > 0) return;
    // A header alone may fill it: a segment without a message would be followed by another.
    if (isFull && this.#records.length > 0) this.#roll(this.#held[0]!.stored.at);
    if (this.#header === 'missing') return this.#head();
    const held = this.#held;
    this.#held = [];
    for (const one of held) this.#append(one);
  }

  /** Nothing stands before it: what comes meanwhile waits, and shares the next sync as it would anyway. */
  #head(): void {
    this.#header = 'writing';
    const { shape } = this.#options;
    this.#journal.append({ producers: this.producers.snapshot(), shape }, (outcome) => {
      this.#header = outcome === 'ok' ? 'there' : 'missing';
      if (outcome === 'ok') return this.#write();
      // No message was written either. A disk may have room again for the next ones.
      const held = this.#held;
      this.#held = [];
      for (const { done } of held) done(outcome, this.#end);
    });
  }

  #append({ stored, sent, done }: Held): void {
    const { message, key, value, at } = stored;
    const entry: StoredEntry = [message, key, value, at, sent.node, sent.life, sent.seq, sent.low];
    this.#writingCount++;
    this.#journal.append(entry, (outcome) => {
      this.#writingCount--;
      const offset = this.#end;
      if (outcome === 'ok') {
        this.#end++;
        this.#records.push(stored);
        this.producers.stored(sent, offset);
      }
      done(outcome, offset);
      if (this.#writingCount === 0) this.#write();
    });
  }

  #roll(wallUs: Micros): void {
    const closed = this.#segments[this.#segments.length - 1]!;
    this.#decoded.set(closed.name, this.#records);
    const segment = this.#begin(this.#end, Math.max(wallUs, closed.at), this.#endBytes);
    this.#journal = Journal.open<Entry>(this.#disk, segment.name).journal;
    this.#records = [];
    this.#header = 'missing';
  }

  #begin(base: number, at: Micros, startBytes: number): Segment {
    const name = `${this.#folder}/s${digits(base)}-${digits(at)}-${digits(startBytes)}`;
    const segment: Segment = { name, base, at, startBytes, agesFrom: undefined };
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
    const { entries, damage } = Journal.read<Entry>(this.#disk, name, adviceClosed);
    const records = entries.filter(isStored).map(recordOf);
    const count = end - base;
    if (damage || records.length === count) return { records, damage };
    const text = `${name} holds ${records.length} messages, of ${count} that were acknowledged. ${adviceClosed}`;
    return { records: records.slice(0, count), damage: new LoadpathError('data-corrupt', text) };
  }
}

function isStored(entry: Entry): entry is StoredEntry {
  return Array.isArray(entry);
}

function recordOf([message, key, value, at]: StoredEntry): Stored {
  return { message, key, value, at, sizeBytes: sizeOfMessage(key, value) };
}

/** What a message counts for, wherever bytes are limited. */
export function sizeOfMessage(key: string | null, value: Value): number {
  return encodedSize(key) + encodedSize(value);
}

/** Sixteen digits, so that names sort as numbers do. */
function digits(value: number): string {
  return String(value).padStart(16, '0');
}
