/**
 * Looks at how a flowing body begins before it is known what becomes of it.
 *
 *   inlet ══▶ collected, up to maxBytes or its end ──▶ seen(first)
 *                        └──────────▶ reader: first, then the rest as it comes
 *
 * What is collected counts as taken, or a sender of tiny chunks would have used up its credit on what
 * they cost besides their bytes, and the rest would never come. So a node holds `maxBytes` and a window.
 */
import type { Timer } from '../host/host.ts';
import type { Chunk, Inlet, Stream } from '../host/stream.ts';
import { Intake } from './stream.ts';

const encoder = new TextEncoder();

/** The same body, whole and in order. `seen` is called once, perhaps at once, also when it broke off. */
export function peek(inlet: Inlet, maxBytes: number, seen: (first: Uint8Array) => void): Inlet {
  return peeking(inlet, maxBytes, seen).kept;
}

/**
 * Reads a body to its end, where that comes before the patience with it does: then `done` gets all of it. Else
 * it gets the body as one that flows on, from its beginning. What it returns gives it up.
 */
export function readWhole(
  inlet: Inlet,
  maxBytes: number,
  patience: (fire: () => void) => Timer,
  done: (whole: Uint8Array | undefined, flow: Inlet) => void,
): () => void {
  let isOver = false;
  let timer: Timer | undefined;
  const { show } = peeking(inlet, maxBytes + 1, (first, isWhole, kept) => {
    timer?.cancel();
    if (isOver) return;
    isOver = true;
    // Both sides have said all that they had to say.
    if (isWhole) inlet.stream.end();
    done(isWhole ? first.slice() : undefined, kept);
  });
  if (!isOver) timer = patience(show);
  return () => {
    if (isOver) return;
    isOver = true;
    timer?.cancel();
    inlet.stream.reset();
  };
}

interface Peeking {
  readonly kept: Inlet;
  /** Looks no further. */
  readonly show: () => void;
}

function peeking(
  inlet: Inlet,
  maxBytes: number,
  seen: (first: Uint8Array, isWhole: boolean, kept: Inlet) => void,
): Peeking {
  const first = new Collected();
  let handed: Chunk | undefined;
  const kept = new Intake(tookBefore(inlet.stream, (chunk) => chunk === handed));
  const show = (isWhole: boolean): void => {
    if (handed !== undefined) return;
    const bytes = first.bytes;
    handed = bytes;
    if (bytes.length > 0) kept.events.data(bytes);
    seen(bytes, isWhole, kept);
  };
  inlet.attach({
    ...kept.events,
    data(chunk) {
      if (handed !== undefined) return kept.events.data(chunk);
      first.add(chunk);
      inlet.stream.took(chunk);
      if (first.size >= maxBytes) show(false);
    },
    ended(last) {
      show(last === undefined);
      kept.events.ended?.(last);
    },
    closed(how) {
      show(false);
      kept.events.closed(how);
    },
  });
  return { kept, show: () => show(false) };
}

/** The same stream to who reads it, of which one chunk is not to be taken twice. */
function tookBefore(stream: Stream, isTaken: (chunk: Chunk) => boolean): Stream {
  return {
    peer: stream.peer,
    get waitingBytes() {
      return stream.waitingBytes;
    },
    write: (chunk) => stream.write(chunk),
    end: (last) => stream.end(last),
    reset: () => stream.reset(),
    took(chunk) {
      if (!isTaken(chunk)) stream.took(chunk);
    },
  };
}

/** Copied together: a chunk of one byte may keep the whole buffer alive that a socket was read into. */
class Collected {
  #room = new Uint8Array(1_024);
  size = 0;

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.size);
  }

  add(chunk: Chunk): void {
    const bytes = typeof chunk === 'string' ? encoder.encode(chunk) : chunk;
    const size = this.size + bytes.length;
    if (size > this.#room.length) {
      const room = new Uint8Array(Math.max(size, 2 * this.#room.length));
      room.set(this.bytes);
      this.#room = room;
    }
    this.#room.set(bytes, this.size);
    this.size = size;
  }
}
