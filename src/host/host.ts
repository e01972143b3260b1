/**
 * The gate: everything a node may know of the outside. The simulator and the live world
 * each implement it, and nothing else differs between them. `host.contract.ts` holds both
 * to one behaviour.
 *
 * A node runs several programs, each on its own port with its own `Host`. Programs are
 * synchronous: a handler runs to completion, so what it checked on its first line still
 * holds on its last. Only user code is asynchronous, and it lives above this line.
 */
import type { Random } from '../kit/random.ts';
import type { Causes } from './causes.ts';
import type { Crypto } from './crypto.ts';
import type { HistoryEntry } from './history.ts';
import type { Stream, StreamEvents } from './stream.ts';

/** Microseconds. Whole numbers. */
export type Micros = number;

/** `block/index`: `links/2`. */
export type NodeId = string;

/** A program's door on a node: `{ node: 'links/2', port: 'kv' }`. */
export interface Address {
  readonly node: NodeId;
  readonly port: string;
}

/** What a message may carry: JSON types, bytes and bigint. Codecs quietly damage the rest. */
export type Value =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value | undefined };

/** Each block declares a union of these. Values only: they are frozen or pass a codec. */
export interface Message {
  readonly type: string;
}

export interface Handlers<M extends Message = Message> {
  message(from: Address, message: M): void;
  /** Nobody listens at `to`: `message` was certainly not delivered. A hint: it may also never come. */
  refused?(to: Address, message: Message): void;
  /** The process of `node` ended or its connection broke: whatever it had not answered is in doubt. */
  disconnected?(node: NodeId): void;
  /**
   * Somebody connects to this port, with `opening`. What comes goes to the answer; without one the
   * stream is refused. A port without this refuses all.
   */
  stream?(from: Address, opening: M, stream: Stream): StreamEvents | undefined;
  /** A graceful stop: take no new work, call `done` when the rest is finished. */
  drain?(done: () => void): void;
}

/**
 * Called at each boot of a node with the same disk; returns the handlers of one port. A crash
 * drops the closure and with it everything volatile. `Code` is what no plan can carry (user
 * functions, the halves of other blocks that this node opened); most programs ignore it.
 */
export type Program<M extends Message, Config, Code = unknown> = (
  host: Host,
  config: Config,
  code: Code,
) => Handlers<M>;

export interface Host {
  readonly self: NodeId;
  /** This program's own address. */
  readonly address: Address;
  readonly zone: string;
  /** Boot number, from 1. Correlation ids start from it, so a reply to an earlier life is never ours. */
  readonly life: number;
  /** Monotonic on this node: may run fast or slow, never backward, means nothing after a reboot. */
  now(): Micros;
  /** Wall clock, since 1970: may be off, may jump. Leases that outlive a crash and versions read this one. */
  wall(): Micros;
  /** Calls `fire` once, no sooner than `delayUs` from now (live: about a millisecond coarse). A crash cancels every timer. */
  after(delayUs: Micros, fire: () => void): Timer;
  /** At most once; in order between two nodes; may be lost or late, and never says which (but see `Handlers`). */
  send<M extends Message>(to: Address, message: M): void;
  /** Begins a stream to a port, which sees `opening` first. It need not wait: see `Stream`. */
  connect<M extends Message>(to: Address, events: StreamEvents, opening: M): Stream;
  /** This program's own stream of chance; fork it by purpose. */
  readonly random: Random;
  readonly disk: Disk;
  readonly cpu: Cpu;
  readonly crypto: Crypto;
  readonly meter: Meter;
  /** Appends to the run's history. Record `invoke` before the message that it causes is sent. */
  record(entry: HistoryEntry): void;
  /** False when nobody judges the history of `block`: what only a record needs can then be left out. */
  isRecorded(block: string): boolean;
  /** While requests are traced: what only this program knows of causes. Nothing may depend on it. */
  readonly causes?: Causes | undefined;
}

export interface Timer {
  /** Does nothing after it fired. */
  cancel(): void;
}

/**
 * Files of one node, private to it. A name is a path of `[a-z0-9._-]` parts, such as `kv/log-0001`.
 * What was appended is visible at once and durable only after `sync`: a crash may lose any
 * suffix of what was not synced, and may tear the last write.
 */
export interface Disk {
  /** Names present, sorted. */
  list(prefix?: string): readonly string[];
  /** The whole content, or undefined. Cheap only at boot. */
  read(name: string): Uint8Array | undefined;
  /** False when the disk is full: then nothing was written. Creates the file. The bytes are not kept by reference. */
  append(name: string, bytes: Uint8Array): boolean;
  /** Everything appended to `name` before this call is durable when `done('ok')` comes. A crash drops the callback. */
  sync(name: string, done: (outcome: DiskOutcome) => void): void;
  /** Replaces `name` at once and durably: after a crash it holds the old or the new content, whole. */
  replace(name: string, bytes: Uint8Array, done: (outcome: DiskOutcome) => void): void;
  remove(name: string): void;
  /** Cuts a file to its first `length` bytes: what recovery does with a torn tail. */
  truncate(name: string, length: number): void;
  /** Bytes that may still be written, as far as it is known: 0 on a full disk, infinite where nothing says. */
  freeBytes(): number;
}

export type DiskOutcome = 'ok' | 'full' | 'failed';

export interface Cpu {
  /**
   * Work that this code does itself: the simulator charges `costUs` of one core, queueing when all
   * are busy, then calls `done`; live the real work is the cost, and `done` comes without delay.
   */
  charge(costUs: Micros, done: () => void): void;
  /** Modelled work: occupies a core for `costUs` in both worlds (live it spins). */
  spend(costUs: Micros, done: () => void): void;
  /** Modelled waiting: `costUs` pass without a core, longer on a slowed node. */
  hold(costUs: Micros, done: () => void): void;
  /** Core time that this node has worked so far, all its cores together. Live: processor time of the process. */
  busyUs(): Micros;
}

/**
 * Meters of one program. Names that every server program uses, because the report's table reads
 * them: counters `requests` and `errors`, histogram `latency` (µs), gauge `queue`; and, where work
 * waits for something other than a core, counter `occupied`: microseconds for which all of it was taken.
 */
export interface Meter {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  /** Values of any unit; microseconds unless the name ends in one. */
  histogram(name: string): Recorder;
  /** An event worth a mark on the timeline: an election, a breaker's trip, a recovered log. */
  note(text: string): void;
  /** A note that whoever runs the system must see: data is damaged or lost, and somebody has to act. */
  alarm(text: string): void;
}

export interface Counter {
  add(by?: number): void;
}
export interface Gauge {
  set(value: number): void;
}
export interface Recorder {
  record(value: number): void;
}
