/**
 * One end of a stream, without any I/O: it counts credit, keeps what has none, and knows which
 * direction is over. A world carries its frames to the other end, in order and without loss.
 *
 *   write ──credit?──▶ frame ═══ the world ═══▶ receive ──▶ events.data ──▶ took ──▶ credit frame
 *              └ no: waits, until credit comes
 *
 * A chunk passes whole as soon as there is any credit, so one larger than the window passes too.
 */
import type { Address, Message } from '../host/host.ts';
import {
  type Chunk,
  costOf,
  type Inlet,
  type Stream,
  type StreamClose,
  type StreamEvents,
  streamWindowBytes,
} from '../host/stream.ts';
import { Fifo } from './fifo.ts';

/** What travels between two ends. */
export type Frame =
  | { readonly is: 'open'; readonly opening: Message }
  | { readonly is: 'accept' }
  | { readonly is: 'data'; readonly chunk: Chunk }
  | { readonly is: 'credit'; readonly bytes: number }
  | { readonly is: 'end'; readonly last: Message | undefined }
  | { readonly is: 'reset' }
  | { readonly is: 'refuse' };

export interface EndOptions {
  readonly peer: Address;
  /** Undefined while it is not known: what comes meanwhile would be lost, so set them in time. */
  readonly events?: StreamEvents | undefined;
  readonly windowBytes?: number | undefined;
  readonly transmit: (frame: Frame) => void;
  /** Runs something soon, as a handler of its own, unless the node's life is over by then. */
  readonly later: (run: () => void) => void;
  /** It is over; whoever knows this end may forget it. */
  readonly over: () => void;
}

export const acceptFrame: Frame = { is: 'accept' };
export const resetFrame: Frame = { is: 'reset' };
export const refuseFrame: Frame = { is: 'refuse' };

export class StreamEnd implements Stream {
  readonly peer: Address;
  events: StreamEvents | undefined;
  readonly #transmit: (frame: Frame) => void;
  readonly #later: (run: () => void) => void;
  readonly #over: () => void;
  readonly #windowBytes: number;
  readonly #waiting = new Fifo<Chunk>();
  #waitingBytes = 0;
  #credit: number;
  /** Taken, and not yet told to the peer. */
  #owed = 0;
  #wantsReady = false;
  /** `asked`: something still waits before it. */
  #ending: 'no' | 'asked' | 'sent' = 'no';
  #last: Message | undefined;
  #peerEnded = false;
  #isOver = false;

