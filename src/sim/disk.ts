/**
 * The disk of one simulated machine: bytes in memory that outlive a crash as far as they were
 * synced. A crash keeps a random part of the rest, cut anywhere, sometimes with zeros at its end, as
 * a file system that wrote the length before the data would leave it.
 *
 * Syncs and replacements go through the disk one after the other, each for `syncCost`. Names
 * (removal, truncation) are durable at once, as under a journaling file system.
 */
import type { Disk, DiskOutcome } from '../host/host.ts';
import type { Sampler } from '../kit/distribution.ts';
import type { Random } from '../kit/random.ts';
import * as kinds from './kinds.ts';
import type { EventQueue } from './queue.ts';

interface File {
  bytes: Uint8Array;
  length: number;
  /** The first this many bytes survive any crash. */
  syncedLength: number;
  /** What a crash may bring back until a replacement is durable; `null`: no file. */
  former: File | null | undefined;
}

export interface DiskOptions {
  readonly syncCost: Sampler;
  readonly sizeMaxBytes: number;
}

/** One a machine, for all its lives. */
export class Platter {
  readonly #queue: EventQueue;
  readonly #node: number;
  readonly #options: DiskOptions;
  readonly #costs: Random;
  readonly #damage: Random;
  readonly #onWrite: (bytes: Uint8Array) => void;
  readonly #files = new Map<string, File>();
  /** The file looked at last: a log is written and synced by turns, and nothing else is as common. */
  #lastName: string | undefined;
  #last: File | undefined;
  #life = 0;
  #freeAt = 0;
  #usedBytes = 0;
  slowFactor = 1;
  /** Nothing more can be written. */
  isFull = false;
  /** Syncs and replacements fail. */
  isFailing = false;
  syncCount = 0;

  constructor(
    queue: EventQueue,
    node: number,
    options: DiskOptions,
    random: Random,
    onWrite: (bytes: Uint8Array) => void,
  ) {
    this.#queue = queue;
    this.#node = node;
    this.#options = options;
    this.#costs = random.fork('sync');
    this.#damage = random.fork('damage');
    this.#onWrite = onWrite;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  boot(life: number): void {
    this.#life = life;
    this.#freeAt = this.#queue.now;
  }

