/**
 * What is wrong with a request whoever sends it: too long, too many headers, for another host, or
 * saying twice what can only be said once. Two readers of such a request may read two different ones,
 * and that is how the one before is got past. Also who it is to whom it is passed on: its number.
 */
import type { Host } from '../../../host/host.ts';
import { hexes } from '../../../kit/bytes.ts';
import type { Random } from '../../../kit/random.ts';
import type { RequestsConfig, TraceConfig } from './config.ts';
import { headerOf } from './headers.ts';
import { isAuthorityOf, plainHost, splitUrl } from './url.ts';
import { type Parts, plain, type Stage, type Visit } from './visit.ts';

/** Headers of which a request has one at most. Who joins two of them changes what they say. */
const single: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'content-encoding',
  'from',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'max-forwards',
  'origin',
  'proxy-authorization',
  'referer',
  'traceparent',
  'user-agent',
]);

const name = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

export class RequestCheck implements Stage {
  readonly #config: RequestsConfig;
  readonly #hosts: ReadonlySet<string>;
  readonly #hostEnds: readonly string[];

  constructor(config: RequestsConfig) {
    this.#config = config;
    const hosts = config.hosts.map(plainHost);
    this.#hosts = new Set(hosts.filter((host) => !host.startsWith('*.')));
    this.#hostEnds = hosts.filter((host) => host.startsWith('*.')).map((host) => host.slice(1));
  }

  enter({ request }: Visit): Parts | undefined {
    const { url, headers } = request;
    const { urlMaxBytes, headersMax, headerBytesMaxBytes } = this.#config;
    if (url.length > urlMaxBytes) return plain(414, 'the address is too long');
    if (headers.length > 2 * headersMax) return plain(431, 'too many headers');
    let size = 0;
    const seen: string[] = [];
    for (let i = 0; i < headers.length; i += 2) {
      const header = headers[i]!;
      const value = headers[i + 1]!;
      size += header.length + value.length + 4;
      if (!name.test(header) || !isLine(value)) return plain(400, 'that is no header');
      if (!single.has(header)) continue;
      if (seen.includes(header)) return plain(400, `two headers ${header}`);
      seen.push(header);
    }
    if (size > headerBytesMaxBytes) return plain(431, 'the headers are too large');
    return this.#checkHost(url, headerOf(headers, 'host'));
  }

  #checkHost(url: string, header: string | undefined): Parts | undefined {
    const isSaid = header === undefined || isAuthorityOf(url, header);
    if (isSaid && this.#config.hosts.length === 0) return undefined;
    const { host } = splitUrl(url);
    if (!isSaid && splitUrl(`http://${header}`).host !== host) {
      return plain(400, 'address and host differ');
    }
    if (this.#config.hosts.length === 0 || this.#hosts.has(host)) return undefined;
    if (this.#hostEnds.some((end) => host.endsWith(end) && host.length > end.length)) {
      return undefined;
    }
    return plain(421, 'that host is not here');
  }
}

/** No control characters but a tab: nothing that ends a line, or that a reader in C takes for the end. */
function isLine(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 32 && code !== 9) || code === 127) return false;
  }
  return true;
}

const idPattern = /^[\w.:-]{1,64}$/;
/** Version 00 of W3C Trace Context; ids of zeros are none. */
const traceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/**
 * Gives each request a number (`x-request-id`) that its reply carries too, and its place in a trace
 * (`traceparent`): as they came when they are good, else new.
 */
export class TraceStage implements Stage {
  readonly #config: TraceConfig;
  readonly #random: Random;

  constructor(host: Host, config: TraceConfig) {
    this.#config = config;
    this.#random = host.random.fork('trace');
  }

  enter(visit: Visit): undefined {
    const { request } = visit;
    const given = headerOf(request.headers, this.#config.idHeader);
    const parent = traceparent.exec(headerOf(request.headers, 'traceparent') ?? '');
    const trace = parent?.[1] ?? this.#hex(4);
    const id = this.#config.trust && idPattern.test(given ?? '') ? given! : trace;
    const kept: string[] = [];
    const { headers } = visit;
    for (let i = 0; i < headers.length; i += 2) {
      const header = headers[i]!;
      const isOurs = header === this.#config.idHeader || header === 'traceparent';
      // What rides on a trace that was broken off belongs to nobody.
      if (isOurs || (header === 'tracestate' && !parent)) continue;
      kept.push(header, headers[i + 1]!);
    }
    kept.push(this.#config.idHeader, id);
    kept.push('traceparent', `00-${trace}-${this.#hex(2)}-${parent?.[2] ?? '01'}`);
    visit.headers = kept;
    visit.number = id;
    return undefined;
  }

  leave(visit: Visit, reply: Parts | undefined): Parts | undefined {
    if (!reply || visit.number === '') return reply;
    return { ...reply, headers: [...reply.headers, this.#config.idHeader, visit.number] };
  }

  /** So many words of 32 bits, never all zero. */
  #hex(words: number): string {
    let hex = '';
    for (let i = 0; i < words; i++) {
      const word = 1 + Math.floor(this.#random.next() * (2 ** 32 - 1));
      for (let shift = 24; shift >= 0; shift -= 8) hex += hexes[(word >>> shift) & 255]!;
    }
    return hex;
  }
}
