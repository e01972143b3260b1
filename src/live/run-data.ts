/** What a run keeps in its data directory beside the files of nodes: its lock, its histories, and how often each node lived. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeId } from '../host/host.ts';
import { LoadpathError } from '../kit/errors.ts';
import { fileNameOf, makeFolder, replaceFile } from './files.ts';
import { type Lock, lockDirectory } from './lock.ts';

const runsKept = 5;
/** Ids count on from a node's life times 2^32, and are exact up to 2^53. */
const livesMax = 2 ** 20;

export class RunData {
  readonly historyDir: string;
  readonly #dataDir: string;
  #lock: Lock | undefined;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.historyDir = join(dataDir, 'history', `${Date.now()}-${process.pid}`);
  }

  /** Throws what the file system says, or `LoadpathError('data-locked')`. */
  open(): void {
    makeFolder(join(this.#dataDir, 'nodes'));
    this.#lock = lockDirectory(this.#dataDir);
    mkdirSync(this.historyDir, { recursive: true });
    const runs = readdirSync(join(this.#dataDir, 'history')).sort();
    for (const run of runs.slice(0, -runsKept)) {
      rmSync(join(this.#dataDir, 'history', run), { recursive: true, force: true });
    }
  }

  close(): void {
    this.#lock?.release();
  }

  lifePath(id: NodeId): string {
    return join(this.#folderOf(id), 'life');
  }

  /**
   * Counts one more life of a node, after `former` in this run, durably before it begins: versions,
   * ids of messages and of calls rest on it that none comes twice. Throws `LoadpathError('data-corrupt')`
   * when it is not known how often the node lived.
   */
  beginLife(id: NodeId, former: number): number {
    makeFolder(this.#folderOf(id));
    const life = 1 + (former > 0 ? former : this.#formerLives(id));
    replaceFile(this.lifePath(id), String(life));
    return life;
  }

  #formerLives(id: NodeId): number {
    const path = this.lifePath(id);
    if (!existsSync(path)) {
      // A node's files are made in its first life.
      if (existsSync(join(this.#folderOf(id), 'files'))) throw unknownLife(path, 'is lost');
      return 0;
    }
    const text = readFileSync(path, 'utf8');
    const life = /^\d+\s*$/.test(text) ? Number(text) : 0;
    if (life < 1 || life > livesMax) throw unknownLife(path, 'is damaged');
    return life;
  }

  #folderOf(id: NodeId): string {
    return join(this.#dataDir, 'nodes', fileNameOf(id));
  }
}

function unknownLife(path: string, what: string): LoadpathError {
  return new LoadpathError(
    'data-corrupt',
    `${path} ${what}: it says how often this node has started, so that no id is given twice. ` +
      'Write a number into it that is surely not below its starts so far, such as 100000.',
  );
}
