/** What policies read of a request: a header, a cookie, whatever is to be served by the same again. */
import type { Asked } from './ongoing.ts';

/** `headers` is name, value, name, value …, names in lower case. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

export function cookieOf(headers: readonly string[], name: string): string | undefined {
  for (const pair of headerOf(headers, 'cookie')?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

/** How important a request is, 0 the most (RFC 9218: `priority: u=0`); undefined when it does not say. */
export function urgencyOf(headers: readonly string[]): number | undefined {
  const said = headerOf(headers, 'priority');
  const found = said === undefined ? null : /\bu=(\d)\b/.exec(said);
  return found ? Number(found[1]) : undefined;
}

/** Headers of a request made for another one, as important as that one unless they say otherwise. */
export function withUrgency(
  headers: readonly string[],
  urgency: number | undefined,
): readonly string[] {
  if (urgency === undefined || headerOf(headers, 'priority') !== undefined) return headers;
  return [...headers, 'priority', `u=${urgency}`];
}

export type KeyOf = (asked: Asked) => string | undefined;

/** How a key is written in an option. */
export const keyPattern = /^(ip|session|url|header:[a-z0-9-]+|cookie:[^\s=;]+)$/;
export const keyAllowed = 'one of ip, session, url, header:<name>, cookie:<name>';

/** `spec` matches `keyPattern`. Inside a system there are no addresses of users: `ip` is the session there. */
export function keyReader(spec: string): KeyOf {
  const [kind, name = ''] = spec.split(':', 2);
  switch (kind) {
    case 'session':
      return ({ session, ip }) => session ?? ip;
    case 'url':
      return ({ url }) => url;
    case 'header':
      return ({ headers }) => headerOf(headers, name);
    case 'cookie':
      return ({ headers }) => cookieOf(headers, name);
    default:
      return ({ ip, session }) => (ip === '' ? session : ip);
  }
}
