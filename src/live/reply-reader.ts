/**
 * Replies of HTTP/1.1 as they come over a connection, piece by piece (RFC 9112, 6 and 7). What could be read in two
 * ways is an error, and the end of its connection: a reader that guesses lets whoever is behind it speak for others.
 *
 *   head ──▶ body ──▶ over          body: so many bytes, chunks and trailers, or all until the end
 */
import { cutValue, lowerName } from './fields.ts';

export interface ReplyEvents {
  head(status: number, headers: string[]): void;
  /** Of memory that is used again: to be copied by who keeps it. */
  data(part: Buffer): void;
  end(trailers: string[]): void;
}

/** Heads, and the lines between chunks, may be so long. */
const headMaxBytes = 65_536;
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t -~\x80-\xff]*)?$/;
const simple =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*)*$/;
const goingOn = /\r\n[\t ]+/g;
const headEnd = Buffer.from('\r\n\r\n');
const none: string[] = [];

type Phase = 'head' | 'length' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'until end' | 'over';

export class ReplyReader {
  readonly #events: ReplyEvents;
  #phase: Phase = 'over';
  #isHead = false;
  #held = '';
  #left = 0;
  /** The connection may be used again after this reply. */
  mayStay = true;
  /** Seconds for which the other side keeps it, if it says so; -1: it does not. */
  keptForSec = -1;

