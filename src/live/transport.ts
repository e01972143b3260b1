/**
 * Frames between nodes over TCP. Each node dials those that it speaks to and keeps the connection;
 * replies come over the connection that the other side dialled. So one connection carries one
 * direction, in order, and whoever has something to lose hears when it breaks.
 *
 *   dialler                              listener
 *      │ ◀─────── hello: nonce ────────── │
 *      │ ──── who I am, nonce, proof ───▶ │      HMAC-SHA256 over both nonces and both names,
 *      │ ◀──────────── proof ──────────── │      keyed with the secret of this run
 *      │ ═══════ frames, frames ════════▶ │
 *
 * Nothing is sent before both proofs are in, so what was queued for a connection that never came
 * about was certainly not delivered, and its senders are told (`refused`). What was written to one
 * that broke is in doubt (`disconnected`).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address, Message, Micros, NodeId, Timer, Value } from '../host/host.ts';
import { LoadpathError } from '../kit/errors.ts';
import type { Random } from '../kit/random.ts';
import { decode, encode, ValueReader, ValueWriter } from '../parts/codec.ts';
import { type LinkRule, type NodeRules, noRules, openRoad } from './rules.ts';
import { Splitter } from './splitter.ts';
import { isMessage, type Parcel, readParcel, writeParcel } from './stream-frames.ts';

/** Where a node listens, and which of its lives does. */
export interface Peer {
  readonly life: number;
  readonly port: number;
  /** HTTP ports of those of its programs that have an edge, by program port. */
  readonly edges: Readonly<Record<string, number>>;
  /** Program ports whose edge speaks TLS. */
  readonly secure?: readonly string[] | undefined;
  /** Somebody else's: only web requests reach it, at this URL. */
  readonly outside?: string | undefined;
  /** Ports that take connections: whoever balances them has to be able to tell users apart. */
  readonly passing?: readonly string[] | undefined;
}

export type Peers = Readonly<Record<NodeId, Peer>>;

export interface TransportCounts {
  framesSent: number;
  framesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  /** Thrown away because the queue to a peer was full; the sender was told. */
  framesOverLimit: number;
  /** Connections closed because what came over them was not a frame. */
  malformed: number;
  /** Connections whose proof was wrong, in either direction. */
  strangers: number;
}

export interface TransportOptions {
  readonly self: NodeId;
  readonly life: number;
  /** Shared by all nodes of a run. */
  readonly secret: string;
  readonly random: Random;
  /** A cut is noticed after this long, as the retries of TCP would. */
  readonly connectTimeoutUs: Micros;
  /** Most bytes waiting for one peer. Default 16 MiB: a second of heavy traffic. */
  readonly queueMaxBytes?: number | undefined;
  readonly after: (delayUs: Micros, fire: () => void) => Timer;
  /** Called when there is something to flush. */
  readonly wake: () => void;
  /** False when nobody listens at `toPort`. */
  readonly deliver: (from: Address, toPort: string, message: Message) => boolean;
  readonly refused: (fromPort: string, to: Address, message: Message) => void;
  readonly disconnected: (node: NodeId) => void;
  readonly streams: StreamDoor;
}

/** What becomes of streams; each of these runs programs. */
export interface StreamDoor {
  receive(node: NodeId, life: number, parcel: Parcel): void;
  /** This one leads nowhere. */
  refused(node: NodeId, parcel: Parcel): void;
  /** The connection to a node broke, or never came about. */
  broke(node: NodeId, wasOpen: boolean): void;
  /** The connection from a life of a node broke. */
  left(node: NodeId, life: number): void;
  /** No sign of a node for too long. */
  lost(node: NodeId): void;
}

const frameMaxBytes = 64 * 1_048_576;
const greetingMaxBytes = 1_024;
const handshakeTimeoutMs = 5_000;
/** A buffer this large is handed over to the socket rather than copied out of. */
const giveAwayBytes = 65_536;
const retryMinUs = 5_000;
const retryMaxUs = 250_000;

const frameMessage = 1;
/** A message comes back: nobody listens at that port. */
const frameReturned = 2;
const frameStream = 3;

