/** What an edge is told, and what it counts. */
import type { Stream, StreamEvents } from '../host/stream.ts';
import type { WebCancel, WebRequest } from '../host/web.ts';
import type { Place } from './listening.ts';
import type { TlsMaterial } from './tls.ts';

export interface EdgeOptions extends Place {
  /** Default 10 MB. */
  readonly bodyMaxBytes?: number | undefined;
  /** Default 16 KiB, all header lines together. */
  readonly headersMaxBytes?: number | undefined;
  /** How long the headers, and then the whole request, may take to arrive. Defaults 10 s and 60 s. */
  readonly headersTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  /** Default 10,000. Further connections are closed at once, and counted. */
  readonly connectionsMax?: number | undefined;
  /** Requests that one connection may have open. Default 64: browsers open one at a time. */
  readonly pipelineMax?: number | undefined;
  /** Default 75 s: how long a connection without a request is kept. */
  readonly keepAliveMs?: number | undefined;
  /** Default 200 lines. */
  readonly headersMax?: number | undefined;
  /** Default 8 KiB. */
  readonly urlMaxBytes?: number | undefined;
  /** With it the edge speaks TLS, and HTTP/2 to those who can. */
  readonly tls?: TlsMaterial | undefined;
  /** Its program takes `CONNECT`; else that gets 405. */
  readonly tunnels?: boolean | undefined;
  /** Ids start above it, so that a reply to a former life is not ours. */
  readonly life: number;
  readonly deliver: (message: WebRequest | WebCancel) => void;
  /** Begins the stream of a request whose body flows. */
  readonly connect: (request: WebRequest, events: StreamEvents) => Stream;
}

export interface EdgeCounts {
  requests: number;
  /** Answered here: malformed, too large, too slow, or in a coding that only a program could undo. */
  refused: number;
  connectionsDropped: number;
  /** TLS handshakes that came about, and those that did not. */
  handshakes: number;
  handshakesFailed: number;
  /** Replies to requests whose client had gone. */
  late: number;
}
