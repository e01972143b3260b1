/** What user code holds: `env.links.get(code)`. The only part that may be asynchronous. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import type { Value } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { encode, illegal, illegalText } from '../../../parts/codec.ts';
import type { KvApi, Verb } from './operation.ts';

/** A store of values of one type, by key. What it promises depends on its `consistency`. */
export interface KvHandle<T = Value> {
  /** The value, or undefined when there is none. The caller's own: changing it changes nothing else. */
  get(key: string): Promise<T | undefined>;
  /**
   * Returns once the value is durable at enough replicas. Throws `TypeError` for what is not a
   * value (a function, a Map, undefined …), and `Unavailable` when too few replicas answered in
   * time: unless it is `certain`, the value may have been stored, or be stored yet. To put the same
   * value again is safe.
   */
  put(key: string, value: T): Promise<void>;
  /** As `put`: a key that is not there is deleted all the same. */
  delete(key: string): Promise<void>;
}

/** In UTF-8 at most three times as many bytes. Keys are kept in memory by every owner. */
const keyLengthMax = 1_024;

export function kvHandle<T>(
  api: KvApi,
  context: RequestContext,
  declaration: Declaration,
): KvHandle<T> {
  return new Held<T>(api, context, declaration.name);
}

/**
 * One is made for each request, used or not, so it holds no functions: each is made when it is looked
 * at, and works without the handle as those of a plain object do.
 */
class Held<T> implements KvHandle<T> {
  readonly #api: KvApi;
  readonly #context: RequestContext;
  readonly #name: string;

  constructor(api: KvApi, context: RequestContext, name: string) {
    this.#api = api;
    this.#context = context;
    this.#name = name;
  }

  get get(): KvHandle<T>['get'] {
    return (key) => this.#run('get', key) as Promise<T | undefined>;
  }

  get put(): KvHandle<T>['put'] {
    return (key, value) => this.#run('put', key, value) as Promise<undefined>;
  }

  get delete(): KvHandle<T>['delete'] {
    return (key) => this.#run('delete', key) as Promise<undefined>;
  }

  // Not `async`: an executor that throws rejects just the same, and each await costs a turn of the queue.
  #run(f: Verb, key: string, value?: T): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      const name = this.#name;
      checkKey(name, f, key);
      const bytes = f === 'put' ? encoded(name, key, value) : null;
      this.#api.start(f, key, bytes, this.#context, (outcome) => {
        if (outcome.ok) resolve(outcome.value);
        else reject(new Unavailable(name, f, outcome.why, outcome.certain));
      });
    });
  }
}

function checkKey(name: string, f: Verb, key: unknown): void {
  if (typeof key === 'string' && key.length > 0 && key.length <= keyLengthMax) {
    const wrong = illegalText(key);
    if (wrong === undefined) return;
    throw new TypeError(`${name}.${f}: a key is text, and ${wrong}`);
  }
  const given = typeof key === 'string' ? `one of ${key.length} characters` : typeof key;
  throw new TypeError(
    `${name}.${f}: a key is text of 1 to ${keyLengthMax} characters, got ${given}`,
  );
}

function encoded(name: string, key: string, value: unknown): Uint8Array {
  const wrong = illegal(value);
  if (wrong !== undefined) throw new TypeError(`${name}.put('${key}'): ${wrong}`);
  return encode(value as Value);
}
