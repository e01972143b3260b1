/**
 * `Request`, `Response` and `Headers` with the whole interface of the web standard, light enough
 * for the simulator's inner loop: a handler that reads JSON and answers JSON makes no stream, no
 * signal and no platform object. Whatever is rare (streams, blobs, multipart forms, fetch options)
 * is handed to the platform's own classes, so it behaves as they do.
 *
 * Both worlds give these to user code, and both accept the platform's own in return.
 */
export { Headers, type HeadersLike } from './web/headers.ts';
export {
  abort,
  fromWebRequest,
  Request,
  type RequestLike,
  type RequestParts,
  requestParts,
  signalOf,
  toNativeRequest,
} from './web/request.ts';
export {
  type ReplyParts,
  Response,
  type TrailersOf,
  toReplyParts,
  toResponse,
  trailersOf,
  withTrailers,
} from './web/response.ts';
export {
  ServerSocket,
  type SocketCloseEvent,
  type SocketErrorEvent,
  type SocketMessageEvent,
  WebSocketPair,
} from './web/socket.ts';
export { type Upgraded, type UpgradeOptions, upgradeWebSocket } from './web/upgrade.ts';
