/**
 * The other side of the edge: a web request sent to a node with an edge, or to the outside world,
 * becomes a real HTTP request, and what comes back becomes a message again.
 *
 *   refused   nobody listens there: it certainly did not happen
 *   lost      the connection broke, or time was up: nobody knows
 */
import { request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import type { Pool } from 'undici';
import type { Micros, Timer } from '../host/host.ts';
import { type Chunk, type Stream, type StreamEvents, streamWindowBytes } from '../host/stream.ts';
import {
  asksIfAlive,
  isTunnel,
  isUpgrade,
  type WebLost,
  type WebReply,
  type WebRequest,
  type WebTrailers,
} from '../host/web.ts';
import { hashText } from '../kit/random.ts';
import { IdMap } from '../parts/id-map.ts';
import { readableOf } from '../parts/web/flow.ts';
import { errorCode } from './files.ts';
import {
  type Answered,
  type Controller,
  connectedTooLate,
  Lines,
  type Question,
  wasEnded,
} from './lines.ts';
import { Tunnels } from './tunnels.ts';
import { dial } from './web-socket.ts';

type PoolBody = Uint8Array | string | Readable | null;

interface Underway {
  abort: ((reason: Error) => void) | undefined;
  ended: boolean;
  timer: Timer | undefined;
  /** Of a reply that does not say how long it is. */
  patience: Timer | undefined;
}

/** A reply larger than this is not read to its end. */
const replyMaxBytes = 64 * 1_048_576;
/** When the caller names no timeout. */
const timeoutDefaultUs = 30_000_000;
/** The caller's own timer is to fire first. */
const timeoutSlackUs = 500_000;

/** What may be asked again when the other side ended the connection just then (RFC 9110, 9.2.2). */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const ended: ReadonlySet<string | undefined> = new Set([wasEnded, 'UND_ERR_SOCKET']);

const connectTimeoutMs = 5_000;
/** How long a connection is kept that nobody needs. */
const keepMs = 60_000;

/** How long a reply of unknown length may take to end, before it is one that flows. */
const patienceUs = 20_000;

/** Errors before a byte of the request could have arrived. */
const neverArrived: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  connectedTooLate,
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * For TLS and for bodies that flow. It takes a third of a node's start to load, and most nodes never send either:
 * loaded at the first.
 */
function loadHttp(): typeof import('undici') {
  return createRequire(import.meta.url)('undici');
}

/** What becomes of a request. */
export interface Told {
  readonly reply: (message: WebReply | WebLost) => void;
  readonly refused: () => void;
  /** A reply whose body flows. */
  readonly flow: (reply: WebReply, events: StreamEvents) => Stream;
}

/** The body of a reply on its way into a stream, with the socket's back-pressure. */
class Flow {
  readonly #controller: Controller;
  readonly #stream: Stream;
  #isOver = false;

  constructor(controller: Controller, open: (events: StreamEvents) => Stream) {
    this.#controller = controller;
    const stream = open({
      data: (chunk: Chunk) => stream.took(chunk),
      ready: () => controller.resume(),
      closed: (how) => {
        if (this.#isOver || how === 'done') return;
        this.#isOver = true;
        controller.abort(new Error('nobody reads it'));
      },
    });
    this.#stream = stream;
  }

  data(part: Uint8Array): void {
    if (!this.#stream.write(part)) this.#controller.pause();
  }

  end(trailers: readonly string[]): void {
    this.#isOver = true;
    if (trailers.length === 0) this.#stream.end();
    else this.#stream.end({ type: 'trailers', headers: trailers } satisfies WebTrailers);
  }

  broke(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.reset();
  }
}

/** A body is taken whole if it says how long it is, and that is little. */
function flows(
  method: string,
  status: number,
  headers: readonly string[],
): 'yes' | 'no' | 'perhaps' {
  if (method === 'HEAD' || status === 204 || status === 304) return 'no';
  const length = headerOf(headers, 'content-length');
  if (/^(text\/event-stream|application\/grpc)/.test(headerOf(headers, 'content-type') ?? '')) {
    return 'yes';
  }
  if (length === undefined) return 'perhaps';
  return Number(length) > streamWindowBytes ? 'yes' : 'no';
}

export class WebClient {
  readonly #pools = new Map<string, Pool>();
  /** By where they lead, and where from. */
  readonly #lines = new Map<string, Lines>();
  /** By their text: there are few, and each request goes to one of them. */
  readonly #doors = new Map<string, URL>();
  /** By the port that asks and the id of its request. */
  readonly #underway = new Map<string, IdMap<Underway>>();
  readonly #tunnels = new Tunnels();
  readonly #after: (delayUs: Micros, fire: () => void) => Timer;
  readonly #connectionsMax: number;
  #closed = false;

  /** `after`: timers of the node, of which starting and cancelling one costs next to nothing. */
  constructor(after: (delayUs: Micros, fire: () => void) => Timer, connectionsMax = 256) {
    this.#after = after;
    this.#connectionsMax = connectionsMax;
  }

  /**
   * `base` is where the request goes, whatever name it asks for; its path comes before the
   * request's own. Undefined: wherever the request's URL says. `apart`: users share no connections.
   */
  send(
    from: string,
    base: string | undefined,
    request: WebRequest,
    told: Told,
    apart = false,
  ): void {
    if (this.#closed) return;
    let url: Pick<URL, 'host' | 'pathname' | 'search'>;
    let door: URL;
    const isAlive = asksIfAlive(request);
    try {
      const text = isAlive ? (base ?? '') : request.url;
      door = base === undefined ? new URL(text) : this.#door(base);
      url = base === undefined ? door : partsOf(text);
    } catch {
      told.refused();
      return;
    }
    const target = door.origin;
    const path = base === undefined ? url.pathname : joined(door.pathname, url.pathname);
    // On this machine it is one of ours, which may know on whose behalf. Strangers may not.
    const inside = base !== undefined && isLoopback(door.hostname);
    const headers = without(request.headers, inside ? 'x-forwarded-for' : 'host');
    if (inside) {
      // The name the user asked for, which routes may go by; the connection goes to the edge.
      if (headerOf(headers, 'host') === undefined) headers.push('host', url.host);
      headers.push('x-forwarded-for', request.ip);
      if (request.session !== undefined) headers.push('x-loadpath-session', request.session);
      if (request.timeoutUs !== undefined) {
        headers.push('x-loadpath-timeout-us', String(request.timeoutUs));
      }
    }
    const underway: Underway = {
      abort: undefined,
      ended: false,
      timer: undefined,
      patience: undefined,
    };
    const id = request.id;
    const asked = this.#of(from);
    asked.set(id, underway);
    const finish = (tell: () => void) => {
      if (underway.ended) return;
      underway.ended = true;
      stopTimers(underway);
      if (asked.get(id) === underway) asked.take(id);
      if (!this.#closed) tell();
    };
    // A program that gives up says so; this is for those that forget, so that no connection to a
    // node that stands still is occupied for ever.
    const timeoutUs = request.timeoutUs ?? timeoutDefaultUs;
    underway.timer = this.#after(inside ? timeoutUs + timeoutSlackUs : timeoutUs, () => {
      finish(() => told.reply({ type: 'lost', id }));
      underway.abort?.(new Error('timed out'));
    });
    if (isAlive) {
      underway.abort = ask(door, inside, {
        answered: (code) =>
          finish(() => told.reply({ type: 'reply', id, status: code, headers: [], body: null })),
        failed: (error) => {
          if (neverArrived.has(codeOf(error))) finish(told.refused);
          else finish(() => told.reply({ type: 'lost', id }));
        },
      });
      return;
    }
    if (request.inlet && isUpgrade(request)) {
      const at = new URL(`${path}${url.search}`, target);
      const { inlet } = request;
      const hangUp = dial(at, request, inlet, headers, inside, {
        reply: (reply) => finish(() => told.reply(reply)),
        failed: (error) => {
          const isRefused = neverArrived.has(codeOf(error));
          finish(isRefused ? told.refused : () => told.reply({ type: 'lost', id }));
        },
      });
      underway.abort = hangUp;
      return;
    }
    if (request.inlet && isTunnel(request)) {
      underway.abort = this.#tunnels.dial(door, request.inlet, {
        opened: () =>
          finish(() => told.reply({ type: 'reply', id, status: 200, headers: [], body: null })),
        failed: (error) => {
          const isRefused = neverArrived.has(codeOf(error));
          finish(isRefused ? told.refused : () => told.reply({ type: 'lost', id }));
        },
      });
      return;
    }
    let flow: Flow | undefined;
    let status = 0;
    let replyHeaders: string[] = [];
    const parts: Uint8Array[] = [];
    let size = 0;
    /** From here on it is a stream, whose end has no time limit of ours. */
    const begin = (controller: Controller): void => {
      finish(() => {
        const reply: WebReply = { type: 'reply', id, status, headers: replyHeaders, body: null };
        flow = new Flow(controller, (events) => told.flow(reply, events));
        for (const part of parts.splice(0)) flow.data(part);
      });
    };
    // A connection that was kept may be ended at its other side just when a request goes out on it.
    let isRepeated = false;
    let mayRepeat = apart && !request.inlet && repeatable.has(request.method);
    const localAddress = apart ? addressFor(request.ip) : undefined;
    const answered: Answered = {
      started: (controller) => {
        underway.abort = (reason) => controller.abort(reason);
        if (underway.ended) controller.abort(new Error('given up'));
      },
      head: (controller, code, lines) => {
        status = code;
        replyHeaders = lines;
        const how = flows(request.method, status, lines);
        if (how === 'yes') begin(controller);
        // Many say no length and are short all the same: those are taken whole.
        else if (how === 'perhaps' && !underway.ended) {
          underway.patience = this.#after(patienceUs, () => begin(controller));
        }
      },
      data: (controller, part) => {
        // A copy, of its own size: what the socket read into is used again, or larger.
        const bytes = new Uint8Array(part);
        if (flow) return flow.data(bytes);
        size += bytes.length;
        if (size > replyMaxBytes) controller.abort(new Error('the reply is too large'));
        else parts.push(bytes);
        if (size > streamWindowBytes) begin(controller);
      },
      end: (trailers) => {
        if (flow) return flow.end(trailers);
        const body = size === 0 ? null : joinedBytes(parts, size);
        finish(() => told.reply({ type: 'reply', id, status, headers: replyHeaders, body }));
      },
      failed: (error) => {
        if (flow) return flow.broke();
        if (mayRepeat && status === 0 && !underway.ended && ended.has(errorCode(error))) {
          mayRepeat = false;
          isRepeated = true;
          dispatch();
          return;
        }
        if (!isRepeated && neverArrived.has(codeOf(error))) finish(told.refused);
        else finish(() => told.reply({ type: 'lost', id }));
      },
    };
    const { method, inlet, body } = request;
    const dispatch = (): void => {
      const asked = { method, path: `${path}${url.search}`, headers };
      if (door.protocol === 'http:' && !inlet) {
        this.#linesTo(door, localAddress).ask({ ...asked, body }, answered);
        return;
      }
      const flowing = inlet ? Readable.from(readableOf(inlet)) : body && bodyOf(body);
      askByPool(this.#pool(target, localAddress), { ...asked, body: flowing }, answered);
    };
    dispatch();
  }

  /** The caller gave up: the connection is cut, so that the other side hears of it. */
  cancel(from: string, id: number): void {
    const asked = this.#of(from);
    const underway = asked.take(id);
    if (!underway) return;
    underway.ended = true;
    stopTimers(underway);
    underway.abort?.(new Error('given up'));
  }

  close(): void {
    this.#closed = true;
    for (const asked of this.#underway.values()) {
      for (const id of asked.ids()) stopTimers(asked.get(id)!);
    }
    for (const pool of this.#pools.values()) pool.destroy().catch(() => {});
    this.#pools.clear();
    for (const lines of this.#lines.values()) lines.destroy();
    this.#lines.clear();
    this.#tunnels.destroyAll();
    this.#underway.clear();
  }

  #of(from: string): IdMap<Underway> {
    let asked = this.#underway.get(from);
    if (!asked) {
      asked = new IdMap();
      this.#underway.set(from, asked);
    }
    return asked;
  }

  #door(base: string): URL {
    let door = this.#doors.get(base);
    if (!door) {
      door = new URL(base);
      this.#doors.set(base, door);
    }
    return door;
  }

  #linesTo({ host, hostname, port }: URL, localAddress: string | undefined): Lines {
    const name = localAddress === undefined ? host : `${host} ${localAddress}`;
    let lines = this.#lines.get(name);
    if (!lines) {
      lines = new Lines({
        authority: host,
        host: hostname.replace(/^\[|\]$/g, ''),
        port: Number(port) || 80,
        // Everybody's own address only where a machine has more than one of them.
        localAddress: process.platform === 'linux' ? localAddress : undefined,
        connectionsMax: this.#connectionsMax,
        connectTimeoutMs,
        keepMs,
      });
      this.#lines.set(name, lines);
    }
    return lines;
  }

  #pool(origin: string, localAddress: string | undefined): Pool {
    const name = localAddress === undefined ? origin : `${origin} ${localAddress}`;
    let pool = this.#pools.get(name);
    if (!pool) {
      const { Pool } = loadHttp();
      pool = new Pool(origin, {
        connections: this.#connectionsMax,
        pipelining: 1,
        keepAliveTimeout: keepMs,
        // Timeouts belong to the programs, which know how long their callers wait.
        headersTimeout: 0,
        bodyTimeout: 0,
        // A node of ours on this machine, whose certificate may be of its own making.
        connect: {
          timeout: connectTimeoutMs,
          rejectUnauthorized: !isLoopback(new URL(origin).hostname),
          ...(localAddress !== undefined && process.platform === 'linux' ? { localAddress } : {}),
        },
      });
      this.#pools.set(name, pool);
    }
    return pool;
  }
}

