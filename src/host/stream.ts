/**
 * Ordered streams with credit, the only back-pressure there is: bodies, server-sent events,
 * WebSocket, the bytes of a connection that a balancer does not look into.
 *
 *   connect(to, events, opening) ── opening, chunks ──▶ handlers.stream(from, opening, stream)
 *           │  ◀── accepted, chunks ─────────────────────────┘
 *           └─ each direction ends by itself; a reset ends both
 *
 * A stream is reliable where messages are not: what the network loses arrives later, in order. Its
 * end may be silent all the same, since nobody can be told of a cut or a machine without power: who
 * has something under way then hears `lost` after a while; who only listens hears nothing.
 */
import type { Address, Message } from './host.ts';

/** Bytes, or a text: a WebSocket has both, and they stay apart. */
export type Chunk = Uint8Array | string;

export interface Stream {
  /** The other side. */
  readonly peer: Address;
  /** What was written and waits here for credit, in bytes. */
  readonly waitingBytes: number;
  /**
   * Sends a chunk, whole, after those before it; it must not be changed afterwards. False: the peer's
   * credit is used up, and what is written from now on waits in memory until `ready` comes.
   */
  write(chunk: Chunk): boolean;
  /** Nothing more comes from this side. `last` arrives with the end: trailers, a close code. */
  end<M extends Message>(last?: M): void;
  /** Both directions end at once; what is under way is dropped. `closed` is not called here. */
  reset(): void;
  /** What came in this chunk has been dealt with: the peer may send as much again. */
  took(chunk: Chunk): void;
}

/** Called like any handler: never within a call of `Stream`, never after a crash, never after `closed`. */
export interface StreamEvents {
  /** The peer took the stream. What was written before may already have been used. */
  opened?(): void;
  data(chunk: Chunk): void;
  /** After a `write` that said false: there is credit again. */
  ready?(): void;
  /** Nothing more comes from the peer; this side may go on. */
  ended?(last: Message | undefined): void;
  /** It is over, for both sides: the last call. */
  closed(how: StreamClose): void;
}

/**
 * `done`: both sides ended. `refused`: the peer does not take this stream, and did nothing with it.
 * `reset`: the peer broke it off, or its process ended. `lost`: no sign of the peer for too long.
 */
export type StreamClose = 'done' | 'refused' | 'reset' | 'lost';

/**
 * How much one side may send before the other has dealt with any of it, in bytes: this, for each
 * direction of each stream, bounds what a node holds. At a round trip of 50 ms it lets through 5 MB/s.
 */
export const streamWindowBytes = 262_144;

/** What each chunk costs besides its bytes, so that empty ones cannot come without end. */
export const chunkOverheadBytes = 16;

/** What a chunk takes of the credit. Text counts by its UTF-16 units, which needs no encoding. */
export function costOf(chunk: Chunk): number {
  return chunk.length + chunkOverheadBytes;
}

/** A stream that somebody took off a port, before it is known who reads it. Nothing of it is sent on. */
export interface Inlet {
  readonly stream: Stream;
  /** Hands over what came so far, and then all that comes. Once only. */
  attach(events: StreamEvents): void;
}
