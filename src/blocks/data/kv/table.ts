/**
 * What a replica holds, as its log tells it: a pure fold over records. The same fold runs when a
 * record has become durable and when the log is read back, so memory never knows more than the
 * disk: an entry in here survives any crash.
 */
import type { Micros, NodeId } from '../../../host/host.ts';
import { compareVersions, isNewer, type Version } from '../../../parts/hlc.ts';
import type { LogRecord } from './log.ts';
import type { Entry, Standing } from './messages.ts';

export interface KeptHint {
  readonly entry: Entry;
  readonly since: Micros;
}

export class Table {
  /**
   * A `Map`, whose hashes nobody can foresee: keys are chosen by users, and a table with a hash of
   * ours could be filled with keys that all collide.
   */
  readonly #entries = new Map<string, Entry>();
  readonly #tombstones = new Set<string>();
  readonly #hints = new Map<NodeId, Map<string, KeptHint>>();
  #hintCount = 0;
  #bytes = 0;
  #floor: Version | undefined;
  #isFilled = true;

  get keyCount(): number {
    return this.#entries.size;
  }

  get hintCount(): number {
    return this.#hintCount;
  }

  /** What `records` take in a log, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Newest version that was ever collected here. */
  get floor(): Version | undefined {
    return this.#floor;
  }

  /** False: its former log is gone, and not everything that it knew has come back. */
  get isFilled(): boolean {
    return this.#isFilled;
  }

  get tombstones(): ReadonlySet<string> {
    return this.#tombstones;
  }

  get hints(): ReadonlyMap<NodeId, ReadonlyMap<string, KeptHint>> {
    return this.#hints;
  }

  /** Each key that is there from now on until it is met; the table may change on the way. */
  entries(): IterableIterator<readonly [string, Entry]> {
    return this.#entries.entries();
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** In any order and any number of times: only versions decide. */
  apply(record: LogRecord): void {
    switch (record.do) {
      case 'store':
        return this.store(record.key, record.entry);
      case 'hint':
        return this.#hint(record.owner, record.key, { entry: record.entry, since: record.since });
      case 'unhint':
        return this.#unhint(record.owner, record.key, record.version);
      case 'collect':
        return this.#collect(record.key, record.version);
      case 'floor':
        return this.#raiseFloor(record.version);
      case 'unfilled':
      case 'filled':
        this.#isFilled = record.do === 'filled';
        return;
    }
  }

  /**
   * Records that lead to the same table. The table may change on the way: those that lead to it as it
   * was at the beginning or later, and with what has been applied since then, in order, as it is now.
   */
  *records(): IterableIterator<LogRecord> {
    if (!this.#isFilled) yield { do: 'unfilled' };
    if (this.#floor) yield { do: 'floor', version: this.#floor };
    for (const [key, entry] of this.#entries) yield { do: 'store', key, entry };
    for (const [owner, kept] of this.#hints) {
      for (const [key, { entry, since }] of kept) yield { do: 'hint', owner, key, entry, since };
    }
  }

  /**
   * How this node stands to a tombstone that is to be collected. To an owner, absent is as good as
   * having it only under a floor that is as new: else a version might be made here that is older.
   */
  standing(key: string, version: Version, owner: boolean): Standing {
    for (const kept of this.#hints.values()) if (kept.has(key)) return 'busy';
    if (!owner) return 'clear';
    const entry = this.get(key);
    if (!entry)
      return this.#floor && compareVersions(this.#floor, version) >= 0 ? 'clear' : 'behind';
    const order = compareVersions(entry.version, version);
    return order === 0 ? 'clear' : order < 0 ? 'behind' : 'busy';
  }

  store(key: string, entry: Entry): void {
    const known = this.#entries.get(key);
    if (!isNewer(entry.version, known?.version)) return;
    this.#entries.set(key, entry);
    this.#bytes += bytesOf(key, entry) - (known ? bytesOf(key, known) : 0);
    if (entry.value === null) this.#tombstones.add(key);
    else this.#tombstones.delete(key);
  }

  #hint(owner: NodeId, key: string, hint: KeptHint): void {
    let kept = this.#hints.get(owner);
    if (!kept) {
      kept = new Map();
      this.#hints.set(owner, kept);
    }
    const known = kept.get(key);
    if (!isNewer(hint.entry.version, known?.entry.version)) return;
    if (!known) this.#hintCount++;
    kept.set(key, hint);
    this.#bytes += bytesOf(key, hint.entry) - (known ? bytesOf(key, known.entry) : 0);
  }

  #unhint(owner: NodeId, key: string, version: Version): void {
    const kept = this.#hints.get(owner);
    const known = kept?.get(key);
    // A newer hint for the same key came while this one was handed over: that one still waits.
    if (!kept || !known || compareVersions(known.entry.version, version) !== 0) return;
    kept.delete(key);
    this.#hintCount--;
    this.#bytes -= bytesOf(key, known.entry);
    if (kept.size === 0) this.#hints.delete(owner);
  }

  #collect(key: string, version: Version): void {
    this.#raiseFloor(version);
    const entry = this.get(key);
    if (!entry || compareVersions(entry.version, version) !== 0) return;
    this.#entries.delete(key);
    this.#tombstones.delete(key);
    this.#bytes -= bytesOf(key, entry);
  }

  #raiseFloor(version: Version): void {
    if (isNewer(version, this.#floor)) this.#floor = version;
  }
}

/** In a log, at the most where keys are of one byte a character: the rest of a record is 33 bytes or less. */
export function bytesOf(key: string, { version, value }: Entry): number {
  return 33 + key.length + version.by.length + (value?.length ?? 0);
}
