/**
 * Access logs in Common and Combined Log Format, as Apache and nginx write them, read for
 * `--replay`: what real users really asked, with its real bursts.
 *
 *   192.0.2.7 - - [10/Oct/2025:13:55:36 +0200] "GET /x HTTP/1.1" 200 2326 "https://a.example/" "curl/8"
 *
 * Fields after the user agent are ignored, so nginx's extended formats are read too. A line that
 * is not of this form is counted and reported, and the rest is read on: real logs have a few.
 */
import type { Micros } from '../host/host.ts';

export interface AccessLogEntry {
  /** Since 1970. The log's clock ticks once a second; see `startsOf`. */
  readonly atUs: Micros;
  readonly ip: string;
  readonly method: string;
  /** With its query: `/search?q=x`. */
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly referer?: string;
  readonly userAgent?: string;
}

export interface BadLine {
  /** From 1. */
  readonly line: number;
  readonly why: string;
  /** Its beginning. */
  readonly text: string;
}

export interface AccessLog {
  /** By time; lines of one second in the order of the log. */
  readonly entries: readonly AccessLogEntry[];
  readonly badCount: number;
  /** The first bad lines, at most `badLinesMax`. */
  readonly badLines: readonly BadLine[];
}

export const badLinesMax = 20;

const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
const linePattern = new RegExp(
  `^(\\S+) \\S+ .*?\\[([^\\]]+)\\] ${quoted} (\\d{3}) (\\d+|-)(?: ${quoted} ${quoted})?`,
);
const requestPattern = /^([A-Z]+) (\S+)(?: HTTP\/\d(?:\.\d)?)?$/;
const timePattern =
  /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** The entry, or why the line is not one. */
export function parseLine(line: string): AccessLogEntry | { readonly why: string } {
  const match = linePattern.exec(line);
  if (!match) return { why: 'not Common or Combined Log Format' };
  const [, ip, time, request, status, bytes, referer, userAgent] = match;
  const atUs = parseTime(time!);
  if (atUs === undefined) return { why: `not a time: [${time}]` };
  const asked = requestPattern.exec(request!);
  // Scanners and broken clients leave empty, cut or binary request lines.
  if (!asked) return { why: 'not an HTTP request line' };
  return {
    atUs,
    ip: ip!,
    method: asked[1]!,
    path: pathOf(asked[2]!),
    status: Number(status),
    bytes: bytes === '-' ? 0 : Number(bytes),
    ...(referer && referer !== '-' ? { referer: unescaped(referer) } : {}),
    ...(userAgent && userAgent !== '-' ? { userAgent: unescaped(userAgent) } : {}),
  };
}

/** Takes a log in pieces, as it comes from a file. */
export class AccessLogReader {
  readonly #entries: AccessLogEntry[] = [];
  readonly #badLines: BadLine[] = [];
  #badCount = 0;
  #lineCount = 0;
  #rest = '';

  push(piece: string): void {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line);
  }

  end(): AccessLog {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
    // Servers log a request when it ends: long ones come after later ones. The sort is stable.
    this.#entries.sort((a, b) => a.atUs - b.atUs);
    return { entries: this.#entries, badCount: this.#badCount, badLines: this.#badLines };
  }

  #line(text: string): void {
    this.#lineCount++;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (line.trim() === '' || line.startsWith('#')) return;
    const entry = parseLine(line);
    if (!('why' in entry)) {
      this.#entries.push(entry);
      return;
    }
    this.#badCount++;
    if (this.#badLines.length < badLinesMax) {
      this.#badLines.push({ line: this.#lineCount, why: entry.why, text: line.slice(0, 120) });
    }
  }
}

export function readAccessLog(text: string): AccessLog {
  const reader = new AccessLogReader();
  reader.push(text);
  return reader.end();
}

/**
 * When each entry starts, in microseconds since the first second of the log. The requests of one
 * second are spread evenly over it: all at its first instant would be a burst that nobody sent.
 */
export function startsOf(entries: readonly AccessLogEntry[]): Micros[] {
  const firstAt = entries[0]?.atUs ?? 0;
  const starts: Micros[] = [];
  for (let begin = 0; begin < entries.length; ) {
    const atUs = entries[begin]!.atUs;
    let end = begin;
    while (end < entries.length && entries[end]!.atUs === atUs) end++;
    const gapUs = 1_000_000 / (end - begin);
    for (let i = begin; i < end; i++) {
      starts.push(atUs - firstAt + Math.floor((i - begin) * gapUs));
    }
    begin = end;
  }
  return starts;
}

function parseTime(text: string): Micros | undefined {
  const match = timePattern.exec(text);
  if (!match) return undefined;
  const [, day, monthName, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const month = months.indexOf(monthName!);
  if (month < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60)
    return undefined;
  const dayOfMonth = Number(day);
  const utcMs = Date.UTC(
    Number(year),
    month,
    dayOfMonth,
    Number(hour),
    Number(minute),
    Number(second),
  );
  // Date.UTC turns 31 February into March; a log that says so is damaged.
  const midnight = new Date(Date.UTC(Number(year), month, dayOfMonth));
  if (midnight.getUTCDate() !== dayOfMonth) return undefined;
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return (utcMs - (sign === '-' ? -zoneMs : zoneMs)) * 1_000;
}

/** Requests to a proxy name the whole URL; only its path is replayed. */
function pathOf(target: string): string {
  const match = /^https?:\/\/[^/]*(\/.*)?$/.exec(target);
  return match ? (match[1] ?? '/') : target;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}
