/**
 * Which requests are for one and the same thing. The address is brought into one form (RFC 3986, 6.2.2
 * and 6.2.3); an operator may leave out parts of its query, and tell apart by headers or devices.
 */
import { type Fields, field } from './fields.ts';

export interface KeyRule {
  /** What of the query counts. Default: all of it, in its order. */
  readonly query?:
    | 'all'
    | 'none'
    | 'sorted'
    | { readonly only: readonly string[] }
    | { readonly except: readonly string[] }
    | undefined;
  /** Request headers that tell apart, besides those that a response's `Vary` names. */
  readonly headers?: readonly string[] | undefined;
  /** Tell phones, tablets and the rest apart by `user-agent`, for pages made for each. */
  readonly device?: boolean | undefined;
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': ':80', 'https:': ':443' };

/** The address as the cache knows it. By hand: a `URL` object costs more than finding the entry. */
export function resourceOf(url: string, rule: KeyRule = {}): string {
  const scheme = url.indexOf('://');
  if (scheme < 0) return url;
  const from = scheme + 3;
  let end = url.length;
  let query = -1;
  let path = -1;
  for (let i = from; i < end; i++) {
    const char = url[i];
    if (char === '#') end = i;
    else if (char === '?' && query < 0) query = i;
    else if (char === '/' && path < 0 && query < 0) path = i;
  }
  const pathEnd = query < 0 ? end : query;
  const origin = originIn(url, scheme, path < 0 ? pathEnd : path);
  const rest = path < 0 ? '/' : url.slice(path, pathEnd);
  if (query < 0 || query + 1 >= end || rule.query === 'none') return origin + rest;
  const kept = queryOf(url.slice(query + 1, end), rule.query);
  return kept === '' ? origin + rest : `${origin}${rest}?${kept}`;
}

function originIn(url: string, scheme: number, authorityEnd: number): string {
  const protocol = url.slice(0, scheme + 1).toLowerCase();
  const authority = url.slice(scheme + 3, authorityEnd).toLowerCase();
  const port = defaultPorts[protocol];
  const host = port && authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
  return `${protocol}//${host}`;
}

function queryOf(query: string, rule: KeyRule['query']): string {
  if (rule === undefined || rule === 'all' || rule === 'none') return query;
  const pairs = query.split('&');
  if (rule === 'sorted') return pairs.sort().join('&');
  const nameOf = (pair: string): string => pair.split('=', 1)[0]!;
  const kept =
    'only' in rule
      ? pairs.filter((pair) => rule.only.includes(nameOf(pair)))
      : pairs.filter((pair) => !rule.except.includes(nameOf(pair)));
  return kept.sort().join('&');
}

/** What tells requests for one resource apart before any response named a `Vary`. */
export function extraOf(headers: Fields, rule: KeyRule = {}): string {
  let extra = rule.device ? deviceOf(field(headers, 'user-agent') ?? '') : '';
  for (const name of rule.headers ?? []) {
    extra += `\n${name}:${normal(field(headers, name.toLowerCase()))}`;
  }
  return extra;
}

export type Device = 'phone' | 'tablet' | 'other';

/** As CDNs guess it: a tablet says so, a phone says Mobile. */
export function deviceOf(userAgent: string): Device {
  if (/ipad|tablet|kindle|silk|playbook|android(?!.*mobile)/i.test(userAgent)) return 'tablet';
  return /mobi|iphone|ipod|phone/i.test(userAgent) ? 'phone' : 'other';
}

/** A request's values of the headers that a `Vary` names (RFC 9111, 4.1). */
export function selectionOf(headers: Fields, names: readonly string[]): string {
  let selection = '';
  for (const name of names) selection += `${normal(field(headers, name))}\n`;
  return selection;
}

export function varyOf(headers: Fields): readonly string[] {
  const vary = field(headers, 'vary');
  if (vary === undefined) return [];
  const names = vary.split(',').map((name) => name.trim().toLowerCase());
  return [...new Set(names)].filter((name) => name !== '').sort();
}

/** Absent differs from empty; white space does not count. */
function normal(value: string | undefined): string {
  return value === undefined
    ? ''
    : `=${value
        .trim()
        .replace(/\s*,\s*/g, ',')
        .replace(/\s+/g, ' ')}`;
}

/** Host without a port and path without a query, as routes and rules look at them. */
export function splitUrl(url: string): { readonly host: string; readonly path: string } {
  const resource = resourceOf(url, { query: 'none' });
  const from = resource.indexOf('://') + 3;
  const slash = resource.indexOf('/', from);
  const authority = slash < 0 ? resource.slice(from) : resource.slice(from, slash);
  const colon = authority.lastIndexOf(':');
  const host = colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority;
  return { host, path: slash < 0 ? '/' : resource.slice(slash) };
}
