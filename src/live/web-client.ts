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
import { asksIfAlive, isTunnel, isUpgrade, type WebReply, type WebRequest } from '../host/web.ts';
import { hashText } from '../kit/random.ts';
import { IdMap } from '../parts/id-map.ts';
import { readableOf } from '../parts/web/flow.ts';
import { type Asker, Asking, headerOf, type Told } from './asking.ts';
import { type Answered, Lines, type Question } from './lines.ts';
import { Tunnels } from './tunnels.ts';
import { dial } from './web-socket.ts';

type PoolBody = Uint8Array | string | Readable | null;

/** When the caller names no timeout. */
const timeoutDefaultUs = 30_000_000;
/** The caller's own timer is to fire first. */
const timeoutSlackUs = 500_000;

/** What may be asked again when the other side ended the connection just then (RFC 9110, 9.2.2). */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

const connectTimeoutMs = 5_000;
/** How long a connection is kept that nobody needs. */
const keepMs = 60_000;

/** How long a reply of unknown length may take to end, before it is one that flows. */
const patienceUs = 20_000;

/**
 * For TLS and for bodies that flow. It takes a third of a node's start to load, and most nodes never send either:
 * loaded at the first.
 */
function loadHttp(): typeof import('undici') {
  return createRequire(import.meta.url)('undici');
}

/** Where requests go: what is asked of a URL for each of them, once. */
interface Door {
  readonly url: URL;
  readonly origin: string;
  readonly path: string;
  /** It is on this machine. */
  readonly isHere: boolean;
  readonly isPlain: boolean;
  /** For all who share connections. */
  lines: Lines | undefined;
}

function doorTo(url: URL): Door {
  const { origin, pathname, hostname, protocol } = url;
  const isHere = isLoopback(hostname);
  const isPlain = protocol === 'http:';
  return { url, origin, path: pathname, isHere, isPlain, lines: undefined };
}

export class WebClient {
  readonly #pools = new Map<string, Pool>();
  /** By where they lead, and where from. */
  readonly #lines = new Map<string, Lines>();
  /** By their text: there are few, and each request goes to one of them. */
  readonly #doors = new Map<string, Door>();
  /** By the port that asks and the id of its request. */
  readonly #underway = new Map<string, IdMap<Asking>>();
  readonly #tunnels = new Tunnels();
  readonly #after: (delayUs: Micros, fire: () => void) => Timer;
  readonly #connectionsMax: number;
  #closed = false;
  readonly #asker: Asker = {
    over: (asking) => {
      const asked = this.#of(asking.from);
      if (asked.get(asking.id) === asking) asked.take(asking.id);
      return !this.#closed;
    },
    patience: (fire) => this.#after(patienceUs, fire),
  };

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
    let door: Door;
    const isAlive = asksIfAlive(request);
    try {
      const text = isAlive ? (base ?? '') : request.url;
      door = base === undefined ? doorTo(new URL(text)) : this.#door(base);
      url = base === undefined ? door.url : partsOf(text);
    } catch {
      told.refused();
      return;
    }
    const path = `${base === undefined ? url.pathname : joined(door.path, url.pathname)}${url.search}`;
    // On this machine it is one of ours, which may know on whose behalf. Strangers may not.
    const inside = base !== undefined && door.isHere;
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
    const { id, method, inlet, body } = request;
    const asking = new Asking(from, id, method, this.#asker, told);
    this.#of(from).set(id, asking);
    // A program that gives up says so; this is for those that forget, so that no connection to a
    // node that stands still is occupied for ever.
    const timeoutUs = request.timeoutUs ?? timeoutDefaultUs;
    const lateUs = inside ? timeoutUs + timeoutSlackUs : timeoutUs;
    asking.timer = this.#after(lateUs, () => asking.late());
    const opened = (status: number): void =>
      asking.reply({ type: 'reply', id, status, headers: [], body: null });
    const failed = (error: Error): void => asking.failed(error);
    if (isAlive) {
      asking.abort = ask(door.url, inside, { answered: opened, failed });
      return;
    }
    if (inlet && isUpgrade(request)) {
      const at = new URL(path, door.origin);
      const reply = (answer: WebReply): void => asking.reply(answer);
      asking.abort = dial(at, request, inlet, headers, inside, { reply, failed });
      return;
    }
    if (inlet && isTunnel(request)) {
      asking.abort = this.#tunnels.dial(door.url, inlet, { opened: () => opened(200), failed });
      return;
    }
    const localAddress = apart ? addressFor(request.ip) : undefined;
    if (door.isPlain && !inlet) {
      const lines = this.#linesTo(door, localAddress);
      const question = { method, path, headers, body };
      // A connection that was kept may be ended at its other side just when a request goes out on it.
      if (apart && repeatable.has(method)) asking.again = () => lines.ask(question, asking);
      lines.ask(question, asking);
      return;
    }
    const pool = this.#pool(door.origin, localAddress);
    const flowing = inlet ? Readable.from(readableOf(inlet)) : body && bodyOf(body);
    const question = { method, path, headers, body: flowing };
    if (apart && !inlet && repeatable.has(method)) {
      asking.again = () => askByPool(pool, question, asking);
    }
    askByPool(pool, question, asking);
  }

  /** The caller gave up: the connection is cut, so that the other side hears of it. */
  cancel(from: string, id: number): void {
    this.#of(from).take(id)?.giveUp();
  }

  close(): void {
    this.#closed = true;
    for (const asked of this.#underway.values()) {
      for (const id of asked.ids()) asked.get(id)!.stop();
    }
    for (const pool of this.#pools.values()) pool.destroy().catch(() => {});
    this.#pools.clear();
    for (const lines of this.#lines.values()) lines.destroy();
    this.#lines.clear();
    this.#tunnels.destroyAll();
    this.#underway.clear();
  }

  #of(from: string): IdMap<Asking> {
    let asked = this.#underway.get(from);
    if (!asked) {
      asked = new IdMap();
      this.#underway.set(from, asked);
    }
    return asked;
  }

  #door(base: string): Door {
    let door = this.#doors.get(base);
    if (!door) {
      door = doorTo(new URL(base));
      this.#doors.set(base, door);
    }
    return door;
  }

  #linesTo(door: Door, localAddress: string | undefined): Lines {
    if (localAddress === undefined && door.lines) return door.lines;
    const { host, hostname, port } = door.url;
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
    if (localAddress === undefined) door.lines = lines;
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

function bodyOf(body: Uint8Array | string): Uint8Array | string {
  return typeof body === 'string' || body instanceof Buffer ? body : Buffer.from(body);
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
