/**
 * One request of the web client until it is over: answered whole, by a body that flows from here on, refused or lost.
 * It ends once, whatever its connection and its timers do.
 */
import type { Timer } from '../host/host.ts';
import { type Chunk, type Stream, type StreamEvents, streamWindowBytes } from '../host/stream.ts';
import type { WebLost, WebReply, WebTrailers } from '../host/web.ts';
import { errorCode } from './files.ts';
import { type Answered, type Controller, connectedTooLate, wasEnded } from './lines.ts';

/** What becomes of a request. */
export interface Told {
  readonly reply: (message: WebReply | WebLost) => void;
  readonly refused: () => void;
  /** A reply whose body flows. */
  readonly flow: (reply: WebReply, events: StreamEvents) => Stream;
}

/** Whom it belongs to. */
export interface Asker {
  /** It waits no more, and is forgotten; false: for nobody any more. */
  over(asking: Asking): boolean;
  /** How long a reply of unknown length may take to end, before it is one that flows. */
  patience(fire: () => void): Timer;
}

/** A reply larger than this is not read to its end. */
const replyMaxBytes = 64 * 1_048_576;

/** Errors before a byte of the request could have arrived. */
const neverArrived: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  connectedTooLate,
  'UND_ERR_CONNECT_TIMEOUT',
]);
const ended: ReadonlySet<string | undefined> = new Set([wasEnded, 'UND_ERR_SOCKET']);

export class Asking implements Answered {
  readonly from: string;
  readonly id: number;
  readonly #method: string;
  readonly #asker: Asker;
  readonly #told: Told;
  /** Breaks it off, once there is something to break off. */
  abort: ((reason: Error) => void) | undefined = undefined;
  timer: Timer | undefined = undefined;
  /** Asks again where its connection was ended before a word of an answer, once. */
  again: (() => void) | undefined = undefined;
  #isRepeated = false;
  #isOver = false;
  #patience: Timer | undefined = undefined;
  #status = 0;
  #headers: string[] = [];
  #parts: Uint8Array[] = [];
  #size = 0;
  #flow: Flow | undefined = undefined;

  constructor(from: string, id: number, method: string, asker: Asker, told: Told) {
    this.from = from;
    this.id = id;
    this.#method = method;
    this.#asker = asker;
    this.#told = told;
  }

  /** Nobody waits for it any more, and its connection is cut, so that the other side hears of it. */
  giveUp(): void {
    this.#isOver = true;
    this.stop();
    this.abort?.(new Error('given up'));
  }

  late(): void {
    this.lost();
    this.abort?.(new Error('timed out'));
  }

  /** Its timers. */
  stop(): void {
    this.timer?.cancel();
    this.#patience?.cancel();
  }

  reply(reply: WebReply): void {
    if (this.#ends()) this.#told.reply(reply);
  }

  lost(): void {
    if (this.#ends()) this.#told.reply({ type: 'lost', id: this.id });
  }

  started(controller: Controller): void {
    this.abort = (reason) => controller.abort(reason);
    if (this.#isOver) controller.abort(new Error('given up'));
  }

  head(controller: Controller, status: number, headers: string[]): void {
    this.#status = status;
    this.#headers = headers;
    const how = flows(this.#method, status, headers);
    if (how === 'yes') this.#begin(controller);
    // Many say no length and are short all the same: those are taken whole.
    else if (how === 'perhaps' && !this.#isOver) {
      this.#patience = this.#asker.patience(() => this.#begin(controller));
    }
  }

  data(controller: Controller, part: Buffer): void {
    // A copy, of its own size: what the socket read into is used again, or larger.
    const bytes = new Uint8Array(part);
    if (this.#flow) return this.#flow.data(bytes);
    this.#size += bytes.length;
    if (this.#size > replyMaxBytes) controller.abort(new Error('the reply is too large'));
    else this.#parts.push(bytes);
    if (this.#size > streamWindowBytes) this.#begin(controller);
  }

  end(trailers: readonly string[]): void {
    if (this.#flow) return this.#flow.end(trailers);
    const body = this.#size === 0 ? null : joinedBytes(this.#parts, this.#size);
    this.reply(this.#replyOf(body));
  }

  failed(error: Error): void {
    if (this.#flow) return this.#flow.broke();
    const { again } = this;
    if (again && this.#status === 0 && !this.#isOver && ended.has(errorCode(error))) {
      this.again = undefined;
      this.#isRepeated = true;
      again();
    } else if (!this.#isRepeated && neverArrived.has(codeOf(error))) {
      if (this.#ends()) this.#told.refused();
    } else this.lost();
  }

  /** From here on it is a stream, whose end has no time limit of ours. */
  #begin(controller: Controller): void {
    if (!this.#ends()) return;
    const flow = new Flow(controller, (events) => this.#told.flow(this.#replyOf(null), events));
    this.#flow = flow;
    for (const part of this.#parts.splice(0)) flow.data(part);
  }

  #replyOf(body: Uint8Array | null): WebReply {
    return { type: 'reply', id: this.id, status: this.#status, headers: this.#headers, body };
  }

  /** False: it was over before. */
  #ends(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.stop();
    return this.#asker.over(this);
  }
}

/** The body of a reply on its way into a stream, with the socket's back-pressure. */
class Flow {
  readonly #controller: Controller;
  readonly #stream: Stream;
  #isOver = false;

  constructor(controller: Controller, open: (events: StreamEvents) => Stream) {
    this.#controller = controller;
    const stream = open({
      data: (chunk: Chunk) => stream.took(chunk),
      ready: () => controller.resume(),
      closed: (how) => {
        if (this.#isOver || how === 'done') return;
        this.#isOver = true;
        controller.abort(new Error('nobody reads it'));
      },
    });
    this.#stream = stream;
  }

  data(part: Uint8Array): void {
    if (!this.#stream.write(part)) this.#controller.pause();
  }

  end(trailers: readonly string[]): void {
    this.#isOver = true;
    if (trailers.length === 0) this.#stream.end();
    else this.#stream.end({ type: 'trailers', headers: trailers } satisfies WebTrailers);
  }

  broke(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.reset();
  }
}

/** A body is taken whole if it says how long it is, and that is little. */
function flows(
  method: string,
  status: number,
  headers: readonly string[],
): 'yes' | 'no' | 'perhaps' {
  if (method === 'HEAD' || status === 204 || status === 304) return 'no';
  const length = headerOf(headers, 'content-length');
  if (/^(text\/event-stream|application\/grpc)/.test(headerOf(headers, 'content-type') ?? '')) {
    return 'yes';
  }
  if (length === undefined) return 'perhaps';
  return Number(length) > streamWindowBytes ? 'yes' : 'no';
}

function joinedBytes(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function codeOf(error: Error): string {
  const code = errorCode(error) ?? errorCode(error.cause);
  // Trying several addresses of one name ends in an error of errors.
  if (code === undefined && error instanceof AggregateError) {
    const inner: unknown = error.errors[0];
    return errorCode(inner) ?? '';
  }
  return code ?? '';
}

export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}
