/**
 * Sockets joined with streams, byte for byte: what `CONNECT` asks for (RFC 9110, 9.3.6), at both of its
 * ends, and what a balancer's door takes. Credit of the stream and of the socket hold each other back.
 *
 *   client ══ socket ══ [ edge ] ══ stream ══ proxy ══ stream ══ [ web client ] ══ socket ══ site
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Chunk, Inlet, Stream, StreamEvents } from '../host/stream.ts';

/** What this server answers who wants a tunnel of it. */
export const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/**
 * A response to a request that the server gives out of its hands together with its socket. The connection
 * ends with it. Undefined: it was sent behind a request that is not answered yet, and nothing can be said.
 */
export function responseOn(request: IncomingMessage, socket: Socket): ServerResponse | undefined {
  socket.on('error', () => {});
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(socket);
  } catch {
    socket.destroy();
    return undefined;
  }
  response.on('finish', () => socket.end());
  return response;
}

/** What a client asks a tunnel to, as an address; undefined: no name with a port (RFC 9112, 3.2.3). */
export function farEnd(request: IncomingMessage, isGood: (host: string) => boolean) {
  const { url = '' } = request;
  return /:\d{1,5}$/.test(url) && isGood(url) ? `http://${url}/` : undefined;
}

/** To be called before anything can come over the stream; the answer hears what does. */
export function joined(socket: Socket, stream: Stream): StreamEvents {
  let held: Chunk[] = [];
  socket.on('data', (part: Buffer) => {
    if (!stream.write(plainBytes(part))) socket.pause();
  });
  socket.on('drain', () => {
    const waiting = held;
    held = [];
    for (const chunk of waiting) stream.took(chunk);
  });
  // Who handed it over may not have read of it.
  socket.resume();
  socket.on('end', () => stream.end());
  socket.on('error', () => {});
  // Both sides ended, and then this says nothing new; or it broke.
  socket.on('close', () => stream.reset());
  return {
    data(chunk) {
      if (socket.write(bytesOf(chunk))) stream.took(chunk);
      else held.push(chunk);
    },
    ready: () => socket.resume(),
    ended: () => socket.end(),
    closed(how) {
      if (how === 'done') socket.end();
      else socket.resetAndDestroy();
    },
  };
}

/** The sockets of tunnels, at one of their ends. */
export class Tunnels {
  readonly #open = new Set<Socket>();

  /** The server's end: says that there is a tunnel, and what comes from now on goes through it. */
  accept(socket: Socket, head: Buffer, inlet: Inlet): void {
    this.#keep(socket);
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) inlet.stream.write(Uint8Array.from(head));
    inlet.attach(joined(socket, inlet.stream));
  }

  /** The client's end, to a host and its port. The answer cuts it off. */
  dial(
    { hostname, port, protocol }: Pick<URL, 'hostname' | 'port' | 'protocol'>,
    inlet: Inlet,
    told: { readonly opened: () => void; readonly failed: (error: Error) => void },
  ): () => void {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#keep(socket);
    let isOpen = false;
    socket.on('connect', () => {
      isOpen = true;
      inlet.attach(joined(socket, inlet.stream));
      told.opened();
    });
    socket.on('error', (error) => {
      if (isOpen) return;
      told.failed(error);
      inlet.stream.reset();
    });
    return () => socket.destroy();
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
  }
}

function bytesOf(chunk: Chunk): Buffer {
  return typeof chunk === 'string'
    ? Buffer.from(chunk)
    : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

export function plainBytes(part: Buffer): Uint8Array {
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}
