/**
 * `Disk` on real files in a node's own directory. Appends are written at once (a file stays open),
 * syncs are `fdatasync` beside the turn, a replacement is the old trick: new file, sync, rename,
 * sync of the folder.
 *
 * From the call of `replace` on, the file *is* the new one: reads see it and appends go to it.
 * Only its name on the machine changes later, once it is durable. So nothing that is appended
 * while a replacement is under way can be lost between two files.
 */
import * as fs from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Disk, DiskOutcome } from '../host/host.ts';
import { assert } from '../kit/assert.ts';
import type { Random } from '../kit/random.ts';
import { fileTrouble, isFull, makeFolder, readAll, syncFolderNow, writeAll } from './files.ts';

export interface LiveDisk extends Disk {
  /** What the disk pretends to suffer from. */
  fault: DiskFault;
  /** Syncs take this many times as long as they do. */
  slowFactor: number;
  /** Flips `bits` random bits in what is stored. */
  rot(bits: number, random: Random): void;
  /** Closes the files; what is under way comes to nothing. */
  close(): void;
}

export type DiskFault = 'none' | 'full' | 'failing';

export interface DiskOptions {
  readonly directory: string;
  /** Runs a callback as a turn of the node. */
  readonly enter: (fire: () => void) => void;
}

interface OpenFile {
  readonly name: string;
  readonly path: string;
  fd: number;
  size: number;
  /** Set while a replacement is not yet durable: where the content stands, and who waits. */
  replacing: Replacing | undefined;
}

interface Replacing {
  readonly tmp: string;
  readonly oldFd: number | undefined;
  readonly waiting: ((outcome: DiskOutcome) => void)[];
}

const namePattern = /^[a-z0-9._-]+(\/[a-z0-9._-]+)*$/;
const tmpSuffix = '.tmp~';

export class FileDisk implements LiveDisk {
  fault: DiskFault = 'none';
  slowFactor = 1;
  readonly #directory: string;
  readonly #enter: (fire: () => void) => void;
  readonly #files = new Map<string, OpenFile>();
  #tmpCount = 0;
  #closed = false;

