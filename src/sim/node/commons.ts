/**
 * What belongs to a process and not to a module: `globalThis`, `process.env`, listeners of `process`. All
 * nodes of a simulation share one process, so what user code keeps there is kept for one life of its node.
 *
 *   globalThis.db ??= connect()      the idiom for "one a process"
 *
 * Modules of a design are handed a `globalThis` that notices a new name. The real one then gets an accessor
 * of that name, which asks who is current: packages, and code that says just `db`, see the same.
 */
import { EventEmitter } from 'node:events';
import type { Patches } from './patches.ts';
import { current, type Scope } from './scope.ts';

/** Of one life. */
class Belongings {
  readonly globals = new Map<PropertyKey, unknown>();
  /** Undefined: deleted. */
  readonly env = new Map<string, string | undefined>();
  /** Signals and ends of a process do not happen here, so nobody calls them. */
  readonly listeners = new EventEmitter();
}

const belongings = new WeakMap<Scope, Belongings>();

function belongingsOf(scope: Scope): Belongings {
  let own = belongings.get(scope);
  if (!own) {
    own = new Belongings();
    belongings.set(scope, own);
  }
  return own;
}

/** Names that user code gave the global object. */
const named = new Set<PropertyKey>();

function name(key: PropertyKey): void {
  named.add(key);
  Object.defineProperty(globalThis, key, {
    get: () => current && belongingsOf(current).globals.get(key),
    set: (value: unknown) => {
      if (current) belongingsOf(current).globals.set(key, value);
    },
    enumerable: true,
    configurable: true,
  });
}

/** What the platform has is read and replaced on the platform: packages must see a polyfill. */
const ownGlobal: typeof globalThis = new Proxy(globalThis, {
  get(real, key) {
    if (key === 'globalThis' || key === 'global') return ownGlobal;
    return Reflect.get(real, key) as unknown;
  },
  set(real, key, value) {
    if (current === undefined || (key in real && !named.has(key))) {
      return Reflect.set(real, key, value);
    }
    if (!named.has(key)) name(key);
    belongingsOf(current).globals.set(key, value);
    return true;
  },
  has: (real, key) =>
    named.has(key)
      ? current !== undefined && belongingsOf(current).globals.has(key)
      : Reflect.has(real, key),
  deleteProperty(real, key) {
    if (current === undefined || !named.has(key)) return Reflect.deleteProperty(real, key);
    belongingsOf(current).globals.delete(key);
    return true;
  },
});

/** The global object for modules that are evaluated now. */
export function globalOfNow(): typeof globalThis {
  return current === undefined ? globalThis : ownGlobal;
}

/** After a run. */
export function releaseGlobals(): void {
  for (const key of named) Reflect.deleteProperty(globalThis, key);
  named.clear();
}

export function patchCommons(patches: Patches): void {
  patches.value(process, 'env', ownEnv(process.env));
  for (const method of [
    'on',
    'addListener',
    'prependListener',
    'once',
    'prependOnceListener',
    'off',
    'removeListener',
    'removeAllListeners',
    'listeners',
    'listenerCount',
  ] as const) {
    const real = process[method] as (...given: unknown[]) => unknown;
    patches.value(process, method, (...given: unknown[]): unknown => {
      if (current === undefined) return real.apply(process, given);
      const { listeners } = belongingsOf(current);
      const own = listeners[method] as (...given: unknown[]) => unknown;
      const answer = own.apply(listeners, given);
      return answer === listeners ? process : answer;
    });
  }
}

function ownEnv(real: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env = () => (current === undefined ? undefined : belongingsOf(current).env);
  const read = (key: PropertyKey): string | undefined => {
    const own = env();
    const isOwn = typeof key === 'string' && own?.has(key);
    return isOwn ? own!.get(key) : (Reflect.get(real, key) as string | undefined);
  };
  return new Proxy(real, {
    get: (_target, key) => read(key),
    has: (_target, key) => read(key) !== undefined,
    set(target, key, value) {
      const own = env();
      if (!own || typeof key !== 'string') return Reflect.set(target, key, value);
      own.set(key, String(value));
      return true;
    },
    deleteProperty(target, key) {
      const own = env();
      if (!own || typeof key !== 'string') return Reflect.deleteProperty(target, key);
      own.set(key, undefined);
      return true;
    },
    ownKeys: (target) =>
      [...new Set([...Reflect.ownKeys(target), ...(env()?.keys() ?? [])])].filter(
        (key) => read(key) !== undefined,
      ),
    getOwnPropertyDescriptor(_target, key) {
      const value = read(key);
      if (value === undefined) return undefined;
      return { value, writable: true, enumerable: true, configurable: true };
    },
  });
}

const prototypes = {
  Object: Object.prototype,
  Array: Array.prototype,
  String: String.prototype,
  Number: Number.prototype,
  Function: Function.prototype,
  Promise: Promise.prototype,
  Map: Map.prototype,
  Set: Set.prototype,
  Date: Date.prototype,
  Error: Error.prototype,
};

/** What came to be shared by all nodes since it was made: set by packages, or on prototypes. */
export class SharedGround {
  readonly #before = places();

  found(): readonly string[] {
    return [...places()].filter((place) => !this.#before.has(place));
  }
}

function places(): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (of: string, holder: object): void => {
    for (const key of Reflect.ownKeys(holder)) {
      if (holder !== globalThis || !named.has(key)) found.add(`${of}.${String(key)}`);
    }
  };
  add('globalThis', globalThis);
  for (const [of, holder] of Object.entries(prototypes)) add(`${of}.prototype`, holder);
  return found;
}
