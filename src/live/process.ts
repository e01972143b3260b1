/** One life of a node, as the supervisor holds it: a child process, or a session in this one. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { NodePlan } from '../host/plan.ts';
import { Fifo } from '../parts/fifo.ts';
import { type MakeBoot, type News, type Order, Session } from './session.ts';
import { onBehalfOf } from './strays.ts';

export interface Life {
  /** Undefined when it is no process of its own. */
  readonly pid: number | undefined;
  /** Drops what the life is no longer there to hear. */
  order(order: Order): void;
  /** A connection becomes this life's; it is broken off if there is nobody to take it. */
  hand(port: string, socket: Socket): void;
  /** Ends it at once; `ended` follows. */
  kill(): void;
  /** Stands still until `resume`. False where that cannot be done. */
  pause(): boolean;
  resume(): void;
}

export interface LifeEvents {
  readonly news: (news: News) => void;
  readonly line: (level: 'log' | 'error', text: string) => void;
  /** Called once, when it is certainly over. `how` says so in words. */
  readonly ended: (how: string) => void;
}

/** Its id and kind are arguments for those who list processes, and so that it may begin with what its kind needs. */
export function startChild(entry: URL, { id, kind }: NodePlan, events: LifeEvents): Life {
  const child = fork(fileURLToPath(entry), [id, kind], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Bytes and bigints pass between the processes as they are.
    serialization: 'advanced',
  });
  return new ChildLife(child, events);
}

export function startHere(makeBoot: MakeBoot, events: LifeEvents): Life {
  let over = false;
  const end = (how: string) => {
    if (over) return;
    over = true;
    setImmediate(() => events.ended(how));
  };
  const within = (run: () => void) => onBehalfOf(session, run);
  const session: Session = new Session(
    makeBoot,
    (news) => setImmediate(() => events.news(news)),
    () => setImmediate(() => end('it ended')),
    within,
  );
  return {
    pid: undefined,
    order: (order) => {
      if (!over) setImmediate(() => within(() => session.take(order)));
    },
    hand: (port, socket) => {
      if (over) socket.resetAndDestroy();
      else {
        const order: Order = { type: 'connection', port };
        setImmediate(() => within(() => session.take(order, socket)));
      }
    },
    kill: () => {
      session.kill();
      end('killed');
    },
    pause: () => false,
    resume: () => {},
  };
}

class ChildLife implements Life {
  readonly #child: ChildProcess;
  /** Connections that the child has not taken yet. Node would forget them when it dies, and leave them open. */
  readonly #handed = new Fifo<Socket>();
  #over = false;
  #watcher: ChildProcess | undefined;

  constructor(child: ChildProcess, events: LifeEvents) {
    this.#child = child;
    child.on('message', (message) => {
      const news = message as News | { readonly type: 'bye' };
      // Closes this process's end of it, and no more: the child has its own.
      if (news.type === 'taken') this.#handed.shift()?.destroy();
      else if (news.type !== 'bye') events.news(news);
    });
    const streams = [
      [child.stdout, 'log'],
      [child.stderr, 'error'],
    ] as const;
    for (const [stream, level] of streams) {
      if (stream) createInterface(stream).on('line', (text) => events.line(level, text));
    }
    child.on('error', (error) => this.#end(events, error.message));
    // 'close' rather than 'exit': the last lines it wrote are in by then.
    child.on('close', (code, signal) =>
      this.#end(events, signal ? `ended by ${signal}` : `ended with code ${code}`),
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  order(order: Order): void {
    if (this.#over || !this.#child.connected) return;
    // It may die while this is on its way; 'close' tells.
    this.#child.send(order, () => {});
  }

  hand(port: string, socket: Socket): void {
    if (this.#over || !this.#child.connected) {
      socket.resetAndDestroy();
      return;
    }
    const order: Order = { type: 'connection', port };
    this.#handed.push(socket);
    this.#child.send(order, socket, { keepOpen: true }, () => {});
  }

  kill(): void {
    this.#stopWatching();
    this.#child.kill('SIGKILL');
  }

  pause(): boolean {
    const { pid } = this.#child;
    if (this.#over || pid === undefined || process.platform === 'win32') return false;
    if (!this.#child.kill('SIGSTOP')) return false;
    // A stopped process cannot notice that the supervisor was killed: somebody must wake it then.
    const script =
      'while kill -0 "$1" 2>/dev/null; do sleep 0.2; done; kill -CONT "$2" 2>/dev/null';
    this.#watcher = spawn('/bin/sh', ['-c', script, 'sh', String(process.pid), String(pid)], {
      stdio: 'ignore',
      detached: true,
    });
    this.#watcher.on('error', () => {});
    this.#watcher.unref();
    return true;
  }

  resume(): void {
    if (!this.#over) this.#child.kill('SIGCONT');
    this.#stopWatching();
  }

  #stopWatching(): void {
    const pid = this.#watcher?.pid;
    this.#watcher = undefined;
    if (pid === undefined) return;
    try {
      // Its own group: the shell and the `sleep` it waits for.
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }

  #end(events: LifeEvents, how: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWatching();
    for (let left = this.#handed.shift(); left; left = this.#handed.shift()) {
      left.resetAndDestroy();
    }
    events.ended(how);
  }
}
