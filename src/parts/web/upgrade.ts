/** The typed way to the same: a socket, and the response that goes with it. */
import { Response } from './response.ts';
import { type ServerSocket, WebSocketPair } from './socket.ts';

export interface UpgradeOptions {
  /** The subprotocol to speak, one of those that the request offers. */
  readonly protocol?: string;
}

/** What a handler does with a request that asks for a web socket. */
export interface Upgraded {
  /** Accepted already: messages come once the response has been returned. */
  readonly socket: ServerSocket;
  /** To be returned by the handler. */
  readonly response: globalThis.Response;
}

/**
 * Makes a web socket (RFC 6455) of a request. Throws `TypeError` when it does not ask for one, which a
 * handler may look up before in `request.headers.get('upgrade')`, or when it does not offer `protocol`.
 */
export function upgradeWebSocket(
  request: globalThis.Request,
  { protocol = '' }: UpgradeOptions = {},
): Upgraded {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    throw new TypeError('upgradeWebSocket: the request does not ask for a web socket');
  }
  const offered = request.headers.get('sec-websocket-protocol')?.split(/\s*,\s*/) ?? [];
  if (protocol !== '' && !offered.includes(protocol)) {
    throw new TypeError(`upgradeWebSocket: the request does not offer the protocol ${protocol}`);
  }
  const { 0: client, 1: socket } = new WebSocketPair(protocol);
  socket.accept();
  const init = { status: 101, webSocket: client };
  return { socket, response: new Response(null, init) };
}