  /** Makes the directory. Throws `LoadpathError` when the machine refuses. */
  constructor(options: DiskOptions) {
    this.#directory = options.directory;
    this.#enter = options.enter;
    try {
      makeFolder(this.#directory);
      for (const path of this.#walk(this.#directory)) {
        // A replacement that a crash cut short: the old file stands.
        if (path.includes(tmpSuffix)) fs.unlinkSync(path);
      }
    } catch (error) {
      throw fileTrouble(error, 'opening a data directory', this.#directory);
    }
  }

  list(prefix = ''): readonly string[] {
    const names = new Set<string>();
    for (const name of this.#files.keys()) if (name.startsWith(prefix)) names.add(name);
    // Only the folder in which they all are: a broker asks for each of its partitions.
    const end = prefix.lastIndexOf('/');
    const folder = end < 0 ? this.#directory : this.#pathOf(prefix.slice(0, end));
    for (const path of this.#walk(folder)) {
      if (path.includes(tmpSuffix)) continue;
      const name = relative(this.#directory, path).split(sep).join('/');
      if (name.startsWith(prefix)) names.add(name);
    }
    return [...names].sort();
  }

  read(name: string): Uint8Array | undefined {
    const open = this.#files.get(name);
    try {
      return readAll(open?.replacing?.tmp ?? this.#pathOf(name));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw fileTrouble(error, 'reading', this.#pathOf(name));
    }
  }

  append(name: string, bytes: Uint8Array): boolean {
    if (this.fault === 'full') return false;
    let file: OpenFile | undefined;
    try {
      file = this.#open(name);
      writeAll(file.fd, bytes);
      file.size += bytes.length;
      return true;
    } catch (error) {
      if (!isFull(error)) throw fileTrouble(error, 'appending', this.#pathOf(name));
      // Part of it may be there: nothing, or all.
      if (file && fs.fstatSync(file.fd).size > file.size) fs.ftruncateSync(file.fd, file.size);
      return false;
    }
  }

  sync(name: string, done: (outcome: DiskOutcome) => void): void {
    const startedAt = performance.now();
    if (this.fault === 'failing') {
      setImmediate(() => this.#finish(done, 'failed', startedAt));
      return;
    }
    const file = this.#files.get(name);
    if (file?.replacing) {
      // Durable with the file that it is in, and what came after that needs a sync of its own.
      file.replacing.waiting.push((outcome) => {
        if (outcome === 'ok') this.sync(name, done);
        else done(outcome);
      });
      return;
    }
    let fd: number;
    try {
      fd = this.#open(name).fd;
    } catch (error) {
      const outcome = isFull(error) ? 'full' : 'failed';
      setImmediate(() => this.#finish(done, outcome, startedAt));
      return;
    }
    fs.fdatasync(fd, (error) => this.#finish(done, outcomeOf(error), startedAt));
  }

  replace(name: string, bytes: Uint8Array, done: (outcome: DiskOutcome) => void): void {
    const startedAt = performance.now();
    if (this.fault !== 'none') {
      const outcome = this.fault === 'full' ? 'full' : 'failed';
      setImmediate(() => this.#finish(done, outcome, startedAt));
      return;
    }
    const path = this.#pathOf(name);
    const tmp = `${path}${tmpSuffix}${this.#tmpCount++}`;
    const before = this.#files.get(name);
    let fd: number | undefined;
    try {
      makeFolder(dirname(path));
      fd = fs.openSync(tmp, 'ax');
      writeAll(fd, bytes);
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      fs.rmSync(tmp, { force: true });
      setImmediate(() => this.#finish(done, isFull(error) ? 'full' : 'failed', startedAt));
      return;
    }
    const file: OpenFile = { name, path, fd, size: bytes.length, replacing: undefined };
    // A replacement overtaken by the next one ends with it: its own content is of no use any more.
    const waiting = before?.replacing?.waiting ?? [];
    if (before?.replacing) {
      fs.closeSync(before.fd);
      fs.rmSync(before.replacing.tmp, { force: true });
    }
    const oldFd = before?.replacing ? before.replacing.oldFd : before?.fd;
    const replacing: Replacing = { tmp, oldFd, waiting: [...waiting, done] };
    file.replacing = replacing;
    this.#files.set(name, file);
    fs.fsync(fd, (error) => {
      if (this.#closed || this.#files.get(name) !== file) return;
      if (error) this.#undo(file, replacing, outcomeOf(error), startedAt);
      else this.#rename(file, replacing, startedAt);
    });
  }

  remove(name: string): void {
    const file = this.#files.get(name);
    if (file) {
      fs.closeSync(file.fd);
      if (file.replacing?.oldFd !== undefined) fs.closeSync(file.replacing.oldFd);
      if (file.replacing) fs.rmSync(file.replacing.tmp, { force: true });
      this.#files.delete(name);
    }
    fs.rmSync(this.#pathOf(name), { force: true });
  }

  truncate(name: string, length: number): void {
    const file = this.#open(name);
    if (length >= file.size) return;
    fs.ftruncateSync(file.fd, length);
    file.size = length;
  }

  freeBytes(): number {
    if (this.fault === 'full') return 0;
    try {
      const { bavail, bsize } = fs.statfsSync(this.#directory);
      return bavail * bsize;
    } catch {
      // Some file systems do not say. A write finds out.
      return Number.POSITIVE_INFINITY;
    }
  }

  rot(bits: number, random: Random): void {
    const names = this.list().filter((name) => (this.read(name)?.length ?? 0) > 0);
    if (names.length === 0) return;
    for (let i = 0; i < bits; i++) {
      const name = random.pick(names);
      const path = this.#files.get(name)?.replacing?.tmp ?? this.#pathOf(name);
      const fd = fs.openSync(path, 'r+');
      const at = random.below(fs.fstatSync(fd).size);
      const byte = new Uint8Array(1);
      fs.readSync(fd, byte, 0, 1, at);
      byte[0]! ^= 1 << random.below(8);
      fs.writeSync(fd, byte, 0, 1, at);
      fs.closeSync(fd);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const file of this.#files.values()) {
      fs.closeSync(file.fd);
      if (file.replacing?.oldFd !== undefined) fs.closeSync(file.replacing.oldFd);
    }
    this.#files.clear();
  }

  #rename(file: OpenFile, replacing: Replacing, startedAt: number): void {
    try {
      fs.renameSync(replacing.tmp, file.path);
    } catch (error) {
      this.#undo(file, replacing, isFull(error) ? 'full' : 'failed', startedAt);
      return;
    }
    if (replacing.oldFd !== undefined) fs.closeSync(replacing.oldFd);
    syncFolder(dirname(file.path), (error) => {
      file.replacing = file.replacing === replacing ? undefined : file.replacing;
      for (const done of replacing.waiting) this.#finish(done, outcomeOf(error), startedAt);
    });
  }

  /** The old file stands; what was appended to the new one was never synced, so nobody relied on it. */
  #undo(file: OpenFile, replacing: Replacing, outcome: DiskOutcome, startedAt: number): void {
    fs.closeSync(file.fd);
    fs.rmSync(replacing.tmp, { force: true });
    this.#files.delete(file.name);
    if (replacing.oldFd !== undefined) fs.closeSync(replacing.oldFd);
    for (const done of replacing.waiting) this.#finish(done, outcome, startedAt);
  }

  #finish(done: (outcome: DiskOutcome) => void, outcome: DiskOutcome, startedAt: number): void {
    const extraMs = (performance.now() - startedAt) * (this.slowFactor - 1);
    const fire = () => {
      if (!this.#closed) this.#enter(() => done(outcome));
    };
    if (extraMs >= 1) setTimeout(fire, extraMs);
    else fire();
  }

  #open(name: string): OpenFile {
    const known = this.#files.get(name);
    if (known) return known;
    assert(!this.#closed, 'a closed disk is not written to');
    const path = this.#pathOf(name);
    let fd: number;
    let isNew = false;
    try {
      fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_APPEND);
    } catch (error) {
      if (!isMissing(error)) throw error;
      isNew = true;
      makeFolder(dirname(path));
      fd = fs.openSync(path, 'a');
    }
    // Its name must outlive a crash as well, or a synced file could be gone.
    if (isNew) syncFolderNow(dirname(path));
    const file = { name, path, fd, size: fs.fstatSync(fd).size, replacing: undefined };
    this.#files.set(name, file);
    return file;
  }

  #pathOf(name: string): string {
    assert(
      namePattern.test(name) && !/(^|\/)\.\.?(\/|$)/.test(name),
      `a file is not called ${name}`,
    );
    return join(this.#directory, ...name.split('/'));
  }

  #walk(directory: string): readonly string[] {
    if (!fs.existsSync(directory)) return [];
    return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? this.#walk(path) : [path];
    });
  }
}

function outcomeOf(error: Error | null | undefined): DiskOutcome {
  if (!error) return 'ok';
  return isFull(error) ? 'full' : 'failed';
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function syncFolder(path: string, done: (error: Error | null) => void): void {
  // Windows has no such thing, and its file system does not need it.
  if (process.platform === 'win32') {
    setImmediate(done, null);
    return;
  }
  fs.open(path, 'r', (failure, fd) => {
    if (failure) {
      done(failure);
      return;
    }
    fs.fsync(fd, (error) => fs.close(fd, () => done(error)));
  });
}
