/** What user code holds. The only place in this block where code is asynchronous. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import type { Micros, Value } from '../../../host/host.ts';
import { type DurationText, parseDuration } from '../../../kit/units.ts';
import { illegal, illegalText } from '../../../parts/codec.ts';
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
   * The cached value, or what `load` finds, kept for the next one: each caller gets its own. Callers
   * that look for one key at once share one lookup and one load: what they get was current when that
   * began (a lookup lasts for `timeout` and `wait` at most). It fails only if `load` does. A load that takes longer than `lease`, or
   * whose caller had no time left, is not waited for: the next one of those who share it loads.
   */
  through(
    key: string,
    load: () => Promise<T | undefined> | T | undefined,
    options?: KeepOptions,
  ): Promise<T | undefined>;
}

export function handle(
  api: CacheApi,
  context: RequestContext,
  { name }: Declaration,
): CacheHandle<Value> {
  return new Held(api, context, name);
}

/**
 * One is made for each request, used or not, so it holds no functions: each is made when it is looked
 * at, and works without the handle as those of a plain object do.
 */
class Held implements CacheHandle<Value> {
  readonly #api: CacheApi;
  readonly #context: RequestContext;
  readonly #name: string;

  constructor(api: CacheApi, context: RequestContext, name: string) {
    this.#api = api;
    this.#context = context;
    this.#name = name;
  }

  get get(): CacheHandle<Value>['get'] {
    return (key) =>
      new Promise((resolve) => {
        checkKey(this.#name, 'get', key);
        this.#api.get(key, (value) => resolve(copyOf(value)));
      });
  }

  get set(): CacheHandle<Value>['set'] {
    return (key, value, options) =>
      new Promise((resolve) => {
        const name = this.#name;
        checkKey(name, 'set', key);
        checkValue(name, 'set', value);
        this.#api.set(key, copyOf(value), ttlOf(name, options), resolve);
      });
  }

  get delete(): CacheHandle<Value>['delete'] {
    return (key) =>
      new Promise((resolve) => {
        checkKey(this.#name, 'delete', key);
        this.#api.delete(key, resolve);
      });
  }

  get through(): CacheHandle<Value>['through'] {
    return (key, load, options) =>
      new Promise((resolve, reject) => {
        const name = this.#name;
        checkKey(name, 'through', key);
        this.#api.through(
          key,
          ttlOf(name, options),
          (done) => void run(name, load).then(done),
          (loaded) => (loaded.ok ? resolve(copyOf(loaded.value)) : reject(loaded.failure)),
          this.#context.deadlineAt,
        );
      });
  }
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
  if (typeof key !== 'string') {
    throw new TypeError(`${name}.${operation}: a key is text, got ${typeof key}`);
  }
  const reason = illegalText(key);
  if (reason !== undefined)
    throw new TypeError(`${name}.${operation}: a key is text, and ${reason}`);
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
