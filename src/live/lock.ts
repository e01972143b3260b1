/**
 * One process a data directory. The lock is a file that names its owner: the process id, and when
 * that process started, because ids are used again and a directory must not stay locked by a
 * stranger who happens to have the id of the dead.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { LoadpathError } from '../kit/errors.ts';
import { errorCode, fileTrouble } from './files.ts';

interface Owner {
  readonly pid: number;
  /** When the process started and in which boot of the machine, where the system tells. */
  readonly started: string;
}

export interface Lock {
  release(): void;
}

/** Throws `LoadpathError('data-locked')` when a living process holds `directory`. */
export function lockDirectory(directory: string): Lock {
  const path = join(directory, 'lock');
  const mine: Owner & { readonly token: string } = {
    pid: process.pid,
    started: startOf(process.pid) ?? '',
    token: randomUUID(),
  };
  for (let tries = 0; tries < 20; tries++) {
    try {
      const fd = openSync(path, 'wx', 0o600);
      const content = JSON.stringify(mine);
      writeSync(fd, content);
      closeSync(fd);
      return { release: () => release(path, content) };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw fileTrouble(error, 'locking data', path);
    }
    const owner = ownerOf(path);
    if (owner === 'gone') continue;
    if (owner && isAlive(owner)) {
      throw new LoadpathError(
        'data-locked',
        `The data in ${directory} is in use by process ${owner.pid}. ` +
          `Stop that process, or give this run a data directory of its own (--data).`,
      );
    }
    removeStale(path);
  }
  throw new LoadpathError('data-locked', `The lock ${path} keeps changing hands; try again.`);
}

/**
 * Empty disks for the next run in `directory`. Removes what runs keep there and nothing else, which
 * may be the user's own. Throws `LoadpathError('data-locked')` while a run uses it.
 */
export function emptyDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const lock = lockDirectory(directory);
  try {
    for (const name of ['nodes', 'history']) {
      rmSync(join(directory, name), { recursive: true, force: true });
    }
  } finally {
    lock.release();
  }
}

/** Only what is still ours: it may have been taken over meanwhile. */
function release(path: string, content: string): void {
  try {
    if (readFileSync(path, 'utf8') === content) unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Undefined when the file says nothing: its writer died between creating and filling it. */
function ownerOf(path: string): Owner | 'gone' | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('pid' in parsed)) return undefined;
    const started = 'started' in parsed ? String(parsed.started) : '';
    return { pid: Number(parsed.pid), started };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'gone';
    if (error instanceof SyntaxError) return undefined;
    throw fileTrouble(error, 'reading a lock', path);
  }
}

/** Renamed first: of two processes that find the same stale lock only one gets to remove it. */
function removeStale(path: string): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
    unlinkSync(aside);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw fileTrouble(error, 'removing a stale lock', path);
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if (errorCode(error) === 'ESRCH') return false;
  }
  const started = startOf(owner.pid);
  return owner.started === '' || started === undefined || started === owner.started;
}

/** When `pid` started, in ticks since the machine booted, and which boot that was. Linux only. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold spaces and parentheses: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more; it only waits to be reaped.
    if (fields[0] === 'Z' || fields[0] === 'X') return 'ended';
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}
