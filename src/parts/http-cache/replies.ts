/** What a cache makes of a stored response: with its age, or 304 to who has it already. */
import type { Micros } from '../../host/host.ts';
import { dateOf, type Fields, field, isTagListed, without } from './fields.ts';
import type { CacheReply, CacheRequest } from './freshness.ts';
import { ageOf, type Stored } from './shelf.ts';

const whole = 1_000_000;
const encoder = new TextEncoder();
const own: ReadonlySet<string> = new Set(['age']);
const lengths: ReadonlySet<string> = new Set(['content-length']);
/** What a 304 repeats (RFC 9110, 15.4.5). */
const repeated: ReadonlySet<string> = new Set([
  'cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'vary',
  'cache-status',
  'age',
]);
/** What a 304 must not change in what is stored (RFC 9111, 3.2). */
const unmerged: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'transfer-encoding',
  'connection',
  'age',
]);

/** `status` is a member of `Cache-Status` (RFC 9211). */
export function fromStored(
  stored: Stored,
  request: CacheRequest,
  now: Micros,
  status: string,
): CacheReply {
  const { reply } = stored;
  const headers = without(reply.headers, own);
  headers.push('age', String(Math.floor(ageOf(stored, now) / whole)), 'cache-status', status);
  const answer: CacheReply = { status: reply.status, headers, body: reply.body };
  if (reply.status === 200 && isKnown(request.headers, reply.headers)) return notModified(answer);
  return request.method === 'HEAD' ? headOf(answer) : answer;
}

/** Without its body, whose length only this cache can still say (RFC 9110, 9.3.2). */
function headOf({ status, headers, body }: CacheReply): CacheReply {
  if (status === 204) return { status, headers, body: null };
  const size = typeof body === 'string' ? encoder.encode(body).length : (body?.length ?? 0);
  const kept = without(headers, lengths);
  return { status, headers: [...kept, 'content-length', String(size)], body: null };
}

export function notModified({ headers }: CacheReply): CacheReply {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (repeated.has(headers[i]!)) kept.push(headers[i]!, headers[i + 1]!);
  }
  return { status: 304, headers: kept, body: null };
}

/** Whether the client says that it has this very one (RFC 9110, 13.2.2). */
export function isKnown(asked: Fields, given: Fields): boolean {
  const tags = field(asked, 'if-none-match');
  if (tags !== undefined) return isTagListed(tags, field(given, 'etag') ?? '');
  const since = dateOf(field(asked, 'if-modified-since'));
  const modified = dateOf(field(given, 'last-modified'));
  return since !== undefined && modified !== undefined && modified <= since;
}

/** The stored response with what a 304 says of it (RFC 9111, 4.3.4). */
export function merged(stored: CacheReply, fresh: Fields): CacheReply {
  const said = new Set<string>();
  for (let i = 0; i < fresh.length; i += 2) if (!unmerged.has(fresh[i]!)) said.add(fresh[i]!);
  // A strong tag is of other bytes than those that were stored with a weak one: who asks for a part of them by it
  // would get it of the others.
  if (isWeak(field(stored.headers, 'etag')) && !isWeak(field(fresh, 'etag'))) said.delete('etag');
  const headers = without(stored.headers, new Set([...said, 'age']));
  for (let i = 0; i + 1 < fresh.length; i += 2) {
    if (said.has(fresh[i]!)) headers.push(fresh[i]!, fresh[i + 1]!);
  }
  return { status: stored.status, headers, body: stored.body };
}

function isWeak(etag: string | undefined): boolean {
  return etag?.startsWith('W/') ?? false;
}

/** With one more member of `Cache-Status`: caches nearer to the user come later. */
export function annotated(reply: CacheReply, status: string): CacheReply {
  return { ...reply, headers: [...reply.headers, 'cache-status', status] };
}

export function plain(status: number, body: string, cacheStatus: string): CacheReply {
  return { status, headers: ['content-type', 'text/plain', 'cache-status', cacheStatus], body };
}
