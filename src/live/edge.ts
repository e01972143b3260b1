/**
 * The door for people: an HTTP server that turns requests into messages for one program and its
 * replies back into HTTP. What is not HTTP, too large or too slow is answered here (400, 408, 413,
 * 431) and never reaches a program. A body that is long, or of which nobody says how long it is,
 * flows: it becomes a stream, with the socket's own back-pressure at this end.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Micros } from '../host/host.ts';
import { type Chunk, type Stream, type StreamEvents, streamWindowBytes } from '../host/stream.ts';
import type { WebCancel, WebReply, WebRequest } from '../host/web.ts';
import { LoadpathError } from '../kit/errors.ts';
import { errorCode } from './files.ts';

export interface EdgeOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Default 127.0.0.1: nobody outside this machine, unless told otherwise. */
  readonly host?: string | undefined;
  /** Default 10 MB. */
  readonly bodyMaxBytes?: number | undefined;
  /** Default 16 KiB, all header lines together. */
  readonly headersMaxBytes?: number | undefined;
  /** How long the headers, and then the whole request, may take to arrive. Defaults 10 s and 60 s. */
  readonly headersTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  /** Default 10,000. Further connections are closed at once, and counted. */
  readonly connectionsMax?: number | undefined;
  /** Ids start above it, so that a reply to a former life is not ours. */
  readonly life: number;
  readonly deliver: (message: WebRequest | WebCancel) => void;
  /** Begins the stream of a request whose body flows. */
  readonly connect: (request: WebRequest, events: StreamEvents) => Stream;
}

export interface EdgeCounts {
  requests: number;
  /** Answered here with a 4xx: malformed, too large, too slow. */
  refused: number;
  connectionsDropped: number;
  /** Replies to requests whose client had gone. */
  late: number;
}

interface Open {
  readonly response: ServerResponse;
  readonly method: string;
}

/** Longer bodies flow: what a stream may hold on its way anyway. */
const wholeMaxBytes = streamWindowBytes;
const noBody: ReadonlySet<number> = new Set([204, 304]);
/** What a hop keeps to itself (RFC 9110, 7.6.1), and what this server works out by itself. */
const hopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'upgrade',
  'trailer',
]);

