/**
 * What a gateway reads in an absolute URL. By hand, since a `URL` object costs more than the rest of
 * the routing, and to the letter of what services read: a path that a route was not meant for must not
 * become one that it was, or `/open/../admin` walks past the guard of `/admin`.
 */

import { normalPath } from '../../../kit/url.ts';

export interface Place {
  /** `http://Host:8080`, as it was given. */
  readonly origin: string;
  /** In lower case, without the port and the dot that names the root: `shop.test.` is `shop.test`. */
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
    host: plainHost(host),
    path: pathEnd === end ? '/' : normalPath(url.slice(end, pathEnd)),
    search: url.slice(pathEnd, last),
  };
}

/** As names are compared: the dot at the end of one says no more than that it is whole. */
export function plainHost(host: string): string {
  return (host.length > 1 && host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase();
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

/** The value of a query parameter, decoded; undefined: it is not there. */
export function queryOf(search: string, name: string): string | undefined {
  if (search.length < 2) return undefined;
  return new URLSearchParams(search).get(name) ?? undefined;
}
