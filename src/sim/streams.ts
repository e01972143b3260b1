/**
 * Streams in the simulated network. They take the same links as messages, with the same delays,
 * bandwidth and cuts, but as TCP would: what is lost or runs into a cut is sent again, so it comes
 * late and in order, or not at all and then nothing after it does either.
 *
 *   write ─▶ segment ─ draw delay, wait for the line ─▶ cut? ─▶ the other end
 *                          ▲                             │
 *                          └── tried again after 200 ms, 400 ms … ◀┘   given up after `connectTimeoutUs`
 *
 * A lost segment costs one such wait, and all behind it wait too. Not modelled: slow start and
 * congestion windows, so a stream is as fast as its line and its credit let it be.
 */
import type { Address, Message, Micros } from '../host/host.ts';
import type { Chunk, Stream, StreamEvents } from '../host/stream.ts';
import { assert } from '../kit/assert.ts';
import type { Random } from '../kit/random.ts';
import { acceptStream, type Frame, refuseFrame, resetFrame, StreamEnd } from '../parts/stream.ts';
import * as kinds from './kinds.ts';
import type { Machine } from './machine.ts';
import { type Link, type Network, sizeOf } from './network.ts';
import type { EventQueue } from './queue.ts';

/** The shortest that Linux waits before it sends a segment again. */
const retransmitUs = 200_000;
/** Ethernet, IP and TCP headers. */
const headerBytes = 66;

/** One end, and the life that it belongs to. */
interface Side {
  readonly machine: Machine;
  readonly life: number;
  /** To the other machine. */
  channel: Channel;
  readonly pair: Pair;
  end: StreamEnd | undefined;
}

interface Pair {
  opener: Side | undefined;
  /** From when it was accepted. */
  accepter: Side | undefined;
}

/** Everything that flows one way between two machines. */
interface Channel {
  readonly link: Link;
  readonly delays: Random;
  readonly losses: Random;
  /** Segments sent so far: the number under which their luck is drawn. */
  count: number;
  arrivesAt: Micros;
  /** To be sent again, in order. */
  parked: Segment[];
  parkedSince: Micros;
  /** The number that the receiver goes on with, what came too early, and what will never come. */
  next: number;
  readonly early: Map<number, Segment>;
  readonly dropped: Set<number>;
}

/** Who speaks to whom: only the first segment of a stream says so. */
interface Ends {
  readonly from: Address;
  readonly to: Address;
}

export interface Segment {
  readonly channel: Channel;
  readonly number: number;
  /** Undefined for an answer of the machine itself, where no program has such a stream. */
  readonly from: Side | undefined;
  readonly pair: Pair;
  readonly isToOpener: boolean;
  readonly ends: Ends | undefined;
  readonly frame: Frame;
}

export interface StreamCounts {
  opened: number;
  refused: number;
  /** Given up after too long a silence, one for each end that noticed. */
  lost: number;
  segments: number;
  /** Sent again, for a loss or a cut. */
  again: number;
}

export interface StreamsOptions {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly random: Random;
  readonly connectTimeoutUs: Micros;
  /** Identity, except in checking runs. */
  readonly pass: (message: Message) => Message;
  /** Whether it waits until somebody takes it, and is not for whom it came to. */
  readonly holds: (to: Address, opening: Message, held: Held) => boolean;
}

/** A stream that arrived and is not accepted yet. */
export interface Held {
  /** By any machine, also by another than it came to. */
  accept(by: Machine): void;
  refuse(): void;
  /** As the machine does for a process that ended. */
  reset(): void;
}

