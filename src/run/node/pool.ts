/**
 * Simulation workers: one a task at a time, as many as there are cores. The parent stays free for
 * signals, progress and Studio.
 */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { LoadpathError } from '../../kit/errors.ts';
import { formatDuration } from '../../kit/units.ts';
import { stallText } from '../stall.ts';
import type { DesignBundle } from './bundle.ts';
import { entry } from './entry.ts';
import { Pulse } from './pulse.ts';
import type { Answer, Done, LoadOrder, Task } from './tasks.ts';

type Hear = (answer: Answer) => void;

interface Waiting {
  readonly task: Task;
  readonly hear: Hear | undefined;
  /** Aborted, the task is to end by itself; if its code does not let it, its thread is ended. */
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: Done) => void;
  readonly reject: (failure: Error) => void;
}

/**
 * Almost everything a simulation makes dies young. Measured on the shortener: with room for it to do
 * so, a run takes about a tenth less time.
 */
const maxYoungGenerationSizeMb = 128;
/**
 * What a worker's young generation begins with. Left to itself it begins with one megabyte and grows
 * only by what survives, which is next to nothing here, so that it is collected far more often. There
 * is no limit to ask for this by, only a flag, which the engine reads when a worker starts. Measured as
 * shares of the processor: collecting takes 3 % instead of 7 % of calls between services, and 7 % either
 * way of a store of three replicas, where it grew anyway.
 */
const firstSemiSpaceMb = 16;

/** Looked at so often. */
const lookEveryMs = 500;
/** Longer than honest work takes, such as deriving a key, and soon enough for who sits in front of it. */
const stallTellMs = 5_000;
/** For who asked it to end. */
const stallEndMs = 3_000;

/** A worker as it is seen from here. */
interface Watched {
  readonly pulse: Pulse;
  turn: number;
  sinceMs: number;
  isTold: boolean;
}

export class Pool {
  readonly #bundle: Promise<DesignBundle>;
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #all = new Map<Worker, Watched>();
  readonly #busy = new Map<Worker, Waiting>();
  readonly #queue: Waiting[] = [];
  #closed = false;
  #looking: NodeJS.Timeout | undefined;

  /** `bundle` is made while the first worker starts up; if it fails, so do the tasks. */
  constructor(bundle: Promise<DesignBundle>, size = availableParallelism()) {
    this.#bundle = bundle;
    this.#size = size;
    const first = this.#start();
    if (first) this.#idle.push(first);
  }

  get size(): number {
    return this.#size;
  }

  async run(task: Task, hear?: Hear, signal?: AbortSignal): Promise<Done> {
    await this.#bundle;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the pool is closed'));
      this.#queue.push({ task, hear, signal, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    await Promise.all([...this.#all.keys()].map((worker) => worker.terminate()));
  }

  #next(): void {
    const waiting = this.#queue[0];
    if (!waiting) return;
    const worker = this.#idle.pop() ?? this.#start();
    if (!worker) return;
    this.#queue.shift();
    this.#busy.set(worker, waiting);
    const watched = this.#all.get(worker)!;
    watched.sinceMs = performance.now();
    worker.postMessage(waiting.task);
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /** Tells of workers whose code stands at one event, and ends those that were asked to end. */
  #look(): void {
    const now = performance.now();
    for (const [worker, { hear, signal }] of this.#busy) {
      const watched = this.#all.get(worker)!;
      const { turn, isIn, place, at } = watched.pulse.look();
      if (!isIn || turn !== watched.turn) {
        Object.assign(watched, { turn, sinceMs: now, isTold: false });
        continue;
      }
      const stoodMs = now - watched.sinceMs;
      const stall = { node: place, at, seconds: Math.floor(stoodMs / 1_000) };
      if (signal?.aborted && stoodMs >= stallEndMs) {
        const message = `ended by force, since it heard nothing: ${stallText(stall)}`;
        this.#lose(worker, new LoadpathError('stuck', message));
        void worker.terminate();
      } else if (stoodMs >= stallTellMs && !watched.isTold) {
        watched.isTold = true;
        hear?.({ type: 'stall', stall });
      }
    }
    if (this.#busy.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #start(): Worker | undefined {
    if (this.#all.size >= this.#size) return undefined;
    setFlagsFromString(`--min-semi-space-size=${firstSemiSpaceMb}`);
    const pulse = new Pulse();
    const worker = new Worker(entry('worker', import.meta.url), {
      workerData: pulse.shared,
      resourceLimits: { maxYoungGenerationSizeMb },
      // What packages say as they load is not what the command was asked for.
      stdout: true,
    });
    worker.stdout.on('data', (piece: Uint8Array) => process.stderr.write(piece));
    this.#all.set(worker, { pulse, turn: 0, sinceMs: 0, isTold: false });
    this.#bundle.then(
      (bundle) => worker.postMessage({ kind: 'load', bundle } satisfies LoadOrder),
      // Told to whoever runs a task.
      () => {},
    );
    worker.on('message', (answer: Answer) => this.#hear(worker, answer));
    worker.on('error', (failure) => {
      const isFull = 'code' in failure && failure.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#lose(worker, isFull ? outOfMemory(pulse) : failure);
    });
    worker.on('exit', (code) => {
      this.#lose(worker, new Error(`a simulation worker ended with code ${code}`));
    });
    return worker;
  }

  #hear(worker: Worker, answer: Answer): void {
    const waiting = this.#busy.get(worker);
    if (!waiting) return;
    if (answer.type !== 'done' && answer.type !== 'failed') return waiting.hear?.(answer);
    this.#busy.delete(worker);
    this.#idle.push(worker);
    if (answer.type === 'done') waiting.resolve(answer.value);
    else waiting.reject(revived(answer));
    this.#next();
  }

  #lose(worker: Worker, failure: Error): void {
    this.#all.delete(worker);
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#busy.get(worker)?.reject(failure);
    this.#busy.delete(worker);
    if (!this.#closed) this.#next();
  }
}

/** Its heap ended with it: what is known is what it told last. */
function outOfMemory(pulse: Pulse): LoadpathError {
  const { place, at } = pulse.look();
  const when = at > 0 ? ` at ${formatDuration(at)} of the load` : '';
  return new LoadpathError(
    'out-of-memory',
    `the simulation ran out of memory${when}; the last code to run was that of ${place}. ` +
      'If it keeps more and more, that is the leak. Otherwise shorten the run or lower its rate, or give it ' +
      'more memory, in megabytes: NODE_OPTIONS=--max-old-space-size=8192',
    { problems: [{ at: place, what: 'ran last before memory was used up' }] },
  );
}

function revived(answer: Answer & { type: 'failed' }): Error {
  if (answer.code) {
    return new LoadpathError(answer.code, answer.message, { problems: answer.problems });
  }
  const error = new Error(answer.message);
  if (answer.stack !== undefined) error.stack = answer.stack;
  return error;
}
