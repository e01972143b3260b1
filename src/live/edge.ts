/**
 * The door for people: an HTTP server that turns requests into messages for one program and its
 * replies back into HTTP. What is not HTTP, too large, too slow or coded on its way is answered here (400, 408,
 * 413, 414, 431, 501) and never reaches a program. A body that is long, or of which nobody says how long it is,
 * flows: it becomes a stream, with the socket's own back-pressure at this end.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, ServerHttp2Session } from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Connection } from '../host/connection.ts';
import type { Micros } from '../host/host.ts';
import { type Chunk, type Stream, type StreamEvents, streamWindowBytes } from '../host/stream.ts';
import type { TlsFacts, WebReply, WebRequest, WebTrailers } from '../host/web.ts';
import { IdMap } from '../parts/id-map.ts';
import { Intake } from '../parts/stream.ts';
import { ConnectionSocket } from './connections.ts';
import {
  addressOf,
  type Heard,
  Hosts,
  hasNoBody,
  hostOf,
  namedIn,
  plainIp,
  spokenFor,
} from './edge-addresses.ts';
import { bodyMaxBytesDefault, flawOfHead } from './edge-heads.ts';
import type { EdgeCounts, EdgeOptions } from './edge-options.ts';
import { PlainConnection, type PlainOwner, readerOf } from './edge-plain.ts';
import {
  answer,
  breakOff,
  endAtOnce,
  grouped,
  hopHeaders,
  lengthOf,
  statusOf,
} from './edge-replies.ts';
import { secure } from './edge-secure.ts';
import { errorCode } from './files.ts';
import { listenAt } from './listening.ts';
import type { TlsMaterial } from './tls.ts';
import { farEnd, methods, plainBytes, responseOn, Tunnels } from './tunnels.ts';
import { flawOf, Upgrades } from './web-socket.ts';

export type { EdgeCounts, EdgeOptions } from './edge-options.ts';

/** What is under way on one connection. */
interface Traffic {
  /** Requests not yet answered. */
  waiting: number;
  /** Responses that have begun and are not over. */
  begun: number;
}

/** One request from its first byte to the last of its answer. */
interface Exchange {
  readonly traffic: Traffic;
  /** Of the request that a program has; -1: none has it yet. */
  id: number;
  isBegun: boolean;
}

interface Open {
  readonly to: ServerResponse | PlainConnection;
  readonly method: string;
  /** Of Node's server. */
  readonly exchange?: Exchange;
  /** It asks for a web socket or a tunnel, and is told here that it gets one. */
  accept?: (reply: WebReply) => void;
}