export class Streams {
  readonly counts: StreamCounts = { opened: 0, refused: 0, lost: 0, segments: 0, again: 0 };
  readonly #options: StreamsOptions;
  readonly #channels = new Map<Link, Channel>();
  readonly #sides = new Map<Machine, Set<Side>>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  connect(
    machine: Machine,
    from: Address,
    to: Address,
    target: Machine | undefined,
    events: StreamEvents,
    opening: Message,
  ): Stream {
    this.counts.opened++;
    if (!target) return this.#toNowhere(machine, to, events);
    const side = this.#side(machine, target, { opener: undefined, accepter: undefined });
    side.pair.opener = side;
    const end = new StreamEnd({ ...this.#wiring(side), peer: to, events });
    this.#keep(side, end);
    const frame: Frame = { is: 'open', opening: this.#options.pass(opening) };
    // Copied, since a caller may reuse its address object.
    const ends: Ends = { from, to: { node: to.node, port: to.port } };
    this.#send(side, frame, ends);
    return end;
  }

  /** For a call that comes after the life of its program. */
  closed(to: Address): Stream {
    const end = new StreamEnd({ peer: to, transmit() {}, later() {}, over() {} });
    end.drop();
    return end;
  }

  /** A segment reaches its machine. */
  arrive(segment: Segment): void {
    const { channel, number } = segment;
    const { target, isCut } = this.#options.network.refreshed(channel.link);
    if (isCut || target.phase === 'powerless') return this.#park(segment);
    if (number !== channel.next) {
      channel.early.set(number, segment);
      return;
    }
    channel.next++;
    this.#goOn(channel);
    this.#deliver(segment, target);
  }

  /** A process ended: its peers get a reset, unless nobody is left who could send one. */
  ended(machine: Machine, isSilent: boolean): void {
    const { network } = this.#options;
    const sides = this.#sides.get(machine);
    if (!sides) return;
    this.#sides.delete(machine);
    for (const side of sides) {
      const { end, pair, channel } = side;
      end?.drop();
      this.#drop(channel);
      // A reset is sent once: if a cut swallows it, nobody sends another.
      if (isSilent || network.refreshed(channel.link).isCut) continue;
      const isToOpener = pair.opener !== side;
      if (isToOpener || pair.accepter) this.#answer(channel, pair, isToOpener, resetFrame);
    }
  }

  // ---- arriving

  /** What came too early is due now, as an event of its own. */
  #goOn(channel: Channel): void {
    while (channel.dropped.delete(channel.next)) channel.next++;
    const due = channel.early.get(channel.next);
    if (!due) return;
    channel.early.delete(channel.next);
    const { queue } = this.#options;
    queue.push(queue.now, kinds.segment, channel.link.target.index, 0, due, undefined);
  }

  /** What waits to be sent again never will be. */
  #drop(channel: Channel): void {
    for (const { number } of channel.parked) channel.dropped.add(number);
    channel.parked = [];
    this.#goOn(channel);
  }

  #deliver(segment: Segment, target: Machine): void {
    const { pair, isToOpener, frame } = segment;
    if (frame.is === 'open') return this.#accept(segment, frame.opening, target);
    const side = isToOpener ? pair.opener : pair.accepter;
    const end = side?.end;
    const isThere = side?.life === target.life && target.isUp && end && !end.isOver;
    if (isThere) end.receive(frame);
    else if (frame.is === 'data' || frame.is === 'end' || frame.is === 'accept') {
      this.#answer(this.#back(segment), pair, !isToOpener, resetFrame);
    }
  }

  #accept(segment: Segment, opening: Message, target: Machine): void {
    const { pair, ends } = segment;
    assert(ends, 'the first segment of a stream says who speaks to whom');
    const isHeld = this.#options.holds(ends.to, opening, {
      accept: (by) => this.#take(segment, ends, opening, by),
      refuse: () => {
        this.counts.refused++;
        this.#answer(this.#back(segment), pair, true, refuseFrame);
      },
      reset: () => this.#answer(this.#back(segment), pair, true, resetFrame),
    });
    if (!isHeld) this.#take(segment, ends, opening, target);
  }

  #take(segment: Segment, ends: Ends, opening: Message, target: Machine): void {
    const { pair, channel } = segment;
    const { source } = channel.link;
    if (target !== channel.link.target && pair.opener) {
      pair.opener.channel = this.#channelOf(this.#options.network.link(source, target));
    }
    const handlers = target.isUp ? target.ports.get(ends.to.port) : undefined;
    if (!handlers?.stream) {
      this.counts.refused++;
      const back = this.#channelOf(this.#options.network.link(target, source));
      return this.#answer(back, pair, true, refuseFrame);
    }
    const side = this.#side(target, source, pair);
    const end = acceptStream({ ...this.#wiring(side), peer: ends.from }, (stream) =>
      handlers.stream?.(ends.from, opening, stream),
    );
    if (!end) this.counts.refused++;
    else if (!end.isOver) {
      pair.accepter = side;
      this.#keep(side, end);
    }
  }

  #back({ channel }: Segment): Channel {
    const { source, target } = channel.link;
    return this.#channelOf(this.#options.network.link(target, source));
  }

  // ---- leaving

  #send(side: Side, frame: Frame, ends?: Ends): void {
    this.#put(side.channel, side, side.pair, side.pair.opener !== side, frame, ends);
  }

  /** Of the machine itself, where no program has such a stream. */
  #answer(channel: Channel, pair: Pair, isToOpener: boolean, frame: Frame): void {
    this.#put(channel, undefined, pair, isToOpener, frame, undefined);
  }

  #put(
    channel: Channel,
    from: Side | undefined,
    pair: Pair,
    isToOpener: boolean,
    frame: Frame,
    ends: Ends | undefined,
  ): void {
    const number = channel.count++;
    this.counts.segments++;
    const segment: Segment = { channel, number, from, pair, isToOpener, frame, ends };
    const { isCut } = this.#options.network.refreshed(channel.link);
    // Draw before deciding, so that a fault does not shift the luck of later segments.
    const delayUs = channel.link.delay(channel.delays);
    if (isCut || channel.parked.length > 0) this.#park(segment);
    else this.#fly(segment, delayUs);
  }

  #fly(segment: Segment, delayUs: Micros): void {
    const { channel } = segment;
    const { link } = channel;
    const { queue } = this.#options;
    let leavesAt = queue.now;
    if (link.bytesPerUs > 0) {
      const bytes = headerBytes + bytesOf(segment.frame);
      leavesAt = Math.max(leavesAt, link.lineFreeAt) + Math.ceil(bytes / link.bytesPerUs);
      link.lineFreeAt = leavesAt;
    }
    let at = leavesAt + delayUs + link.extraUs;
    for (let waitUs = retransmitUs; channel.losses.chance(link.lossRatio); waitUs *= 2) {
      this.counts.again++;
      at += waitUs;
    }
    // In order among themselves, and never before a message that was sent first.
    at = Math.max(at, channel.arrivesAt, link.arrivesAt);
    channel.arrivesAt = at;
    queue.push(at, kinds.segment, link.target.index, 0, segment, undefined);
  }

  /** In order by number: what was under way when a cut came may be parked after what was not. */
  #park(segment: Segment): void {
    const { channel } = segment;
    const { parked } = channel;
    let at = parked.length;
    while (at > 0 && parked[at - 1]!.number > segment.number) at--;
    parked.splice(at, 0, segment);
    if (parked.length > 1) return;
    channel.parkedSince = this.#options.queue.now;
    this.#tryAgain(channel, retransmitUs);
  }

  #tryAgain(channel: Channel, waitUs: Micros): void {
    const { queue, network, connectTimeoutUs } = this.#options;
    const givenUpAt = channel.parkedSince + connectTimeoutUs;
    const at = Math.min(queue.now + waitUs, Math.max(queue.now, givenUpAt));
    const again = (): void => {
      const { parked } = channel;
      if (parked.length === 0) return;
      const { isCut, target } = network.refreshed(channel.link);
      if (isCut || target.phase === 'powerless') {
        if (queue.now < givenUpAt) this.#tryAgain(channel, waitUs * 2);
        else this.#giveUp(channel);
        return;
      }
      channel.parked = [];
      this.counts.again += parked.length;
      for (const segment of parked) this.#fly(segment, channel.link.delay(channel.delays));
    };
    queue.push(at, kinds.act, 0, 0, again, undefined);
  }

  #giveUp(channel: Channel): void {
    const { queue } = this.#options;
    const senders = new Set(channel.parked.map(({ from }) => from));
    this.#drop(channel);
    for (const side of senders) {
      const { machine, life, end } = side ?? {};
      if (!machine || life === undefined || !end || end.isOver) continue;
      this.counts.lost++;
      const lose = (): void => end.fail('lost');
      queue.push(queue.now, kinds.call, machine.index, life, lose, undefined);
    }
  }

  /** A name that leads nowhere, as a failed look-up. */
  #toNowhere(machine: Machine, to: Address, events: StreamEvents): Stream {
    const later = this.#later(machine, machine.life);
    const end = new StreamEnd({ peer: to, events, transmit() {}, later, over() {} });
    this.counts.refused++;
    later(() => end.fail('refused'));
    return end;
  }

  // ---- sides

  #side(machine: Machine, target: Machine, pair: Pair): Side {
    const channel = this.#channelOf(this.#options.network.link(machine, target));
    return { machine, life: machine.life, channel, pair, end: undefined };
  }

  #keep(side: Side, end: StreamEnd): void {
    side.end = end;
    let sides = this.#sides.get(side.machine);
    if (!sides) {
      sides = new Set();
      this.#sides.set(side.machine, sides);
    }
    sides.add(side);
  }

  #wiring(side: Side): {
    transmit: (frame: Frame) => void;
    later: (run: () => void) => void;
    over: () => void;
  } {
    const { machine, life } = side;
    return {
      transmit: (frame) => {
        // User code of a dead program may still run; the world no longer hears it.
        if (machine.livingLife !== life) return;
        this.#send(side, this.#passed(frame));
      },
      later: this.#later(machine, life),
      over: () => this.#sides.get(machine)?.delete(side),
    };
  }

  #later(machine: Machine, life: number): (run: () => void) => void {
    const { queue } = this.#options;
    return (run) => queue.push(queue.now, kinds.call, machine.index, life, run, undefined);
  }

  #passed(frame: Frame): Frame {
    const { pass } = this.#options;
    if (frame.is === 'data') {
      const passed = pass({ type: 'chunk', chunk: frame.chunk } as Message);
      return { is: 'data', chunk: (passed as Message & { readonly chunk: Chunk }).chunk };
    }
    if (frame.is !== 'end' || frame.last === undefined) return frame;
    return { is: 'end', last: pass(frame.last) };
  }

  #channelOf(link: Link): Channel {
    const known = this.#channels.get(link);
    if (known) return known;
    const random = this.#options.random.fork(`${link.source.plan.id} > ${link.target.plan.id}`);
    const channel: Channel = {
      link,
      delays: random.fork('delay'),
      losses: random.fork('loss'),
      count: 0,
      arrivesAt: 0,
      parked: [],
      parkedSince: 0,
      next: 0,
      early: new Map(),
      dropped: new Set(),
    };
    this.#channels.set(link, channel);
    return channel;
  }
}

function bytesOf(frame: Frame): number {
  switch (frame.is) {
    case 'data':
      return frame.chunk.length;
    case 'open':
      return sizeOf(frame.opening);
    case 'end':
      return sizeOf(frame.last);
    default:
      return 0;
  }
}
