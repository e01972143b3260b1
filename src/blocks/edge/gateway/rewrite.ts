/** What a service sees in place of what came, and where a client is sent instead. Pure. */
import type { RedirectStatus, RewriteConfig, RouteConfig } from './config.ts';
import { filled, type Match } from './router.ts';
import { type Parts, plain } from './visit.ts';

/** The URL for the service. */
export function rewritten({ route, place, params }: Match): string {
  const { origin, path, search } = place;
  const { rewrite } = route;
  if (!rewrite) return `${origin}${path}${search}`;
  const { host } = rewrite;
  const scheme = origin.slice(0, origin.indexOf('://') + 3);
  return `${host === null ? origin : scheme + host}${pathOf(rewrite, path, params)}${search}`;
}

function pathOf(
  { strip, path: template }: RewriteConfig,
  path: string,
  params: Match['params'],
): string {
  if (template !== null) return filled(template, params);
  if (strip === '') return path;
  const rest = path.slice(strip.length);
  return rest === '' ? '/' : rest;
}

export function redirected(
  match: Match,
  { to, status }: { readonly to: string; readonly status: RedirectStatus },
): Parts {
  const pathAt = to.startsWith('/') ? 0 : endOfOrigin(to);
  // Two slashes at the beginning would name a host, which the client chose.
  const path = filled(to.slice(pathAt), match.params).replace(/^\/\/+/, '/');
  const target = to.slice(0, pathAt) + path;
  const join = target.includes('?') ? '&' : '?';
  const { search } = match.place;
  const location = search.length > 1 ? `${target}${join}${search.slice(1)}` : target;
  return plain(status, 'it is elsewhere', ['location', location]);
}

function endOfOrigin(url: string): number {
  const slash = url.indexOf('/', url.indexOf('://') + 3);
  return slash < 0 ? url.length : slash;
}

/** The `host` header goes along with a host that was replaced, and the old one beside it. */
export function withHost(headers: readonly string[], { rewrite }: RouteConfig): readonly string[] {
  if (!rewrite || rewrite.host === null) return headers;
  const next: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'host') next.push('x-forwarded-host', headers[i + 1]!);
    else next.push(headers[i]!, headers[i + 1]!);
  }
  next.push('host', rewrite.host);
  return next;
}