  #file(name: string): File | undefined {
    if (name !== this.#lastName) {
      this.#lastName = name;
      this.#last = this.#files.get(name);
    }
    return this.#last;
  }

  #put(name: string, file: File | undefined): void {
    this.#lastName = undefined;
    if (file) this.#files.set(name, file);
    else this.#files.delete(name);
  }

  /** What a loss of power leaves. Drawn per file in order of names, so that it can be replayed. */
  crash(): void {
    for (const name of this.list()) {
      let file = this.#files.get(name)!;
      const luck = this.#damage.next();
      const place = this.#damage.next();
      if (file.former !== undefined) {
        if (luck < 0.5) {
          this.#usedBytes -= file.length;
          if (file.former === null) {
            this.#put(name, undefined);
            continue;
          }
          file = file.former;
          this.#usedBytes += file.length;
          this.#put(name, file);
        } else {
          file.former = undefined;
        }
      }
      const unsynced = file.length - file.syncedLength;
      if (unsynced === 0) continue;
      const survived = file.syncedLength + Math.floor(place * (unsynced + 1));
      this.#usedBytes -= file.length - survived;
      file.length = survived;
      if (survived > file.syncedLength && luck > 0.75) {
        const torn = Math.max(file.syncedLength, survived - 1 - (Math.floor(luck * 1e6) % 512));
        file.bytes.fill(0, torn, survived);
      }
      // What is on the platter after a crash stays there.
      file.syncedLength = survived;
    }
  }

  rot(bits: number, random: Random): void {
    const files = this.list()
      .map((name) => this.#files.get(name)!)
      .filter((file) => file.length > 0);
    const total = files.reduce((sum, file) => sum + file.length, 0);
    if (total === 0) return;
    for (let bit = 0; bit < bits; bit++) {
      let place = random.below(total);
      const mask = 1 << random.below(8);
      for (const file of files) {
        if (place < file.length) {
          file.bytes[place]! ^= mask;
          break;
        }
        place -= file.length;
      }
    }
  }

  list(prefix = ''): readonly string[] {
    const names: string[] = [];
    for (const name of this.#files.keys()) if (name.startsWith(prefix)) names.push(name);
    return names.sort();
  }

  read(name: string): Uint8Array | undefined {
    const file = this.#file(name);
    return file?.bytes.slice(0, file.length);
  }

  append(name: string, bytes: Uint8Array): boolean {
    if (this.isFull || this.#usedBytes + bytes.length > this.#options.sizeMaxBytes) return false;
    let file = this.#file(name);
    if (!file) {
      file = { bytes: new Uint8Array(64), length: 0, syncedLength: 0, former: undefined };
      this.#put(name, file);
    }
    const length = file.length + bytes.length;
    if (length > file.bytes.length) {
      const grown = new Uint8Array(Math.max(length, file.bytes.length * 2));
      grown.set(file.bytes.subarray(0, file.length));
      file.bytes = grown;
    }
    file.bytes.set(bytes, file.length);
    file.length = length;
    this.#usedBytes += bytes.length;
    this.#onWrite(bytes);
    return true;
  }

  sync(name: string, done: (outcome: DiskOutcome) => void): void {
    this.syncCount++;
    const file = this.#file(name);
    const length = file ? file.length : 0;
    this.#through(() => {
      if (this.isFailing) return done('failed');
      // A truncation or replacement in the meantime is durable by itself.
      if (file && file.syncedLength < length) file.syncedLength = Math.min(length, file.length);
      done('ok');
    });
  }

  replace(name: string, bytes: Uint8Array, done: (outcome: DiskOutcome) => void): void {
    const old = this.#file(name);
    if (this.isFull || this.#usedBytes + bytes.length > this.#options.sizeMaxBytes) {
      this.#through(() => done('full'));
      return;
    }
    if (this.isFailing) {
      this.#through(() => done('failed'));
      return;
    }
    const file: File = {
      bytes: bytes.slice(),
      length: bytes.length,
      syncedLength: bytes.length,
      former: old ? (old.former === undefined ? old : old.former) : null,
    };
    this.#put(name, file);
    this.#usedBytes += bytes.length - (old?.length ?? 0);
    this.#onWrite(bytes);
    this.#through(() => {
      // Made visible before the disk began to fail: the new content is in place, but not surely.
      if (this.isFailing) return done('failed');
      file.former = undefined;
      done('ok');
    });
  }

  remove(name: string): void {
    this.#usedBytes -= this.#file(name)?.length ?? 0;
    this.#put(name, undefined);
  }

  truncate(name: string, length: number): void {
    const file = this.#file(name);
    if (!file || file.length <= length) return;
    this.#usedBytes -= file.length - length;
    file.length = length;
    file.syncedLength = Math.min(file.syncedLength, length);
  }

  freeBytes(): number {
    return this.isFull ? 0 : this.#options.sizeMaxBytes - this.#usedBytes;
  }

  #through(done: () => void): void {
    // Drawn whether or not the disk fails, so that a fault does not shift later costs.
    const costUs = Math.round(this.#options.syncCost(this.#costs) * this.slowFactor);
    this.#freeAt = Math.max(this.#queue.now, this.#freeAt) + costUs;
    this.#queue.push(this.#freeAt, kinds.disk, this.#node, this.#life, done, undefined);
  }
}

/** What a program sees of the disk. A dead program's late calls do nothing. */
export class SimDisk implements Disk {
  readonly #platter: Platter;
  readonly #isOver: () => boolean;

  constructor(platter: Platter, isOver: () => boolean) {
    this.#platter = platter;
    this.#isOver = isOver;
  }

  list(prefix?: string): readonly string[] {
    return this.#platter.list(prefix);
  }

  read(name: string): Uint8Array | undefined {
    return this.#platter.read(name);
  }

  append(name: string, bytes: Uint8Array): boolean {
    return !this.#isOver() && this.#platter.append(name, bytes);
  }

  sync(name: string, done: (outcome: DiskOutcome) => void): void {
    if (!this.#isOver()) this.#platter.sync(name, done);
  }

  replace(name: string, bytes: Uint8Array, done: (outcome: DiskOutcome) => void): void {
    if (!this.#isOver()) this.#platter.replace(name, bytes, done);
  }

  remove(name: string): void {
    if (!this.#isOver()) this.#platter.remove(name);
  }

  truncate(name: string, length: number): void {
    if (!this.#isOver()) this.#platter.truncate(name, length);
  }

  freeBytes(): number {
    return this.#platter.freeBytes();
  }
}
