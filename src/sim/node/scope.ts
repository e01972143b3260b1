/**
 * On whose behalf code runs right now. The kernel sets it around every event, and because it
 * drains microtasks before the next one, everything user code does in between belongs to that
 * node. A plain variable: AsyncLocalStorage would cost three times the whole event.
 */
import type { Micros } from '../../host/host.ts';
import type { Random } from '../../kit/random.ts';

/** What user code on one node may know of the outside, under the platform's usual names. */
export interface Scope {
  readonly node: string;
  /** Monotonic, since this node's boot. */
  now(): Micros;
  /** Since 1970. */
  wall(): Micros;
  /** `fire` is called with this scope entered. */
  after(delayUs: Micros, fire: () => void): { cancel(): void };
  /** Behind Math.random and crypto. */
  readonly random: Random;
  fetch(input: string | URL | globalThis.Request, init?: RequestInit): Promise<globalThis.Response>;
  log(level: LogLevel, text: string): void;
  /** It asked for what only the real world has, by the name of the call, and is thrown an error: which may be caught. */
  reached(call: string): void;
}

export type LogLevel = 'log' | 'warn' | 'error';

/** Undefined: the runner's own code runs, and the platform behaves as always. */
export let current: Scope | undefined;

/** More than 0: files may be read, since modules are being loaded. */
let loadingDepth = 0;

/** Makes `scope` current and returns the one before, to be entered again afterwards. */
export function enter(scope: Scope | undefined): Scope | undefined {
  const before = current;
  current = scope;
  return before;
}

/** Runs `load`, during which real files may be read: modules and their data are part of the design. */
export function loading<T>(load: () => T): T {
  loadingDepth++;
  try {
    return load();
  } finally {
    loadingDepth--;
  }
}

export function isLoading(): boolean {
  return loadingDepth > 0;
}
