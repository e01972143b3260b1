/**
 * Running dry: after each event every microtask and `nextTick` that follows from it must have run
 * before the next event, or code of one node would run in the name of another. Waiting for the
 * real event loop costs three times as much and lets real I/O in, so the drain is synchronous.
 */
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { LoadpathError } from '../../kit/errors.ts';
import { current } from './scope.ts';

export type Drain = () => void;

/**
 * The way to drain that works on this Node, found by trying. Call it, and the drain itself, from a
 * macrotask (a timer, an immediate, a message): inside a promise's continuation the microtask
 * queue is already running and cannot be run again. Throws LoadpathError 'stuck' when no way works.
 */
export function chooseDrain(): Drain {
  for (const candidate of [tickCallback, microtaskCheckpoint]) {
    const found = candidate();
    if (!found) continue;
    trying = true;
    const works = drainsAll(found.drain);
    trying = false;
    if (works) return found.drain;
    found.undo?.();
  }
  throw new LoadpathError(
    'stuck',
    `This Node (${process.version}) cannot run microtasks to the end synchronously, which a simulation needs. ` +
      'If the simulation was started from an async function or a promise, start it from a timer instead: setImmediate(() => …).',
  );
}

interface Candidate {
  readonly drain: Drain;
  readonly undo?: () => void;
}

let trying = false;

/** Microtasks, nextTick and unhandled rejections. Deprecated in name only; there since Node 0.x. */
function tickCallback(): Candidate | undefined {
  const { _tickCallback } = process as unknown as { readonly _tickCallback?: () => void };
  if (typeof _tickCallback !== 'function') return undefined;
  const run = () => _tickCallback.call(process);
  return { drain: () => keepOn(run) };
}

/** A `nextTick` callback that throws comes out of the drain, with the rest still waiting. */
function keepOn(drain: Drain): void {
  for (;;) {
    try {
      drain();
      return;
    } catch (thrown) {
      if (!strayHook) throw thrown;
      strayHook(current?.node, thrown);
      queueMicrotask(clearContexts);
    }
  }
}

/**
 * Node enters an asynchronous context for each tick, and one that threw is never left: at the end of
 * the outer macrotask Node would find a context that it did not expect, and abort the process. What is
 * thrown in a microtask Node handles itself, and then forgets all contexts.
 */
function clearContexts(): void {
  throw contextsCleared;
}

const contextsCleared = new Error('a tick threw');

/**
 * Microtasks only, so `nextTick` becomes one of them. Rejections that nobody handles are told when
 * the event loop turns again, without the name of their node.
 */
function microtaskCheckpoint(): Candidate | undefined {
  let drain: Drain;
  try {
    setFlagsFromString('--allow-natives-syntax');
    drain = runInThisContext('(() => { %PerformMicrotaskCheckpoint(); })') as Drain;
    // Compiled at the first call, which must happen while the syntax is allowed.
    drain();
  } catch {
    return undefined;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
  const real = process.nextTick;
  process.nextTick = (run: (...given: unknown[]) => void, ...given: unknown[]) => {
    if (current === undefined && !trying) real(run, ...given);
    else queueMicrotask(() => run(...given));
  };
  const undo = () => {
    process.nextTick = real;
  };
  return { drain, undo };
}

/** Long chains, nested functions, queueMicrotask and nextTick in turn must all be done afterwards. */
function drainsAll(drain: Drain): boolean {
  let reached = 0;
  const hop = async (left: number): Promise<void> => {
    if (left === 0) return;
    await null;
    await hop(left - 1);
  };
  void hop(50).then(() => {
    reached++;
    process.nextTick(() => {
      reached++;
      queueMicrotask(() => {
        reached++;
        void Promise.resolve().then(() => reached++);
      });
    });
  });
  try {
    drain();
  } catch {
    return false;
  }
  return reached === 4;
}

/** What user code let fall: an unhandled rejection, or a throw in a microtask or nextTick. */
export type StrayHook = (node: string | undefined, thrown: unknown) => void;

let strayHook: StrayHook | undefined;

/**
 * Sends what nobody caught to `hook` with the node that was current, instead of ending the
 * process. Listeners of others are set aside meanwhile and still get what belongs to no node.
 * Returns the way back.
 */
export function catchStrays(hook: StrayHook): () => void {
  const hookBefore = strayHook;
  strayHook = hook;
  const events = ['unhandledRejection', 'uncaughtException'] as const;
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  const own = events.map((_, index) => (thrown: unknown, detail: unknown) => {
    if (thrown === contextsCleared) return;
    const others = before[index]! as unknown as ((...given: unknown[]) => void)[];
    if (current === undefined && others.length > 0) {
      for (const listener of others) listener.call(process, thrown, detail);
      return;
    }
    hook(current?.node, thrown);
  });
  for (const [index, event] of events.entries()) {
    process.removeAllListeners(event);
    process.on(event, own[index]! as never);
  }
  return () => {
    strayHook = hookBefore;
    for (const [index, event] of events.entries()) {
      process.removeListener(event, own[index]! as never);
      for (const listener of before[index]!) process.on(event as 'uncaughtException', listener);
    }
  };
}
