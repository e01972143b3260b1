/**
 * The timer family on virtual time: globals, `timers`, `timers/promises`, promisified setTimeout,
 * AbortSignal.timeout. Delays follow Node: whole milliseconds, at least one.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import { inspect, promisify } from 'node:util';
import { intervalBegan, intervalEnded } from './leaks.ts';
import { disguised, type Patches } from './patches.ts';
import { current, type Scope } from './scope.ts';

type Callback = (...given: unknown[]) => unknown;
type WaitOptions = { readonly signal?: AbortSignal | undefined; readonly ref?: boolean };

const delayMaxMs = 2 ** 31 - 1;
/** As good as nothing, and yet time: a loop of immediates that waits for a timer must come to it. */
const immediateUs = 1;

/**
 * A timer must carry the context of an AsyncLocalStorage, if anybody uses one. Capturing it costs
 * more than the timer, so it starts with the first use.
 */
let contextsInUse = false;

/** Timers whose number was asked for, since `clearTimeout` takes numbers. Of each life its own. */
class Numbered {
  readonly timers = new Map<number, VirtualTimer>();
  #nextId = 1;

  add(timer: VirtualTimer): number {
    this.timers.set(this.#nextId, timer);
    return this.#nextId++;
  }
}

/** They go when the life does to which they belong. */
const numbered = new WeakMap<Scope, Numbered>();

function numberedOf(scope: Scope): Numbered {
  let known = numbered.get(scope);
  if (!known) {
    known = new Numbered();
    numbered.set(scope, known);
  }
  return known;
}

function delayUsOf(delay: unknown): number {
  const ms = Number(delay);
  return ms >= 1 && ms <= delayMaxMs ? Math.trunc(ms) * 1_000 : 1_000;
}

/** Looks like Node's `Timeout`. */
class VirtualTimer {
  readonly #scope: Scope;
  readonly #callback: () => void;
  readonly #delayUs: number;
  readonly #repeats: boolean;
  #timer: { cancel(): void } | undefined;
  #referenced = true;
  #id = 0;

  constructor(
    scope: Scope,
    callback: Callback,
    delayUs: number,
    repeats: boolean,
    args: unknown[],
  ) {
    this.#scope = scope;
    const run = contextsInUse ? AsyncResource.bind(callback) : callback;
    this.#callback = args.length === 0 ? () => run.call(this) : () => run.apply(this, args);
    this.#delayUs = delayUs;
    this.#repeats = repeats;
    if (repeats) intervalBegan(this, scope.node, delayUs);
    this.#arm();
  }

  /** A simulation ends when its time is up, so references keep nothing alive. */
  ref(): this {
    this.#referenced = true;
    return this;
  }

  unref(): this {
    this.#referenced = false;
    return this;
  }

  hasRef(): boolean {
    return this.#referenced;
  }

  refresh(): this {
    this.#timer?.cancel();
    this.#arm();
    return this;
  }

  close(): this {
    if (this.#repeats) intervalEnded(this);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#forgetNumber();
    return this;
  }

  [Symbol.toPrimitive](): number {
    if (this.#id === 0) this.#id = numberedOf(this.#scope).add(this);
    return this.#id;
  }

  [inspect.custom](): string {
    return `Timeout { delayMs: ${this.#delayUs / 1_000}, repeats: ${this.#repeats} }`;
  }

  #arm(): void {
    this.#timer = this.#scope.after(this.#delayUs, () => {
      this.#timer = undefined;
      if (this.#repeats) this.#arm();
      else this.#forgetNumber();
      this.#callback();
    });
  }

