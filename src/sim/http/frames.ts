/**
 * What a simulated connection carries where a real one carries HTTP: a request or a reply, then the
 * parts of its body if that flows. One at a time, as in HTTP/1.1. A chunk is one of these, and whoever
 * passes it on cannot tell.
 */
import type { Message, Value } from '../../host/host.ts';
import type { Chunk } from '../../host/stream.ts';
import type { WebReply, WebRequest } from '../../host/web.ts';
import { decode, encode } from '../../parts/codec.ts';

export type HttpFrame =
  /** `flows`: parts and an end follow. `closes`: the last reply on this connection. */
  | {
      readonly is: 'head';
      readonly message: WebRequest | WebReply;
      readonly flows: boolean;
      readonly closes: boolean;
    }
  /** A body has bytes; a web socket has texts, too. */
  | { readonly is: 'part'; readonly chunk: Chunk }
  /** Trailers, or how a web socket is closed. */
  | { readonly is: 'end'; readonly last: Message | undefined }
  /** TLS 1.3 takes a round trip before the first request: what the client says, with a ticket if it has one … */
  | { readonly is: 'hello'; readonly ticket: string }
  /** … and what it gets, with a ticket for the next time. */
  | { readonly is: 'greeting'; readonly ticket: string };

const tags = { head: 0, part: 1, end: 2, hello: 3, greeting: 4, text: 5 } as const;
const utf8 = new TextEncoder();

export function headFrame(
  { inlet: _, ...message }: WebRequest | WebReply,
  flows: boolean,
  closes = false,
): Uint8Array {
  return tagged(tags.head, encode({ message, flows, closes } as unknown as Value));
}

export function partFrame(chunk: Chunk): Uint8Array {
  if (typeof chunk === 'string') return tagged(tags.text, utf8.encode(chunk));
  return tagged(tags.part, chunk);
}

export function endFrame(last: Message | undefined): Uint8Array {
  return tagged(tags.end, encode((last ?? null) as unknown as Value));
}

/** Padded to what a certificate and the rest of a handshake take. */
export function handshakeFrame(is: 'hello' | 'greeting', ticket: string): Uint8Array {
  const bytes = new Uint8Array(is === 'hello' ? 517 : 1_200);
  const text = utf8.encode(ticket);
  bytes[0] = text.length;
  bytes.set(text, 1);
  return tagged(tags[is], bytes);
}

/** Undefined for what is none: the other side need not be one of ours. */
export function readFrame(chunk: Uint8Array | string): HttpFrame | undefined {
  if (typeof chunk === 'string') return undefined;
  const rest = chunk.subarray(1);
  switch (chunk[0]) {
    case tags.head: {
      const head = decode(rest) as unknown as Omit<HttpFrame & { is: 'head' }, 'is'>;
      return { is: 'head', ...head };
    }
    case tags.part:
      return { is: 'part', chunk: rest };
    case tags.text:
      return { is: 'part', chunk: new TextDecoder().decode(rest) };
    case tags.end:
      return { is: 'end', last: (decode(rest) as unknown as Message | null) ?? undefined };
    case tags.hello:
    case tags.greeting: {
      const ticket = new TextDecoder().decode(rest.subarray(1, 1 + rest[0]!));
      return { is: chunk[0] === tags.hello ? 'hello' : 'greeting', ticket };
    }
    default:
      return undefined;
  }
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(bytes.length + 1);
  frame[0] = tag;
  frame.set(bytes, 1);
  return frame;
}
