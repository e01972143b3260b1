/**
 * Who may talk to Studio's server. It listens on loopback only, but so does every page in the same
 * browser: another web page must not be able to read a design or to drive a live system. Hence, in
 * this order:
 *
 *   Host             a loopback name with our port: a foreign name that resolves to us is refused
 *   Origin, Sec-Fetch-Site   same origin, whenever the browser says where a call comes from
 *   token            128 bits, in every call to /api
 *   content type     JSON for what has a body: a form of another page cannot send that
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface Caller {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** From the query, where a browser cannot send headers: event streams. */
  readonly token: string | undefined;
}

export interface Gate {
  readonly port: number;
  readonly token: string;
}

export interface Barred {
  readonly status: 401 | 403 | 405 | 415;
  readonly code: string;
  readonly message: string;
}

const names = ['127.0.0.1', 'localhost', '[::1]'];
const reading = ['GET', 'HEAD'];
const changing = ['POST', 'PUT', 'DELETE'];

/** Undefined: come in. */
export function barred(caller: Caller, { port, token }: Gate): Barred | undefined {
  const { method, path, headers } = caller;
  const host = headers.host ?? '';
  if (!names.some((name) => host === `${name}:${port}`)) {
    return refuse(403, 'foreign-host', `This server answers on ${names[0]}:${port} only.`);
  }
  if (![...reading, ...changing].includes(method)) {
    return refuse(405, 'bad-method', `${method} is not used here.`);
  }
  if (!path.startsWith('/api/')) {
    return reading.includes(method)
      ? undefined
      : refuse(405, 'bad-method', 'The page itself can only be read.');
  }
  const site = headers['sec-fetch-site'];
  const isForeign =
    (headers.origin !== undefined && headers.origin !== `http://${host}`) ||
    (site !== undefined &&
      site !== 'same-origin' &&
      !(site === 'none' && reading.includes(method)));
  if (isForeign) {
    return refuse(403, 'foreign-origin', 'Only Studio’s own page may call this server.');
  }
  if (!isSame(tokenOf(headers) ?? caller.token ?? '', token)) {
    return refuse(
      401,
      'bad-token',
      'Open Studio by the address that it printed: the token is in it.',
    );
  }
  if (method === 'POST' || method === 'PUT') {
    const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/json') {
      return refuse(415, 'bad-type', 'The content type must be application/json.');
    }
  }
  return undefined;
}

function refuse(status: Barred['status'], code: string, message: string): Barred {
  return { status, code, message };
}

function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
}

/** In constant time, whatever their lengths. */
function isSame(given: string, wanted: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}