  #forgetNumber(): void {
    if (this.#id !== 0) numbered.get(this.#scope)?.timers.delete(this.#id);
  }
}

const disposal = (Symbol as { readonly dispose?: symbol }).dispose;
if (disposal) {
  Object.defineProperty(VirtualTimer.prototype, disposal, {
    value(this: VirtualTimer) {
      this.close();
    },
  });
}

function clear(timer: unknown, real: (timer: never) => void): void {
  if (timer instanceof VirtualTimer) {
    timer.close();
    return;
  }
  if (typeof timer === 'number' || typeof timer === 'string') {
    // Who has a number has it from here: it may not end a timer of the runner.
    if (current !== undefined) {
      numbered.get(current)?.timers.get(Number(timer))?.close();
      return;
    }
  }
  real(timer as never);
}

export function patchTimers(patches: Patches): void {
  const real = {
    setTimeout: timers.setTimeout,
    setInterval: timers.setInterval,
    setImmediate: timers.setImmediate,
    clearTimeout: timers.clearTimeout,
    clearInterval: timers.clearInterval,
    clearImmediate: timers.clearImmediate,
  };
  const promises = virtualPromises(patches);

  const make =
    (realMake: (...given: never[]) => unknown, repeats: boolean, immediate: boolean) =>
    (callback: Callback, ...rest: unknown[]): unknown => {
      // The platform's own function also knows how to refuse what is not a function.
      if (current === undefined || typeof callback !== 'function') {
        return realMake(callback as never, ...(rest as never[]));
      }
      if (immediate) return new VirtualTimer(current, callback, immediateUs, false, rest);
      const delayUs = delayUsOf(rest[0]);
      return new VirtualTimer(current, callback, delayUs, repeats, rest.slice(1));
    };
  const standIns: Record<string, Callback> = {
    setTimeout: make(real.setTimeout, false, false) as Callback,
    setInterval: make(real.setInterval, true, false) as Callback,
    setImmediate: make(real.setImmediate, false, true) as Callback,
    clearTimeout: (timer) => clear(timer, real.clearTimeout),
    clearInterval: (timer) => clear(timer, real.clearInterval),
    clearImmediate: (timer) => clear(timer, real.clearImmediate),
  };
  for (const [name, standIn] of Object.entries(standIns)) {
    disguised(standIn, real[name as keyof typeof real]);
    patches.value(globalThis, name, standIn);
    patches.value(timers, name, standIn);
  }
  for (const name of ['setTimeout', 'setImmediate'] as const) {
    Object.defineProperty(standIns[name]!, promisify.custom, {
      enumerable: true,
      get: () => promises[name],
    });
  }

  const realAbortTimeout = AbortSignal.timeout;
  patches.value(AbortSignal, 'timeout', (delay: number) => {
    if (current === undefined) return realAbortTimeout.call(AbortSignal, delay);
    const aborter = new AbortController();
    current.after(Math.max(0, Math.trunc(Number(delay)) || 0) * 1_000, () => {
      aborter.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    });
    return aborter.signal;
  });
  patchAny(patches);

  for (const name of ['run', 'enterWith'] as const) {
    const realMethod = AsyncLocalStorage.prototype[name] as Callback;
    patches.value(
      AsyncLocalStorage.prototype,
      name,
      disguised(function (this: unknown, ...given: unknown[]) {
        contextsInUse = true;
        return realMethod.apply(this, given);
      }, realMethod),
    );
  }
}

/**
 * Signals that follow others. Node itself keeps one that is listened to until one of those aborts, and
 * what a run leaves behind never does: so whoever ends the run lets go of them.
 */
let followers: WeakRef<AbortSignal>[] = [];
/** Those that are gone are looked for when there are twice as many as there were left. */
let followersMax = 1_000;

function patchAny(patches: Patches): void {
  const realAny = AbortSignal.any;
  const any = (signals: Iterable<AbortSignal>): AbortSignal => {
    const signal = realAny.call(AbortSignal, signals as AbortSignal[]);
    if (current !== undefined && !signal.aborted) follow(signal);
    return signal;
  };
  patches.value(AbortSignal, 'any', disguised(any, realAny));
}

function follow(signal: AbortSignal): void {
  if (followers.length >= followersMax) {
    followers = followers.filter((reference) => reference.deref()?.aborted === false);
    followersMax = Math.max(1_000, followers.length * 2);
  }
  followers.push(new WeakRef(signal));
}

/** After a run: nothing of it will abort any more, and no listener of it is to run. */
export function releaseSignals(): void {
  for (const reference of followers) {
    const signal = reference.deref();
    if (!signal || signal.aborted) continue;
    for (const listener of getEventListeners(signal, 'abort')) {
      signal.removeEventListener('abort', listener as () => void);
    }
  }
  followers = [];
  followersMax = 1_000;
}

function virtualPromises(patches: Patches): {
  readonly setTimeout: Callback;
  readonly setImmediate: Callback;
} {
  const real = {
    setTimeout: timersPromises.setTimeout as Callback,
    setImmediate: timersPromises.setImmediate as Callback,
    setInterval: timersPromises.setInterval as Callback,
  };
  const wait = (delay?: unknown, value?: unknown, options?: unknown): unknown =>
    current === undefined
      ? real.setTimeout(delay, value, options)
      : after(current, delayUsOf(delay), value, options as WaitOptions | undefined);
  const immediately = (value?: unknown, options?: unknown): unknown =>
    current === undefined
      ? real.setImmediate(value, options)
      : after(current, immediateUs, value, options as WaitOptions | undefined);
  const every = (delay?: unknown, value?: unknown, options?: unknown): unknown =>
    current === undefined
      ? real.setInterval(delay, value, options)
      : ticks(current, delayUsOf(delay), value, options as WaitOptions | undefined);

  patches.value(timersPromises, 'setTimeout', disguised(wait, real.setTimeout));
  patches.value(timersPromises, 'setImmediate', disguised(immediately, real.setImmediate));
  patches.value(timersPromises, 'setInterval', disguised(every, real.setInterval));
  const { scheduler } = timersPromises;
  const methods = Object.getPrototypeOf(scheduler) as object;
  const realWait = scheduler.wait;
  const realYield = scheduler.yield;
  patches.value(methods, 'wait', (delay: number, options?: WaitOptions) =>
    current === undefined
      ? realWait.call(scheduler, delay, options as never)
      : after(current, delayUsOf(delay), undefined, options),
  );
  patches.value(methods, 'yield', () =>
    current === undefined
      ? realYield.call(scheduler)
      : after(current, immediateUs, undefined, undefined),
  );
  return { setTimeout: wait, setImmediate: immediately };
}

function after(
  scope: Scope,
  delayUs: number,
  value: unknown,
  options: WaitOptions | undefined,
): Promise<unknown> {
  const signal = options?.signal;
  if (signal?.aborted) return Promise.reject(aborted(signal));
  return new Promise((resolve, reject) => {
    const timer = scope.after(delayUs, () => {
      signal?.removeEventListener('abort', giveUp);
      resolve(value);
    });
    const giveUp = () => {
      timer.cancel();
      reject(aborted(signal!));
    };
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}

async function* ticks(
  scope: Scope,
  delayUs: number,
  value: unknown,
  options: WaitOptions | undefined,
): AsyncGenerator<unknown> {
  const signal = options?.signal;
  if (signal?.aborted) throw aborted(signal);
  let due = 0;
  let wake: () => void = () => {};
  let timer = scope.after(delayUs, tick);
  function tick(): void {
    due++;
    timer = scope.after(delayUs, tick);
    wake();
  }
  const giveUp = () => wake();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    for (;;) {
      if (due === 0 && !signal?.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      for (; due > 0; due--) yield value;
      if (signal?.aborted) throw aborted(signal);
    }
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', giveUp);
  }
}

function aborted(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return Object.assign(error, { code: 'ABORT_ERR' });
}
