/** A light `Response`, and what becomes of it on the wire. */
import type { Inlet } from '../../host/stream.ts';
import type { WebTrailers } from '../../host/web.ts';
import { Content, contentOf, nothing } from './content.ts';
import { endingWith, inletOf, inletOfWhole, readableOf } from './flow.ts';
import { Headers, type HeadersLike, headersFrom, listOf } from './headers.ts';
import { type NativeResponse, standInFor } from './native.ts';
import { ClientHalf, type ServerSocket } from './socket.ts';

/** What a reply message carries. */
export interface ReplyParts {
  readonly status: number;
  /** Name, value, name, value …; names in lower case. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
  /** The body, when it flows. */
  readonly inlet?: Inlet | undefined;
  /** With status 101: what the handler talks through from now on. */
  readonly socket?: ServerSocket | undefined;
}

type BodyLike = ConstructorParameters<typeof globalThis.Response>[0];
type InitLike = ConstructorParameters<typeof globalThis.Response>[1];

const nullBodyStatuses: readonly number[] = [101, 103, 204, 205, 304];
const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];
const noHeaders: readonly string[] = [];

/** A reply as the caller of `fetch` sees it. Its headers are immutable, as those of a real one. */
export let toResponse: (parts: ReplyParts, url?: string) => Response;

/** What trailers are made of once the body is through. */
export type TrailersOf = () => HeadersLike | Promise<HeadersLike>;

/**
 * A response whose body ends with trailers (RFC 9110, 6.5), such as `grpc-status`: asked for when the
 * body is through. In HTTP/1.1 they reach only clients that look for them.
 */
export let withTrailers: (
  response: globalThis.Response,
  trailers: TrailersOf,
) => globalThis.Response;

/** What came behind the body of a reply: resolves once that has been read to its end; without any, empty. */
export let trailersOf: (response: globalThis.Response) => Promise<Headers>;

let lightParts: (response: Response) => ReplyParts | Promise<ReplyParts>;
let isLight: (candidate: object) => candidate is Response;

export class Response implements globalThis.Response {
  #status = 200;
  #statusText = '';
  #type: globalThis.Response['type'] = 'default';
  #url = '';
  /** Undefined: only what the body implies. */
  #headers: Headers | undefined;
  #content: Content;
  /** The content type that the body implies. */
  #implied: string | null = null;
  /** What a Workers handler gives with status 101. */
  #socket: ClientHalf | undefined;
  #trailers: TrailersOf | undefined;
  /** Those of a reply that came. */
  #came: Promise<Headers> | undefined;

  static {
    withTrailers = (response, trailers) => {
      const made = new Response(response.body, response);
      made.#trailers = trailers;
      return made;
    };

    trailersOf = (response) =>
      (isLight(response) ? response.#came : undefined) ?? Promise.resolve(new Headers());

    toResponse = (parts, url = '') => {
      const response = new Response();
      response.#status = parts.status;
      response.#url = url;
      response.#headers = headersFrom(parts.headers, true);
      if (parts.inlet) {
        let told: (trailers: Headers) => void = () => {};
        response.#came = new Promise((resolve) => {
          told = resolve;
        });
        const finished = (last: unknown): void => {
          const trailers = last as WebTrailers | undefined;
          told(headersFrom(trailers?.type === 'trailers' ? trailers.headers : noHeaders, true));
        };
        response.#content = contentOf(readableOf(parts.inlet, undefined, finished));
      } else response.#content = parts.body === null ? nothing : new Content(parts.body, null);
      return response;
    };

