/**
 * Ordinary requests of HTTP/1.1, read by hand: such a request is there whole, in one piece, and there is only one
 * way to read it. Whoever sends anything else is left to Node's parser, so nothing here need decide what is meant by
 * an odd line, and strictness costs nobody anything but time.
 */
import { cutValue, lowerName } from './fields.ts';

export interface OrdinaryRequest {
  readonly method: string;
  /** Path and query, as it was written. */
  readonly target: string;
  readonly host: string;
  /** Name, value, name, value …, names in lower case; nothing of this hop. */
  readonly headers: string[];
  readonly body: Uint8Array | null;
}

export interface OrdinaryLimits {
  readonly headersMaxBytes: number;
  readonly headersMax: number;
  readonly urlMaxBytes: number;
  readonly bodyMaxBytes: number;
}

/** No control characters, nothing beyond ASCII, no line that goes on in the next one, every end of a line whole. */
const head =
  /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[!-~]*) HTTP\/1\.1(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*)+$/;

/** What a hop keeps to itself, or what changes how a message is read. `connection` is looked at. */
const others: ReadonlySet<string> = new Set([
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'upgrade',
  'trailer',
  'expect',
]);

const headEnd = Buffer.from('\r\n\r\n');
/** A cut keeps all of what it was cut from: what is cut out of a longer head is copied. */
const headKeptMax = 1_024;

/** Undefined: not one whole ordinary request. */
export function readOrdinary(bytes: Buffer, limits: OrdinaryLimits): OrdinaryRequest | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0 || end > limits.headersMaxBytes) return undefined;
  const lines = bytes.toString('latin1', 0, end);
  const [, method, target] = head.exec(lines) ?? [];
  if (method === undefined || target === undefined) return undefined;
  if (target.length > limits.urlMaxBytes) return undefined;
  const isLong = end > headKeptMax;
  const headers: string[] = [];
  let host: string | undefined;
  let length: string | undefined;
  for (let at = lines.indexOf('\r\n') + 2; at > 1; ) {
    const next = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    const name = lowerName(lines.slice(at, colon));
    const cut = cutValue(lines, colon + 1, next < 0 ? end : next);
    const value = isLong ? copyOf(cut) : cut;
    at = next + 2;
    if (name === 'connection') {
      if (value.toLowerCase() !== 'keep-alive') return undefined;
      continue;
    }
    if (name === 'host') {
      if (host !== undefined) return undefined;
      host = value;
    } else if (name === 'content-length') {
      if (length !== undefined || !/^\d{1,9}$/.test(value)) return undefined;
      length = value;
    } else if (others.has(name)) return undefined;
    headers.push(name, value);
  }
  if (host === undefined || headers.length > 2 * limits.headersMax) return undefined;
  const size = length === undefined ? 0 : Number(length);
  if (bytes.length !== end + 4 + size || size > limits.bodyMaxBytes) return undefined;
  if (size === 0) return { method, target, host, headers, body: null };
  if (method === 'HEAD') return undefined;
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset + end + 4, size);
  return { method, target, host, headers, body };
}

function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