  constructor({
    peer,
    events,
    windowBytes = streamWindowBytes,
    transmit,
    later,
    over,
  }: EndOptions) {
    this.peer = peer;
    this.events = events;
    this.#transmit = transmit;
    this.#later = later;
    this.#over = over;
    this.#windowBytes = windowBytes;
    this.#credit = windowBytes;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  write(chunk: Chunk): boolean {
    if (this.#isOver || this.#ending !== 'no') return true;
    if (this.#credit > 0 && this.#waitingBytes === 0) {
      this.#send(chunk);
      if (this.#credit > 0) return true;
    } else {
      this.#waiting.push(chunk);
      this.#waitingBytes += costOf(chunk);
    }
    this.#wantsReady = true;
    return false;
  }

  end(last?: Message): void {
    if (this.#isOver || this.#ending !== 'no') return;
    this.#ending = 'asked';
    this.#last = last;
    this.#endIfSent();
  }

  reset(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#transmit(resetFrame);
  }

  took(chunk: Chunk): void {
    if (this.#isOver || this.#peerEnded) return;
    this.#owed += costOf(chunk);
    // Half a window at a time: a peer that waits has a whole one under way, so this always comes.
    if (this.#owed * 2 < this.#windowBytes) return;
    this.#transmit({ is: 'credit', bytes: this.#owed });
    this.#owed = 0;
  }

  /** A frame of the other end. `open` is for whoever makes this end. */
  receive(frame: Frame): void {
    if (this.#isOver) return;
    switch (frame.is) {
      case 'accept':
        return this.events?.opened?.();
      case 'data':
        if (!this.#peerEnded) this.events?.data(frame.chunk);
        return;
      case 'credit':
        return this.#refill(frame.bytes);
      case 'end':
        if (this.#peerEnded) return;
        this.#peerEnded = true;
        this.events?.ended?.(frame.last);
        return this.#closeIfDone();
      case 'reset':
        return this.fail('reset');
      case 'refuse':
        return this.fail('refused');
    }
  }

  /** The world knows that nothing more will come. */
  fail(how: StreamClose): void {
    if (this.#isOver) return;
    const { events } = this;
    this.#finish();
    events?.closed(how);
  }

  /** Its node is gone: nobody is told. */
  drop(): void {
    this.#isOver = true;
    this.events = undefined;
  }

  #send(chunk: Chunk): void {
    this.#credit -= costOf(chunk);
    this.#transmit({ is: 'data', chunk });
  }

  #refill(bytes: number): void {
    this.#credit += bytes;
    while (this.#credit > 0 && this.#waitingBytes > 0) {
      const chunk = this.#waiting.shift()!;
      this.#waitingBytes -= costOf(chunk);
      this.#send(chunk);
    }
    this.#endIfSent();
    if (this.#isOver || !this.#wantsReady || this.#credit <= 0 || this.#waitingBytes > 0) return;
    this.#wantsReady = false;
    if (this.#ending === 'no') this.events?.ready?.();
  }

  #endIfSent(): void {
    if (this.#ending !== 'asked' || this.#waitingBytes > 0) return;
    this.#ending = 'sent';
    this.#transmit({ is: 'end', last: this.#last });
    if (!this.#peerEnded) return;
    // The other side ended first, so nothing comes any more that could carry the news.
    const { events } = this;
    this.#finish();
    this.#later(() => events?.closed('done'));
  }

  #closeIfDone(): void {
    if (this.#isOver || this.#ending !== 'sent') return;
    const { events } = this;
    this.#finish();
    events?.closed('done');
  }

  #finish(): void {
    this.#isOver = true;
    this.events = undefined;
    this.#over();
  }
}

/**
 * Keeps what comes over a stream until somebody reads it. Nothing is taken meanwhile, so what it
 * keeps is bounded by the window.
 */
export class Intake implements Inlet {
  readonly stream: Stream;
  /** For the world. */
  readonly events: StreamEvents;
  #reader: StreamEvents | undefined;
  #kept: ((reader: StreamEvents) => void)[] = [];

  constructor(stream: Stream) {
    this.stream = stream;
    this.events = {
      opened: () => this.#hand((reader) => reader.opened?.()),
      data: (chunk) => {
        if (this.#reader) this.#reader.data(chunk);
        else this.#kept.push((reader) => reader.data(chunk));
      },
      ready: () => this.#hand((reader) => reader.ready?.()),
      ended: (last) => this.#hand((reader) => reader.ended?.(last)),
      closed: (how) => this.#hand((reader) => reader.closed(how)),
    };
  }

  attach(reader: StreamEvents): void {
    // What is handed over may make the reader ask for more, which comes later: the list only shrinks.
    this.#reader = reader;
    const kept = this.#kept;
    this.#kept = [];
    for (const hand of kept) hand(reader);
  }

  #hand(hand: (reader: StreamEvents) => void): void {
    if (this.#reader) hand(this.#reader);
    else this.#kept.push(hand);
  }
}

/**
 * Joins a stream that came in with one that goes on, both ways, end for end: `connect` makes the
 * second with the events it is given. Credit passes through, so a relay holds a window at most.
 * `over` is called once, with how it ended.
 */
export function splice(
  inlet: Inlet,
  connect: (events: StreamEvents) => Stream,
  over?: (how: StreamClose, bytes: Passed) => void,
): Stream {
  const bytes: Passed = { there: 0, back: 0 };
  const near = inlet.stream;
  let isOver = false;
  const finish = (how: StreamClose, other: Stream | undefined): void => {
    if (isOver) return;
    isOver = true;
    if (how !== 'done') other?.reset();
    over?.(how, bytes);
  };
  const back = new Direction();
  const there = new Direction();
  const far = connect({
    data: (chunk) => {
      bytes.back += chunk.length;
      back.pass(chunk, far, near);
    },
    ready: () => there.ready(near),
    ended: (last) => near.end(last),
    closed: (how) => finish(how, near),
  });
  inlet.attach({
    data: (chunk) => {
      bytes.there += chunk.length;
      there.pass(chunk, near, far);
    },
    ready: () => back.ready(far),
    ended: (last) => far.end(last),
    closed: (how) => finish(how, far),
  });
  return far;
}

/** The same, until a chunk comes that may not pass: then it is reset, and `refused` is told before its reader. */
export function guarded(
  inlet: Inlet,
  mayPass: (chunk: Chunk) => boolean,
  refused: () => void,
): Inlet {
  const { stream } = inlet;
  let isOver = false;
  return {
    stream,
    attach(reader) {
      inlet.attach({
        ...reader,
        data(chunk) {
          if (isOver) return;
          if (mayPass(chunk)) return reader.data(chunk);
          isOver = true;
          stream.reset();
          refused();
          reader.closed('reset');
        },
      });
    },
  };
}

/** The same, up to `maxBytes`. */
export function limited(inlet: Inlet, maxBytes: number, exceeded: () => void): Inlet {
  let bytes = 0;
  const mayPass = ({ length }: Chunk): boolean => {
    bytes += length;
    return bytes <= maxBytes;
  };
  return guarded(inlet, mayPass, exceeded);
}

/** Bytes that went each way. */
export interface Passed {
  there: number;
  back: number;
}

class Direction {
  #held: Chunk[] = [];

  pass(chunk: Chunk, from: Stream, to: Stream): void {
    if (to.write(chunk)) from.took(chunk);
    else this.#held.push(chunk);
  }

  ready(from: Stream): void {
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) from.took(chunk);
  }
}

/**
 * The end at the side that somebody connects to. `take` gives its events, or nothing to refuse it;
 * what it writes meanwhile follows the answer. Undefined: refused, and the other side was told.
 */
export function acceptStream(
  options: Omit<EndOptions, 'events'>,
  take: (stream: Stream) => StreamEvents | undefined,
): StreamEnd | undefined {
  let early: Frame[] | undefined = [];
  const { transmit } = options;
  const end = new StreamEnd({
    ...options,
    transmit: (frame) => {
      if (early) early.push(frame);
      else transmit(frame);
    },
  });
  const events = take(end);
  const kept = early;
  early = undefined;
  if (!events) {
    end.drop();
    transmit(refuseFrame);
    return undefined;
  }
  if (!end.isOver) end.events = events;
  transmit(acceptFrame);
  for (const frame of kept) transmit(frame);
  return end;
}
