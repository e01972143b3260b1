/**
 * What a gateway has to know of gRPC: its requests and replies are HTTP/2 with trailers, and pass as
 * they are; but a client of gRPC must be told of a failure in gRPC, and says how long it waits in its own way.
 *
 *   HTTP reply of the gateway ──▶ 200, no body, trailers grpc-status and grpc-message
 *
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md and …/http-grpc-status-mapping.md
 */
import type { Micros } from '../../../host/host.ts';
import type { Chunk, Inlet } from '../../../host/stream.ts';
import type { WebRequest, WebTrailers } from '../../../host/web.ts';
import { parseTimeout } from '../../../parts/deadline.ts';
import { guarded } from '../../../parts/stream.ts';
import { endingWith, inletOfWhole } from '../../../parts/web/flow.ts';
import { headerOf } from './headers.ts';
import type { Parts } from './visit.ts';

const grpcType = /^application\/grpc(\+[\w.-]+)?\s*(;|$)/i;

export function isGrpc(headers: readonly string[]): boolean {
  return grpcType.test(headerOf(headers, 'content-type') ?? '');
}

/** How much longer its caller waits. */
export function grpcTimeoutUs({ headers }: WebRequest): Micros | undefined {
  const said = headerOf(headers, 'grpc-timeout');
  return said === undefined ? undefined : parseTimeout(said);
}

/** The same body, unless it does not begin as a message does, compressed (1) or not (0): then it is reset, and `exposed` told. */
export function onlyMessages(inlet: Inlet, exposed: () => void): Inlet {
  let hasBegun = false;
  const mayPass = (chunk: Chunk): boolean => {
    if (hasBegun || chunk.length === 0) return true;
    hasBegun = true;
    return (typeof chunk === 'string' ? chunk.charCodeAt(0) : chunk[0]!) <= 1;
  };
  return guarded(inlet, mayPass, exposed);
}

/** Codes by HTTP status: as the mapping has it, but for what a gateway knows better. */
const codes: Readonly<Record<number, number>> = {
  400: 13, // INTERNAL
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 12, // UNIMPLEMENTED
  405: 12,
  408: 4,
  413: 8, // RESOURCE_EXHAUSTED
  429: 8,
  431: 8,
  499: 1, // CANCELLED
  502: 14, // UNAVAILABLE
  503: 14,
  504: 4, // DEADLINE_EXCEEDED
};
const unknown = 2;

/** The reply to a call of gRPC: what is none yet becomes one. What it said of itself stays, but for its body. */
export function asGrpc(parts: Parts): Parts {
  if (isGrpc(parts.headers)) return parts;
  parts.inlet?.stream.reset();
  const status = codes[parts.status] ?? unknown;
  const text = typeof parts.body === 'string' ? parts.body : `HTTP status ${parts.status}`;
  const headers = ['content-type', 'application/grpc'];
  for (let i = 0; i + 1 < parts.headers.length; i += 2) {
    const name = parts.headers[i]!;
    if (!name.startsWith('content-')) headers.push(name, parts.headers[i + 1]!);
  }
  const trailers: WebTrailers = {
    type: 'trailers',
    headers: ['grpc-status', String(status), 'grpc-message', percentEncoded(text.slice(0, 1_000))],
  };
  return {
    status: 200,
    headers,
    body: null,
    inlet: endingWith(inletOfWhole(null), () => trailers),
  };
}

/** Bytes outside of printable ASCII, and the percent sign, as gRPC wants them. */
function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of new TextEncoder().encode(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
