/** A light `Request`: what a handler is given, and what `fetch` makes of its arguments. */
import type { Inlet } from '../../host/stream.ts';
import { isUpgrade, type WebRequest } from '../../host/web.ts';
import { Content, contentOf, isStream, nothing } from './content.ts';
import { readableOf } from './flow.ts';
import { Headers, type HeadersLike, headersFrom, listOf } from './headers.ts';
import { Native, type NativeRequest, standInFor } from './native.ts';

/** What `fetch` takes first. */
export type RequestLike = string | URL | globalThis.Request;

/** What a request message carries. */
export interface RequestParts {
  readonly method: string;
  /** Absolute, without a fragment. */
  readonly url: string;
  /** Name, value, name, value …; names in lower case. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
  /** The body, when it flows. */
  readonly inlet?: Inlet | undefined;
}

type InitLike = NonNullable<ConstructorParameters<typeof globalThis.Request>[1]>;

/** Options that mean something to browsers only. The platform checks and keeps them. */
const rareOptions = [
  'mode',
  'credentials',
  'cache',
  'redirect',
  'referrer',
  'referrerPolicy',
  'integrity',
  'keepalive',
  'window',
] as const;

const upperMethods: Readonly<Record<string, string>> = {
  GET: 'GET',
  POST: 'POST',
  PUT: 'PUT',
  DELETE: 'DELETE',
  PATCH: 'PATCH',
  HEAD: 'HEAD',
  OPTIONS: 'OPTIONS',
};
const methodToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * URLs that parsing would leave as they are: parsing costs as much as the rest of a request.
 * Default ports, dot segments, international names and numeric hosts are left to `URL`.
 */
const canonicalUrl =
  /^https?:\/\/(?:[a-z0-9_-]+\.)*[a-z]+(?::(?!80\/|443\/|0)\d{1,4})?\/[A-Za-z0-9\-._~!$&()*+,;=:@/]*(?:\?[A-Za-z0-9\-._~!$&()*+,;=:@/?%]*)?$/;
/** The same of what follows the host: short, and not yet a joined string that would first be made flat. */
const canonicalPath = /^\/[A-Za-z0-9\-._~!$&()*+,;=:@/]*(?:\?[A-Za-z0-9\-._~!$&()*+,;=:@/?%]*)?$/;

const noHeaders: readonly string[] = [];

/** Tells the constructor that the fields come from elsewhere. */
const inside = Symbol('inside');

/**
 * The request that a message stands for. The message is trusted: its URL is absolute and its
 * header names are in lower case. Nothing of it is copied until it is changed.
 */
export let fromWebRequest: (
  message: Pick<WebRequest, 'method' | 'url' | 'headers' | 'body' | 'inlet'>,
) => Request;

/** The caller gave up: aborts `request.signal`, also when nobody has looked at it yet. */
export let abort: (request: Request, reason?: unknown) => void;

let lightParts: (request: Request) => RequestParts | Promise<RequestParts>;

export class Request implements globalThis.Request {
  #method = 'GET';
  #url = '';
  #list: readonly string[] | undefined;
  #headers: Headers | undefined;
  #content: Content = nothing;
  #aborter: AbortController | undefined;
  #signal: AbortSignal | undefined;
  /** The signal that ours follows. */
  #follows: AbortSignal | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #rare: NativeRequest | undefined;