export class Edge {
  readonly counts: EdgeCounts = { requests: 0, refused: 0, connectionsDropped: 0, late: 0 };
  readonly #options: EdgeOptions;
  readonly #server: Server;
  readonly #open = new Map<number, Open>();
  #nextId: number;
  #port = 0;
  #closing = false;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#nextId = options.life * 2 ** 32;
    const server = createServer({
      maxHeaderSize: options.headersMaxBytes ?? 16_384,
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 60_000,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 75_000,
      noDelay: true,
      joinDuplicateHeaders: true,
    });
    server.maxConnections = options.connectionsMax ?? 10_000;
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#request(request, response),
    );
    server.on('clientError', (error: Error, socket: Socket) => this.#clientError(error, socket));
    server.on('drop', () => this.counts.connectionsDropped++);
    this.#server = server;
  }

  get port(): number {
    return this.#port;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Throws `LoadpathError('port-taken')` when another process listens there. */
  listen(): Promise<number> {
    const { port, host = '127.0.0.1' } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(
          errorCode(error) === 'EADDRINUSE' || errorCode(error) === 'EACCES'
            ? portTaken(port, errorCode(error) === 'EACCES')
            : error,
        );
      });
      this.#server.listen({ host, port, backlog: 1_024 }, () => {
        const address = this.#server.address();
        if (address !== null && typeof address !== 'string') this.#port = address.port;
        resolve(this.#port);
      });
    });
  }

  reply(reply: WebReply): void {
    const open = this.#open.get(reply.id);
    if (!open) {
      this.counts.late++;
      return;
    }
    this.#open.delete(reply.id);
    const { response, method } = open;
    const body = reply.body ?? '';
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    if (!this.#writeHead(response, reply, noBody.has(reply.status) ? undefined : size)) return;
    if (method === 'HEAD' || noBody.has(reply.status)) response.end();
    else response.end(body);
  }

  /** A reply whose body flows. Undefined: its client has gone. */
  flow(reply: WebReply, stream: Stream): StreamEvents | undefined {
    const open = this.#open.get(reply.id);
    if (!open) {
      this.counts.late++;
      return undefined;
    }
    this.#open.delete(reply.id);
    const { response, method } = open;
    if (!this.#writeHead(response, reply, undefined)) return undefined;
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
      if (!response.writableFinished) stream.reset();
    });
    return {
      data(chunk) {
        if (response.write(chunk)) stream.took(chunk);
        else held.push(chunk);
      },
      ended() {
        response.end();
        stream.end();
      },
      closed(how) {
        // A body that broke off must not look like one that ended.
        if (how !== 'done') response.destroy();
      },
    };
  }

  /** False when it was answered otherwise: a program may hand over what is no header or no status. */
  #writeHead(response: ServerResponse, reply: WebReply, size: number | undefined): boolean {
    const headers: string[] = [];
    for (let i = 0; i + 1 < reply.headers.length; i += 2) {
      const name = reply.headers[i]!;
      if (hopHeaders.has(name) || (name === 'content-length' && size !== undefined)) continue;
      headers.push(name, reply.headers[i + 1]!);
    }
    if (size !== undefined) headers.push('content-length', String(size));
    if (this.#closing) headers.push('connection', 'close');
    try {
      response.writeHead(reply.status, headers);
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
      const timer = setTimeout(() => this.#server.closeAllConnections(), graceUs / 1_000);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }

  /** As the death of the process would. */
  destroy(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#open.clear();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const bodyMaxBytes = this.#options.bodyMaxBytes ?? 10_000_000;
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > bodyMaxBytes) {
      this.#refuse(response, 413, `A body may have at most ${bodyMaxBytes} bytes.`);
      return;
    }
    const host = request.headers.host ?? 'localhost';
    const path = request.url ?? '/';
    const absolute = path.startsWith('/') ? `http://${host}${path}` : path;
    if (!URL.canParse(absolute)) {
      this.#refuse(response, 400, 'The address of this request is not a URL.');
      return;
    }
    const method = request.method ?? 'GET';
    if (
      (declared === 0 && request.headers['transfer-encoding'] === undefined) ||
      method === 'HEAD'
    ) {
      request.resume();
      this.#pass(request, response, absolute, null);
      return;
    }
    if (!(declared > 0 && declared <= wholeMaxBytes)) {
      this.#flow(request, response, absolute, bodyMaxBytes);
      return;
    }
    const parts: Buffer[] = [];
    let size = 0;
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= bodyMaxBytes) parts.push(part);
      else if (!response.headersSent) {
        this.#refuse(response, 413, `A body may have at most ${bodyMaxBytes} bytes.`);
      }
    });
    request.on('end', () => {
      if (size > bodyMaxBytes) return;
      const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts, size);
      this.#pass(request, response, absolute, plainBytes(body));
    });
    request.on('error', () => {});
  }

  /** It goes on as it comes. */
  #flow(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    bodyMaxBytes: number,
  ): void {
    let size = 0;
    const asked = this.#begin(request, response, url, null);
    const stream = this.#options.connect(asked, {
      data: (chunk) => stream.took(chunk),
      ready: () => request.resume(),
      closed: (how) => {
        // Answered without its body, or nobody there to take it: what still comes is not read.
        request.resume();
        if (how === 'refused' && this.#open.delete(asked.id)) {
          answer(response, 503, 'Nothing here takes a body that flows.');
        }
      },
    });
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size > bodyMaxBytes) {
        stream.reset();
        if (!this.#open.delete(asked.id)) return;
        this.#options.deliver({ type: 'cancel', id: asked.id });
        this.#refuse(response, 413, `A body may have at most ${bodyMaxBytes} bytes.`);
      } else if (!stream.write(plainBytes(part))) request.pause();
    });
    request.on('end', () => stream.end());
    request.on('close', () => {
      if (!request.complete) stream.reset();
    });
    request.on('error', () => {});
  }

  #pass(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    body: Uint8Array | null,
  ): void {
    this.#options.deliver(this.#begin(request, response, url, body));
  }

  #begin(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    body: Uint8Array | null,
  ): WebRequest {
    const id = this.#nextId++;
    const method = request.method ?? 'GET';
    const headers: string[] = [];
    let ip = plainIp(request.socket.remoteAddress ?? '');
    let session: string | undefined;
    let timeoutUs: Micros | undefined;
    // Only who is on this machine may speak for somebody else.
    const trusted = isLoopback(ip);
    const raw = request.rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i]!.toLowerCase();
      const value = raw[i + 1]!;
      if (hopHeaders.has(name)) continue;
      if (trusted && name === 'x-forwarded-for') ip = value.split(',', 1)[0]!.trim();
      else if (name === 'x-loadpath-session') session = trusted ? value : undefined;
      else if (name === 'x-loadpath-timeout-us') {
        timeoutUs = trusted ? wholeNumber(value) : undefined;
      } else headers.push(name, value);
    }
    this.counts.requests++;
    this.#open.set(id, { response, method });
    response.on('close', () => {
      // The client is gone before its answer: whoever works on it may stop.
      if (this.#open.delete(id)) this.#options.deliver({ type: 'cancel', id });
    });
    return { type: 'request', id, method, url, headers, body, ip, session, timeoutUs };
  }

  #refuse(response: ServerResponse, status: number, why: string): void {
    this.counts.refused++;
    // The rest of the body is not worth reading, so this connection ends with its answer.
    response.setHeader('connection', 'close');
    answer(response, status, why);
  }

  #clientError(error: Error, socket: Socket): void {
    this.counts.refused++;
    if (!socket.writable || errorCode(error) === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [status, reason] = statusOf(errorCode(error));
    socket.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  }
}

function plainBytes(part: Buffer): Uint8Array {
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

function statusOf(code: string | undefined): readonly [number, string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, 'Request Header Fields Too Large'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'Request Timeout'];
  return [400, 'Bad Request'];
}

function answer(response: ServerResponse, status: number, why: string): void {
  const body = `${why}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

export function portTaken(port: number, forbidden = false): LoadpathError {
  return new LoadpathError(
    'port-taken',
    forbidden
      ? `This user may not listen on port ${port}. Choose a port above 1023.`
      : `Port ${port} is taken by another process. Stop that process, or choose another port with --port.`,
  );
}

/** IPv4 in IPv6's clothing is IPv4. */
function plainIp(ip: string): string {
  return ip.startsWith('::ffff:') ? ip.slice(7) : ip;
}

function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
