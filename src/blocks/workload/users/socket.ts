/** A web socket as a user's script holds it: to be sent to, read from, and closed. */
import type { Host } from '../../../host/host.ts';
import type { Inlet } from '../../../host/stream.ts';
import { Fifo } from '../../../parts/fifo.ts';
import { closeCodes, isCloseCode, SocketEnd } from '../../../parts/socket.ts';
import type { Asked } from '../../../path/caller.ts';

export interface ConnectOptions {
  /** Subprotocols to offer, the preferred one first. */
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface UserSocket extends AsyncIterable<string | Uint8Array> {
  /** The subprotocol that the service chose; empty: none. */
  readonly protocol: string;
  /** How it ended, once it has: 1006 when it broke off. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
  /** Resolves when there is room for more; at once where it is closed. */
  send(data: string | Uint8Array): Promise<void>;
  /** The next message; undefined once it is closed and all have been read. Unread ones hold the sender up. */
  receive(): Promise<string | Uint8Array | undefined>;
  /** Resolves when both sides have said good-bye. `code`: 1000, or 3000 to 4999. */
  close(code?: number, reason?: string): Promise<void>;
}

/** A browser takes what it is sent; a script that is after more than this has its own reasons. */
const messageMaxBytes = 16_777_216;
const pingUs = 20_000_000;

/** `over`: it is closed. */
export function userSocket(
  host: Host,
  inlet: Inlet,
  protocol: string,
  over: () => void,
): UserSocket {
  const come = new Fifo<{ readonly data: string | Uint8Array; readonly took: () => void }>();
  let ended: { readonly code: number; readonly reason: string } | undefined;
  let waiting: (() => void)[] = [];
  const awaken = (): void => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
    });
  const end = new SocketEnd({
    inlet,
    after: (delayUs, fire) => host.after(delayUs, fire),
    pingUs,
    messageMaxBytes,
    message(data, took) {
      come.push({ data, took });
      awaken();
    },
    ready: awaken,
    closed(code, reason) {
      ended = { code, reason };
      over();
      awaken();
    },
  });
  const receive = async (): Promise<string | Uint8Array | undefined> => {
    while (come.size === 0) {
      if (ended) return undefined;
      await change();
    }
    const { data, took } = come.shift()!;
    took();
    return data;
  };
  return {
    protocol,
    get closed() {
      return ended;
    },
    async send(data) {
      if (ended || end.send(typeof data === 'string' ? data : new Uint8Array(data))) return;
      while (!ended && end.waitingBytes > 0) await change();
    },
    receive,
    async close(code = closeCodes.normal, reason = '') {
      if (!isCloseCode(code)) {
        throw new RangeError(`close: ${code} is neither 1000 nor from 3000 to 4999`);
      }
      end.close(code, reason);
      while (!ended) await change();
    },
    async *[Symbol.asyncIterator]() {
      for (let data = await receive(); data !== undefined; data = await receive()) yield data;
    },
  };
}

export function upgradeOf(
  path: string | URL,
  { protocols = [], headers = {} }: ConnectOptions = {},
  origin: string,
): Pick<Asked, 'method' | 'url' | 'headers' | 'body'> {
  const url = new URL(String(path).replace(/^ws(s?):/, 'http$1:'), `${origin}/`).href;
  const given = Object.entries(headers).flatMap(([name, value]) => [name.toLowerCase(), value]);
  const offered = protocols.length > 0 ? ['sec-websocket-protocol', protocols.join(', ')] : [];
  return {
    method: 'GET',
    url,
    headers: ['upgrade', 'websocket', ...offered, ...given],
    body: null,
  };
}

export function protocolOf(headers: readonly string[]): string {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i] === 'sec-websocket-protocol') return headers[i + 1]!;
  }
  return '';
}
