/**
 * A connection of the edge on which requests are ordinary, one after the other: each is read by hand, and answered
 * in one write. What is not ordinary goes to Node's server, together with the connection and for good.
 *
 *   socket ──piece──▶ one whole ordinary request? ──yes──▶ message ──▶ … reply ──▶ one write
 *                             └──no──▶ Node's server, from this piece on
 *
 * A request through Node's server costs several times as much as all that a gateway does with it, in objects, events
 * and streams for what such a request does not have: parts that come late, a body without a length, trailers.
 */
import { type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebReply } from '../host/web.ts';
import { assert } from '../kit/assert.ts';
import { plainIp } from './edge-addresses.ts';
import { hopHeaders, lengthOf } from './edge-replies.ts';
import { isName, isValue } from './fields.ts';
import { type OrdinaryLimits, type OrdinaryRequest, readOrdinary } from './ordinary.ts';

/** What a connection needs of its edge. */
export interface PlainOwner {
  readonly limits: OrdinaryLimits;
  readonly headersTimeoutMs: number;
  readonly keepAliveMs: number;
  /** Says `began`, and then has it answered; false: it is left to Node's server. */
  request(connection: PlainConnection, request: OrdinaryRequest): boolean;
  /** To Node's server. */
  handOver(socket: Socket): void;
  /** Its client went before its answer. */
  gone(id: number): void;
  /** Nothing came of it in time. */
  late(socket: Socket): void;
  closed(connection: PlainConnection): void;
}

/** A body up to this is written with its head in one piece: two cost a second of everything below. */
const onePieceMaxBytes = 16_384;
/** What may come behind a request that is not answered yet, before no more of it is read. */
const aheadMaxBytes = 16_384;

export class PlainConnection {
  readonly socket: Socket;
  readonly ip: string;
  readonly #owner: PlainOwner;
  /** Under way; -1: nothing is. */
  #id = -1;
  #isHead = false;
  /** Nothing more is read: what is under way is the last. */
  #isLast = false;
  /** It was of use once, and may be again. */
  #isKept = false;
  #ahead: Buffer | undefined;