/** By undici, which can do everything. */
function askByPool(
  pool: Pool,
  { method, path, headers, body }: Omit<Question, 'body'> & { readonly body: PoolBody },
  answered: Answered,
): void {
  pool.dispatch(
    { path, method: method as 'GET', headers: headers as string[], body },
    {
      onRequestStart: (controller) => answered.started(controller),
      onResponseStart: (controller, status, lines) =>
        answered.head(controller, status, flat(lines)),
      onResponseData: (controller, part) => answered.data(controller, part),
      onResponseEnd: (_controller, trailers) => answered.end(flat(trailers ?? {})),
      onResponseError: (_controller, error) => answered.failed(error),
    },
  );
}

/** `OPTIONS *`, which the pools take for no path. The answer cuts it off. */
function ask(
  door: URL,
  isOurs: boolean,
  told: { readonly answered: (status: number) => void; readonly failed: (error: Error) => void },
): () => void {
  const options = { method: 'OPTIONS', path: '*', agent: false, rejectUnauthorized: !isOurs };
  const asking = (door.protocol === 'https:' ? requestSecurely : requestPlainly)(door, options);
  asking.on('response', (response) => {
    response.resume();
    response.on('end', () => told.answered(response.statusCode ?? 502));
  });
  asking.on('error', told.failed);
  asking.end();
  return () => asking.destroy();
}

