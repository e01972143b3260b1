/** What the head of a request alone decides: that nobody need read on, or be asked. */
import type { IncomingMessage } from 'node:http';
import type { EdgeOptions } from './edge-options.ts';

export const bodyMaxBytesDefault = 10_000_000;

/** The status of the refusal and why; undefined: it may go on. */
export function flawOfHead(
  request: IncomingMessage,
  options: EdgeOptions,
): readonly [number, string] | undefined {
  const { bodyMaxBytes = bodyMaxBytesDefault, urlMaxBytes = 8_192, headersMax = 200 } = options;
  const { headers, httpVersionMajor, rawHeaders, url = '' } = request;
  if (Number(headers['content-length'] ?? 0) > bodyMaxBytes) {
    return [413, `A body may have at most ${bodyMaxBytes} bytes.`];
  }
  if (httpVersionMajor !== 1 && !('stream' in request)) {
    return [400, 'This door speaks HTTP/1.1 and HTTP/1.0.'];
  }
  // What Node takes off a body are its chunks. Another coding below them would be taken for the body itself.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return /,\s*chunked$/i.test(coding)
      ? [501, 'A body may come in chunks, and in no other transfer coding.']
      : [400, 'Nobody can tell where this body ends.'];
  }
  if (url.length > urlMaxBytes) return [414, 'The address of this request is too long.'];
  if (rawHeaders.length > 2 * headersMax) return [431, 'Too many headers.'];
  return undefined;
}
