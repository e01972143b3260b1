/**
 * Which route takes a request. Made once from the table, most telling routes first:
 *
 *   1. host     named, then the longest wildcard, then any
 *   2. path     part by part: spelt out, then a parameter, then its end; an exact end before a prefix
 *   3. conditions on method, header, cookie, query, content type: more before fewer
 *   4. otherwise the one that stands first
 *
 * Pure.
 */
import type { Condition, RouteConfig } from './config.ts';
import { cookieOf, headerOf, mediaTypeOf } from './headers.ts';
import { type Place, queryOf, splitUrl } from './url.ts';

/** What of a request decides. */
export interface Sought {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly string[];
}

export interface Match {
  readonly route: RouteConfig;
  readonly place: Place;
  /** What stood at `:name` and `*`. */
  readonly params: Readonly<Record<string, string>>;
}

interface Entry {
  readonly route: RouteConfig;
  /** `*.example.com` without its star; empty: none. */
  readonly hostEnd: string;
  /** Set for a path with parameters. */
  readonly pattern: RegExp | undefined;
  readonly names: readonly string[];
  readonly isBare: boolean;
}

const none: Readonly<Record<string, string>> = Object.freeze({});

export class Router {
  readonly #entries: readonly Entry[];
  /** One route for everything is common, and needs no look at the URL. */
  readonly #only: RouteConfig | undefined;

  constructor(routes: readonly RouteConfig[]) {
    this.#entries = inOrder(routes).map(entryOf);
    const first = this.#entries[0];
    if (this.#entries.length === 1 && first?.isBare) this.#only = first.route;
  }

  /** The route for everything, when that is all there is. */
  get only(): RouteConfig | undefined {
    return this.#only;
  }

  match(sought: Sought): Match | undefined {
    const place = splitUrl(sought.url);
    for (const entry of this.#entries) {
      const params = this.#cover(entry, place);
      if (!params || !allowsMethod(entry.route, sought.method)) continue;
      if (holds(entry.route, sought, place)) return { route: entry.route, place, params };
    }
    return undefined;
  }

  /** The methods with which a request that no route takes would have found one; empty: none would. */
  allowed(sought: Sought): readonly string[] {
    const place = splitUrl(sought.url);
    const methods = new Set<string>();
    for (const entry of this.#entries) {
      if (!this.#cover(entry, place) || !holds(entry.route, sought, place)) continue;
      for (const method of entry.route.methods) methods.add(method);
    }
    return [...methods];
  }

  #cover(
    { route, hostEnd, pattern, names }: Entry,
    { host, path }: Place,
  ): Readonly<Record<string, string>> | undefined {
    if (hostEnd !== '') {
      if (!host.endsWith(hostEnd) || host.length === hostEnd.length) return undefined;
    } else if (route.host !== null && route.host !== host) return undefined;
    if (!pattern) return covers(route, path) ? none : undefined;
    const found = pattern.exec(path);
    if (!found) return undefined;
    return Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? '']));
  }
}

/** The most telling first: the first of them that covers a request takes it. */
export function inOrder(routes: readonly RouteConfig[]): readonly RouteConfig[] {
  return [...routes].sort(
    (a, b) =>
      hostRank(b) - hostRank(a) || comparePaths(a, b) || conditionCount(b) - conditionCount(a),
  );
}

function entryOf(route: RouteConfig): Entry {
  const parts = partsOf(route.path);
  const names = parts.filter((part) => part.startsWith(':')).map((part) => part.slice(1));
  const isOpen = parts.at(-1) === '*';
  if (isOpen) names.push('*');
  const isPlain = route.to.type === 'service' && !route.rewrite;
  const bare = isPlain && route.host === null && route.path === '/' && !route.isExact;
  return {
    route,
    hostEnd: route.host?.startsWith('*.') ? route.host.slice(1) : '',
    pattern: names.length > 0 ? patternOf(parts) : undefined,
    names,
    isBare: bare && conditionCount(route) === 0,
  };
}

function patternOf(parts: readonly string[]): RegExp {
  const source = parts.map((part) => {
    if (part === '*') return '(?:/(.*))?';
    return part.startsWith(':') ? '/([^/]+)' : `/${escaped(part)}`;
  });
  return new RegExp(`^${source.join('')}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

export function partsOf(path: string): readonly string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

function covers({ path: prefix, isExact }: RouteConfig, path: string): boolean {
  if (isExact) return path === prefix;
  if (prefix === '/') return true;
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

function hostRank({ host }: RouteConfig): number {
  if (host === null) return 0;
  return host.startsWith('*.') ? host.length : 1_000;
}

function comparePaths(a: RouteConfig, b: RouteConfig): number {
  const ours = partsOf(a.path);
  const theirs = partsOf(b.path);
  for (let i = 0; i <= Math.max(ours.length, theirs.length); i++) {
    const difference = partRank(b, theirs[i]) - partRank(a, ours[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function partRank(route: RouteConfig, part: string | undefined): number {
  if (part === undefined) return route.isExact || route.path.includes(':') ? 1 : 0;
  if (part === '*') return 0;
  return part.startsWith(':') ? 2 : 3;
}

function conditionCount({ methods, headers, cookies, query, contentType }: RouteConfig): number {
  const said = headers.length + cookies.length + query.length;
  return said + (methods.length > 0 ? 1 : 0) + (contentType === null ? 0 : 1);
}

function allowsMethod({ methods }: RouteConfig, method: string): boolean {
  if (methods.length === 0 || methods.includes(method)) return true;
  return method === 'HEAD' && methods.includes('GET');
}

function holds(route: RouteConfig, { headers }: Sought, { search }: Place): boolean {
  const { contentType } = route;
  if (contentType !== null) {
    const type = mediaTypeOf(headerOf(headers, 'content-type'));
    const isCovered = contentType.endsWith('/*')
      ? type.startsWith(contentType.slice(0, -1))
      : type === contentType;
    if (!isCovered) return false;
  }
  return (
    route.headers.every((one) => isMet(one, headerOf(headers, one.name))) &&
    route.cookies.every((one) => isMet(one, cookieOf(headers, one.name))) &&
    route.query.every((one) => isMet(one, queryOf(search, one.name)))
  );
}

function isMet({ test, value }: Condition, given: string | undefined): boolean {
  switch (test) {
    case 'present':
      return given !== undefined;
    case 'absent':
      return given === undefined;
    case 'is':
      return given === value;
    case 'begins':
      return given?.startsWith(value) ?? false;
  }
}

/** `/users/:id/*` with what stood there; the rest of a path stays as it was written. */
export function filled(template: string, params: Readonly<Record<string, string>>): string {
  return template.replace(/:([A-Za-z]\w*)|\*/g, (whole, name: string | undefined) => {
    return params[name ?? '*'] ?? whole;
  });
}
