/** TLS at the edge: who speaks HTTP/1.1 after a handshake, and who speaks HTTP/2. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { TLSSocket, Server as TlsServer } from 'node:tls';
import type { TlsFacts } from '../host/web.ts';
import { factsOf, type TlsMaterial } from './tls.ts';

/** Whom a connection belongs to is found out once, when its handshake is over. */
export interface Secured {
  failed(): void;
  /** It speaks HTTP/1.1. */
  plain(socket: TLSSocket, facts: TlsFacts): void;
  session(session: ServerHttp2Session, facts: TlsFacts): void;
  /** Of a session, in the clothes of HTTP/1.1. `isAsked`: it waits for a 100 before it sends its body. */
  request(request: IncomingMessage, response: ServerResponse, isAsked: boolean): void;
}

export function secure(
  server: Server,
  tls: TlsMaterial,
  limits: { readonly maxHeaderSize: number; readonly keepAliveTimeout: number },
  on: Secured,
): void {
  const http2 = createHttp2Server({
    maxHeaderListPairs: 200,
    settings: { maxConcurrentStreams: 256, maxHeaderListSize: limits.maxHeaderSize },
  });
  for (const [name, material] of tls.names) {
    (server as unknown as TlsServer).addContext(name, material);
  }
  server.on('secureConnection', (socket: TLSSocket) => {
    const facts = factsOf(socket);
    if (socket.alpnProtocol !== 'h2') return on.plain(socket, facts);
    http2.once('session', (session: ServerHttp2Session) => {
      on.session(session, facts);
      // What is asked and answered may be silent for long; what never gets so far may not.
      let openCount = 0;
      session.on('stream', (stream) => {
        openCount++;
        stream.on('close', () => openCount--);
      });
      session.setTimeout(limits.keepAliveTimeout, () => {
        if (openCount === 0) session.destroy();
      });
    });
    http2.emit('connection', socket);
  });
  server.on('tlsClientError', () => on.failed());
  http2.on('sessionError', () => {});
  const request =
    (isAsked: boolean) =>
    (request: Http2ServerRequest, response: Http2ServerResponse): void =>
      on.request(
        request as unknown as IncomingMessage,
        response as unknown as ServerResponse,
        isAsked,
      );
  http2.on('request', request(false));
  http2.on('checkContinue', request(true));
}