/**
 * An address of this machine to come from in the place of a user: so many users share one, and its
 * connections, as behind one office's router.
 */
function addressFor(ip: string): string {
  return `127.0.${1 + (hashText(ip) & 255)}.1`;
}

function joinedBytes(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function codeOf(error: Error): string {
  const code = errorCode(error) ?? errorCode(error.cause);
  // Trying several addresses of one name ends in an error of errors.
  if (code === undefined && error instanceof AggregateError) {
    const inner: unknown = error.errors[0];
    return errorCode(inner) ?? '';
  }
  return code ?? '';
}

function bodyOf(body: Uint8Array | string): Uint8Array | string {
  return typeof body === 'string' || body instanceof Buffer ? body : Buffer.from(body);
}

function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

function without(headers: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i] !== name) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}

function joined(first: string, second: string): string {
  return first.endsWith('/') ? `${first.slice(0, -1)}${second}` : `${first}${second}`;
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || name.startsWith('127.');
}

function stopTimers({ timer, patience }: Underway): void {
  timer?.cancel();
  patience?.cancel();
}

/**
 * What the URL standard would make of such a text is that text: its host is no number and no foreign name, its port
 * not the scheme's own, nothing is to be encoded, and there are no dots to be resolved.
 */
const plainUrl =
  /^https?:\/\/((?:127\.0\.0\.1|(?:(?!xn--)[a-z0-9-]+\.)*(?!xn--)[a-z][a-z0-9-]*)(?::(?!(?:80|443)(?!\d))(?:[1-5]\d{4}|[1-9]\d{0,3}))?)((?:\/[A-Za-z0-9_~!$&()*+,;=:@-][A-Za-z0-9_~!$&()*+,;=:@.-]*)*\/?)(\?[A-Za-z0-9_~!$&()*+,;=:@./?%-]*)?$/;

/** By hand where that is the same, since a `URL` costs more than anything else here. Throws like that. */
export function partsOf(text: string): Pick<URL, 'host' | 'pathname' | 'search'> {
  const [, host, path, search = ''] = plainUrl.exec(text) ?? [];
  if (host === undefined || path === undefined) return new URL(text);
  return { host, pathname: path === '' ? '/' : path, search: search === '?' ? '' : search };
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  const list: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') list.push(name, value);
    else if (value) for (const one of value) list.push(name, one);
  }
  return list;
}
