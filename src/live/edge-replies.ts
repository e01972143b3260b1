/** How the edge writes what it answers: over HTTP/1.1 and HTTP/2, whole, broken off, or refused by itself. */
import type { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import type { WebReply } from '../host/web.ts';
import { headerOf } from './asking.ts';

/** What a hop keeps to itself (RFC 9110, 7.6.1), and what this server works out or answers by itself. */
export const hopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'upgrade',
  'trailer',
  'expect',
]);

/**
 * What a reply says of its length: that of its body, or of the one that it would have had but for HEAD, as whoever
 * answers says. Undefined: nobody knows, and a 0 would be another page's (RFC 9110, 8.6).
 */
export function lengthOf({ headers }: WebReply, size: number, isHead: boolean): number | undefined {
  if (!isHead || size > 0) return size;
  const given = headerOf(headers, 'content-length') ?? '';
  return /^\d{1,15}$/.test(given) ? Number(given) : undefined;
}

/** A body that broke off must not look like one that ended. */
export function breakOff(response: ServerResponse, headers: readonly string[]): void {
  if (!('stream' in response)) {
    response.destroy();
    return;
  }
  const { stream } = response as unknown as Http2ServerResponse;
  const isGrpc = headers.some(
    (value, index) => headers[index - 1] === 'content-type' && value.startsWith('application/grpc'),
  );
  if (isGrpc) {
    // UNAVAILABLE: what a client of gRPC may try again, if it knows that it may.
    response.addTrailers({ 'grpc-status': '14', 'grpc-message': 'the service broke off' });
    response.end();
  } else stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

/** A reply without a body is one frame, as gRPC wants those that are trailers only. */
export function endAtOnce(response: ServerResponse, { status, headers }: WebReply): boolean {
  const { stream } = response as unknown as Http2ServerResponse;
  if (!headers.includes('grpc-status') || stream.destroyed) return false;
  const kept = headers.filter((_, index) => !hopHeaders.has(headers[index - (index % 2)]!));
  stream.respond({ ':status': status, ...grouped(kept) }, { endStream: true });
  return true;
}

/** HTTP/2 takes repeated headers as lists only. */
export function grouped(headers: readonly string[]): Record<string, string | string[]> {
  const lists: Record<string, string[]> = {};
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const list = lists[headers[i]!];
    if (list) list.push(headers[i + 1]!);
    else lists[headers[i]!] = [headers[i + 1]!];
  }
  return Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [name, list.length === 1 ? list[0]! : list]),
  );
}

export function statusOf(code: string | undefined): readonly [number, string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, 'Request Header Fields Too Large'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'Request Timeout'];
  return [400, 'Bad Request'];
}

export function answer(response: ServerResponse, status: number, why: string): void {
  const body = `${why}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
