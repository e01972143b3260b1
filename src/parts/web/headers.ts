/**
 * Headers as one flat list: name, value, name, value …, names in lower case, in order of arrival.
 * That is also how a message carries them, so neither end converts. Lookups are linear: real
 * requests have a dozen headers, and comparing interned names is cheaper than hashing.
 */
import { standInFor } from './native.ts';

export type HeadersLike = ConstructorParameters<typeof globalThis.Headers>[0];

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const plainValue = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const forbiddenInValue = /[\0\r\n]|[^\0-\xff]/;

/** Checked names in lower case, by the spelling given. Bounded: names may come from clients. */
const namesSeen = new Map<string, string>();
const namesSeenMax = 1_000;

function checkedName(given: unknown): string {
  const seen = namesSeen.get(given as string);
  if (seen !== undefined) return seen;
  const text = `${given as string}`;
  if (!token.test(text)) throw new TypeError(`Invalid header name: ${JSON.stringify(text)}`);
  const name = text.toLowerCase();
  if (namesSeen.size < namesSeenMax) namesSeen.set(text, name);
  return name;
}

function checkedValue(given: unknown): string {
  const text = typeof given === 'string' ? given : `${given as string}`;
  if (plainValue.test(text)) return text;
  const value = text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (forbiddenInValue.test(value)) {
    throw new TypeError(`Invalid header value: ${JSON.stringify(value)}`);
  }
  return value;
}

/** Reads and builds headers without copies; for the message side only. */
export let listOf: (headers: Headers) => readonly string[];
/** The list is kept, and copied before the first change. */
export let headersFrom: (list: readonly string[], immutable?: boolean) => Headers;

/** What most headers begin with: a list of its own for each would mostly be dropped at once. */
const none: string[] = [];

export class Headers implements globalThis.Headers {
  #list = none;
  #borrowed = true;
  #immutable = false;
  #sorted: readonly (readonly [string, string])[] | undefined;

  static {
    listOf = (headers) => {
      headers.#borrowed = true;
      return headers.#list;
    };
    headersFrom = (list, immutable = false) => {
      const headers = new Headers();
      headers.#list = list as string[];
      headers.#immutable = immutable;
      return headers;
    };
  }

