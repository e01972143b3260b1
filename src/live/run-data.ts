/** What a run keeps in its data directory beside the files of nodes: its lock, its histories, and how often each node lived. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeId } from '../host/host.ts';
import { fileNameOf } from './files.ts';
import { type Lock, lockDirectory } from './lock.ts';

const runsKept = 5;

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
    mkdirSync(join(this.#dataDir, 'nodes'), { recursive: true });
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
    return join(this.#dataDir, 'nodes', fileNameOf(id), 'life');
  }

  readLife(id: NodeId): number {
    mkdirSync(join(this.#dataDir, 'nodes', fileNameOf(id)), { recursive: true });
    try {
      const life = Number(readFileSync(this.lifePath(id), 'utf8'));
      return Number.isSafeInteger(life) && life > 0 ? life : 0;
    } catch {
      // No life before this one, or none that can be read.
      return 0;
    }
  }

  writeLife(id: NodeId, life: number): void {
    writeFileSync(this.lifePath(id), String(life));
  }
}