    lightParts = (response) => {
      const type = response.#implied;
      const headers = response.#headers
        ? listOf(response.#headers)
        : type === null
          ? noHeaders
          : ['content-type', type];
      const status = response.#status;
      if (response.#socket) return { status, headers, body: null, socket: response.#socket.server };
      const trailers = response.#trailers;
      if (response.#content.flows) {
        const inlet = response.#content.takeInlet();
        return { status, headers, body: null, inlet: trailers ? ended(inlet, trailers) : inlet };
      }
      const body = response.#content.take();
      if (trailers) {
        const flowing = (whole: Uint8Array | string | null): ReplyParts => ({
          status,
          headers,
          body: null,
          inlet: ended(inletOfWhole(whole), trailers),
        });
        return body instanceof Promise ? body.then(flowing) : flowing(body);
      }
      if (body instanceof Promise) return body.then((bytes) => ({ status, headers, body: bytes }));
      return { status, headers, body };
    };

    isLight = (candidate): candidate is Response => #content in candidate;
  }

  static error(): Response {
    const response = new Response();
    response.#type = 'error';
    response.#status = 0;
    response.#headers = headersFrom(noHeaders, true);
    return response;
  }

  static json(data: unknown, init?: InitLike): Response {
    const text = JSON.stringify(data);
    if (text === undefined)
      throw new TypeError('Response.json: the value is not JSON serializable');
    const response = new Response(null, init);
    if (nullBodyStatuses.includes(response.#status)) {
      throw new TypeError(`Response.json: status ${response.#status} has no body`);
    }
    response.#content = new Content(text, null);
    response.#implied = 'application/json';
    if (response.#headers && !response.#headers.has('content-type')) {
      response.#headers.append('content-type', 'application/json');
    }
    return response;
  }

  static redirect(url: string | URL, status = 302): Response {
    let location: string;
    try {
      location = new URL(String(url)).href;
    } catch (mistake) {
      throw new TypeError(`Failed to parse URL from ${url}`, { cause: mistake });
    }
    if (!redirectStatuses.includes(status)) {
      throw new RangeError(`Response.redirect: ${status} is not a redirect status`);
    }
    const response = new Response();
    response.#status = status;
    response.#headers = headersFrom(['location', location], true);
    return response;
  }

  constructor(body?: BodyLike | null, init?: InitLike) {
    this.#content = contentOf(body);
    // A stream implies nothing, also when it came from a body that did.
    if (!(body instanceof ReadableStream)) this.#implied = this.#content.type;
    if (init !== undefined && init !== null) this.#apply(init);
  }

  get type(): globalThis.Response['type'] {
    return this.#type;
  }

  get url(): string {
    return this.#url;
  }

  get redirected(): boolean {
    return false;
  }

  get status(): number {
    return this.#status;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get headers(): Headers {
    if (this.#headers) return this.#headers;
    const type = this.#implied;
    this.#headers = headersFrom(type === null ? noHeaders : ['content-type', type]);
    return this.#headers;
  }

  /** As in Workers modules: a copy made with this response as its options keeps it. */
  get webSocket(): ClientHalf | null {
    return this.#socket ?? null;
  }

  get body(): globalThis.Response['body'] {
    return this.#content.stream as globalThis.Response['body'];
  }

  get bodyUsed(): boolean {
    return this.#content.used;
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

  clone(): Response {
    if (this.#content.unusable) {
      throw new TypeError('Response.clone: Body has already been consumed.');
    }
    const copy = new Response();
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#type = this.#type;
    copy.#url = this.#url;
    copy.#headers = headersFrom(listOf(this.headers));
    copy.#content = this.#content.clone();
    return copy;
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }

  [Symbol.for('nodejs.util.inspect.custom')](
    _depth: unknown,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    const { status, statusText, headers, bodyUsed, ok, type, url } = this;
    return `Response ${inspect({ status, statusText, headers, bodyUsed, ok, type, url }, options)}`;
  }

  #apply(init: NonNullable<InitLike>): void {
    if (typeof init !== 'object' && typeof init !== 'function') {
      throw new TypeError('Response: the options must be an object');
    }
    const { status, statusText, headers } = init;
    const { webSocket } = init as { readonly webSocket?: unknown };
    if (webSocket instanceof ClientHalf && status === 101) {
      this.#socket = webSocket;
      this.#status = status;
    } else if (status !== undefined) {
      const whole = typeof status === 'number' ? status : Math.trunc(Number(status));
      if (!(whole >= 200 && whole <= 599)) {
        throw new RangeError(`Response: status ${status} is not from 200 to 599`);
      }
      this.#status = Math.trunc(whole);
    }
    if (statusText !== undefined) {
      const text = String(statusText);
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text))
        throw new TypeError('Response: invalid statusText');
      this.#statusText = text;
    }
    if (headers !== undefined) this.#headers = new Headers(headers as HeadersLike);
    const content = this.#content;
    if (content.empty) return;
    if (nullBodyStatuses.includes(this.#status)) {
      throw new TypeError(`Response: status ${this.#status} has no body`);
    }
    if (this.#implied !== null && this.#headers && !this.#headers.has('content-type')) {
      this.#headers.append('content-type', this.#implied);
    }
  }
}

standInFor(Response, 'Response');

function ended(inlet: Inlet, trailers: TrailersOf): Inlet {
  return endingWith(inlet, async (): Promise<WebTrailers> => {
    const headers = listOf(new Headers(await trailers()));
    return { type: 'trailers', headers };
  });
}

/**
 * Status, headers and body of what a handler returned, light or the platform's own: at once when the
 * body is text or bytes, or flows; else a promise. The response is used up. Throws TypeError
 * for anything that is not a response.
 */
export function toReplyParts(response: globalThis.Response): ReplyParts | Promise<ReplyParts> {
  if (typeof response !== 'object' || response === null) throw notAResponse(response);
  if (isLight(response)) return lightParts(response);
  const native: NativeResponse = response;
  if (typeof native.status !== 'number' || typeof native.arrayBuffer !== 'function') {
    throw notAResponse(response);
  }
  return nativeParts(native);
}

async function nativeParts(native: NativeResponse): Promise<ReplyParts> {
  const headers: string[] = [];
  for (const [name, value] of native.headers) headers.push(name, value);
  if (native.headers.get('content-type')?.startsWith('text/event-stream') && native.body) {
    const inlet = inletOf(native.body as ReadableStream<Uint8Array>);
    return { status: native.status, headers, body: null, inlet };
  }
  const body = native.body === null ? null : new Uint8Array(await native.arrayBuffer());
  return { status: native.status, headers, body };
}

function notAResponse(given: unknown): TypeError {
  const kind = given === null ? 'null' : typeof given;
  return new TypeError(
    `A handler must return a Response (or a promise of one); this one returned ${kind}`,
  );
}
