/** The built command line as a process of its own, in a process group of its own: what it says, how it ends, what it leaves. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../checkout.ts';

const main = join(root, 'dist/cli/main.js');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #out = '';
  #err = '';
  #over = false;
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], cwd: string) {
    this.child = spawn(process.execPath, [main, ...args], {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    this.child.stdout?.on('data', (piece) => {
      this.#out += piece;
      this.#look();
    });
    this.child.stderr?.on('data', (piece) => {
      this.#err += piece;
      this.#look();
    });
    this.ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        this.#over = true;
        this.#look();
        resolve({ code, out: this.#out, err: this.#err });
      };
      this.child.on('close', end);
      // A child that was left behind would hold the pipes open.
      this.child.on('exit', (code) => setTimeout(end, 3_000, code).unref());
    });
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error('it could not be started');
    return pid;
  }

  /** What it has said so far, both outputs. */
  get said(): string {
    return this.#out + this.#err;
  }

  /** The first match in what it says, past or to come; rejects when it ends without. */
  hear(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.said.match(pattern);
        if (!found && !this.#over) return;
        this.#watchers.delete(look);
        if (found) resolve(found);
        else reject(new Error(`it ended without saying ${pattern}:\n${this.said}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** The address of its edge, once everything is up. */
  async url(): Promise<string> {
    return (await this.hear(/Open (http:\S+)/))[1]!;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Ctrl-C in a terminal reaches every process of the group. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  /** So does the end of the terminal itself. */
  hangUp(): void {
    process.kill(-this.pid, 'SIGHUP');
  }

  /** Ends whatever of it is left. */
  sweep(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nothing is left.
    }
  }

  #look(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

const started = new Set<Running>();

export function loadpath(args: readonly string[], cwd: string = root): Running {
  const running = new Running(args, cwd);
  started.add(running);
  return running;
}

/** After each test: nothing of it may outlive it, even when it failed. */
export function sweepAll(): void {
  for (const running of started) running.sweep();
  started.clear();
}

/** Living processes of a group, zombies aside. */
export function groupOf(running: Running): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'pgid=,pid=,stat=,args='], { encoding: 'utf8' });
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith(`${running.pid} `) && !/^\d+\s+\d+\s+Z/.test(line));
}

/** Ids of node processes: all of the group but the supervisor. */
export function childrenOf(running: Running): readonly number[] {
  return groupOf(running)
    .map((line) => Number(line.split(/\s+/)[1]))
    .filter((pid) => pid !== running.pid);
}

/** Resolves when nothing of the group is left; the test's own time limit is the only other way out. */
export async function nothingLeft(running: Running): Promise<void> {
  while (groupOf(running).length > 0) await pause(50);
}

export interface Node {
  readonly id: string;
  readonly block: string;
  readonly state: string;
  readonly pid: number;
  readonly life: number;
}

/** The nodes as the run itself tells. */
export async function nodesOf(running: Running): Promise<readonly Node[]> {
  const [, admin] = await running.hear(/Meters (http:\S+)\/metrics/);
  const ask = () => fetch(`${admin}/status`);
  // A connection that was idle may end just as it is used again.
  const status = await (await ask().catch(ask)).json();
  return (status as { readonly nodes: readonly Node[] }).nodes;
}

/** Kills nodes with signal 9, all at once, and waits until each is up again in a later life. */
export async function killNodes(running: Running, which: (node: Node) => boolean): Promise<void> {
  const before = (await nodesOf(running)).filter(which);
  if (before.length === 0) throw new Error('there is no such node');
  for (const { pid } of before) process.kill(pid, 'SIGKILL');
  const isBack = (now: readonly Node[]) => (old: Node) =>
    now.some(({ id, state, life }) => id === old.id && state === 'up' && life > old.life);
  while (!before.every(isBack(await nodesOf(running)))) await pause(100);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const folders: string[] = [];

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-trouble-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
