/**
 * Room on the disk. A log is written anew beside the old one, so whoever fills the disk with data can
 * neither forget history nor delete any more. A replica keeps as much free as its data takes:
 *
 *   free ───────────────────┬─────────────────────┬─────────────────── 0
 *     new keys, values, deletes │ values, deletes      │ deletes, the new log
 *
 * What others write to the same disk it cannot know beforehand, so it looks from time to time.
 */
import type { Disk } from '../../../host/host.ts';
import type { Entry } from './messages.ts';
import { bytesOf, type Table } from './table.ts';

/** What comes in while a log is being written anew, and where `Table.bytes` is a little wrong. */
const marginShare = 1 / 16;
const marginBytes = 1_024;
/** History that is worth a new log on a disk that fills, though it costs eight times what it gives back. */
export const gainShare = 1 / 8;
/** New keys leave room for that and for as much again, so that those that are there can go on changing. */
const changeShare = 2 * gainShare;

export class Room {
  readonly #disk: Disk;
  readonly #log: { readonly sizeBytes: number };
  readonly #table: Table;
  /** When it was last looked at: what was free, and how large the log was. */
  #freeBytes: number;
  #logBytes: number;

  constructor(disk: Disk, log: { readonly sizeBytes: number }, table: Table) {
    this.#disk = disk;
    this.#log = log;
    this.#table = table;
    this.#freeBytes = disk.freeBytes();
    this.#logBytes = log.sizeBytes;
  }

  /** Whether a new log would have room now. */
  get isEnough(): boolean {
    return this.#freeFor(this.#table.bytes) >= this.#table.bytes;
  }

  /** Whether what there is to give back should be given back soon. */
  get isTight(): boolean {
    const wanted = 2 * this.#reserveFor(this.#table.bytes);
    return this.#freeFor(wanted) < wanted;
  }

  /** Whether it may be written: a new log must have room afterwards, or more of it than before. */
  takes(key: string, entry: Entry, known: Entry | undefined): boolean {
    const bytes = bytesOf(key, entry);
    const growth = bytes - (known ? bytesOf(key, known) : 0);
    if (growth + bytes <= 0) return true;
    const after = this.#table.bytes + growth;
    let reserve = entry.value === null ? after : this.#reserveFor(after);
    if (!known && entry.value !== null) reserve += after * changeShare;
    const free = this.#freeFor(reserve + bytes);
    // Where there is no room at all the disk says so itself, no faster than it can.
    return free < bytes || free - bytes >= reserve;
  }

  #reserveFor(tableBytes: number): number {
    return Math.ceil(tableBytes * (1 + marginShare)) + marginBytes;
  }

  /** Free bytes, looked at again the sooner the nearer they are to what is needed. */
  #freeFor(neededBytes: number): number {
    const written = this.#log.sizeBytes - this.#logBytes;
    const free = this.#freeBytes - written;
    if (Math.abs(written) < (free - neededBytes) / 8) return free;
    this.#freeBytes = this.#disk.freeBytes();
    this.#logBytes = this.#log.sizeBytes;
    return this.#freeBytes;
  }
}
