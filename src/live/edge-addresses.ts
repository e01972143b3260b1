/** What a request asks for, of whom, and on whose behalf: read as whoever comes after the edge will read it, or refused. */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Micros } from '../host/host.ts';
import { parseUrl } from '../kit/url.ts';

const hostsMax = 256;

/**
 * Which hosts make a URL. Behind a host nothing that begins with a slash is an error to who reads it (URL
 * standard, 4.4), so an address is good when its host is, and need not be read whole each time.
 */
export class Hosts {
  readonly #known = new Map<string, boolean>();

  isGood(host: string): boolean {
    let isGood = this.#known.get(host);
    if (isGood === undefined) {
      isGood = hostPattern.test(host) && parseUrl(`http://${host}/`) !== undefined;
      // Names may be invented: what is remembered of them has an end.
      if (this.#known.size >= hostsMax) this.#known.clear();
      this.#known.set(host, isGood);
    }
    return isGood;
  }
}

const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(:\d{1,5})?$/i;

/**
 * The URL that a request asks for; undefined where its parts do not make one, or another one than they
 * seem to: a host with a slash in it would move the path, one with an @ would be two names.
 */
export function addressOf(
  request: IncomingMessage,
  scheme: string,
  hosts: Hosts,
): string | undefined {
  const { url = '/', method } = request;
  if (url === '*' && method === 'OPTIONS')
    return hostPattern.test(hostOf(request)) ? url : undefined;
  if (url.startsWith('/')) {
    const host = hostOf(request);
    return hosts.isGood(host) ? `${scheme}://${host}${url}` : undefined;
  }
  const parsed = /^https?:\/\//i.test(url) ? parseUrl(url) : undefined;
  if (parsed === undefined) return undefined;
  const { host, username, password } = parsed;
  return hostPattern.test(host) && username === '' && password === '' ? url : undefined;
}

/** What a client says is for this hop alone. What this server must see itself stays. */
export function namedIn(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || /^(close|keep-alive)$/i.test(connection)) return undefined;
  const named = new Set(connection.toLowerCase().split(/\s*,\s*/));
  for (const kept of ['host', 'content-length', 'content-type', 'authorization', 'cookie']) {
    named.delete(kept);
  }
  return named;
}

export function hostOf({ headers }: IncomingMessage): string {
  const authority = headers[':authority'];
  return headers.host ?? (typeof authority === 'string' ? authority : 'localhost');
}

/** IPv4 in IPv6's clothing is IPv4. */
export function plainIp(ip: string): string {
  return ip.startsWith('::ffff:') ? ip.slice(7) : ip;
}

export function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}

export function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** In HTTP/2 the end of a request says so, and no header need. */
export function hasNoBody(request: IncomingMessage): boolean {
  if (request.httpVersionMajor < 2) return true;
  return (request as unknown as Http2ServerRequest).stream.endAfterHeaders;
}

/** A request, its sender and what only this machine may say of them. */
export interface Heard {
  readonly headers: string[];
  readonly ip: string;
  readonly session: string | undefined;
  readonly timeoutUs: Micros | undefined;
}

/** Only who is on this machine may speak for somebody else. Takes its headers for its own. */
export function spokenFor(headers: string[], from: string): Heard {
  let ip = from;
  let session: string | undefined;
  let timeoutUs: Micros | undefined;
  const trusted = isLoopback(from);
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (trusted && name === 'x-forwarded-for') ip = value.split(',', 1)[0]!.trim();
    else if (name === 'x-loadpath-session') session = trusted ? value : undefined;
    else if (name === 'x-loadpath-timeout-us') timeoutUs = trusted ? wholeNumber(value) : undefined;
    // Whatever else nodes tell one another in such headers, nobody outside says in their place.
    else if (trusted || !name.startsWith('x-loadpath-')) {
      headers[kept++] = name;
      headers[kept++] = value;
    }
  }
  headers.length = kept;
  return { headers, ip, session, timeoutUs };
}
