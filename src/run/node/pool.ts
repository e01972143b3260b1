/**
 * Simulation workers: one a task at a time, as many as there are cores. The parent stays free for
 * signals, progress and Studio.
 */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { LoadpathError } from '../../kit/errors.ts';
import type { DesignBundle } from './bundle.ts';
import { entry } from './entry.ts';
import type { Answer, Done, LoadOrder, Task } from './tasks.ts';

type Hear = (answer: Answer) => void;

interface Waiting {
  readonly task: Task;
  readonly hear: Hear | undefined;
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

export class Pool {
  readonly #bundle: Promise<DesignBundle>;
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #busy = new Map<Worker, Waiting>();
  readonly #queue: Waiting[] = [];
  #closed = false;

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

  async run(task: Task, hear?: Hear): Promise<Done> {
    await this.#bundle;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the pool is closed'));
      this.#queue.push({ task, hear, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #next(): void {
    const waiting = this.#queue[0];
    if (!waiting) return;
    const worker = this.#idle.pop() ?? this.#start();
    if (!worker) return;
    this.#queue.shift();
    this.#busy.set(worker, waiting);
    worker.postMessage(waiting.task);
  }

  #start(): Worker | undefined {
    if (this.#all.size >= this.#size) return undefined;
    setFlagsFromString(`--min-semi-space-size=${firstSemiSpaceMb}`);
    const worker = new Worker(entry('worker', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    this.#all.add(worker);
    this.#bundle.then(
      (bundle) => worker.postMessage({ kind: 'load', bundle } satisfies LoadOrder),
      // Told to whoever runs a task.
      () => {},
    );
    worker.on('message', (answer: Answer) => this.#hear(worker, answer));
    worker.on('error', (failure) => this.#lose(worker, failure));
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

function revived(answer: Answer & { type: 'failed' }): Error {
  if (answer.code) {
    return new LoadpathError(answer.code, answer.message, { problems: answer.problems });
  }
  const error = new Error(answer.message);
  if (answer.stack !== undefined) error.stack = answer.stack;
  return error;
}