  static {
    fromWebRequest = (message) => {
      const request = new Request(inside as never);
      request.#method = message.method;
      request.#url = message.url;
      request.#list = message.headers;
      const { inlet } = message;
      // The stream of an upgrade is no body: whoever answers it with 101 gets it.
      if (inlet && !isUpgrade(message))
        request.#content = contentOf(readableOf(inlet, () => abort(request)));
      else if (message.body !== null) request.#content = new Content(message.body, null);
      return request;
    };

    abort = (request, reason = new DOMException('The caller gave up', 'AbortError')) => {
      request.#aborted ??= { reason };
      request.#aborter?.abort(reason);
    };

    lightParts = (request) => {
      const method = request.#method;
      const url = withoutFragment(request.#url);
      const headers = request.#headers ? listOf(request.#headers) : (request.#list ?? noHeaders);
      if (request.#content.flows) {
        return { method, url, headers, body: null, inlet: request.#content.takeInlet() };
      }
      const body = request.#content.take();
      // Not by a spread: one with a field behind it takes the engine's slow path, as long as all the rest.
      if (body instanceof Promise) {
        return body.then((bytes) => ({ method, url, headers, body: bytes }));
      }
      return { method, url, headers, body };
    };
  }

  constructor(input: RequestLike, init?: InitLike) {
    if ((input as unknown) === inside) return;
    let taken: Content | undefined;
    if (typeof input === 'object' && input !== null && #content in input) {
      taken = this.#copy(input);
    } else if (typeof input === 'object' && input instanceof Request) {
      taken = this.#copyNative(input);
    } else {
      this.#url = absolute(String(input), undefined);
    }
    if (init !== undefined && init !== null) this.#apply(init);
    const body = init?.body;
    if (body !== undefined && body !== null) {
      this.#setBody(body, init!);
      return;
    }
    if (!taken || taken.empty) return;
    if (taken.unusable) throw new TypeError('Request: the body of the given request has been read');
    if (this.#method === 'GET' || this.#method === 'HEAD') {
      throw new TypeError('Request with GET/HEAD method cannot have body.');
    }
    // The body moves: the request it came from has none left.
    this.#content = taken.moved();
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= this.#list ? headersFrom(this.#list) : new Headers();
    return this.#headers;
  }

  get body(): globalThis.Request['body'] {
    return this.#content.stream as globalThis.Request['body'];
  }

  get bodyUsed(): boolean {
    return this.#content.used;
  }

  get signal(): AbortSignal {
    if (this.#signal) return this.#signal;
    this.#aborter = new AbortController();
    const own = this.#aborter.signal;
    this.#signal = this.#follows ? AbortSignal.any([this.#follows, own]) : own;
    if (this.#aborted) this.#aborter.abort(this.#aborted.reason);
    return this.#signal;
  }

  get mode(): globalThis.Request['mode'] {
    return this.#rare?.mode ?? 'cors';
  }

  get credentials(): globalThis.Request['credentials'] {
    return this.#rare?.credentials ?? 'same-origin';
  }

  get cache(): globalThis.Request['cache'] {
    return this.#rare?.cache ?? 'default';
  }

  get redirect(): globalThis.Request['redirect'] {
    return this.#rare?.redirect ?? 'follow';
  }

  get referrer(): string {
    return this.#rare?.referrer ?? 'about:client';
  }

  get referrerPolicy(): globalThis.Request['referrerPolicy'] {
    return this.#rare?.referrerPolicy ?? '';
  }

  get integrity(): string {
    return this.#rare?.integrity ?? '';
  }

  get keepalive(): boolean {
    return this.#rare?.keepalive ?? false;
  }

  get destination(): globalThis.Request['destination'] {
    return '';
  }

  get duplex(): 'half' {
    return 'half';
  }

  get isReloadNavigation(): boolean {
    return false;
  }

  get isHistoryNavigation(): boolean {
    return false;
  }

  text(): Promise<string> {
    return this.#content.text();
  }

  json(): Promise<unknown> {
    return this.#content.json();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#content.arrayBuffer();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#content.bytes();
  }

  blob(): Promise<Blob> {
    return this.#content.blob(this.headers.get('content-type'));
  }

  formData(): Promise<FormData> {
    return this.#content.formData(this.headers.get('content-type'));
  }

  clone(): Request {
    if (this.#content.unusable) throw new TypeError('Request.clone: the body has been read');
    const copy = new Request(inside as never);
    copy.#copy(this);
    copy.#content = this.#content.clone();
    return copy;
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }

  [Symbol.for('nodejs.util.inspect.custom')](
    _depth: unknown,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    const { method, url, headers, bodyUsed } = this;
    return `Request ${inspect({ method, url, headers, bodyUsed }, options)}`;
  }

  /** Everything but the body, which is returned. */
  #copy(from: Request): Content {
    this.#method = from.#method;
    this.#url = from.#url;
    this.#list = from.#headers ? listOf(from.#headers) : from.#list;
    // A signal that nobody has looked at could still be aborted through `from`.
    this.#follows = from.signal;
    this.#rare = from.#rare;
    return from.#content;
  }

  #copyNative(from: NativeRequest): Content {
    this.#method = from.method;
    this.#url = from.url;
    const list: string[] = [];
    for (const [name, value] of from.headers) list.push(name, value);
    this.#list = list;
    this.#follows = from.signal;
    this.#rare = from;
    // Taken whole: what it was made of is over when somebody asks, and mostly it is small.
    return from.body === null ? nothing : new Content(null, null, new Native.Response(from.body));
  }

  #apply(init: InitLike): void {
    if (typeof init !== 'object' && typeof init !== 'function') {
      throw new TypeError('Request: the options must be an object');
    }
    for (const option of rareOptions) {
      if (init[option as keyof InitLike] === undefined) continue;
      // The platform refuses what is not allowed; bodies and signals are ours.
      const { body: _body, signal: _signal, headers: _headers, method: _method, ...rest } = init;
      this.#rare = new Native.Request(this.#rare ?? this.#url, rest);
      break;
    }
    if (init.method !== undefined) this.#method = methodOf(init.method);
    if (init.signal !== undefined) {
      if (init.signal !== null && !(init.signal instanceof AbortSignal)) {
        throw new TypeError('Request: signal is not an AbortSignal');
      }
      this.#follows = init.signal ?? undefined;
    }
    if (init.headers !== undefined) {
      this.#headers = new Headers(init.headers as HeadersLike);
      this.#list = undefined;
    }
  }

  #setBody(body: unknown, init: InitLike): void {
    if (this.#method === 'GET' || this.#method === 'HEAD') {
      throw new TypeError('Request with GET/HEAD method cannot have body.');
    }
    if (isStream(body) && init.duplex === undefined) {
      throw new TypeError('RequestInit: duplex option is required when sending a body.');
    }
    this.#content = contentOf(body);
    const type = body instanceof ReadableStream ? null : this.#content.type;
    if (type !== null && !this.headers.has('content-type'))
      this.headers.append('content-type', type);
  }
}

standInFor(Request, 'Request');

/**
 * What `fetch(input, init)` asks for: at once when the body is text or bytes, else a promise.
 * What begins with a slash is a path of `origin`; without one it is a TypeError, as in Node. The
 * body of a given request is used up.
 */
export function requestParts(
  input: RequestLike,
  init?: InitLike,
  origin?: string,
): RequestParts | Promise<RequestParts> {
  if (typeof input !== 'string') return lightParts(new Request(input, init));
  const url = absolute(input, origin);
  if (init !== undefined) return lightParts(new Request(url, init));
  // Mostly nothing but a URL is given: then no request needs to be made to be taken apart again.
  return { method: 'GET', url: withoutFragment(url), headers: noHeaders, body: null };
}

/** What may end a `fetch(input, init)` early, if anything may. */
export function signalOf(input: RequestLike, init?: InitLike): AbortSignal | undefined {
  if (init?.signal !== undefined) return init.signal ?? undefined;
  return typeof input === 'object' && input instanceof Request ? input.signal : undefined;
}

/** For the live world's real `fetch`, which knows its own class only. Uses up the body. */
export async function toNativeRequest(request: globalThis.Request): Promise<NativeRequest> {
  const signal = signalOf(request);
  const { method, url, headers, body, inlet } = await requestParts(request);
  const pairs: [string, string][] = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i]!, headers[i + 1]!]);
  return new Native.Request(url, {
    method,
    headers: pairs,
    ...(inlet ? { body: readableOf(inlet), duplex: 'half' } : body === null ? {} : { body }),
    ...(signal ? { signal } : {}),
  });
}

