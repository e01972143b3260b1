/**
 * Web sockets as user code of a service holds them: the `WebSocketPair` of Workers modules. One half
 * goes into the response, the other stays with the handler.
 *
 *   const { 0: client, 1: server } = new WebSocketPair()
 *   server.accept()
 *   server.addEventListener('message', ({ data }) => server.send(`echo ${data}`))
 *   return new Response(null, { status: 101, webSocket: client })
 */
import { closeCodes, isCloseCode } from '../socket.ts';

export interface SocketMessageEvent {
  readonly type: 'message';
  readonly data: string | ArrayBuffer;
  readonly target: ServerSocket;
}

export interface SocketCloseEvent {
  readonly type: 'close';
  /** 1006: it broke off. */
  readonly code: number;
  readonly reason: string;
  /** Both sides said good-bye. */
  readonly wasClean: boolean;
  readonly target: ServerSocket;
}

export interface SocketErrorEvent {
  readonly type: 'error';
  readonly error: unknown;
  readonly target: ServerSocket;
}

export interface SocketEvents {
  readonly message: SocketMessageEvent;
  readonly close: SocketCloseEvent;
  readonly error: SocketErrorEvent;
}

type Listener<K extends keyof SocketEvents> = (event: SocketEvents[K]) => unknown;

/** What carries it, once its response is on the way. */
export interface SocketCarrier {
  readonly waitingBytes: number;
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

const encoder = new TextEncoder();

/** Between a handler and whatever carries its messages: each keeps what the other is not there for yet. */
export class ServerSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  /** The subprotocol that was agreed on; empty for none. */
  readonly protocol: string;
  readonly url: string | null = null;
  readonly binaryType = 'arraybuffer';
  readonly #listeners: { readonly [K in keyof SocketEvents]: Set<Listener<K>> } = {
    message: new Set(),
    close: new Set(),
    error: new Set(),
  };
  #carrier: SocketCarrier | undefined;
  #early: (() => void)[] = [];
  #isAccepted = false;
  #whenAccepted: (() => void) | undefined;
  #state = 1;

  constructor(protocol = '') {
    this.protocol = protocol;
  }

  get readyState(): number {
    return this.#state;
  }

  /** What `send` was given and the peer has no room for yet, in bytes. */
  get bufferedAmount(): number {
    return this.#carrier?.waitingBytes ?? 0;
  }

  /** From here on messages are handed over; until then they wait. */
  accept(): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    this.#whenAccepted?.();
  }

  /** Text, or bytes as they are now. Does nothing once it is closing. */
  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (!this.#isAccepted) throw new TypeError('WebSocket.send: call accept() first');
    if (this.#state !== 1) return;
    const sent = typeof data === 'string' ? data : bytesOf(data);
    this.#soon((carrier) => carrier.send(sent));
  }

  /** `code`: 1000, or one of your own from 3000 to 4999. `reason`: at most 123 bytes. */
  close(code?: number, reason = ''): void {
    if (code !== undefined && !isCloseCode(code) && code !== closeCodes.failed) {
      throw new RangeError(`WebSocket.close: ${code} is neither 1000 nor from 3000 to 4999`);
    }
    if (encoder.encode(reason).length > 123) {
      throw new SyntaxError('WebSocket.close: a reason has at most 123 bytes');
    }
    if (this.#state !== 1) return;
    this.#state = 2;
    this.#soon((carrier) => carrier.close(code ?? closeCodes.noCode, reason));
  }

  addEventListener<K extends keyof SocketEvents>(type: K, listener: Listener<K>): void {
    (this.#listeners[type] as Set<Listener<K>> | undefined)?.add(listener);
  }

  removeEventListener<K extends keyof SocketEvents>(type: K, listener: Listener<K>): void {
    (this.#listeners[type] as Set<Listener<K>> | undefined)?.delete(listener);
  }

  /** For who carries it. `accepted` is called once the handler wants to hear. */
  join(carrier: SocketCarrier, accepted: () => void): void {
    this.#carrier = carrier;
    for (const act of this.#early.splice(0)) act();
    if (this.#isAccepted) accepted();
    else this.#whenAccepted = accepted;
  }

  /**
   * For who carries it: tells every listener, at once, and is done when the last of them is. Fails with
   * what a listener threw.
   */
  async receive(data: string | Uint8Array): Promise<void> {
    if (this.#state === 3) return;
    const given = typeof data === 'string' ? data : bufferOf(data);
    await this.#tell('message', { type: 'message', data: given, target: this });
  }

  /** For who carries it: the last call. */
  async closed(code: number, reason: string): Promise<void> {
    if (this.#state === 3) return;
    this.#state = 3;
    const wasClean = code !== closeCodes.broken;
    if (!wasClean) {
      const error = new Error('the connection broke off');
      await this.#tell('error', { type: 'error', error, target: this });
    }
    await this.#tell('close', { type: 'close', code, reason, wasClean, target: this });
  }

  async #tell<K extends keyof SocketEvents>(type: K, event: SocketEvents[K]): Promise<void> {
    const listeners = [...(this.#listeners[type] as Set<Listener<K>>)];
    await Promise.all(listeners.map((listener) => listener(event)));
  }

  #soon(act: (carrier: SocketCarrier) => void): void {
    if (this.#carrier) act(this.#carrier);
    else this.#early.push(() => act(this.#carrier!));
  }
}

/** The half that goes into a response. */
export class ClientHalf {
  readonly server: ServerSocket;

  constructor(server: ServerSocket) {
    this.server = server;
  }
}

/** As in Workers modules, whose adapters (Hono's among them) serve unchanged. */
export class WebSocketPair {
  readonly 0: ClientHalf;
  readonly 1: ServerSocket;

  /** `protocol`: the subprotocol that the handler chose, of those that the request offers. */
  constructor(protocol = '') {
    this[1] = new ServerSocket(protocol);
    this[0] = new ClientHalf(this[1]);
  }
}

/** A copy: the sender may write to its memory again while the message is under way. */
function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
}

/** Its own: what came may be part of something larger. */
function bufferOf(data: Uint8Array): ArrayBuffer {
  return data.slice().buffer as ArrayBuffer;
}
