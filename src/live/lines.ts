/**
 * Connections to one place that speaks HTTP/1.1, each with one question at a time. Who asks while all are taken
 * waits in line; what was of use is kept for the next, as long as the other side keeps it.
 *
 *   ask ──▶ a kept connection, or a new one, or the queue ──▶ one write ──▶ ReplyReader ──▶ events
 *
 * It asks what is there whole. Bodies that flow out, and TLS, are left to a client that can do everything.
 */
import { createConnection, type Socket } from 'node:net';
import { isName, isValue } from './fields.ts';
import { type ReplyEvents, ReplyReader } from './reply-reader.ts';

/** A request, there whole. */
export interface Question {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Among them the host. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
}

/** Holds back, or breaks off, what an answer still brings. */
export interface Controller {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

export interface Answered {
  /** It is about to be sent; nothing came of it before. */
  started(controller: Controller): void;
  head(controller: Controller, status: number, headers: string[]): void;
  /** Of memory that is used again: to be copied by who keeps it. */
  data(controller: Controller, part: Buffer): void;
  end(trailers: readonly string[]): void;
  /** Instead of an end. */
  failed(error: Error): void;
}

export interface LinesOptions {
  /** The host that is asked for where a question names none. */
  readonly authority: string;
  readonly host: string;
  readonly port: number;
  /** An address of this machine to come from. */
  readonly localAddress?: string | undefined;
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  /** How long a connection is kept that nobody needs. */
  readonly keepMs: number;
}

interface Waiting {
  readonly question: Question;
  readonly text: string;
  readonly answered: Answered;
}

/** The other side ended a connection, as opposed to: broke it. */
export const wasEnded = 'LOADPATH_ENDED';
export const connectedTooLate = 'LOADPATH_CONNECT_TIMEOUT';

/** Who says how long it keeps a connection ends it about then: it is left alone this much earlier. */
const keptSlackMs = 1_000;
const sweepMs = 1_000;
/** All read into the same memory: what is kept of it is copied. */
const memory = Buffer.allocUnsafeSlow(65_536);
/** A body up to this is written with its head in one piece. */
const onePieceMaxBytes = 16_384;

export class Lines {
  readonly #options: LinesOptions;
  /** The one that was used last is used first, so that what is not needed grows old. */
  readonly #kept: Line[] = [];
  readonly #all = new Set<Line>();
  readonly #queue: Waiting[] = [];
  #sweeper: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  /** May fail at once, and is answered later. */
  ask(question: Question, answered: Answered): void {
    const text = headOf(question, this.#options.authority);
    if (text === undefined || this.#isClosed) {
      return answered.failed(new Error('that cannot be asked'));
    }
    const line = this.#free();
    if (line) line.ask(question, text, answered);
    else this.#queue.push({ question, text, answered });
  }

  /** Breaks off what is under way, and asks nothing more. */
  destroy(): void {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    this.#queue.length = 0;
    for (const line of this.#all) line.destroy();
  }

  #free(): Line | undefined {
    const now = Date.now();
    for (let line = this.#kept.pop(); line; line = this.#kept.pop()) {
      if (line.keptUntil > now && line.isOpen) return line;
      line.destroy();
    }
    if (this.#all.size >= this.#options.connectionsMax) return undefined;
    const line = new Line(this.#options, this);
    this.#all.add(line);
    return line;
  }

  /** Its reply is over, and it may be asked again. */
  free(line: Line, keptForMs: number): void {
    const next = this.#queue.shift();
    if (next) return line.ask(next.question, next.text, next.answered);
    line.keptUntil = Date.now() + Math.min(keptForMs, this.#options.keepMs);
    this.#kept.push(line);
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** It is no more. */
  gone(line: Line): void {
    this.#all.delete(line);
    const at = this.#kept.indexOf(line);
    if (at >= 0) this.#kept.splice(at, 1);
    const next = this.#isClosed ? undefined : this.#queue.shift();
    if (next) this.#free()!.ask(next.question, next.text, next.answered);
  }

  #sweep(): void {
    const now = Date.now();
    // What each is kept for differs, so all are looked at.
    for (const line of this.#kept.filter(({ keptUntil }) => keptUntil <= now)) line.destroy();
    if (this.#kept.length > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

/** One connection. */
class Line implements ReplyEvents {
  keptUntil = 0;
  readonly #lines: Lines;
  readonly #socket: Socket;
  readonly #reader = new ReplyReader(this);
  #answered: Answered | undefined;
  #hold: Hold | undefined;
  #trailers: readonly string[] | undefined;
  #error: Error | undefined;

  constructor(options: LinesOptions, lines: Lines) {
    this.#lines = lines;
    const { host, port, localAddress, connectTimeoutMs } = options;
    const socket = createConnection({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      // Read into memory of ours: no stream is made of what comes.
      onread: {
        buffer: memory,
        callback: (size) => {
          this.#read(memory.subarray(0, size));
          return true;
        },
      },
    });
    this.#socket = socket;
    const late = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: connectedTooLate }));
    }, connectTimeoutMs);
    socket.on('connect', () => clearTimeout(late));
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('end', () => this.#ended());
    socket.on('close', () => {
      clearTimeout(late);
      this.#ended();
      lines.gone(this);
    });
    socket.resume();
  }

  ask({ method, body }: Question, head: string, answered: Answered): void {
    this.#answered = answered;
    this.#reader.expect(method);
    this.#hold = new Hold(this, this.#socket, answered);
    answered.started(this.#hold);
    if (this.#answered !== answered) return;
    const socket = this.#socket;
    if (body === null || body.length === 0) socket.write(head, 'latin1');
    else if (body.length <= onePieceMaxBytes && typeof body !== 'string') {
      socket.write(head + bufferOf(body).toString('latin1'), 'latin1');
    } else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** Whether this is what it is about now. */
  isOf(answered: Answered): boolean {
    return this.#answered === answered;
  }

  abort(reason: Error): void {
    this.#fail(reason);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  head(status: number, headers: string[]): void {
    this.#answered?.head(this.#hold!, status, headers);
  }

  data(part: Buffer): void {
    this.#answered?.data(this.#hold!, part);
  }

  end(trailers: readonly string[]): void {
    this.#trailers = trailers;
  }

  #read(bytes: Buffer): void {
    let error: Error | undefined;
    try {
      this.#reader.read(bytes);
    } catch (thrown) {
      error = thrown as Error;
    }
    // Not before all of it was read: what came behind a reply is no answer to the next question.
    if (this.#trailers) this.#finish(this.#trailers, error === undefined);
    else if (error) this.#fail(error);
  }

  #finish(trailers: readonly string[], isClean: boolean): void {
    const answered = this.#answered;
    this.#answered = undefined;
    this.#trailers = undefined;
    const { mayStay, keptForSec } = this.#reader;
    const keptForMs = keptForSec < 0 ? Number.POSITIVE_INFINITY : keptForSec * 1_000 - keptSlackMs;
    if (isClean && mayStay && keptForMs > 0 && answered && this.#socket.writable) {
      // Who was held back by the last part of it may say so no more, and the next has to be heard.
      this.#socket.resume();
      this.#lines.free(this, keptForMs);
    } else this.#socket.destroy();
    answered?.end(trailers);
  }

  #ended(): void {
    try {
      if (this.#error) throw this.#error;
      this.#reader.ended();
      if (this.#trailers) this.#finish(this.#trailers, false);
      else if (this.#answered) throw new Error('it ended before it was asked');
    } catch {
      const ended = Object.assign(new Error('the other side ended it'), { code: wasEnded });
      this.#fail(this.#error ?? ended);
    }
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    const answered = this.#answered;
    this.#answered = undefined;
    this.#socket.destroy();
    answered?.failed(error);
  }
}

/** Of one question: it says nothing any more when that is over, and the connection another's. */
class Hold implements Controller {
  readonly #line: Line;
  readonly #socket: Socket;
  readonly #answered: Answered;

  constructor(line: Line, socket: Socket, answered: Answered) {
    this.#line = line;
    this.#socket = socket;
    this.#answered = answered;
  }

  pause(): void {
    if (this.#line.isOf(this.#answered)) this.#socket.pause();
  }

  resume(): void {
    if (this.#line.isOf(this.#answered)) this.#socket.resume();
  }

  abort(reason: Error): void {
    if (this.#line.isOf(this.#answered)) this.#line.abort(reason);
  }
}

/** What connections themselves are about is settled here, whatever a program says of it. */
const forbidden: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
]);
const mayHaveBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const badPath = /[^!-~\x80-\xff]/;

/** Undefined: it would not be HTTP, or be read as something else. */
function headOf({ method, path, headers, body }: Question, authority: string): string | undefined {
  if (!isName(method) || method === 'CONNECT') return undefined;
  if (path === '' || badPath.test(path)) return undefined;
  let text = `${method} ${path} HTTP/1.1\r\nconnection: keep-alive\r\n`;
  let hasHost = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (name === 'connection' || name === 'content-length') continue;
    if (!isName(name) || !isValue(value)) return undefined;
    if (forbidden.has(name)) return undefined;
    if (name === 'host') hasHost = true;
    text += `${name}: ${value}\r\n`;
  }
  if (!hasHost) text += `host: ${authority}\r\n`;
  const size = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  if (size > 0 || mayHaveBody.has(method)) text += `content-length: ${size}\r\n`;
  return `${text}\r\n`;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
