/**
 * Who opens connections on a simulated node, what `live/web-client.ts` is live: requests of a program
 * to a door that takes connections. Each user has connections of his own, one request at a time on
 * each, kept open for the next.
 *
 *   request ──▶ an idle connection of that user, or a new one ──▶ reply ──▶ idle … closed
 *
 * A connection that the other side closed in between takes a request down with it that certainly was
 * not answered; if asking twice is harmless, it is sent again on a new one (RFC 9110, 9.2.2).
 */
import type { Connection } from '../../host/connection.ts';
import type { Address, Handlers, Host, Micros, Timer } from '../../host/host.ts';
import type { Chunk, Stream, StreamClose, StreamEvents } from '../../host/stream.ts';
import type { WebLost, WebReply, WebRequest } from '../../host/web.ts';
import { IdMap } from '../../parts/id-map.ts';
import {
  endFrame,
  type HttpFrame,
  handshakeFrame,
  headFrame,
  partFrame,
  readFrame,
} from './frames.ts';

/** As browsers and `live/web-client.ts` keep them. */
const idleMaxUs: Micros = 60_000_000;
/** Where clients take their ports from. */
const portMin = 49_152;
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

interface ClientOptions {
  readonly host: Pick<Host, 'after'>;
  /** The world's own, for a connection. */
  readonly connect: (to: Address, events: StreamEvents, opening: Connection) => Stream;
  /** Who asks. */
  readonly program: () => Handlers | undefined;
  /** Where a name of the door leads now. */
  readonly resolve: (to: Address, connection: Connection) => Address;
  readonly isSecure: (to: Address) => boolean;
  readonly trace: ((from: Address, message: WebReply) => void) | undefined;
}

interface Exchange {
  readonly to: Address;
  readonly request: WebRequest;
  /** Its body flows: this is told of credit, and of the end. */
  readonly upload: StreamEvents | undefined;
  /** Frames that wait for the connection. */
  early: Uint8Array[];
  isAgain: boolean;
  isUploaded: boolean;
}

class Wire {
  readonly key: string;
  stream: Stream | undefined;
  isOpen = false;
  isOver = false;
  /** Requests answered on it. */
  served = 0;
  exchange: Exchange | undefined;
  /** Of the reply whose body flows. */
  reader: StreamEvents | undefined;
  isReplying = false;
  /** A web socket: messages pass both ways, until it is closed. */
  isSocket = false;
  closes = false;
  timer: Timer | undefined;

  constructor(key: string) {
    this.key = key;
  }
}

