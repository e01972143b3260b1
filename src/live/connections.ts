/**
 * Connections as streams, at both ends. `ConnectionDoor` makes streams of the sockets that come to a
 * port; `ConnectionSocket` makes of such a stream what an HTTP or TLS server takes for a socket.
 *
 *   socket ══▶ ConnectionDoor ══ stream ══▶ (a balancer's program) ══ stream ══▶ ConnectionSocket ══▶ Edge
 */
import { createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Connection } from '../host/connection.ts';
import type { Micros } from '../host/host.ts';
import type { Chunk, Stream, StreamEvents } from '../host/stream.ts';
import { plainIp } from './edge-addresses.ts';
import { listenAt, type Place } from './listening.ts';
import { joined } from './tunnels.ts';

export interface DoorOptions extends Place {
  /** Begins the stream of a connection; the program may refuse it. */
  readonly connect: (connection: Connection, events: StreamEvents) => Stream;
}

export class ConnectionDoor {
  readonly #options: DoorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.take(socket),
    );
  }

  get port(): number {
    return this.#port;
  }

  /** Throws `LoadpathError('port-taken')` when another process listens there. */
  async listen(): Promise<number> {
    this.#port = await listenAt(this.#server, this.#options);
    return this.#port;
  }

  /** A socket that came to this door, or was handed over by somebody who listens in its place. */
  take(socket: Socket): void {
    socket.allowHalfOpen = true;
    this.#sockets.add(socket);
    const opening: Connection = {
      type: 'connection',
      ip: plainIp(socket.remoteAddress ?? ''),
      port: socket.remotePort ?? 0,
    };
    const stream = this.#options.connect(opening, {
      data: (chunk) => events.data(chunk),
      ready: () => events.ready?.(),
      ended: (last) => events.ended?.(last),
      closed: (how) => events.closed(how),
    });
    const events = joined(socket, stream);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** Takes no new connections, and cuts after `graceUs` what has not ended by itself. */
  close(graceUs: Micros): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
      }, graceUs / 1_000);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** As the death of the process would. */
  destroy(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

/** How long the other side may take to end what this one has destroyed. */
const lingerMs = 1_000;

/** A stream in the clothes of a socket. */
export class ConnectionSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily = 'IPv4';
  readonly #stream: Stream;
  #held: Chunk[] = [];
  #goOn: (() => void) | undefined;
  #idleMs = 0;
  #idle: NodeJS.Timeout | undefined;
  #isOver = false;
  /** For whoever carries the stream. */
  readonly events: StreamEvents;

  constructor({ ip, port }: Connection, stream: Stream) {
    super({ allowHalfOpen: true, emitClose: true });
    this.remoteAddress = ip;
    this.remotePort = port;
    this.#stream = stream;
    this.events = {
      data: (chunk) => {
        this.#stir();
        if (this.push(bytesOf(chunk))) stream.took(chunk);
        else this.#held.push(chunk);
      },
      ready: () => {
        const goOn = this.#goOn;
        this.#goOn = undefined;
        goOn?.();
      },
      ended: () => this.push(null),
      closed: (how) => {
        this.#isOver = true;
        if (how === 'done') return;
        this.destroy(Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' }));
      },
    };
  }

  override _read(): void {
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) this.#stream.took(chunk);
  }

  override _write(part: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#stir();
    // Copied: its owner may use the memory again once it is told that the part was written.
    if (this.#stream.write(Uint8Array.from(part))) done();
    else this.#goOn = done;
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#idle);
    if (!this.#isOver && error) this.#stream.reset();
    else if (!this.#isOver) {
      // Servers destroy what they have answered: those bytes are under way, and are not to be lost.
      this.#stream.end();
      // But who does not go now is not waited for.
      setTimeout(() => this.#stream.reset(), lingerMs).unref();
    }
    done(error);
  }

  /** What servers ask of a socket. */
  setTimeout(ms: number, called?: () => void): this {
    this.#idleMs = ms;
    if (called) this.once('timeout', called);
    this.#stir();
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  resetAndDestroy(): this {
    return this.destroy(Object.assign(new Error('broken off'), { code: 'ECONNRESET' }));
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  #stir(): void {
    clearTimeout(this.#idle);
    if (this.#idleMs > 0) {
      this.#idle = setTimeout(() => this.emit('timeout'), this.#idleMs).unref();
    }
  }
}

function bytesOf(chunk: Chunk): Buffer {
  return typeof chunk === 'string'
    ? Buffer.from(chunk)
    : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
