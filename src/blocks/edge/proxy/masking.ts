/**
 * What each side is told of the other: headers that are for one hop go no further (RFC 9110, 7.6.1), the
 * proxy names itself in Via (7.6.3), and who asks is hidden or added.
 */
import { headerOf } from '../../../path/headers.ts';

/** For this hop alone, and what is between a client and its proxy. */
const hops: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** By which a client, or a proxy of its own, says where a request comes from. */
const origins: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'via',
]);

export interface Masked {
  readonly name: string;
  readonly forwarded: 'hidden' | 'added';
}

/** As a request goes on. */
export function outward(
  headers: readonly string[],
  ip: string,
  { name, forwarded }: Masked,
): readonly string[] {
  const isHidden = forwarded === 'hidden';
  const listed = namedIn(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const header = headers[i]!;
    if (hops.has(header) || listed?.has(header)) continue;
    if (header === 'via' || header === 'x-forwarded-for') continue;
    if (isHidden && origins.has(header)) continue;
    kept.push(header, headers[i + 1]!);
  }
  if (isHidden) return [...kept, 'via', `1.1 ${name}`];
  const chain = [headerOf(headers, 'x-forwarded-for'), ip].filter((one) => one).join(', ');
  if (chain !== '') kept.push('x-forwarded-for', chain);
  return [...kept, 'via', withVia(headers, name)];
}

/** As a reply goes back. */
export function inward(headers: readonly string[], name: string): readonly string[] {
  const listed = namedIn(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const header = headers[i]!;
    if (hops.has(header) || listed?.has(header) || header === 'via') continue;
    kept.push(header, headers[i + 1]!);
  }
  return [...kept, 'via', withVia(headers, name)];
}

/** It came through here before. */
export function isLoop(headers: readonly string[], name: string): boolean {
  const via = headerOf(headers, 'via') ?? '';
  return via.split(',').some((one) => one.trim().split(/\s+/)[1] === name);
}

function withVia(headers: readonly string[], name: string): string {
  const via = headerOf(headers, 'via');
  return via ? `${via}, 1.1 ${name}` : `1.1 ${name}`;
}

function namedIn(headers: readonly string[]): ReadonlySet<string> | undefined {
  const connection = headerOf(headers, 'connection');
  if (connection === undefined) return undefined;
  return new Set(connection.toLowerCase().split(/\s*,\s*/));
}
