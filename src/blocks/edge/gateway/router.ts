/**
 * Which route takes a request: the one with the host before the one for any host, then the longest
 * path. Pure, made once from the table.
 */
import type { RouteConfig } from './config.ts';

export interface Place {
  readonly host: string;
  readonly path: string;
}

export class Router {
  readonly #routes: readonly RouteConfig[];

  constructor(routes: readonly RouteConfig[]) {
    this.#routes = [...routes].sort(
      (a, b) => Number(b.host !== null) - Number(a.host !== null) || b.path.length - a.path.length,
    );
  }

  match(url: string): RouteConfig | undefined {
    // One route for everything is common, and needs no look at the URL.
    const first = this.#routes[0];
    if (this.#routes.length === 1 && first?.host === null && first.path === '/') return first;
    const { host, path } = splitUrl(url);
    return this.#routes.find(
      (route) => (route.host === null || route.host === host) && covers(route.path, path),
    );
  }
}

function covers(prefix: string, path: string): boolean {
  if (prefix === '/') return true;
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

/** By hand: a `URL` object costs more than the rest of the routing. */
export function splitUrl(url: string): Place {
  const afterScheme = url.indexOf('://') + 3;
  const slash = url.indexOf('/', afterScheme);
  const authority = slash < 0 ? url.slice(afterScheme) : url.slice(afterScheme, slash);
  const end = endOfPath(url, slash < 0 ? url.length : slash);
  const colon = authority.lastIndexOf(':');
  return {
    host: (colon > authority.lastIndexOf(']')
      ? authority.slice(0, colon)
      : authority
    ).toLowerCase(),
    path: slash < 0 ? '/' : url.slice(slash, end),
  };
}

function endOfPath(url: string, from: number): number {
  for (let i = from; i < url.length; i++) {
    const char = url[i];
    if (char === '?' || char === '#') return i;
  }
  return url.length;
}