/** Longer bodies flow: what a stream may hold on its way anyway. */
const wholeMaxBytes = streamWindowBytes;
/** How long a body of unknown length may take to end, before it goes on as it comes. */
const patienceMs = 100;
const noBody: ReadonlySet<number> = new Set([204, 304]);
export class Edge {
  readonly counts: EdgeCounts = {
    requests: 0,
    refused: 0,
    connectionsDropped: 0,
    handshakes: 0,
    handshakesFailed: 0,
    late: 0,
  };
  readonly #options: EdgeOptions;
  readonly #server: Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #facts = new WeakMap<object, TlsFacts>();
  readonly #open = new IdMap<Open>();
  readonly #traffic = new WeakMap<Socket, Traffic>();
  /** Their last answer has been given. */
  readonly #refused = new WeakSet<Socket>();
  /** What a host comes to, by its text: of few hosts come many requests. */
  readonly #hosts = new Hosts();
  /** Connections read by hand. */
  readonly #plain = new Set<PlainConnection>();
  readonly #owner: PlainOwner;
  readonly #upgrades = new Upgrades();
  readonly #tunnels = new Tunnels();
  /** Connections that somebody else took and passed on. */
  readonly #passed = new Set<Duplex>();
  #nextId: number;
  #port = 0;
  #closing = false;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#nextId = options.life * 2 ** 32;
    const { tls } = options;
    const limits = {
      maxHeaderSize: options.headersMaxBytes ?? 16_384,
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 60_000,
      connectionsCheckingInterval: Math.min(1_000, options.headersTimeoutMs ?? 1_000),
      keepAliveTimeout: options.keepAliveMs ?? 75_000,
      noDelay: true,
      joinDuplicateHeaders: true,
    };
    const server = tls ? createSecureServer({ ...limits, ...tls.options }) : createServer(limits);
    // Bounded in bytes; beyond a number of them Node would leave out the rest without a word.
    server.maxHeadersCount = 0;
    server.maxConnections = options.connectionsMax ?? 10_000;
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#request(request, response),
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#request(request, response, true),
    );
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#connect(request, socket, head),
    );
    server.on('clientError', (error: Error, socket: Socket) => this.#clientError(error, socket));
    server.on('drop', () => this.counts.connectionsDropped++);
    this.#server = server;
    const handOver = readerOf(server, tls ? 'secureConnection' : 'connection');
    this.#owner = this.#owning(limits, handOver);
    if (tls) this.#secure(server, tls, limits, handOver);
    else server.on('connection', (socket: Duplex) => this.#read(socket, handOver));
  }

  #secure(
    server: Server,
    tls: TlsMaterial,
    limits: { readonly maxHeaderSize: number; readonly keepAliveTimeout: number },
    handOver: (socket: Duplex) => void,
  ): void {
    secure(server, tls, limits, {
      failed: () => this.counts.handshakesFailed++,
      plain: (socket, facts) => {
        this.counts.handshakes++;
        this.#facts.set(socket, facts);
        this.#read(socket, handOver);
      },
      session: (session, facts) => {
        this.counts.handshakes++;
        this.#facts.set(session, facts);
        this.#sessions.add(session);
        session.on('close', () => this.#sessions.delete(session));
      },
      // Its requests and responses are those of HTTP/1.1 in all that is used here, bar `#writeHead`.
      request: (request, response, isAsked) => this.#request(request, response, isAsked),
    });
  }

  /** By hand, as long as that can be done. */
  #read(socket: Duplex, handOver: (socket: Duplex) => void): void {
    if (!(socket instanceof Socket)) return handOver(socket);
    this.#plain.add(new PlainConnection(socket, this.#owner));
  }

  #owning(
    limits: {
      readonly maxHeaderSize: number;
      readonly headersTimeout: number;
      readonly keepAliveTimeout: number;
    },
    handOver: (socket: Duplex) => void,
  ): PlainOwner {
    const scheme = this.#options.tls ? 'https' : 'http';
    return {
      limits: {
        headersMaxBytes: limits.maxHeaderSize,
        headersMax: this.#options.headersMax ?? 200,
        urlMaxBytes: this.#options.urlMaxBytes ?? 8_192,
        bodyMaxBytes: Math.min(this.#options.bodyMaxBytes ?? bodyMaxBytesDefault, wholeMaxBytes),
      },
      headersTimeoutMs: limits.headersTimeout,
      keepAliveMs: limits.keepAliveTimeout,
      request: (plain, { method, target, host, headers, body }) => {
        if (!this.#hosts.isGood(host)) return false;
        const url = `${scheme}://${host}${target}`;
        const heard = spokenFor(headers, plain.ip);
        const id = this.#nextId++;
        this.counts.requests++;
        this.#open.set(id, { to: plain, method });
        plain.began(id, method === 'HEAD');
        this.#options.deliver(this.#asked(id, method, url, heard, body, plain.socket));
        return true;
      },
      handOver,
      gone: (id) => this.#gone(id),
      late: (socket) => this.#clientError(tooSlow, socket),
      closed: (plain) => this.#plain.delete(plain),
    };
  }

  get port(): number {
    return this.#port;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Throws `LoadpathError('port-taken')` when another process listens there. */
  async listen(): Promise<number> {
    this.#port = await listenAt(this.#server, this.#options);
    return this.#port;
  }

  /** A connection that came through a balancer. Undefined: no more are taken. */
  accept(connection: Connection, stream: Stream): StreamEvents | undefined {
    const connectionsMax = this.#options.connectionsMax ?? 10_000;
    if (this.#closing || this.#passed.size >= connectionsMax) return undefined;
    const socket = new ConnectionSocket(connection, stream);
    this.#passed.add(socket);
    socket.on('close', () => this.#passed.delete(socket));
    socket.on('error', () => {});
    this.#server.emit('connection', socket);
    return socket.events;
  }

  /** One that somebody accepted in its place. */
  take(socket: Socket): void {
    const connectionsMax = this.#options.connectionsMax ?? 10_000;
    if (this.#closing || this.#passed.size >= connectionsMax) {
      socket.resetAndDestroy();
      return;
    }
    this.#passed.add(socket);
    socket.on('close', () => this.#passed.delete(socket));
    socket.setNoDelay(true);
    // Who accepted it may not have read of it; TLS begins to by itself.
    if (!this.#options.tls) socket.resume();
    this.#server.emit('connection', socket);
  }

  /** Serves what is passed on to it, and listens nowhere. */
  open(): void {
    // What watches over slow clients waits for this.
    this.#server.emit('listening');
  }

  reply(reply: WebReply): void {
    const open = this.#open.take(reply.id);
    if (!open) {
      this.counts.late++;
      return;
    }
    const { to, method, accept } = open;
    if (to instanceof PlainConnection && to.answer(reply)) return;
    const response = responseOf(to);
    if (method === 'CONNECT' ? reply.status < 300 : reply.status === 101) {
      if (accept) accept(reply);
      else answer(response, 502, 'The service changed the protocol unasked.');
      return;
    }
    const body = reply.body ?? '';
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    if (size === 0 && 'stream' in response && endAtOnce(response, reply)) return;
    const isHead = method === 'HEAD';
    const said = noBody.has(reply.status) ? undefined : lengthOf(reply, size, isHead);
    if (!this.#writeHead(response, open.exchange, reply, said)) return;
    if (isHead || noBody.has(reply.status)) response.end();
    else response.end(body);
  }

  /** A reply whose body flows. Undefined: its client has gone. */
  flow(reply: WebReply, stream: Stream): StreamEvents | undefined {
    const open = this.#open.take(reply.id);
    if (!open) {
      this.counts.late++;
      return undefined;
    }
    const { to, method, exchange } = open;
    const response = responseOf(to);
    if (!this.#writeHead(response, exchange, reply, undefined)) return undefined;
    if (method === 'HEAD' || noBody.has(reply.status)) {
      response.end();
      return undefined;
    }
    response.flushHeaders();
    const held: Chunk[] = [];
    response.on('drain', () => {
      for (const chunk of held.splice(0)) stream.took(chunk);
    });
    response.on('close', () => {
      if (!response.writableEnded) stream.reset();
    });
    return {
      data(chunk) {
        if (response.write(chunk)) stream.took(chunk);
        else held.push(chunk);
      },
      ended(last) {
        const trailers = (last as WebTrailers | undefined)?.headers;
        if (trailers) response.addTrailers(grouped(trailers));
        response.end();
        stream.end();
      },
      closed(how) {
        if (how !== 'done') breakOff(response, reply.headers);
      },
    };
  }

  /** False when it was answered otherwise: a program may hand over what is no header or no status. */
  #writeHead(
    response: ServerResponse,
    exchange: Exchange | undefined,
    reply: WebReply,
    size: number | undefined,
  ): boolean {
    const headers: string[] = [];
    for (let i = 0; i + 1 < reply.headers.length; i += 2) {
      const name = reply.headers[i]!;
      if (hopHeaders.has(name) || (name === 'content-length' && size !== undefined)) continue;
      headers.push(name, reply.headers[i + 1]!);
    }
    if (size !== undefined) headers.push('content-length', String(size));
    const isHttp2 = 'stream' in response;
    if (this.#closing && !isHttp2) headers.push('connection', 'close');
    try {
      response.writeHead(reply.status, isHttp2 ? grouped(headers) : headers);
      if (!isHttp2 && exchange) {
        exchange.isBegun = true;
        exchange.traffic.begun++;
      }
      return true;
    } catch {
      answer(response, 502, 'The service sent a reply that is not HTTP.');
      return false;
    }
  }

  /** Takes no new connections, lets open requests finish, and cuts what is left after `graceUs`. */
  close(graceUs: Micros): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        for (const session of this.#sessions) session.destroy();
        this.#server.closeAllConnections();
        for (const { socket } of this.#plain) socket.destroy();
        this.#upgrades.terminate();
        this.#tunnels.destroyAll();
      }, graceUs / 1_000);
      let left = this.#passed.size + 1;
      const ended = (): void => {
        if (--left > 0) return;
        clearTimeout(timer);
        resolve();
      };
      for (const socket of this.#passed) socket.on('close', ended);
      this.#server.close(ended);
      for (const session of this.#sessions) session.close();
      this.#server.closeIdleConnections();
      for (const plain of this.#plain) plain.end();
    });
  }

  /** As the death of the process would. */
  destroy(): void {
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
    this.#server.closeAllConnections();
    for (const { socket } of this.#plain) socket.destroy();
    this.#upgrades.terminate();
    this.#tunnels.destroyAll();
    for (const socket of this.#passed) socket.destroy();
    for (const id of this.#open.ids()) this.#open.take(id);
  }

  /** `isAsked`: its body comes when it is called for (RFC 9110, 10.1.1), and not at all where its head is refused. */
  #request(request: IncomingMessage, response: ServerResponse, isAsked = false): void {
    const flaw = flawOfHead(request, this.#options);
    if (flaw) return this.#refuse(response, flaw[0], flaw[1]);
    const absolute = addressOf(request, this.#options.tls ? 'https' : 'http', this.#hosts);
    if (absolute === undefined) {
      return this.#refuse(response, 400, 'The address of this request is not a URL.');
    }
    const exchange = this.#enter(request.socket, response);
    if (!exchange) {
      return this.#refuse(response, 503, 'Too many requests at once on this connection.');
    }
    const method = request.method ?? 'GET';
    const declared = Number(request.headers['content-length'] ?? 0);
    const isHttp2 = 'stream' in request;
    if (
      (declared === 0 &&
        request.headers['transfer-encoding'] === undefined &&
        hasNoBody(request)) ||
      method === 'HEAD'
    ) {
      request.resume();
      return this.#pass(request, response, exchange, absolute, null);
    }
    if (isAsked) response.writeContinue();
    // In HTTP/2 a call may be answered before it is over, and go on.
    const patience = isHttp2 ? 0 : patienceMs;
    const isSmall = declared > 0 && declared <= wholeMaxBytes;
    this.#flow(request, response, exchange, absolute, isSmall ? undefined : patience);
  }

  /**
   * A body goes on whole if it is small and soon there: then it can be sent twice, and what turns out
   * to be malformed never got anywhere. Else it goes on as it comes, after `patienceMs` at the latest.
   */
  #flow(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    url: string,
    patience: number | undefined,
  ): void {
    const bodyMaxBytes = this.#options.bodyMaxBytes ?? bodyMaxBytesDefault;
    const parts: Buffer[] = [];
    let size = 0;
    let isRefused = false;
    let asked: WebRequest | undefined;
    let stream: Stream | undefined;
    const begin = (): void => {
      if (stream || isRefused) return;
      const started = this.#begin(request, response, exchange, url, null);
      const opened = this.#options.connect(started, {
        data: (chunk) => opened.took(chunk),
        ready: () => request.resume(),
        closed: (how) => {
          // Answered without its body, or nobody there to take it: what still comes is not read.
          request.resume();
          if (how === 'refused' && this.#open.take(started.id)) {
            answer(response, 503, 'Nothing here takes a body that flows.');
          }
        },
      });
      asked = started;
      stream = opened;
      for (const part of parts.splice(0)) write(part);
    };
    const write = (part: Buffer): void => {
      if (stream?.write(plainBytes(part)) === false) request.pause();
    };
    const timer =
      patience === undefined || patience === 0 ? undefined : setTimeout(begin, patience);
    request.on('data', (part: Buffer) => {
      if (isRefused) return;
      size += part.length;
      if (size > bodyMaxBytes) {
        isRefused = true;
        stream?.reset();
        if (asked && !this.#open.take(asked.id)) return;
        if (asked) this.#options.deliver({ type: 'cancel', id: asked.id });
        this.#refuse(response, 413, `A body may have at most ${bodyMaxBytes} bytes.`);
      } else if (stream) write(part);
      else {
        parts.push(part);
        if (size > wholeMaxBytes) begin();
      }
    });
    request.on('end', () => {
      clearTimeout(timer);
      if (stream) stream.end();
      else if (!isRefused) {
        const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts, size);
        this.#pass(request, response, exchange, url, plainBytes(body));
      }
    });
    request.on('close', () => {
      clearTimeout(timer);
      isRefused = true;
      if (!request.complete) stream?.reset();
    });
    request.on('error', () => {});
    if (patience === 0) begin();
  }

  /**
   * A web socket is a request like others until it is answered with 101. Other protocols are not changed
   * to: such a request is answered in this one (RFC 9110, 7.8), on a connection that ends with it.
   */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const response = responseOn(request, socket);
    if (!response) return;
    const { headers } = request;
    if (headers.upgrade?.toLowerCase() !== 'websocket') {
      // The server reads no body any more, so none is believed to be there.
      const hasBody = headers['content-length'] || headers['transfer-encoding'] !== undefined;
      if (hasBody) this.#refuse(response, 400, 'A request that changes protocols has no body.');
      else this.#request(request, response);
      return;
    }
    const flaw = flawOf(request);
    if (flaw) {
      response.setHeader('sec-websocket-version', '13');
      return this.#refuse(response, flaw[0], flaw[1]);
    }
    const url = addressOf(request, this.#options.tls ? 'https' : 'http', this.#hosts);
    if (url === undefined) {
      return this.#refuse(response, 400, 'The address of this request is not a URL.');
    }
    this.#join(request, socket, response, url, (reply, intake) =>
      this.#upgrades.accept(request, socket, head, reply, intake),
    );
  }

  #connect(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const response = responseOn(request, socket);
    if (!response) return;
    if (!this.#options.tunnels) {
      response.setHeader('allow', methods);
      return this.#refuse(response, 405, 'There are no tunnels through this door.');
    }
    const url = farEnd(request, (host) => this.#hosts.isGood(host));
    if (url === undefined) {
      return this.#refuse(response, 400, 'A tunnel leads to a name and a port.');
    }
    this.#join(request, socket, response, url, (_reply, intake) =>
      this.#tunnels.accept(socket, head, intake),
    );
  }

  /** A request whose stream goes both ways once the program has agreed: with `accept` the socket is no more HTTP. */
  #join(
    request: IncomingMessage,
    socket: Socket,
    response: ServerResponse,
    url: string,
    accept: (reply: WebReply, intake: Intake) => void,
  ): void {
    const exchange = this.#followed(response, this.#trafficOf(socket));
    const isUpgrade = request.method !== 'CONNECT';
    const asked = this.#begin(request, response, exchange, url, null, isUpgrade);
    const stream = this.#options.connect(asked, {
      data: (chunk) => intake.events.data(chunk),
      ready: () => intake.events.ready?.(),
      ended: (last) => intake.events.ended?.(last),
      closed: (how) => {
        intake.events.closed(how);
        if (how === 'refused' && this.#open.take(asked.id)) {
          answer(response, 503, 'Nothing here takes such a connection.');
        }
      },
    });
    const intake = new Intake(stream);
    let isUp = false;
    response.on('close', () => {
      if (!isUp) stream.reset();
    });
    this.#open.get(asked.id)!.accept = (reply) => {
      isUp = true;
      response.detachSocket(socket);
      accept(reply, intake);
    };
  }

  /** Undefined when no more may wait on this connection: who sends on and on without reading fills memory. */
  #enter(socket: Socket, response: ServerResponse): Exchange | undefined {
    const traffic = this.#trafficOf(socket);
    if (traffic.waiting >= (this.#options.pipelineMax ?? 64)) return undefined;
    return this.#followed(response, traffic);
  }

  #trafficOf(socket: Socket): Traffic {
    let traffic = this.#traffic.get(socket);
    if (!traffic) {
      traffic = { waiting: 0, begun: 0 };
      this.#traffic.set(socket, traffic);
    }
    return traffic;
  }

  /** Until its end, which is one event for all that wants to know. */
  #followed(response: ServerResponse, traffic: Traffic): Exchange {
    const exchange: Exchange = { traffic, id: -1, isBegun: false };
    traffic.waiting++;
    response.on('close', () => {
      traffic.waiting--;
      if (exchange.isBegun) traffic.begun--;
      if (exchange.id >= 0) this.#gone(exchange.id);
    });
    return exchange;
  }

  /** The client is gone before its answer: whoever works on it may stop. */
  #gone(id: number): void {
    if (this.#open.take(id)) this.#options.deliver({ type: 'cancel', id });
  }

  #pass(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    url: string,
    body: Uint8Array | null,
  ): void {
    this.#options.deliver(this.#begin(request, response, exchange, url, body));
  }

  #begin(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    url: string,
    body: Uint8Array | null,
    isUpgrade = false,
  ): WebRequest {
    const id = this.#nextId++;
    const method = request.method ?? 'GET';
    const headers: string[] = [];
    const raw = request.rawHeaders;
    const named = namedIn(request.headers.connection);
    const isAbsolute = !(request.url ?? '/').startsWith('/') && url !== '*';
    if (isUpgrade) headers.push('upgrade', 'websocket');
    if (request.httpVersionMajor === 2) headers.push('host', hostOf(request));
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i]!.toLowerCase();
      let value = raw[i + 1]!;
      if (hopHeaders.has(name) || named?.has(name) || name.startsWith(':')) continue;
      // The handshake is between the client and this server.
      if (isUpgrade && /^sec-websocket-(key|version|extensions|accept)$/.test(name)) continue;
      // RFC 9112, 3.2.2: what the request line says holds, and is passed on.
      if (isAbsolute && name === 'host') value = new URL(url).host;
      headers.push(name, value);
    }
    this.counts.requests++;
    this.#open.set(id, { to: response, exchange, method });
    exchange.id = id;
    const { socket } = request;
    const heard = spokenFor(headers, plainIp(socket.remoteAddress ?? ''));
    const { stream } = request as unknown as Partial<Http2ServerRequest>;
    return this.#asked(id, method, url, heard, body, stream?.session ?? socket);
  }

  /** `over`: whose handshake says who asks. */
  #asked(
    id: number,
    method: string,
    url: string,
    { headers, ip, session, timeoutUs }: Heard,
    body: Uint8Array | null,
    over: object,
  ): WebRequest {
    if (!this.#options.tls) {
      return { type: 'request', id, method, url, headers, body, ip, session, timeoutUs };
    }
    const tls = this.#facts.get(over);
    return { type: 'request', id, method, url, headers, body, ip, session, timeoutUs, tls };
  }

  #refuse(response: ServerResponse, status: number, why: string): void {
    this.counts.refused++;
    // The rest of the body is not worth reading, so this connection ends with its answer.
    if (!('stream' in response)) {
      response.setHeader('connection', 'close');
      this.#refused.add(response.req.socket);
    }
    answer(response, status, why);
  }

  #clientError(error: Error, socket: Socket): void {
    if (!socket.writable || errorCode(error) === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    // What is wrong with the rest of a request was answered with its head.
    if (this.#refused.has(socket)) return socket.destroySoon();
    this.counts.refused++;
    // Within an answer there is no place for another: whoever reads would take it for a part of it.
    if ((this.#traffic.get(socket)?.begun ?? 0) > 0) {
      socket.destroy();
      return;
    }
    const [status, reason] = statusOf(errorCode(error));
    socket.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  }
}

function responseOf(to: ServerResponse | PlainConnection): ServerResponse {
  return to instanceof PlainConnection ? to.response() : to;
}

const tooSlow = Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
