/** What user code holds. The only place in this block where code is asynchronous. */
import type { Declaration } from '../../../host/declaration.ts';
import type { Micros, Value } from '../../../host/host.ts';
import { type DurationText, parseDuration } from '../../../kit/units.ts';
import { illegal } from '../../../parts/codec.ts';
import { copyOf } from '../../../parts/copy.ts';
import type { CacheApi, Loaded } from './client.ts';

export interface KeepOptions {
  /** Instead of the cache's own `ttl`. */
  readonly ttl?: DurationText | undefined;
}

export interface CacheHandle<T> {
  /**
   * The value, or undefined: absent, expired, known not to exist, or its node does not answer. The
   * caller's own: changing it changes nothing else.
   */
  get(key: string): Promise<T | undefined>;
  /** False when the node of this key did not confirm it: what it held may still be there. */
  set(key: string, value: T, options?: KeepOptions): Promise<boolean>;
  /** False when the node of this key did not confirm it: then its value may live on until its ttl. */
  delete(key: string): Promise<boolean>;
  /**
   * The cached value, or what `load` finds, kept for the next one: each caller gets its own. Callers that look for one key at
   * once share one lookup and one load: what they get was current when that began (a lookup lasts for
   * `timeout` and `wait` at most). It fails only if `load` does.
   */
  through(
    key: string,
    load: () => Promise<T | undefined> | T | undefined,
    options?: KeepOptions,
  ): Promise<T | undefined>;
}

/** Nothing of it belongs to one request, so those of a node share theirs. */
const handles = new WeakMap<CacheApi, CacheHandle<Value>>();

export function handle(
  api: CacheApi,
  _context: unknown,
  { name }: Declaration,
): CacheHandle<Value> {
  let shared = handles.get(api);
  if (!shared) {
    shared = handleOf(api, name);
    handles.set(api, shared);
  }
  return shared;
}

function handleOf(api: CacheApi, name: string): CacheHandle<Value> {
  return Object.freeze<CacheHandle<Value>>({
    get: (key) =>
      new Promise((resolve) => {
        checkKey(name, 'get', key);
        api.get(key, (value) => resolve(copyOf(value)));
      }),
    set: (key, value, options) =>
      new Promise((resolve) => {
        checkKey(name, 'set', key);
        checkValue(name, 'set', value);
        api.set(key, copyOf(value), ttlOf(name, options), resolve);
      }),
    delete: (key) =>
      new Promise((resolve) => {
        checkKey(name, 'delete', key);
        api.delete(key, resolve);
      }),
    through: (key, load, options) =>
      new Promise((resolve, reject) => {
        checkKey(name, 'through', key);
        const start = (done: (loaded: Loaded) => void) => {
          void run(name, load).then(done);
        };
        api.through(key, ttlOf(name, options), start, (loaded) =>
          loaded.ok ? resolve(copyOf(loaded.value)) : reject(loaded.failure),
        );
      }),
  });
}

async function run(
  name: string,
  load: () => Promise<Value | undefined> | Value | undefined,
): Promise<Loaded> {
  try {
    const value = await load();
    if (value !== undefined) checkValue(name, 'through', value);
    // Copied before anybody has it: callers who share it and the cache node get what was loaded.
    return { ok: true, value: copyOf(value) };
  } catch (failure) {
    return { ok: false, failure };
  }
}

function checkKey(name: string, operation: string, key: unknown): void {
  if (typeof key === 'string') return;
  throw new TypeError(`${name}.${operation}: a key is text, got ${typeof key}`);
}

function checkValue(name: string, operation: string, value: unknown): void {
  const reason = value === undefined ? 'undefined is no value' : illegal(value);
  if (reason !== undefined) throw new TypeError(`${name}.${operation}: ${reason}`);
}

function ttlOf(name: string, options: KeepOptions | undefined): Micros | undefined {
  if (options?.ttl === undefined) return undefined;
  const ttlUs = parseDuration(options.ttl);
  if (ttlUs !== undefined && ttlUs > 0) return ttlUs;
  throw new TypeError(`${name}: ttl must be a duration like '10m', got '${options.ttl}'`);
}