  constructor(socket: Socket, owner: PlainOwner) {
    this.socket = socket;
    this.ip = plainIp(socket.remoteAddress ?? '');
    this.#owner = owner;
    socket.setTimeout(owner.headersTimeoutMs);
    socket.on('data', this.#data);
    socket.on('end', this.#end);
    socket.on('error', nothing);
    socket.on('timeout', this.#timeout);
    socket.on('close', this.#close);
  }

  /** Its request has got an id. */
  began(id: number, isHead: boolean): void {
    this.#id = id;
    this.#isHead = isHead;
  }

  /** After the answer that is under way. */
  end(): void {
    this.#isLast = true;
    if (this.#id < 0) this.socket.destroySoon();
  }

  /** False: it is no ordinary reply, and goes by `response`. */
  answer(reply: WebReply): boolean {
    const { status, headers, body } = reply;
    const reason = STATUS_CODES[status];
    if (reason === undefined || status < 200) return false;
    const isBare = status === 204 || status === 304;
    const size =
      body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    let text = `HTTP/1.1 ${status} ${reason}\r\n`;
    let hasDate = false;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i]!;
      const value = headers[i + 1]!;
      if (hopHeaders.has(name) || (name === 'content-length' && !isBare)) continue;
      if (!isName(name) || !isValue(value)) return false;
      if (name === 'date') hasDate = true;
      text += `${name}: ${value}\r\n`;
    }
    const length = isBare ? undefined : lengthOf(reply, size, this.#isHead);
    if (length !== undefined) text += `content-length: ${length}\r\n`;
    if (!hasDate) text += `Date: ${dateNow()}\r\n`;
    text += this.#isLast
      ? 'Connection: close\r\n\r\n'
      : `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(this.#owner.keepAliveMs / 1_000)}\r\n\r\n`;
    const { socket } = this;
    if (!socket.writable) return true;
    let isThrough: boolean;
    if (this.#isHead || isBare || size === 0) isThrough = socket.write(text, 'latin1');
    else if (size > onePieceMaxBytes) {
      socket.cork();
      socket.write(text, 'latin1');
      isThrough = socket.write(body!);
      socket.uncork();
      // A head is text, so this is one text of bytes, and one write.
    } else isThrough = socket.write(text + latin1Of(body!, size), 'latin1');
    if (isThrough) this.#next();
    else {
      socket.pause();
      socket.once('drain', () => {
        socket.resume();
        this.#next();
      });
    }
    return true;
  }

  /** For replies that flow, or turn out to be none. */
  response(): ServerResponse {
    const { socket } = this;
    const request = {
      method: this.#isHead ? 'HEAD' : 'GET',
      httpVersionMajor: 1,
      httpVersionMinor: 1,
    };
    const response = new ServerResponse(request as IncomingMessage);
    const drained = (): void => void response.emit('drain');
    response.assignSocket(socket);
    socket.on('drain', drained);
    response.on('finish', () => {
      socket.off('drain', drained);
      response.detachSocket(socket);
      if (!response.shouldKeepAlive) this.#isLast = true;
      this.#next();
    });
    return response;
  }

  #next(): void {
    this.#id = -1;
    if (this.#isLast) return this.socket.destroySoon();
    if (!this.#isKept) {
      this.#isKept = true;
      this.socket.setTimeout(this.#owner.keepAliveMs);
    }
    const ahead = this.#ahead;
    if (!ahead) return;
    this.#ahead = undefined;
    this.socket.resume();
    this.#take(ahead);
  }

  readonly #data = (piece: Buffer): void => {
    if (this.#id < 0) return this.#take(piece);
    // One at a time: the next is read when this one is answered.
    this.#ahead = this.#ahead ? Buffer.concat([this.#ahead, piece]) : piece;
    if (this.#ahead.length > aheadMaxBytes) this.socket.pause();
  };

  /**
   * Who sends no more waits for no answer, as Node's server and the simulated one have it. From here the end of one
   * half looks like that of both, and nearly all who send it have left: to answer those few who wait would keep
   * services at work for all the others, since nothing tells that they went before something is written to them.
   */
  readonly #end = (): void => void this.socket.end();

  readonly #timeout = (): void => {
    if (this.#id >= 0) return;
    if (this.#isKept) this.socket.destroy();
    else this.#owner.late(this.socket);
  };

  readonly #close = (): void => {
    const id = this.#id;
    this.#owner.closed(this);
    if (id >= 0) this.#owner.gone(id);
  };

  #take(piece: Buffer): void {
    const asked = readOrdinary(piece, this.#owner.limits);
    if (!asked || !this.#owner.request(this, asked)) this.#handOver(piece);
  }

  #handOver(piece: Buffer): void {
    const { socket } = this;
    socket.off('data', this.#data);
    socket.off('end', this.#end);
    socket.off('error', nothing);
    socket.off('timeout', this.#timeout);
    socket.off('close', this.#close);
    socket.setTimeout(0);
    this.#owner.closed(this);
    this.#owner.handOver(socket);
    // Once more, and now: what comes next may be here before a stream says again what it is given back.
    socket.emit('data', piece);
  }
}

/** What a server does with a new connection; it does so no more by itself. */
export function readerOf(server: Server, event: string): (socket: Duplex) => void {
  const [read] = server.listeners(event) as ((socket: Duplex) => void)[];
  assert(read, 'a server reads what connects to it');
  server.removeAllListeners(event);
  return (socket) => Reflect.apply(read, server, [socket]);
}

/** A letter a byte. */
function latin1Of(body: Uint8Array | string, size: number): string {
  if (typeof body !== 'string') {
    return Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  }
  return size === body.length ? body : Buffer.from(body).toString('latin1');
}

let dateAt = 0;
let date = '';

/** Of few seconds come many answers. */
function dateNow(): string {
  const now = Date.now();
  if (now < dateAt || now >= dateAt + 1_000) {
    dateAt = now - (now % 1_000);
    date = new Date(now).toUTCString();
  }
  return date;
}

function nothing(): void {}
