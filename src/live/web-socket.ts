/**
 * A real web socket (RFC 6455) joined with a stream of the system: messages, pings, pongs and
 * good-byes pass both ways, with the back-pressure of each.
 *
 *   browser ══ frames over TCP ══ [ ws ↔ chunks ] ══ stream ══ program
 *
 * Pings go through to the other end, so a pong proves that the service is there and not only the edge.
 */
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Chunk, Inlet, Stream, StreamEvents } from '../host/stream.ts';
import type { WebClose, WebReply, WebRequest } from '../host/web.ts';
import {
  chunkOfText,
  closeCodes,
  closeOf,
  frameOf,
  pingChunk,
  pongChunk,
} from '../parts/socket.ts';

/** A longer message from outside ends its socket with 1009. */
export const messageMaxBytes = 10_000_000;
/** The longest reason that fits into the frame of a good-bye. */
const reasonMaxBytes = 123;

/** To be called before anything can come over `socket`; the answer hears what comes over `stream`. */
export function joined(socket: WebSocket, stream: Stream): StreamEvents {
  let isOver = false;
  let wasClosed = false;
  /** RFC 6455, 5.5.3: a pong answers the latest ping. */
  let pinged: Buffer | undefined;
  const write = (chunk: Chunk): void => {
    if (!stream.write(chunk)) socket.pause();
  };
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    write(isBinary ? bytesOf(data) : chunkOfText(data.toString('utf8')));
  });
  socket.on('ping', (data: Buffer) => {
    pinged = data;
    write(pingChunk);
  });
  socket.on('pong', () => write(pongChunk));
  socket.on('error', () => {});
  socket.on('close', (code: number, reason: Buffer) => {
    if (isOver) return;
    wasClosed = true;
    if (code === closeCodes.broken) {
      isOver = true;
      return stream.reset();
    }
    const said: WebClose = { type: 'close', code, reason: reason.toString('utf8') };
    if (code === closeCodes.noCode) stream.end();
    else stream.end(said);
  });
  return {
    data(chunk) {
      const frame = frameOf(chunk);
      if (frame.is === 'message') {
        socket.send(frame.data, () => stream.took(chunk));
        return;
      }
      stream.took(chunk);
      if (frame.is === 'ping') socket.ping();
      else if (pinged) {
        socket.pong(pinged);
        pinged = undefined;
      }
    },
    ready: () => socket.resume(),
    ended(last) {
      if (wasClosed) return;
      const { code, reason } = closeOf(last);
      if (code === closeCodes.noCode) socket.close();
      else socket.close(code, Buffer.byteLength(reason) > reasonMaxBytes ? '' : reason);
    },
    closed(how) {
      isOver = true;
      // What broke off must not look like a good-bye.
      if (how !== 'done') socket.terminate();
    },
  };
}

/** It takes a while to load, and most nodes never see a web socket. */
export function loadWs(): typeof import('ws') {
  return createRequire(import.meta.url)('ws');
}

/** What is wrong with a request for a web socket (RFC 6455, 4.2.1), and the status that says so. */
export function flawOf({
  method,
  headers,
  httpVersion,
}: IncomingMessage): readonly [number, string] | undefined {
  if (method !== 'GET' || httpVersion !== '1.1') return [400, 'A web socket begins with GET.'];
  if (headers['sec-websocket-version'] !== '13') return [426, 'Web sockets here have version 13.'];
  const key = headers['sec-websocket-key'] ?? '';
  if (!/^[+/0-9A-Za-z]{22}==$/.test(key)) return [400, 'The key of this web socket is none.'];
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  return length === undefined && coding === undefined
    ? undefined
    : [400, 'A web socket begins without a body.'];
}

/** The server's side of the handshake, and of the sockets that came about. */
export class Upgrades {
  readonly #open = new Set<WebSocket>();

  get openCount(): number {
    return this.#open.size;
  }

  /** Says 101 and joins what it becomes with `inlet`. The request has no flaw. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    reply: WebReply,
    inlet: Inlet,
  ): void {
    let protocol: string | false = false;
    const lines: string[] = [];
    for (let i = 0; i + 1 < reply.headers.length; i += 2) {
      const name = reply.headers[i]!;
      const value = reply.headers[i + 1]!;
      if (name === 'sec-websocket-protocol') protocol = value;
      else if (passed.has(name) && !/[\r\n]/.test(value)) lines.push(`${name}: ${value}`);
    }
    // The service has chosen, for this one socket.
    const server = new (loadWs().WebSocketServer)({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: messageMaxBytes,
      autoPong: false,
      handleProtocols: (offered) => (protocol && offered.has(protocol) ? protocol : false),
    });
    server.on('headers', (headers) => void headers.push(...lines));
    let isUp = false;
    server.handleUpgrade(request, socket, head, (opened) => {
      isUp = true;
      this.#open.add(opened);
      opened.on('close', () => this.#open.delete(opened));
      inlet.attach(joined(opened, inlet.stream));
    });
    if (!isUp) inlet.stream.reset();
  }

  terminate(): void {
    for (const socket of this.#open) socket.terminate();
  }
}

/** What becomes of a client's handshake. */
export interface Answered {
  /** 101, and the socket carries the request's stream; or another answer. */
  readonly reply: (reply: WebReply) => void;
  readonly failed: (error: Error) => void;
}

/** The client's side: `request` becomes a real handshake at `url`. The answer cuts it off. */
export function dial(
  url: URL,
  request: WebRequest,
  inlet: Inlet,
  headers: readonly string[],
  isOurs: boolean,
  { reply, failed }: Answered,
): () => void {
  const given: Record<string, string> = {};
  let protocols: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    if (name === 'sec-websocket-protocol') protocols = headers[i + 1]!.split(/\s*,\s*/);
    else if (name !== 'upgrade' && name !== 'connection') given[name] = headers[i + 1]!;
  }
  const { WebSocket: Client } = loadWs();
  const socket = new Client(url.href.replace(/^http/, 'ws'), protocols, {
    headers: given,
    perMessageDeflate: false,
    maxPayload: messageMaxBytes,
    autoPong: false,
    // A node of ours on this machine, whose certificate may be of its own making.
    rejectUnauthorized: !isOurs,
  });
  const { id } = request;
  let answer: readonly string[] = [];
  let isAnswered = false;
  socket.on('upgrade', (response) => {
    answer = lowerCased(response.rawHeaders);
  });
  socket.on('open', () => {
    isAnswered = true;
    inlet.attach(joined(socket, inlet.stream));
    reply({ type: 'reply', id, status: 101, headers: answer, body: null });
  });
  socket.on('unexpected-response', (_request, response) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= refusalMaxBytes) parts.push(part);
      else response.destroy();
    });
    response.on('close', () => {
      isAnswered = true;
      const body = Uint8Array.from(Buffer.concat(parts));
      const status = response.statusCode ?? 502;
      reply({ type: 'reply', id, status, headers: lowerCased(response.rawHeaders), body });
      inlet.stream.reset();
      socket.terminate();
    });
  });
  socket.on('error', (error) => {
    if (isAnswered) return;
    isAnswered = true;
    failed(error);
    inlet.stream.reset();
  });
  return () => {
    isAnswered = true;
    socket.terminate();
  };
}

/** Why there is no web socket takes a line. */
const refusalMaxBytes = 65_536;

function lowerCased(raw: readonly string[]): string[] {
  return raw.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
}

/** Of the headers of a 101 those that mean something to a client. */
const passed: ReadonlySet<string> = new Set([
  'set-cookie',
  'x-request-id',
  'traceresponse',
  'date',
]);

function bytesOf(data: Buffer): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