  constructor(init?: HeadersLike) {
    if (init === undefined) return;
    if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
      throw new TypeError('Headers: the initial headers must be an object or a list of pairs');
    }
    if (#list in init) {
      const list = init.#list;
      // An iteration would combine and sort; order does not matter to the result, copies do.
      this.#list = list.slice();
      this.#borrowed = false;
      return;
    }
    this.#list = [];
    this.#borrowed = false;
    const iterate = (init as Iterable<unknown>)[Symbol.iterator];
    if (iterate !== undefined && iterate !== null) {
      for (const pair of init as Iterable<Iterable<unknown>>) {
        if (typeof pair !== 'object' || pair === null) {
          throw new TypeError('Headers: each pair must be a list of a name and a value');
        }
        const [name, value, ...more] = pair;
        if (value === undefined || more.length > 0) {
          throw new TypeError('Headers: each pair must have exactly a name and a value');
        }
        this.#add(checkedName(name), checkedValue(value));
      }
      return;
    }
    const fields = init as Readonly<Record<string, unknown>>;
    for (const key in fields) {
      if (Object.hasOwn(fields, key)) this.#add(checkedName(key), checkedValue(fields[key]));
    }
    for (const key of Object.getOwnPropertySymbols(init)) {
      if (Object.prototype.propertyIsEnumerable.call(init, key)) {
        throw new TypeError('Headers: a symbol is not a header name');
      }
    }
  }

  append(name: string, value: string): void {
    const lower = checkedName(name);
    const text = checkedValue(value);
    this.#change();
    this.#add(lower, text);
  }

  delete(name: string): void {
    const lower = checkedName(name);
    this.#change();
    for (let i = this.#list.length - 2; i >= 0; i -= 2) {
      if (this.#list[i] === lower) this.#list.splice(i, 2);
    }
  }

  get(name: string): string | null {
    const lower = checkedName(name);
    const list = this.#list;
    let found: string | null = null;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== lower) continue;
      found = found === null ? list[i + 1]! : `${found}${separator(lower)}${list[i + 1]!}`;
    }
    return found;
  }

  getSetCookie(): string[] {
    const cookies: string[] = [];
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] === 'set-cookie') cookies.push(this.#list[i + 1]!);
    }
    return cookies;
  }

  has(name: string): boolean {
    const lower = checkedName(name);
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === lower) return true;
    }
    return false;
  }

  set(name: string, value: string): void {
    const lower = checkedName(name);
    const text = checkedValue(value);
    this.#change();
    const list = this.#list;
    const first = this.#indexOf(lower);
    if (first === -1) {
      list.push(lower, text);
      return;
    }
    list[first + 1] = text;
    for (let i = list.length - 2; i > first; i -= 2) {
      if (list[i] === lower) list.splice(i, 2);
    }
  }

  forEach(
    visit: (value: string, name: string, headers: globalThis.Headers) => void,
    self?: unknown,
  ): void {
    if (typeof visit !== 'function') throw new TypeError('Headers.forEach wants a function');
    for (const [name, value] of this.entries()) visit.call(self, value, name, this);
  }

  entries(): Walk<[string, string]> {
    return new Walk(
      () => this.#sortedNow(),
      ([name, value]) => [name, value],
    );
  }

  keys(): Walk<string> {
    return new Walk(
      () => this.#sortedNow(),
      ([name]) => name,
    );
  }

  values(): Walk<string> {
    return new Walk(
      () => this.#sortedNow(),
      ([, value]) => value,
    );
  }

  [Symbol.iterator](): Walk<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'Headers';
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](
    _depth: unknown,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    return `Headers ${inspect(Object.fromEntries(this.entries()), options)}`;
  }

  #change(): void {
    if (this.#immutable) throw new TypeError('These headers are immutable');
    this.#sorted = undefined;
    if (!this.#borrowed) return;
    this.#list = this.#list.slice();
    this.#borrowed = false;
  }

  /** Repeated names are combined at once, except cookies, which must stay apart. */
  #add(lower: string, value: string): void {
    const at = lower === 'set-cookie' ? -1 : this.#indexOf(lower);
    if (at === -1) this.#list.push(lower, value);
    else this.#list[at + 1] = `${this.#list[at + 1]!}${separator(lower)}${value}`;
  }

  #indexOf(lower: string): number {
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === lower) return i;
    }
    return -1;
  }

  /** Read anew at each step of an iteration, which must see changes made meanwhile. */
  #sortedNow(): readonly (readonly [string, string])[] {
    if (this.#sorted) return this.#sorted;
    const combined = new Map<string, string>();
    const pairs: (readonly [string, string])[] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!;
      const value = list[i + 1]!;
      if (name === 'set-cookie') {
        pairs.push([name, value]);
        continue;
      }
      const before = combined.get(name);
      combined.set(name, before === undefined ? value : `${before}${separator(name)}${value}`);
    }
    for (const pair of combined) pairs.push(pair);
    pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#sorted = pairs;
    return pairs;
  }
}

standInFor(Headers, 'Headers');

function separator(lower: string): string {
  return lower === 'cookie' ? '; ' : ', ';
}

/** An iterator over headers, live as the standard wants it. */
export class Walk<T> implements IterableIterator<T, undefined, undefined> {
  readonly #pairs: () => readonly (readonly [string, string])[];
  readonly #pick: (pair: readonly [string, string]) => T;
  #index = 0;

  constructor(
    pairs: () => readonly (readonly [string, string])[],
    pick: (pair: readonly [string, string]) => T,
  ) {
    this.#pairs = pairs;
    this.#pick = pick;
  }

  next(): IteratorResult<T, undefined> {
    const pair = this.#pairs()[this.#index];
    if (!pair) return { done: true, value: undefined };
    this.#index++;
    return { done: false, value: this.#pick(pair) };
  }

  [Symbol.iterator](): this {
    return this;
  }

  get [Symbol.toStringTag](): string {
    return 'Headers Iterator';
  }
}
