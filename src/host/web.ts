/**
 * HTTP as messages. Inside, a request and its reply are two values on port `web`; at the edge of
 * the live world a real HTTP server and client turn them into bytes and back.
 */
import type { Micros } from './host.ts';
import type { Inlet } from './stream.ts';

export interface WebRequest {
  readonly type: 'request';
  readonly id: number;
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Name, value, name, value …; names in lower case. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
  /** The user's address, as far as the edge can tell. */
  readonly ip: string;
  /** The user, for session guarantees in the history. */
  readonly session?: string | undefined;
  /** How much longer the caller waits. Passed on, less what each hop used. */
  readonly timeoutUs?: Micros | undefined;
  /** It came over TLS, which ended at the edge. */
  readonly tls?: TlsFacts | undefined;
  /** The body flows: `body` is null, and this was the opening of its stream. Set where it is taken off, never sent. */
  readonly inlet?: Inlet | undefined;
}

export interface TlsFacts {
  /** `TLSv1.3`. */
  readonly version: string;
  /** Whom the client proved to be; undefined when it showed no certificate that the edge trusts. */
  readonly client?: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** The common name of its subject. */
  readonly name: string;
  /** Its alternative names, such as `DNS:billing.internal` or `URI:spiffe://…`. */
  readonly alternatives: readonly string[];
  /** SHA-256 over the certificate, in hexadecimal with colons. */
  readonly fingerprint: string;
}

export interface WebReply {
  readonly type: 'reply';
  readonly id: number;
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | null;
  /** As in a request. */
  readonly inlet?: Inlet | undefined;
}

/** What a body that flows may end with. */
export interface WebTrailers {
  readonly type: 'trailers';
  readonly headers: readonly string[];
}

/** How one side ends a web socket, with the end of its direction (RFC 6455, 7.4). Without it: no code was given. */
export interface WebClose {
  readonly type: 'close';
  readonly code: number;
  readonly reason: string;
}

/** The caller gave up: work not yet begun on `id` may be dropped. */
export interface WebCancel {
  readonly type: 'cancel';
  readonly id: number;
}

/** The connection broke, or the wait was over, before a reply came: `id` may have happened. From the host. */
export interface WebLost {
  readonly type: 'lost';
  readonly id: number;
}

export type WebMessage = WebRequest | WebReply | WebCancel | WebLost;

/** The port that speaks it. */
export const webPort = 'web';

/** An answer that is the fault of who gave it. */
export function isWebFailure(reply: WebReply): boolean {
  return reply.status >= 500;
}

/**
 * A request that becomes a web socket when it is answered with 101: its own stream then carries
 * messages, both ways (parts/socket.ts).
 */
export function isUpgrade({ inlet, headers }: Pick<WebRequest, 'inlet' | 'headers'>): boolean {
  if (!inlet) return false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i] === 'upgrade') return headers[i + 1]!.toLowerCase() === 'websocket';
  }
  return false;
}

/**
 * A request for a tunnel (RFC 9110, 9.3.6) to the host and port of its `url`, always with a stream: when it
 * is answered with 200, the stream carries bytes that nobody looks into, both ways.
 */
export function isTunnel({ method }: Pick<WebRequest, 'method'>): boolean {
  return method === 'CONNECT';
}

/** Whether a node is there and takes requests (RFC 9110, 9.3.7): it answers this itself, for nothing. */
export function asksIfAlive({ method, url }: Pick<WebRequest, 'method' | 'url'>): boolean {
  return url === '*' && method === 'OPTIONS';
}

/** One line, for traces and tooltips. */
export function describeWeb(message: WebMessage): string {
  switch (message.type) {
    case 'request':
      return `${message.method} ${message.url}`;
    case 'reply':
      return `reply ${message.status}`;
    default:
      return message.type;
  }
}
