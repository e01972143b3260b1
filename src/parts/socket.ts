/**
 * One end of a web socket inside the system: the messages of RFC 6455 on a stream, both ways.
 *
 *   text    a chunk of text           ping, pong   a chunk of text that begins with a zero
 *   bytes   a chunk of bytes          close        the end of a direction, with code and reason
 *
 * Fragments, masks and lengths belong to real connections: the edge deals with them. Each end pings
 * when it has heard nothing for a while, since nobody tells who only listens that a cable is cut.
 */
import type { Host, Micros, Timer } from '../host/host.ts';
import type { Chunk, Inlet, StreamClose } from '../host/stream.ts';
import type { WebClose } from '../host/web.ts';

/** Codes of RFC 6455, 7.4.1. The first three say what ended, and are never sent. */
export const closeCodes = {
  noCode: 1005,
  broken: 1006,
  normal: 1000,
  goingAway: 1001,
  policy: 1008,
  tooBig: 1009,
  failed: 1011,
} as const;

export const pingChunk = '\0ping';
export const pongChunk = '\0pong';

/** Text that would look like a ping begins with one zero more. */
export function chunkOfText(text: string): Chunk {
  return text.startsWith('\0') ? `\0${text}` : text;
}

export type SocketFrame =
  | { readonly is: 'ping' | 'pong' }
  | { readonly is: 'message'; readonly data: string | Uint8Array };

export function frameOf(chunk: Chunk): SocketFrame {
  if (typeof chunk !== 'string' || !chunk.startsWith('\0')) return { is: 'message', data: chunk };
  if (chunk === pingChunk) return { is: 'ping' };
  if (chunk === pongChunk) return { is: 'pong' };
  return { is: 'message', data: chunk.slice(1) };
}

/** What an application may close with (RFC 6455, 7.4.2). */
export function isCloseCode(code: number): boolean {
  return code === 1000 || (code >= 3000 && code <= 4999);
}

/** What it ended with, whatever a peer sent as the end of its direction. */
export function closeOf(last: unknown): WebClose {
  const close = last as WebClose | undefined;
  return close?.type === 'close' ? close : { type: 'close', code: closeCodes.noCode, reason: '' };
}

export interface SocketOptions {
  readonly inlet: Inlet;
  readonly after: Host['after'];
  /** How long it may be quiet before a ping asks; without an answer for as long again it is over. */
  readonly pingUs: Micros;
  /** A longer message ends it with 1009. */
  readonly messageMaxBytes: number;
  /** Dealt with when `took` is called: until then the peer's credit is not renewed. */
  readonly message: (data: string | Uint8Array, took: () => void) => void;
  /** After a `send` that said false. */
  readonly ready?: (() => void) | undefined;
  /** The last call. `broken`: nobody said good-bye, and the code is 1006. */
  readonly closed: (code: number, reason: string) => void;
}

/** How long an end waits for the peer's half of the good-bye. */
const closingUs = 5_000_000;

export class SocketEnd {
  readonly #options: SocketOptions;
  readonly #inlet: Inlet;
  #timer: Timer | undefined;
  #hasHeard = true;
  #asked = false;
  #isClosing = false;
  #isOver = false;
  /** What the peer ended with. */
  #theirs: WebClose | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#inlet = options.inlet;
    this.#inlet.attach({
      data: (chunk) => this.#data(chunk),
      ready: () => options.ready?.(),
      ended: (last) => this.#ended(closeOf(last)),
      closed: (how) => this.#over(how),
    });
    if (!this.#isOver) this.#watch();
  }

  /** What waits here for credit, in bytes. */
  get waitingBytes(): number {
    return this.#isOver ? 0 : this.#inlet.stream.waitingBytes;
  }

  /** False: the peer's credit is used up, until `ready`. Nothing is sent once it closes. */
  send(data: string | Uint8Array): boolean {
    if (this.#isClosing || this.#isOver) return true;
    return this.#inlet.stream.write(typeof data === 'string' ? chunkOfText(data) : data);
  }

  /** Says good-bye after what was sent; `closed` comes with the peer's answer. */
  close(code: number, reason: string): void {
    if (this.#isClosing || this.#isOver) return;
    this.#say({ type: 'close', code, reason });
  }

  /** As if the cable were cut: the peer sees 1006, and so does this end. */
  break(): void {
    if (this.#isOver) return;
    this.#inlet.stream.reset();
    this.#over('reset');
  }

  #say(close: WebClose): void {
    this.#isClosing = true;
    this.#timer?.cancel();
    this.#timer = this.#options.after(closingUs, () => this.break());
    if (close.code === closeCodes.noCode) this.#inlet.stream.end();
    else this.#inlet.stream.end(close);
  }

  #data(chunk: Chunk): void {
    this.#hasHeard = true;
    const { stream } = this.#inlet;
    const frame = frameOf(chunk);
    if (frame.is === 'message') {
      if (frame.data.length > this.#options.messageMaxBytes) {
        stream.took(chunk);
        return this.close(closeCodes.tooBig, 'message too big');
      }
      return this.#options.message(frame.data, () => stream.took(chunk));
    }
    stream.took(chunk);
    if (frame.is === 'ping' && !this.#isClosing) stream.write(pongChunk);
  }

  #ended(close: WebClose): void {
    this.#theirs ??= close;
    // The answer to a good-bye repeats its code.
    if (!this.#isClosing) this.#say(close);
  }

  #over(how: StreamClose): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    const said = how === 'done' ? this.#theirs : undefined;
    this.#options.closed(said?.code ?? closeCodes.broken, said?.reason ?? '');
  }

  #watch(): void {
    this.#timer = this.#options.after(this.#options.pingUs, () => {
      // Who does not read gets no ping either: that it is alive is the transport's business then.
      if (this.#hasHeard || this.waitingBytes > 0) {
        this.#hasHeard = false;
        this.#asked = false;
      } else if (this.#asked) return this.break();
      else {
        this.#asked = true;
        this.#inlet.stream.write(pingChunk);
      }
      this.#watch();
    });
  }
}