  constructor(events: ReplyEvents) {
    this.#events = events;
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** A request was sent. */
  expect(method: string): void {
    this.#phase = 'head';
    this.#isHead = method === 'HEAD';
    this.#held = '';
  }

  /** Throws where it is no reply. What is left when a reply is over is one that nobody asked for. */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#phase) {
        case 'over':
          throw new Error('a reply to nothing');
        case 'head':
        case 'trailers':
          at = this.#lines(bytes, at);
          break;
        case 'size':
          at = this.#size(bytes, at);
          break;
        case 'chunk end':
          at = this.#chunkEnd(bytes, at);
          break;
        default:
          at = this.#body(bytes, at);
      }
    }
  }

  /** The other side ended the connection. Throws where that is in the middle. */
  ended(): void {
    if (this.#phase === 'over') return;
    if (this.#phase !== 'until end') throw new Error('it ended in the middle');
    this.#finish(none);
  }

  #lines(bytes: Buffer, at: number): number {
    const before = this.#held.length;
    // An end may lie across two pieces, and trailers may be none: then their end is all there is.
    if (before > 0 || this.#phase === 'trailers') return this.#linesOn(bytes, at);
    const end = bytes.indexOf(headEnd, at);
    if (end < 0) return this.#linesOn(bytes, at);
    this.#head(bytes.toString('latin1', at, end));
    return end + 4;
  }

  #linesOn(bytes: Buffer, at: number): number {
    const before = this.#held.length;
    const text = this.#held + bytes.toString('latin1', at);
    const isEmpty = this.#phase === 'trailers' && text.startsWith('\r\n');
    const end = isEmpty ? 0 : text.indexOf('\r\n\r\n');
    if (end < 0) {
      if (text.length > headMaxBytes) throw new Error('too long a head');
      this.#held = text;
      return bytes.length;
    }
    this.#held = '';
    if (this.#phase === 'head') this.#head(text.slice(0, end));
    else this.#finish(isEmpty ? none : fieldsOf(text.slice(0, end)));
    return at + end + (isEmpty ? 2 : 4) - before;
  }

  #head(lines: string): void {
    const first = lines.indexOf('\r\n');
    const [, minor, code] = statusLine.exec(first < 0 ? lines : lines.slice(0, first)) ?? [];
    if (code === undefined) throw new Error('no reply of HTTP/1');
    const status = Number(code);
    // Switching protocols was not asked for; of what else begins with 1 the reply is still to come.
    if (status === 101) throw new Error('another protocol');
    if (status < 200) return;
    const headers = first < 0 ? [] : fieldsOf(lines.slice(first + 2));
    this.mayStay = minor === '1';
    this.keptForSec = -1;
    let length: string | undefined;
    let coding: string | undefined;
    for (let i = 0; i < headers.length; i += 2) {
      const value = headers[i + 1]!;
      switch (headers[i]) {
        case 'content-length':
          if (length !== undefined || !/^\d{1,15}$/.test(value)) throw new Error('two lengths');
          length = value;
          break;
        case 'transfer-encoding':
          if (coding !== undefined) throw new Error('two codings');
          coding = value;
          break;
        case 'connection':
          if (/\bclose\b/i.test(value)) this.mayStay = false;
          else if (/\bkeep-alive\b/i.test(value)) this.mayStay = true;
          break;
        case 'keep-alive':
          this.keptForSec = Number(/\btimeout=(\d{1,9})/i.exec(value)?.[1] ?? -1);
      }
    }
    if (coding !== undefined && length !== undefined) throw new Error('a length and chunks');
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw new Error('which coding');
    const hasNone = this.#isHead || status === 204 || status === 304;
    if (hasNone || Number(length) === 0) this.#phase = 'over';
    else if (coding !== undefined) this.#phase = 'size';
    else if (length !== undefined) {
      this.#left = Number(length);
      this.#phase = 'length';
    } else {
      this.#phase = 'until end';
      this.mayStay = false;
    }
    this.#events.head(status, headers);
    if (this.#phase === 'over') this.#events.end(none);
  }

  #body(bytes: Buffer, at: number): number {
    const isOpen = this.#phase === 'until end';
    const to = isOpen ? bytes.length : Math.min(bytes.length, at + this.#left);
    this.#left -= to - at;
    this.#events.data(at === 0 && to === bytes.length ? bytes : bytes.subarray(at, to));
    if (!isOpen && this.#left === 0) {
      if (this.#phase === 'length') this.#finish(none);
      else this.#phase = 'chunk end';
    }
    return to;
  }

  /** `1f;extension` */
  #size(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(10, at);
    const to = end < 0 ? bytes.length : end + 1;
    this.#held += bytes.toString('latin1', at, to);
    if (this.#held.length > headMaxBytes) throw new Error('too long a line');
    if (end < 0) return to;
    const [, hex] = /^([0-9a-f]{1,12})(?:[\t ]*;[\t -~\x80-\xff]*)?\r\n$/i.exec(this.#held) ?? [];
    if (hex === undefined) throw new Error('no size of a chunk');
    this.#held = '';
    this.#left = Number.parseInt(hex, 16);
    this.#phase = this.#left === 0 ? 'trailers' : 'chunk';
    return to;
  }

  #chunkEnd(bytes: Buffer, at: number): number {
    const to = Math.min(bytes.length, at + 2 - this.#held.length);
    this.#held += bytes.toString('latin1', at, to);
    if (!'\r\n'.startsWith(this.#held)) throw new Error('a chunk is longer than it says');
    if (this.#held.length === 2) {
      this.#held = '';
      this.#phase = 'size';
    }
    return to;
  }

  #finish(trailers: string[]): void {
    this.#phase = 'over';
    this.#events.end(trailers);
  }
}

/** Name, value, name, value …, names in lower case. */
function fieldsOf(text: string): string[] {
  let lines = text;
  if (!simple.test(lines)) {
    // A line that goes on in the next one is read as one (RFC 9112, 5.2).
    lines = text.replace(goingOn, ' ');
    if (!simple.test(lines)) throw new Error('no header');
  }
  const fields: string[] = [];
  for (let at = 0; at >= 0; ) {
    const next = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    const end = next < 0 ? lines.length : next;
    fields.push(lowerName(lines.slice(at, colon)), cutValue(lines, colon + 1, end));
    at = next < 0 ? -1 : next + 2;
  }
  return fields;
}
