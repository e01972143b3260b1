/**
 * Bodies that flow: a web stream over a stream between programs, and the other way round. Nothing is
 * read ahead: a chunk is taken when somebody reads it, and read when there is credit for it.
 */
import type { Message } from '../../host/host.ts';
import type { Chunk, Inlet, StreamEvents } from '../../host/stream.ts';
import { Fifo } from '../fifo.ts';

const encoder = new TextEncoder();

/**
 * What comes over `inlet`, to be read. Cancelling it resets the stream; `broken` is told of a reset, and
 * `finished` of what the body ended with.
 */
export function readableOf(
  inlet: Inlet,
  broken?: () => void,
  finished?: (last: Message | undefined) => void,
): ReadableStream<Uint8Array> {
  const { stream } = inlet;
  const come = new Fifo<Chunk>();
  let hasEnded = false;
  let failure: TypeError | undefined;
  let wake: (() => void) | undefined;
  const awaken = (): void => {
    wake?.();
    wake = undefined;
  };
  inlet.attach({
    data(chunk) {
      come.push(chunk);
      awaken();
    },
    ended(last) {
      hasEnded = true;
      finished?.(last);
      // Nothing goes back on the stream of a body, so both ways are over now.
      stream.end();
      awaken();
    },
    closed(how) {
      if (how === 'done') return;
      if (!hasEnded) failure = new TypeError(`terminated: the other side is gone (${how})`);
      broken?.();
      awaken();
    },
  });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (come.size === 0 && !hasEnded && !failure) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const chunk = come.shift();
        if (chunk !== undefined) {
          stream.took(chunk);
          controller.enqueue(bytesOf(chunk));
        } else if (failure) controller.error(failure);
        else controller.close();
      },
      cancel() {
        stream.reset();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A web stream as if it had come from another program: to be joined with one that goes there. */
export function inletOf(readable: ReadableStream<Uint8Array>): Inlet {
  let taken: (() => void) | undefined;
  let isOver = false;
  const reader = readable.getReader();
  const stop = (): void => {
    if (isOver) return;
    isOver = true;
    taken?.();
    // Whoever made the stream hears of it; that it may fail at that is its own business.
    reader.cancel(new DOMException('The reader is gone', 'AbortError')).catch(() => {});
  };
  const run = async (events: StreamEvents): Promise<void> => {
    try {
      while (!isOver) {
        const { done, value } = await reader.read();
        if (isOver) return;
        if (done) {
          isOver = true;
          events.ended?.(undefined);
          return;
        }
        const isTaken = new Promise<void>((resolve) => {
          taken = resolve;
        });
        events.data(chunkOf(value));
        await isTaken;
      }
    } catch {
      // The reader of the other side sees a body that broke off, which is what happened.
      if (isOver) return;
      isOver = true;
      events.closed('reset');
    }
  };
  return {
    stream: {
      peer: { node: '', port: '' },
      waitingBytes: 0,
      write: () => true,
      end() {},
      reset: stop,
      took: () => taken?.(),
    },
    attach: (events) => {
      run(events);
    },
  };
}

/** A body that is there already, as if it came over a stream. */
export function inletOfWhole(body: Uint8Array | string | null): Inlet {
  return {
    stream: {
      peer: { node: '', port: '' },
      waitingBytes: 0,
      write: () => true,
      end() {},
      reset() {},
      took() {},
    },
    attach(events) {
      if (body !== null && body.length > 0) events.data(body);
      events.ended?.(undefined);
    },
  };
}

/** The same with something to say at its end: asked for then, and not if it breaks off before. */
export function endingWith(inlet: Inlet, last: () => Message | Promise<Message>): Inlet {
  return {
    stream: inlet.stream,
    attach(events) {
      inlet.attach({
        ...events,
        ended: () => {
          const said = last();
          if (!(said instanceof Promise)) return events.ended?.(said);
          said.then(
            (message) => events.ended?.(message),
            (mistake) => {
              console.error(mistake);
              inlet.stream.reset();
              events.closed('reset');
            },
          );
        },
      });
    },
  };
}

/** Bytes are copied: who made them may write to that memory again while they are under way. */
function chunkOf(value: unknown): Chunk {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw new TypeError('A body is a stream of bytes');
}

/** The reader's own: the chunk may be in somebody's cache as well. */
function bytesOf(chunk: Chunk): Uint8Array {
  return typeof chunk === 'string' ? encoder.encode(chunk) : new Uint8Array(chunk);
}