export class Transport {
  readonly counts: TransportCounts = {
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    framesOverLimit: 0,
    malformed: 0,
    strangers: 0,
  };
  readonly #options: TransportOptions;
  readonly #links = new Map<NodeId, Link>();
  readonly #dirty: Link[] = [];
  readonly #incoming = new Set<Socket>();
  readonly #lives = new Map<NodeId, number>();
  /** What streams brought while the way from a node was cut: late, but not lost, as TCP has it. */
  readonly #heldBack = new Map<NodeId, (() => void)[]>();
  #server: Server | undefined;
  #peers: Peers = {};
  #rules: NodeRules = noRules;
  #held: (() => void)[] | undefined = [];
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Listens on a free loopback port and returns it. Frames are held back until `open`. */
  listen(): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => {
        const address = server.address();
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  }

  /** The programs are up: what arrived meanwhile is delivered. */
  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) deliver();
  }

  get peers(): Peers {
    return this.#peers;
  }

  setPeers(peers: Peers): void {
    this.#peers = peers;
    for (const [node, link] of this.#links) {
      const life = peers[node]?.life;
      // A new life listens elsewhere: no reason to wait out the pause after the last failure.
      if (life !== link.life && link.phase === 'resting') link.phase = 'idle';
      // And none to wait for whoever has the old port now: it may be somebody who never says hello.
      if (life !== link.life && link.phase === 'dialling') link.socket?.destroy();
      link.life = life;
    }
  }

  setRules(rules: NodeRules): void {
    this.#rules = rules;
    for (const link of this.#links.values()) {
      if (link.heldBack.length === 0 || this.ruleTo(link.node).cut) continue;
      for (const parcel of link.heldBack.splice(0)) this.#passParcel(link, parcel);
    }
    for (const [node, held] of this.#heldBack) {
      if (this.ruleFrom(node).cut) continue;
      this.#heldBack.delete(node);
      for (const deliver of held) deliver();
    }
  }

  ruleTo(node: NodeId): LinkRule {
    return this.#rules.out[node] ?? openRoad;
  }

  ruleFrom(node: NodeId): LinkRule {
    return this.#rules.in[node] ?? openRoad;
  }

  send(fromPort: string, to: Address, message: Message): void {
    this.#post(frameMessage, fromPort, to, message);
  }

  /** Never lost: what runs into a cut waits for its end, or the stream is given up. */
  sendParcel(node: NodeId, parcel: Parcel): void {
    if (this.#closed) return;
    const link = this.#linkTo(node);
    if (this.ruleTo(node).cut) {
      link.heldBack.push(parcel);
      this.#awaitHealing(link);
    } else this.#passParcel(link, parcel);
  }

  /** Writes out what the turn left: one write a peer. */
  flush(): void {
    if (this.#dirty.length === 0) return;
    for (const link of this.#dirty) {
      link.dirty = false;
      this.#write(link);
    }
    this.#dirty.length = 0;
  }

  /** Resolves when everything was handed to the system, or the peers are not there. */
  async drain(): Promise<void> {
    this.flush();
    const written = [...this.#links.values()].map(async ({ phase, socket }) => {
      if (phase !== 'open' || !socket || socket.writableLength === 0) return;
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve);
        socket.once('close', () => resolve());
      });
    });
    await Promise.all(written);
  }

  /** Ends everything at once, as the death of the process would. */
  close(): void {
    this.#closed = true;
    this.#server?.close();
    for (const socket of this.#incoming) socket.destroy();
    for (const link of this.#links.values()) link.socket?.destroy();
    this.#links.clear();
  }

  // ---- outgoing

  #post(kind: number, fromPort: string, to: Address, message: Message): void {
    if (this.#closed) return;
    const link = this.#linkTo(to.node);
    const rule = this.ruleTo(to.node);
    if (rule !== openRoad) {
      if (rule.cut) {
        this.#noticeCut(link);
        return;
      }
      if (rule.lossRatio > 0 && this.#options.random.chance(rule.lossRatio)) return;
      if (rule.duplicateRatio > 0 && this.#options.random.chance(rule.duplicateRatio)) {
        this.#pass(link, rule, kind, fromPort, to, message);
      }
    }
    this.#pass(link, rule, kind, fromPort, to, message);
  }

  #pass(
    link: Link,
    rule: LinkRule,
    kind: number,
    fromPort: string,
    to: Address,
    message: Message,
  ): void {
    if (rule.delayUs === 0 && link.delayed.length === 0) {
      this.#enqueue(link, kind, fromPort, to, message);
      return;
    }
    // Values may be changed by their sender once `send` returned: keep what they were.
    const bytes = encode(message as unknown as Value);
    this.#delay(link, rule, () => {
      if (this.ruleTo(to.node).cut) this.#noticeCut(link);
      else this.#enqueue(link, kind, fromPort, to, decode(bytes) as unknown as Message);
    });
  }

  #passParcel(link: Link, parcel: Parcel): void {
    const rule = this.ruleTo(link.node);
    if (rule.delayUs === 0 && link.delayed.length === 0) this.#enqueueParcel(link, parcel);
    else {
      this.#delay(link, rule, () => {
        if (!this.ruleTo(link.node).cut) return this.#enqueueParcel(link, parcel);
        link.heldBack.push(parcel);
        this.#awaitHealing(link);
      });
    }
  }

  #delay(link: Link, rule: LinkRule, release: () => void): void {
    // Never before those already under way: order holds when a delay is lifted.
    link.releaseAt = Math.max(link.releaseAt, performance.now() * 1_000 + rule.delayUs);
    link.delayed.push({ releaseAt: link.releaseAt, release });
    if (link.delayed.length === 1) this.#awaitRelease(link);
  }

  /** One timer for the first in line: a timer each would let the second overtake it. */
  #awaitRelease(link: Link): void {
    const first = link.delayed[0];
    if (!first) return;
    this.#options.after(Math.ceil(first.releaseAt - performance.now() * 1_000), () => {
      if (this.#closed) return;
      const now = performance.now() * 1_000;
      let due = 0;
      while (due < link.delayed.length && link.delayed[due]!.releaseAt <= now) due++;
      for (const { release } of link.delayed.splice(0, due)) release();
      this.#awaitRelease(link);
    });
  }

  #enqueue(link: Link, kind: number, fromPort: string, to: Address, message: Message): void {
    const { refused, queueMaxBytes = 16 * 1_048_576 } = this.#options;
    const peer = this.#peers[to.node];
    if (!peer || peer.outside !== undefined || link.phase === 'resting') {
      if (kind === frameMessage) this.#later(() => refused(fromPort, to, message));
      return;
    }
    const writer = link.writer;
    const start = writer.length;
    if (start + (link.socket?.writableLength ?? 0) > queueMaxBytes) {
      this.counts.framesOverLimit++;
      if (kind === frameMessage) this.#later(() => refused(fromPort, to, message));
      return;
    }
    writer.u32(0);
    writer.u8(kind);
    writer.text(to.port);
    writer.text(fromPort);
    try {
      writer.value(message as unknown as Value);
    } catch (error) {
      writer.length = start;
      throw error;
    }
    const size = writer.length - start - 4;
    if (size > frameMaxBytes) {
      writer.length = start;
      this.counts.framesOverLimit++;
      if (kind === frameMessage) this.#later(() => refused(fromPort, to, message));
      return;
    }
    writer.patchU32(start, size);
    this.#written(link, peer);
  }

  #enqueueParcel(link: Link, parcel: Parcel): void {
    const peer = this.#peers[link.node];
    if (!peer || peer.outside !== undefined || link.phase === 'resting') {
      this.#later(() => this.#options.streams.refused(link.node, parcel));
      return;
    }
    // Not held against the limit of the queue: credit bounds it.
    const { writer } = link;
    const start = writer.length;
    writer.u32(0);
    writer.u8(frameStream);
    writeParcel(writer, parcel);
    writer.patchU32(start, writer.length - start - 4);
    this.#written(link, peer);
  }

  #written(link: Link, peer: Peer): void {
    link.frames++;
    if (link.phase === 'idle') this.#dial(link, peer);
    else if (link.phase === 'open') this.#soil(link);
  }

  #soil(link: Link): void {
    if (link.dirty) return;
    link.dirty = true;
    this.#dirty.push(link);
    this.#options.wake();
  }

  #write(link: Link): void {
    if (link.phase !== 'open' || link.writer.length === 0) return;
    const { writer } = link;
    this.counts.framesSent += link.frames;
    this.counts.bytesSent += writer.length;
    link.frames = 0;
    // A large buffer is given away, a small one copied out and kept.
    if (writer.length > giveAwayBytes) {
      link.socket?.write(writer.bytes.subarray(0, writer.length));
      link.writer = new ValueWriter();
    } else {
      const bytes = Buffer.allocUnsafe(writer.length);
      bytes.set(writer.bytes.subarray(0, writer.length));
      writer.length = 0;
      link.socket?.write(bytes);
    }
  }

  #linkTo(node: NodeId): Link {
    let link = this.#links.get(node);
    if (!link) {
      link = new Link(node);
      link.life = this.#peers[node]?.life;
      this.#links.set(node, link);
    }
    return link;
  }

  #dial(link: Link, peer: Peer): void {
    const { self, life, secret } = this.#options;
    const socket = connect({ host: '127.0.0.1', port: peer.port, noDelay: true });
    const nonce = randomBytes(16).toString('hex');
    link.socket = socket;
    link.phase = 'dialling';
    const timeout = setTimeout(() => socket.destroy(), handshakeTimeoutMs);
    let theirs = '';
    const splitter = new Splitter(greetingMaxBytes, (reader) => {
      const greeting = greetingOf(reader.value());
      if (theirs === '') {
        theirs = String(greeting.nonce);
        const proof = prove(secret, 'dialler', theirs, nonce, self, life, link.node);
        socket.write(greetingFrame({ node: self, life, nonce, proof }));
        return;
      }
      const expected = prove(secret, 'listener', nonce, theirs, link.node, peer.life, self);
      if (!sameProof(greeting.proof, expected)) {
        this.counts.strangers++;
        socket.destroy();
        return;
      }
      clearTimeout(timeout);
      link.phase = 'open';
      link.failures = 0;
      this.#soil(link);
    });
    socket.on('data', (chunk) => this.#take(socket, splitter, chunk));
    // What went wrong is told by 'close', which follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timeout);
      if (link.socket === socket) this.#lost(link);
    });
  }

  #lost(link: Link): void {
    const wasOpen = link.phase === 'open';
    link.socket = undefined;
    // What is still in the buffer was never handed to the connection.
    const unsent = link.writer;
    link.writer = new ValueWriter();
    link.frames = 0;
    if (this.#closed) return;
    if (wasOpen) link.phase = 'idle';
    else this.#rest(link);
    const silent = this.ruleTo(link.node).cut;
    if (!silent) this.#giveBack(link.node, unsent);
    if (silent) {
      this.#noticeCut(link);
      this.#awaitHealing(link, true);
      return;
    }
    if (wasOpen) this.#options.disconnected(link.node);
    this.#options.streams.broke(link.node, wasOpen);
  }

  /** Waits before dialling again, longer each time, each node at its own pace. */
  #rest(link: Link): void {
    link.phase = 'resting';
    const ceiling = Math.min(retryMaxUs, retryMinUs * 2 ** Math.min(link.failures++, 10));
    const attempt = link.failures;
    this.#options.after(ceiling / 2 + this.#options.random.next() * (ceiling / 2), () => {
      if (link.phase === 'resting' && link.failures === attempt) link.phase = 'idle';
    });
  }

  #giveBack(node: NodeId, unsent: ValueWriter): void {
    const reader = new ValueReader(unsent.bytes, 0, unsent.length);
    while (!reader.atEnd) {
      const size = reader.u32();
      const next = reader.at + size;
      const kind = reader.u8();
      if (kind === frameStream) {
        reader.at = next;
        continue;
      }
      const port = String(reader.value());
      const fromPort = String(reader.value());
      const message = reader.value() as unknown as Message;
      if (kind === frameMessage) this.#options.refused(fromPort, { node, port }, message);
    }
  }

  #noticeCut(link: Link): void {
    if (link.cutNoticed) return;
    link.cutNoticed = true;
    this.#options.after(this.#options.connectTimeoutUs, () => {
      link.cutNoticed = false;
      if (!this.#closed) this.#options.disconnected(link.node);
    });
  }

  /** Streams outlive a short cut. `isBroken`: what was under way is gone, however short it is. */
  #awaitHealing(link: Link, isBroken = false): void {
    if (link.healing && !isBroken) return;
    link.healing = true;
    this.#options.after(this.#options.connectTimeoutUs, () => {
      link.healing = false;
      if (this.#closed || (link.heldBack.length === 0 && !isBroken)) return;
      link.heldBack.length = 0;
      this.#options.streams.lost(link.node);
    });
  }

  #later(fire: () => void): void {
    this.#options.after(0, fire);
  }

  // ---- incoming

  #accept(socket: Socket): void {
    const { self, life, secret } = this.#options;
    this.#incoming.add(socket);
    const nonce = randomBytes(16).toString('hex');
    const timeout = setTimeout(() => socket.destroy(), handshakeTimeoutMs);
    let from: NodeId | undefined;
    let fromLife = 0;
    const splitter = new Splitter(greetingMaxBytes, (reader) => {
      if (from !== undefined) {
        if (fromLife >= (this.#lives.get(from) ?? 0)) this.#receive(from, fromLife, reader);
        return;
      }
      const greeting = greetingOf(reader.value());
      const theirs = String(greeting.nonce);
      const node = String(greeting.node);
      const theirLife = Number(greeting.life);
      const expected = prove(secret, 'dialler', nonce, theirs, node, theirLife, self);
      if (!sameProof(greeting.proof, expected)) {
        this.counts.strangers++;
        socket.destroy();
        return;
      }
      clearTimeout(timeout);
      from = node;
      fromLife = theirLife;
      splitter.maxBytes = frameMaxBytes;
      // A new life of a node ends what its former one may still have under way.
      if (theirLife > (this.#lives.get(node) ?? 0)) this.#lives.set(node, theirLife);
      const proof = prove(secret, 'listener', theirs, nonce, self, life, node);
      socket.write(greetingFrame({ proof }));
    });
    socket.on('data', (chunk) => this.#take(socket, splitter, chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timeout);
      this.#incoming.delete(socket);
      if (from === undefined || this.#closed) return;
      if (!this.ruleFrom(from).cut) this.#options.streams.left(from, fromLife);
    });
    socket.write(greetingFrame({ nonce }));
  }

  #take(socket: Socket, splitter: Splitter, chunk: Uint8Array): void {
    if (this.#closed || socket.destroyed) return;
    this.counts.bytesReceived += chunk.length;
    if (splitter.push(chunk)) return;
    this.counts.malformed++;
    socket.destroy();
  }

  #receive(node: NodeId, life: number, reader: ValueReader): void {
    const kind = reader.u8();
    if (kind === frameStream) return this.#receiveParcel(node, life, readParcel(reader));
    const toPort = reader.value();
    const port = reader.value();
    const message = reader.value();
    if (
      (kind !== frameMessage && kind !== frameReturned) ||
      typeof toPort !== 'string' ||
      typeof port !== 'string' ||
      !isMessage(message)
    ) {
      throw new LoadpathError('data-corrupt', 'not a frame');
    }
    this.counts.framesReceived++;
    if (this.ruleFrom(node).cut) return;
    if (this.#held) this.#held.push(() => this.#hand(kind, node, port, toPort, message));
    else this.#hand(kind, node, port, toPort, message);
  }

  #receiveParcel(node: NodeId, life: number, parcel: Parcel): void {
    this.counts.framesReceived++;
    const deliver = (): void => {
      if (!this.#closed) this.#options.streams.receive(node, life, parcel);
    };
    const held = this.#heldBack.get(node);
    if (held) held.push(deliver);
    else if (this.ruleFrom(node).cut) this.#heldBack.set(node, [deliver]);
    else if (this.#held) this.#held.push(deliver);
    else deliver();
  }

  #hand(kind: number, node: NodeId, port: string, toPort: string, message: Message): void {
    if (this.#closed) return;
    if (kind === frameReturned) this.#options.refused(toPort, { node, port }, message);
    else if (!this.#options.deliver({ node, port }, toPort, message)) {
      this.#post(frameReturned, toPort, { node, port }, message);
    }
  }
}

interface Delayed {
  readonly releaseAt: number;
  readonly release: () => void;
}

/** One peer, seen from its sender. */
class Link {
  readonly node: NodeId;
  phase: 'idle' | 'dialling' | 'open' | 'resting' = 'idle';
  life: number | undefined = undefined;
  socket: Socket | undefined = undefined;
  writer = new ValueWriter();
  frames = 0;
  dirty = false;
  failures = 0;
  readonly delayed: Delayed[] = [];
  releaseAt = 0;
  cutNoticed = false;
  /** Of streams, while the way is cut. */
  readonly heldBack: Parcel[] = [];
  healing = false;

  constructor(node: NodeId) {
    this.node = node;
  }
}

interface Greeting {
  readonly node?: Value;
  readonly life?: Value;
  readonly nonce?: Value;
  readonly proof?: Value;
}

function greetingOf(value: Value): Greeting {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LoadpathError('data-corrupt', 'not a greeting');
  }
  return value as Greeting;
}

function greetingFrame(greeting: Readonly<Record<string, Value>>): Uint8Array {
  const writer = new ValueWriter(256);
  writer.u32(0);
  writer.value(greeting);
  writer.patchU32(0, writer.length - 4);
  return writer.copy();
}

function prove(
  secret: string,
  role: string,
  challenge: string,
  nonce: string,
  node: NodeId,
  life: number,
  peer: NodeId,
): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([role, challenge, nonce, node, life, peer]))
    .digest('hex');
}

function sameProof(given: Value | undefined, expected: string): boolean {
  if (typeof given !== 'string' || given.length !== expected.length) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}
