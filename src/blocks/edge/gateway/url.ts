/**
 * What a gateway reads in an absolute URL. By hand, since a `URL` object costs more than the rest of
 * the routing, and to the letter of what services read: a path that a route was not meant for must not
 * become one that it was, or `/open/../admin` walks past the guard of `/admin`.
 */

export interface Place {
  /** `http://Host:8080`, as it was given. */
  readonly origin: string;
  /** In lower case, without the port. */
  readonly host: string;
  /** Normal: no dot segments, nothing encoded that need not be. */
  readonly path: string;
  /** With its question mark; empty when there is none. A fragment is no part of a request. */
  readonly search: string;
}

export function splitUrl(url: string): Place {
  const afterScheme = url.indexOf('://') + 3;
  let end = afterScheme;
  while (end < url.length && !isDelimiter(url.charCodeAt(end))) end++;
  const authority = url.slice(afterScheme, end);
  const colon = authority.lastIndexOf(':');
  const host = colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority;
  const hash = url.indexOf('#', end);
  const last = hash < 0 ? url.length : hash;
  const mark = url.indexOf('?', end);
  const pathEnd = mark < 0 || mark > last ? last : mark;
  return {
    origin: url.slice(0, end),
    host: host.toLowerCase(),
    path: pathEnd === end ? '/' : normalPath(url.slice(end, pathEnd)),
    search: url.slice(pathEnd, last),
  };
}

/** Whether this is what stands in a URL between its scheme and its path, to the letter. */
export function isAuthorityOf(url: string, text: string): boolean {
  const begin = url.indexOf('://') + 3;
  const end = begin + text.length;
  return url.startsWith(text, begin) && (end === url.length || isDelimiter(url.charCodeAt(end)));
}

/** / ? # \ */
function isDelimiter(code: number): boolean {
  return code === 47 || code === 63 || code === 35 || code === 92;
}

const needsCare = /[%\\]|\/\./;
const unreserved = /[A-Za-z0-9\-._~]/;

/** As RFC 3986, 6.2.2, with backslashes read as the URL standard reads them. */
export function normalPath(path: string): string {
  if (!needsCare.test(path)) return path;
  const plain = path.replaceAll('\\', '/').replace(/%([0-9a-f]{2})/gi, (whole, hex: string) => {
    const letter = String.fromCharCode(Number.parseInt(hex, 16));
    return unreserved.test(letter) ? letter : whole.toUpperCase();
  });
  return plain.includes('/.') ? withoutDots(plain) : plain;
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  const parts = path.split('/');
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1;
    if (part === '..') {
      if (kept.length > 1) kept.pop();
      if (isLast) kept.push('');
    } else if (part === '.') {
      if (isLast) kept.push('');
    } else kept.push(part);
  });
  return kept.length === 1 ? '/' : kept.join('/');
}

/** The value of a query parameter, decoded; undefined: it is not there. */
export function queryOf(search: string, name: string): string | undefined {
  if (search.length < 2) return undefined;
  return new URLSearchParams(search).get(name) ?? undefined;
}