function absolute(text: string, origin: string | undefined): string {
  const isPath = origin !== undefined && text.startsWith('/');
  const joined = isPath ? origin + text : text;
  const canonical = isPath ? isOrigin(origin) && canonicalPath.test(text) : isCanonical(text);
  if (canonical && !text.includes('/.')) return joined;
  let url: URL;
  try {
    url = new URL(joined);
  } catch (mistake) {
    throw new TypeError(`Failed to parse URL from ${text}`, { cause: mistake });
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      `Request cannot be constructed from a URL that includes credentials: ${text}`,
    );
  }
  return url.href;
}

function isCanonical(url: string): boolean {
  return canonicalUrl.test(url) && !url.includes('xn--');
}

let originSeen: string | undefined;

/** A caller asks for one origin over and over. */
function isOrigin(text: string): boolean {
  if (text === originSeen) return true;
  if (text.includes('/', 8) || !isCanonical(`${text}/`)) return false;
  originSeen = text;
  return true;
}

function withoutFragment(url: string): string {
  const hash = url.indexOf('#');
  return hash === -1 ? url : url.slice(0, hash);
}

function methodOf(given: unknown): string {
  const text = String(given);
  const known = upperMethods[text];
  if (known) return known;
  if (!methodToken.test(text)) throw new TypeError(`'${text}' is not a valid HTTP method.`);
  const upper = text.toUpperCase();
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') {
    throw new TypeError(`'${text}' HTTP method is unsupported.`);
  }
  // `patch` keeps its case by the standard.
  return upper === 'PATCH' ? text : (upperMethods[upper] ?? text);
}