export class HttpClient {
  readonly #options: ClientOptions;
  readonly #idle = new Map<string, Wire[]>();
  /** By the id of the request. */
  readonly #busy = new IdMap<Wire>();
  /** What each user was given at his last handshake, to go on from. */
  readonly #tickets = new Map<string, string>();
  #nextPort = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  request(to: Address, request: WebRequest): void {
    this.#go({
      to,
      request,
      upload: undefined,
      early: [],
      isAgain: false,
      isUploaded: true,
    });
  }

  /** A request whose body flows. What is written to the answer is that body. */
  open(to: Address, upload: StreamEvents, request: WebRequest): Stream {
    const exchange = { to, request, upload, early: [], isAgain: false, isUploaded: false };
    this.#go(exchange);
    const write = (frame: Uint8Array): boolean => this.#write(exchange, frame);
    return {
      peer: to,
      get waitingBytes() {
        return 0;
      },
      write: (chunk) => write(partFrame(chunk)),
      end: (last) => {
        write(endFrame(last));
        exchange.isUploaded = true;
        if (this.#busy.get(request.id)?.isSocket) return;
        // Later, as every handler.
        this.#options.host.after(0, () => {
          upload.ended?.(undefined);
          upload.closed('done');
        });
      },
      reset: () => this.cancel(request.id),
      took: (chunk) => {
        const wire = this.#busy.get(request.id);
        if (wire?.isSocket) wire.stream?.took(padded(chunk));
      },
    };
  }

  cancel(id: number): void {
    const wire = this.#busy.get(id);
    if (wire) this.#drop(wire);
  }

  #go(exchange: Exchange): void {
    const key = `${exchange.to.node} ${exchange.request.ip}`;
    const wire = this.#idle.get(key)?.pop() ?? this.#dial(key, exchange);
    wire.timer?.cancel();
    wire.exchange = exchange;
    wire.isReplying = false;
    this.#busy.set(exchange.request.id, wire);
    if (wire.isOpen) this.#begin(wire, exchange);
  }

  #dial(key: string, { to, request: { ip } }: Exchange): Wire {
    const wire = new Wire(key);
    const opening = {
      type: 'connection',
      ip,
      port: portMin + (this.#nextPort++ % 16_384),
    } as const;
    wire.stream = this.#options.connect(
      this.#options.resolve(to, opening),
      {
        opened: () => {
          if (!this.#options.isSecure(to)) return this.#opened(wire);
          wire.stream?.write(handshakeFrame('hello', this.#tickets.get(key) ?? ''));
        },
        data: (chunk) => this.#hear(wire, chunk),
        ready: () => wire.exchange?.upload?.ready?.(),
        ended: () => {
          wire.stream?.end();
          this.#broke(wire, 'done');
        },
        closed: (how) => this.#broke(wire, how),
      },
      opening,
    );
    return wire;
  }

  #opened(wire: Wire): void {
    wire.isOpen = true;
    if (wire.exchange) this.#begin(wire, wire.exchange);
  }

  #begin({ stream }: Wire, exchange: Exchange): void {
    stream?.write(headFrame(exchange.request, exchange.upload !== undefined));
    for (const frame of exchange.early.splice(0)) stream?.write(frame);
  }

  #write(exchange: Exchange, frame: Uint8Array): boolean {
    const wire = this.#busy.get(exchange.request.id);
    if (wire?.exchange !== exchange) return true;
    if (wire.isOpen) return wire.stream?.write(frame) ?? true;
    exchange.early.push(frame);
    return true;
  }

  #hear(wire: Wire, chunk: Chunk): void {
    const frame = readFrame(chunk);
    const { stream, reader } = wire;
    if (frame?.is === 'part' && reader) {
      // Whoever reads it takes what it was given, and the connection what it carried.
      return reader.data(frame.chunk);
    }
    const socket = wire.isSocket ? wire.exchange?.upload : undefined;
    if (frame?.is === 'part' && socket) return socket.data(frame.chunk);
    stream?.took(chunk);
    if (frame?.is === 'end' && socket) socket.ended?.(frame.last);
    else if (frame?.is === 'greeting' && !wire.isOpen) {
      this.#tickets.set(wire.key, frame.ticket);
      this.#opened(wire);
    } else if (frame?.is === 'end' && reader) {
      wire.reader = undefined;
      reader.ended?.(frame.last);
      reader.closed('done');
      this.#rest(wire);
    } else if (frame?.is === 'head' && wire.exchange) this.#reply(wire, wire.exchange, frame);
    else this.#drop(wire);
  }

  #reply(
    wire: Wire,
    { to, request, upload }: Exchange,
    { message, flows, closes }: HttpFrame & { is: 'head' },
  ): void {
    const program = this.#options.program();
    const reply = { ...(message as WebReply), id: request.id };
    this.#options.trace?.(to, reply);
    wire.closes = closes;
    wire.isReplying = true;
    if (reply.status === 101 && upload) {
      wire.isSocket = true;
      return program?.message(to, reply);
    }
    this.#busy.take(request.id);
    if (!flows) {
      this.#rest(wire);
      return program?.message(to, reply);
    }
    wire.reader = program?.stream?.(to, reply, this.#reading(wire, to));
    if (!wire.reader) this.#drop(wire);
  }

  /** The stream of a reply's body, as the program that reads it sees it. */
  #reading(wire: Wire, peer: Address): Stream {
    return {
      peer,
      waitingBytes: 0,
      write: () => true,
      end() {},
      reset: () => this.#drop(wire),
      // One byte more than the part: its tag.
      took: (chunk) => wire.stream?.took(padded(chunk)),
    };
  }

  /** Nothing is under way on it. */
  #rest(wire: Wire): void {
    const { exchange } = wire;
    wire.exchange = undefined;
    wire.served++;
    if (wire.isOver) return;
    // It was answered before it was asked to the end: what else comes is not for the next.
    if (wire.closes || !exchange?.isUploaded) return this.#drop(wire);
    const idle = this.#idle.get(wire.key);
    if (idle) idle.push(wire);
    else this.#idle.set(wire.key, [wire]);
    wire.timer = this.#options.host.after(idleMaxUs, () => this.#drop(wire));
  }

  /** Gives it up: what is under way on it is not told. */
  #drop(wire: Wire): void {
    const isQuiet = wire.exchange === undefined && wire.reader === undefined;
    this.#forget(wire);
    if (isQuiet) wire.stream?.end();
    else wire.stream?.reset();
  }

  #forget(wire: Wire): Exchange | undefined {
    const { exchange } = wire;
    wire.isOver = true;
    wire.timer?.cancel();
    wire.exchange = undefined;
    if (exchange && this.#busy.get(exchange.request.id) === wire) {
      this.#busy.take(exchange.request.id);
    }
    const idle = this.#idle.get(wire.key);
    const index = idle?.indexOf(wire) ?? -1;
    if (index >= 0) idle!.splice(index, 1);
    if (idle?.length === 0) this.#idle.delete(wire.key);
    return exchange;
  }

  #broke(wire: Wire, how: StreamClose): void {
    if (wire.isOver) return;
    const { reader, isReplying, served } = wire;
    wire.reader = undefined;
    const exchange = this.#forget(wire);
    if (reader) return reader.closed(how === 'done' ? 'reset' : how);
    if (wire.isSocket) return exchange?.upload?.closed(how);
    if (!exchange || isReplying) return;
    const { request, to, upload } = exchange;
    const isUntouched = how === 'done' && served > 0;
    if (isUntouched && !exchange.isAgain && !upload && repeatable.has(request.method)) {
      exchange.isAgain = true;
      return this.#go(exchange);
    }
    upload?.closed(how === 'done' ? 'reset' : how);
    const program = this.#options.program();
    if (how === 'refused' && !exchange.isAgain) return program?.refused?.(to, request);
    const lost: WebLost = { type: 'lost', id: request.id };
    program?.message(to, lost);
  }
}

/** Counts for as much as the frame that brought it. */
function padded(chunk: Chunk): Uint8Array {
  const length = typeof chunk === 'string' ? new TextEncoder().encode(chunk).length : chunk.length;
  return new Uint8Array(length + 1);
}
