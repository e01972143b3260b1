/**
 * The streams of a live node: who is at the other end of each. To another node they are frames on the
 * transport; within the node, between two programs or a program and an edge, they pass from turn to
 * turn.
 */
import type { Address, Message, NodeId, Value } from '../host/host.ts';
import type { Stream, StreamClose, StreamEvents } from '../host/stream.ts';
import { decode, encode } from '../parts/codec.ts';
import { IdMap } from '../parts/id-map.ts';
import { acceptStream, type Frame, resetFrame, StreamEnd } from '../parts/stream.ts';
import type { Parcel } from './stream-frames.ts';

export interface StreamsOptions {
  readonly self: NodeId;
  readonly life: number;
  /** Runs something in the next round, as a handler of its own. */
  readonly later: (run: () => void) => void;
  readonly send: (node: NodeId, parcel: Parcel) => void;
  /** Who listens at a port of this node decides. */
  readonly take: (
    from: Address,
    port: string,
    opening: Message,
    stream: Stream,
  ) => StreamEvents | undefined;
}

interface Remote {
  readonly end: StreamEnd;
  /** Undefined until the peer took the stream. */
  peerLife: number | undefined;
}

/** By the id that whoever opened it gave it. */
interface Peer {
  readonly ours: IdMap<Remote>;
  readonly theirs: IdMap<Remote>;
}

export class Streams {
  readonly #options: StreamsOptions;
  readonly #peers = new Map<NodeId, Peer>();
  #nextId: number;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#nextId = options.life * 2 ** 32;
  }

  connect(from: Address, to: Address, events: StreamEvents, opening: Message): Stream {
    const { later, send } = this.#options;
    // A value may be changed by its sender once `connect` returned.
    const sent = decode(encode(opening as unknown as Value)) as unknown as Message;
    const id = this.#nextId++;
    const { ours } = this.#peer(to.node);
    const post = (frame: Frame): void => send(to.node, { id, isOurs: true, frame });
    const over = (): void => {
      ours.take(id);
    };
    const end = new StreamEnd({ peer: { ...to }, events, transmit: post, later, over });
    ours.set(id, { end, peerLife: undefined });
    const ends = { fromPort: from.port, toPort: to.port };
    send(to.node, { id, isOurs: true, frame: { is: 'open', opening: sent }, ends });
    return end;
  }

  /** To a port of this node, or to `take`. `opening` is handed over as it is. */
  connectHere(
    from: Address,
    toPort: string,
    events: StreamEvents,
    opening: Message,
    take = this.#options.take,
  ): Stream {
    const { self, later } = this.#options;
    let far: StreamEnd | undefined;
    let isAnswered = false;
    const near: StreamEnd = new StreamEnd({
      peer: { node: self, port: toPort },
      events,
      transmit: (frame) => {
        later(() => {
          if (isAnswered) far?.receive(frame);
        });
      },
      later,
      over() {},
    });
    later(() => {
      const transmit = (frame: Frame): void => later(() => near.receive(frame));
      far = acceptStream({ peer: from, transmit, later, over() {} }, (stream) =>
        take(from, toPort, opening, stream),
      );
      isAnswered = true;
    });
    return near;
  }

  /** A frame of another node. */
  receive(node: NodeId, life: number, parcel: Parcel): void {
    const { id, frame, ends } = parcel;
    const peer = this.#peer(node);
    if (frame.is === 'open') {
      if (ends) this.#accept(node, life, id, frame.opening, ends);
      return;
    }
    // What the sender calls its own is theirs to us.
    const remote = (parcel.isOurs ? peer.theirs : peer.ours).get(id);
    if (!remote) {
      if (frame.is === 'data' || frame.is === 'end' || frame.is === 'accept') {
        this.#options.send(node, { id, isOurs: !parcel.isOurs, frame: resetFrame });
      }
      return;
    }
    if (frame.is === 'accept') remote.peerLife = life;
    remote.end.receive(frame);
  }

  /** One of our own streams, or all that are under way to or from a node, came to an end. */
  fail(node: NodeId, parcel: Parcel, how: StreamClose): void {
    const { ours, theirs } = this.#peer(node);
    (parcel.isOurs ? ours : theirs).get(parcel.id)?.end.fail(how);
  }

  /**
   * The connection to a node broke: what it had taken is in doubt. What it had not taken is refused,
   * if the connection never came about.
   */
  broke(node: NodeId, wasOpen: boolean): void {
    const { ours, theirs } = this.#peer(node);
    for (const { end, peerLife } of all(ours)) {
      end.fail(peerLife === undefined && !wasOpen ? 'refused' : 'reset');
    }
    for (const { end } of all(theirs)) end.fail('reset');
  }

  /** The connection from a life of a node broke. */
  left(node: NodeId, life: number): void {
    const { ours, theirs } = this.#peer(node);
    for (const { end, peerLife } of [...all(ours), ...all(theirs)]) {
      if (peerLife === life) end.fail('reset');
    }
  }

  /** No sign of a node for too long. */
  lost(node: NodeId): void {
    const { ours, theirs } = this.#peer(node);
    for (const { end } of [...all(ours), ...all(theirs)]) end.fail('lost');
  }

  /** As the death of the process would. */
  close(): void {
    for (const { ours, theirs } of this.#peers.values()) {
      for (const { end } of [...all(ours), ...all(theirs)]) end.drop();
    }
    this.#peers.clear();
  }

  #accept(
    node: NodeId,
    life: number,
    id: number,
    opening: Message,
    { fromPort, toPort }: NonNullable<Parcel['ends']>,
  ): void {
    const { later, send, take } = this.#options;
    const from: Address = { node, port: fromPort };
    const { theirs } = this.#peer(node);
    const end = acceptStream(
      {
        peer: from,
        transmit: (frame) => send(node, { id, isOurs: false, frame }),
        later,
        over: () => {
          theirs.take(id);
        },
      },
      (stream) => take(from, toPort, opening, stream),
    );
    if (end && !end.isOver) theirs.set(id, { end, peerLife: life });
  }

  #peer(node: NodeId): Peer {
    let peer = this.#peers.get(node);
    if (!peer) {
      peer = { ours: new IdMap(), theirs: new IdMap() };
      this.#peers.set(node, peer);
    }
    return peer;
  }
}

/** As they are now: what becomes of one may end another. */
function all(remotes: IdMap<Remote>): readonly Remote[] {
  return remotes.ids().map((id) => remotes.get(id)!);
}
