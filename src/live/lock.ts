/**
 * One process a data directory. The lock is a file that names its owner: the process id, and when
 * that process started, because ids are used again and a directory must not stay locked by a
 * stranger who happens to have the id of the dead.
 *
 *   draft ──link──▶ lock                       whole at once, and only where there is none
 *   draft ──link──▶ lock.<token> ──rename──▶ lock   in the place of one whose owner is dead
 *
 * Whoever takes over from the dead first locks what names that one lock. Without it two could find the same
 * stale lock, and the slower one would remove the lock of the faster.
 */
import { randomUUID } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
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

/** What a lock file says, and who that is; undefined when it says nothing that can be read. */
interface Found {
  readonly content: string;
  readonly owner: (Owner & { readonly token: string }) | undefined;
}

const triesMax = 100;

/** What file systems without hard links say. */
const linkless: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/** Throws `LoadpathError('data-locked')` when a living process holds `directory`. */
export function lockDirectory(directory: string): Lock {
  const path = join(directory, 'lock');
  const token = randomUUID();
  const draft = `${path}.draft-${token}`;
  const mine = { pid: process.pid, started: startOf(process.pid) ?? '', token };
  const content = JSON.stringify(mine);
  try {
    writeFileSync(draft, content, { flag: 'wx', mode: 0o600 });
    const holder = acquire(path, draft, content);
    if (holder) {
      throw new LoadpathError(
        'data-locked',
        `The data in ${directory} is in use by process ${holder.pid}. ` +
          `Stop that process, or give this run a data directory of its own (--data).`,
      );
    }
  } catch (error) {
    throw fileTrouble(error, 'locking data', path);
  } finally {
    rmSync(draft, { force: true });
  }
  return { release: () => release(path, content) };
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

/** `path` becomes `content`, which `draft` holds; or somebody living has it, who is returned. */
function acquire(path: string, draft: string, content: string): Owner | undefined {
  for (let tries = 0; tries < triesMax; tries++) {
    if (place(path, draft, content)) return undefined;
    const found = read(path);
    if (!found) continue; // Released just now.
    if (found.owner && isAlive(found.owner)) return found.owner;
    const heir = inherit(path, found, draft, content);
    if (heir !== 'late') return heir;
  }
  throw new LoadpathError('data-locked', `The lock ${path} keeps changing hands; try again.`);
}

/**
 * Takes a lock over from the dead. Undefined: done; an owner: it is being taken over by somebody else, who lives;
 * late: somebody did meanwhile. The right to do it is a lock itself, whose holder may die as well.
 */
function inherit(
  path: string,
  dead: Found,
  draft: string,
  content: string,
): Owner | undefined | 'late' {
  const right = `${path}.${dead.owner?.token.slice(0, 8) ?? 'unreadable'}`;
  const holder = acquire(right, draft, content);
  if (holder) return holder;
  // Nobody but the holder of the right may remove this very lock: what is seen here stays.
  const isThere = read(path)?.content === dead.content;
  // Two names of one file are not renamed into each other, so the right itself becomes the lock.
  if (isThere) renameSync(right, path);
  else release(right, content);
  return isThere ? undefined : 'late';
}

/** Whole at once, unless something is there. */
function place(path: string, draft: string, content: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return false;
    if (!linkless.has(code)) throw error;
  }
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

function read(path: string): Found | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return { content, owner: ownerIn(content) };
}

/** Undefined when a power cut left too little of it. */
function ownerIn(content: string): Found['owner'] {
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed !== 'object' || parsed === null || !('pid' in parsed)) return undefined;
    const pid = Number(parsed.pid);
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
    const started = 'started' in parsed ? String(parsed.started) : '';
    const token = 'token' in parsed ? String(parsed.token) : '';
    return { pid, started, token };
  } catch {
    return undefined;
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
