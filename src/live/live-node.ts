/**
 * One node of the live world: its doors to the machine, and the programs booted on them. It knows
 * nothing of supervisors and processes; a test, a child process and `--single` all hold one.
 *
 *   listen() ──▶ start(peers) ──▶ … messages, timers, faults … ──▶ drain()  or  kill()
 */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Boot, NodeRuntime } from '../host/boot.ts';
import { connectionPort, isConnection, servedPort } from '../host/connection.ts';
import { control } from '../host/control.ts';
import type { RunEvent } from '../host/events.ts';
import type { HistoryEntry } from '../host/history.ts';
import type { Address, Host, Message, Meter, Micros, Value } from '../host/host.ts';
import type { NameAnswer } from '../host/naming.ts';
import type { EdgeLimits, EdgePlan, NetworkPlan, NodePlan, ProgramPlan } from '../host/plan.ts';
import type { Stream, StreamEvents } from '../host/stream.ts';
import {
  type WebCancel,
  type WebLost,
  type WebReply,
  type WebRequest,
  webPort,
} from '../host/web.ts';
import { assert } from '../kit/assert.ts';
import { LoadpathError } from '../kit/errors.ts';
import { Meters, type MetersSnapshot, type MetersWindow } from '../kit/meters.ts';
import { type Random, seeded } from '../kit/random.ts';
import { decode, encode } from '../parts/codec.ts';
import { Intake } from '../parts/stream.ts';
import { machineNow, processNow, WallClock } from './clocks.ts';
import type { ConnectionDoor } from './connections.ts';
import { LiveCpu } from './cpu.ts';
import { LiveCrypto } from './crypto.ts';
import { type DiskFault, FileDisk, type LiveDisk } from './disk.ts';
import { type Doors, doorsFor } from './doors.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { fileNameOf, makeFolder } from './files.ts';
import { HistoryWriter } from './history-file.ts';
import { type Lock, lockDirectory } from './lock.ts';
import type { NamesDoor } from './names.ts';
import type { NodeRules } from './rules.ts';
import { Streams } from './streams.ts';
import { readTls } from './tls.ts';
import { type Peer, type Peers, Transport, type TransportCounts } from './transport.ts';
import { Turn } from './turn.ts';
import { UnsyncedDisk } from './unsynced-disk.ts';
import type { WebClient } from './web-client.ts';
import { Wheel } from './wheel.ts';

/** `files`: what the system writes survives a kill. `sync-only`: only what was synced does. */
export type Durability = 'files' | 'sync-only';

export interface LiveNodeOptions {
  readonly node: NodePlan;
  readonly life: number;
  readonly network: NetworkPlan;
  readonly secret: string;
  readonly seed: number;
  readonly dataDir: string;
  readonly historyDir: string;
  /** The run's zero on the machine's clock. */
  readonly originUs: Micros;
  readonly durability: Durability;
  /** Blocks whose history is recorded; undefined: of all. */
  readonly judged: readonly string[] | undefined;
  /** Where programs with an edge listen, by program port; the plan's own port when absent. */
  readonly edgePorts: Readonly<Record<string, number>>;
  /** Balancers may pass connections to its port `web`. Default true. */
  readonly takesPassed?: boolean | undefined;
  readonly boot: Boot;
  readonly onEvent: (event: RunEvent) => void;
  /** A program spoke to `{ node: 'control' }`. */
  readonly onControl: (from: Address, message: Message) => void;
  /** A program threw. The node is dead when this is called. */
  readonly onCrash: (error: unknown) => void;
  /** Runs each turn, where other nodes share the process. Default: as it is. */
  readonly within?: ((run: () => void) => void) | undefined;
}

/** What the supervisor can do to a node short of ending it. */
export interface Condition {
  readonly slowFactor: number;
  readonly wallOffsetUs: Micros;
  readonly driftPpm: number;
  readonly disk: DiskFault;
}

export const healthy: Condition = { slowFactor: 1, wallOffsetUs: 0, driftPpm: 0, disk: 'none' };

/** What a node says of itself, once a second. */
export interface Reading {
  /** Undefined: as it said last. */
  readonly meters: MetersSnapshot | undefined;
  readonly window: MetersWindow;
  readonly transport: TransportCounts;
  readonly historyEvents: number;
  /** Processor time of the whole process since it started. With `--single` that is everybody's. */
  readonly processBusyUs: Micros;
}

/** A killed process is gone within milliseconds; a second run would never let go. */
const lockPatienceMs = 3_000;
const lockRetryMs = 50;
const externalPrefix = 'external:';
/** A door for questions about names on its node: answers to it leave over UDP and TCP. */
const namesPrefix = 'names:';

export class LiveNode {
  readonly #options: LiveNodeOptions;
  readonly #turn: Turn;
  readonly #wheel: Wheel;
  readonly #cpu: LiveCpu;
  readonly #crypto: LiveCrypto;
  readonly #disk: LiveDisk;
  readonly #wall = new WallClock();
  readonly #transport: Transport;
  readonly #streams: Streams;
  readonly #history: HistoryWriter;
  readonly #meters: Meters;
  readonly #kit: Doors;
  /** Loaded with the first message for it. */
  #web: WebClient | 'loading' | undefined;
  readonly #random: Random;
  readonly #edges = new Map<string, Edge>();
  readonly #names = new Map<string, NamesDoor>();
  readonly #doors = new Map<string, ConnectionDoor>();
  readonly #lock: Lock;
  readonly #tlsDirectory: string;
  #webOut: { readonly from: string; readonly to: Address; readonly message: Message }[] = [];
  #ports: NodeRuntime['ports'] = new Map();
  /** What came from outside before the programs were booted: the doors open first, so that a port taken is known. */
  #early: (() => void)[] | undefined = [];
  #ended = false;
  /** What it counted, since it began or forgot. */
  #hasTold = false;

  /**
   * Opens the node's directory. Rejects with a `LoadpathError` when it is unusable, or locked for
   * longer than a process takes to die: the node's former life may still be at it.
   */
  static async open(options: LiveNodeOptions): Promise<LiveNode> {
    const directory = join(options.dataDir, 'nodes', fileNameOf(options.node.id));
    makeFolder(directory);
    const doors = await doorsFor(options.node, options.takesPassed ?? true);
    for (let waitedMs = 0; ; waitedMs += lockRetryMs) {
      try {
        return new LiveNode(options, directory, lockDirectory(directory), doors);
      } catch (error) {
        const locked = error instanceof LoadpathError && error.code === 'data-locked';
        if (!locked || waitedMs >= lockPatienceMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, lockRetryMs));
    }
  }

  private constructor(options: LiveNodeOptions, directory: string, lock: Lock, doors: Doors) {
    const { node, life, secret, seed, originUs } = options;
    this.#options = options;
    this.#kit = doors;
    this.#random = seeded(seed).fork(node.id).fork(`life ${life}`);
    this.#turn = new Turn((error) => this.#crash(error), options.within);
    const enter = (fire: () => void) => this.#turn.enter(call, fire, undefined);
    this.#wheel = new Wheel(processNow, enter, (run) => this.#turn.later(run));
    this.#cpu = new LiveCpu(this.#turn, this.#wheel);
    this.#crypto = new LiveCrypto(enter, (fire) => this.#turn.later(fire));
    const files = new FileDisk({ directory: join(directory, 'files'), enter });
    this.#tlsDirectory = join(directory, 'tls');
    this.#lock = lock;
    this.#disk = options.durability === 'sync-only' ? new UnsyncedDisk(files, enter) : files;
    this.#history = new HistoryWriter(options.historyDir, node.id, life);
    this.#meters = new Meters(machineNow() - originUs);
    this.#streams = new Streams({
      self: node.id,
      life,
      later: (run) => this.#turn.later(run),
      send: (to, parcel) => this.#transport.sendParcel(to, parcel),
      take: (from, port, opening, stream) => {
        const served = servedPort(port);
        if (served === undefined) return this.#ports.get(port)?.stream?.(from, opening, stream);
        if (isConnection(opening)) return this.#edgeOf(served)?.accept(opening, stream);
        return isReply(opening) ? this.#edges.get(served)?.flow(opening, stream) : undefined;
      },
    });
    this.#transport = new Transport({
      self: node.id,
      life,
      secret,
      random: this.#random.fork('transport'),
      connectTimeoutUs: options.network.connectTimeoutUs,
      after: (delayUs, fire) => this.#wheel.after(delayUs, fire),
      wake: () => this.#turn.wake(),
      deliver: (from, toPort, message) => this.#deliver(from, toPort, message),
      refused: (fromPort, to, message) => this.#refused(fromPort, to, message),
      disconnected: (peer) => this.#disconnected(peer),
      streams: {
        receive: (peer, peerLife, parcel) =>
          this.#enter(() => this.#streams.receive(peer, peerLife, parcel)),
        refused: (peer, parcel) => this.#enter(() => this.#streams.fail(peer, parcel, 'refused')),
        broke: (peer, wasOpen) => this.#enter(() => this.#streams.broke(peer, wasOpen)),
        left: (peer, peerLife) => this.#enter(() => this.#streams.left(peer, peerLife)),
        lost: (peer) => this.#enter(() => this.#streams.lost(peer)),
      },
    });
    this.#turn.atEnd(() => this.#history.flush());
    this.#turn.atEnd(() => this.#sendWeb());
    this.#turn.atEnd(() => this.#transport.flush());
  }

  /** Binds the node's sockets. What arrives before `start` waits. */
  async listen(): Promise<Peer> {
    const { node, life, edgePorts } = this.#options;
    // Their first visit is to cost what the others do.
    if (node.kind === 'users') await this.#loadWeb();
    const port = await this.#transport.listen();
    const edges: Record<string, number> = {};
    for (const program of node.programs) {
      if (!program.edge) continue;
      const listen = edgePorts[program.port] ?? program.edge.listen;
      const door = program.edge.passes ? this.#door(program, listen) : undefined;
      edges[program.port] = await (door ?? this.#edge(program, listen)).listen();
    }
    for (const { port: at, names } of node.programs) {
      if (names) await this.#openNames(at, names.listen);
    }
    const secure = node.programs.filter(({ edge }) => isSecure(edge)).map((one) => one.port);
    const passing = node.programs
      .filter(({ edge }) => edge?.passes ?? edge?.shares)
      .map((one) => one.port);
    return { life, port, edges, secure, passing };
  }

  /** One that somebody accepted in the place of a door of this node. */
  takeConnection(port: string, socket: Socket): void {
    const door = this.#doors.get(port) ?? this.#edges.get(port);
    if (!door || this.#ended) socket.resetAndDestroy();
    else door.take(socket);
  }

  /** Connections go to the program as they are. */
  #door({ port, edge }: ProgramPlan, listen: number): ConnectionDoor {
    const from: Address = { node: this.#options.node.id, port: connectionPort(port) };
    const door = new this.#kit.connections!.ConnectionDoor({
      port: listen,
      lines: edge?.shares,
      connect: (connection, events) => this.#streams.connectHere(from, port, events, connection),
    });
    this.#doors.set(port, door);
    return door;
  }

  #edge(plan: Pick<ProgramPlan, 'port' | 'edge' | 'tls'>, listen: number): Edge {
    const { port, tls = plan.edge?.tls } = plan;
    const { node, life } = this.#options;
    const from: Address = { node: node.id, port: connectionPort(port) };
    const edge = new this.#kit.edge!.Edge({
      port: listen,
      lines: plan.edge?.shares,
      tls: tls && readTls(tls, this.#tlsDirectory),
      ...limitsOf(plan.edge?.limits),
      tunnels: plan.edge?.tunnels,
      life,
      connect: (request, events) => this.#streams.connectHere(from, port, events, request),
      deliver: (message: WebRequest | WebCancel) => {
        if (this.#early) {
          this.#early.push(() => this.#ask(edge, from, port, message));
        } else {
          this.#ask(edge, from, port, message);
        }
      },
    });
    this.#edges.set(port, edge);
    return edge;
  }

  #ask(edge: Edge, from: Address, port: string, message: WebRequest | WebCancel): void {
    if (!this.#deliver(from, port, message) && message.type === 'request') {
      edge.reply(unserved(message.id));
    }
  }

  /** Who has no door to the outside serves what a balancer passes to it all the same. */
  #edgeOf(port: string): Edge | undefined {
    const known = this.#edges.get(port);
    if (known || port !== webPort || !this.#ports.has(port)) return known;
    const program = this.#options.node.programs.find((one) => one.port === port);
    const edge = this.#edge({ port, tls: program?.tls }, 0);
    edge.open();
    return edge;
  }

  async #openNames(port: string, listen: number): Promise<void> {
    const { node, life } = this.#options;
    const from: Address = { node: node.id, port: `${namesPrefix}${port}` };
    const door = new this.#kit.names!.NamesDoor({
      port: listen,
      life,
      deliver: (query) => void this.#deliver(from, port, query),
      placeOf: (id) => ({
        address: '127.0.0.1',
        port: this.#transport.peers[id]?.edges[webPort],
      }),
    });
    await door.listen();
    this.#names.set(port, door);
  }

  /** Boots the programs. A program that throws here crashes the node. */
  start(peers: Peers, rules: NodeRules): void {
    const { boot, node, life } = this.#options;
    this.#transport.setPeers(peers);
    this.#transport.setRules(rules);
    this.#turn.enter(
      () => {
        this.#ports = boot(node, life, (port) => this.#hostOf(port)).ports;
        this.#transport.open();
      },
      undefined,
      undefined,
    );
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const ask of early) ask();
  }

  setPeers(peers: Peers): void {
    this.#transport.setPeers(peers);
  }

  setRules(rules: NodeRules): void {
    this.#transport.setRules(rules);
  }

  setCondition(condition: Condition): void {
    this.#cpu.slowFactor = condition.slowFactor;
    this.#disk.slowFactor = condition.slowFactor;
    this.#disk.fault = condition.disk;
    this.#wall.skew(condition.wallOffsetUs, condition.driftPpm);
  }

  rot(bits: number): void {
    this.#disk.rot(bits, this.#random.fork('rot'));
  }

  /** A message from the control plane, to one program or to all. */
  tell(message: Message, port?: string): void {
    for (const name of port === undefined ? this.#ports.keys() : [port]) {
      this.#deliver(control, name, message);
    }
  }

  reading(): Reading {
    const { user, system } = process.cpuUsage();
    const window = this.#meters.window(machineNow() - this.#options.originUs);
    // Where nothing happened there is nothing to tell: most of a system's nodes, most of the time.
    const isNew = !this.#hasTold || window.readings.length > 0;
    this.#hasTold = true;
    return {
      processBusyUs: user + system,
      window,
      meters: isNew ? this.#meters.snapshot() : undefined,
      transport: { ...this.#transport.counts },
      historyEvents: this.#history.eventCount,
    };
  }

  clearMeters(): void {
    this.#hasTold = false;
    this.#meters.clear(machineNow() - this.#options.originUs);
  }

  /** Lets every program finish what it has, then ends. Who waits for it decides how long. */
  async drain(graceUs: Micros): Promise<void> {
    if (this.#ended) return;
    const waits: Promise<void>[] = [];
    for (const handlers of this.#ports.values()) {
      const { drain } = handlers;
      if (!drain) continue;
      waits.push(
        new Promise((resolve) => {
          this.#turn.enter(() => drain.call(handlers, resolve), undefined, undefined);
        }),
      );
    }
    for (const edge of this.#edges.values()) waits.push(edge.close(graceUs));
    for (const door of this.#doors.values()) waits.push(door.close(graceUs));
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceUs / 1_000);
    });
    await Promise.race([Promise.all(waits), deadline]);
    clearTimeout(timer);
    if (this.#ended) return;
    this.#history.flush();
    await this.#transport.drain();
    this.kill();
  }

  /** Ends at once, as the death of its process would: nothing of this life happens any more. */
  kill(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#turn.close();
    this.#wheel.close();
    this.#streams.close();
    this.#transport.close();
    if (typeof this.#web === 'object') this.#web.close();
    for (const edge of this.#edges.values()) edge.destroy();
    for (const door of this.#names.values()) door.close();
    for (const door of this.#doors.values()) door.destroy();
    this.#history.close();
    this.#disk.close();
    this.#lock.release();
  }

  // ---- the gate

  #hostOf(port: string): Host {
    const { node, life, originUs, judged } = this.#options;
    const isRecorded = (block: string): boolean => judged === undefined || judged.includes(block);
    const program = node.programs.find((candidate) => candidate.port === port);
    const address: Address = { node: node.id, port };
    return {
      self: node.id,
      address,
      zone: node.zone,
      life,
      now: processNow,
      wall: () => this.#wall.now(),
      after: (delayUs, fire) => this.#wheel.after(delayUs, fire),
      send: (to, message) => this.#send(address, to, message),
      connect: (to, events, opening) => this.#connect(address, to, events, opening),
      random: this.#random.fork(port),
      disk: this.#disk,
      cpu: this.#cpu,
      crypto: this.#crypto,
      meter: this.#meterOf(program?.block ?? node.block),
      isRecorded,
      record: (entry: HistoryEntry) => {
        if (!isRecorded(entry.block)) return;
        this.#history.add(entry, machineNow() - originUs);
        this.#turn.wake();
      },
    };
  }

  #meterOf(block: string): Meter {
    const { node, originUs, onEvent } = this.#options;
    return this.#meters.meter(node.id, block, (text, isAlarm) => {
      const note = { type: 'note', at: machineNow() - originUs, node: node.id, text } as const;
      onEvent(isAlarm ? { ...note, isAlarm } : note);
    });
  }

  #send(from: Address, to: Address, message: Message): void {
    if (this.#ended) return;
    if (to.node === from.node) this.#sendHere(from, to, message);
    else if (this.#isWeb(to, message)) this.#postWeb(from.port, to, message);
    else if (to.node === control.node) this.#options.onControl(from, message);
    else this.#transport.send(from.port, to, message);
  }

  #connect(from: Address, to: Address, events: StreamEvents, opening: Message): Stream {
    if (to.node !== from.node) {
      if (!this.#isWeb(to, opening)) return this.#streams.connect(from, to, events, opening);
      // The client that speaks to the outside takes it, in the place of whoever listens there.
      return this.#streams.connectHere(
        from,
        to.port,
        events,
        opening,
        (_from, _port, _it, stream) => {
          const intake = new Intake(stream);
          this.#postWeb(from.port, to, { ...opening, inlet: intake } as Message);
          return intake.events;
        },
      );
    }
    const copy = decode(encode(opening as unknown as Value)) as unknown as Message;
    return this.#streams.connectHere(from, to.port, events, copy);
  }

  #enter(run: () => void): void {
    this.#turn.enter(call, run, undefined);
  }

  /** Between programs of one node: no network, but a copy all the same, so that nothing is shared. */
  #sendHere(from: Address, to: Address, message: Message): void {
    const served = servedPort(to.port);
    if (served !== undefined) {
      if (isReply(message)) this.#edges.get(served)?.reply(message);
      return;
    }
    if (to.port.startsWith(namesPrefix)) {
      const door = this.#names.get(to.port.slice(namesPrefix.length));
      if (message.type === 'answer') door?.answer(message as NameAnswer);
      return;
    }
    const copy = decode(encode(message as unknown as Value)) as unknown as Message;
    this.#turn.later(() => {
      if (!this.#deliver(from, to.port, copy)) this.#refused(from.port, to, copy);
    });
  }

  #isWeb(to: Address, message: Message): boolean {
    if (message.type !== 'request' && message.type !== 'cancel') return false;
    const peer = this.#transport.peers[to.node];
    if (peer?.outside !== undefined) return to.port === webPort;
    return to.node.startsWith(externalPrefix) || peer?.edges[to.port] !== undefined;
  }

  #postWeb(from: string, to: Address, message: Message): void {
    this.#webOut.push({ from, to, message });
    this.#turn.wake();
  }

  #sendWeb(): void {
    if (this.#webOut.length === 0 || this.#web === 'loading') return;
    if (this.#web === undefined) {
      void this.#loadWeb().then(() => this.#sendWeb());
      return;
    }
    const web = this.#web;
    const out = this.#webOut;
    this.#webOut = [];
    for (const { from, to, message } of out) this.#dispatchWeb(web, from, to, message);
  }

  async #loadWeb(): Promise<void> {
    this.#web = 'loading';
    const { WebClient } = await import('./web-client.ts');
    this.#web = new WebClient((delayUs, fire) => this.#wheel.after(delayUs, fire));
    if (this.#ended) this.#web.close();
  }

  #dispatchWeb(web: WebClient, from: string, to: Address, message: Message): void {
    if (isCancel(message)) {
      web.cancel(from, message.id);
      return;
    }
    assert(isRequest(message), 'a web message is a request or a cancel');
    const answer = (reply: WebReply | WebLost) => this.#deliver(to, from, reply);
    const rule = this.#transport.ruleTo(to.node);
    if (rule.cut || this.#transport.ruleFrom(to.node).cut) {
      this.#wheel.after(this.#options.network.connectTimeoutUs, () => {
        message.inlet?.stream.reset();
        answer({ type: 'lost', id: message.id });
      });
      return;
    }
    const peer = this.#transport.peers[to.node];
    const edgePort = peer?.edges[to.port];
    const base =
      edgePort === undefined
        ? peer?.outside
        : `${peer?.secure?.includes(to.port) ? 'https' : 'http'}://127.0.0.1:${edgePort}`;
    const apart = peer?.passing?.includes(to.port) ?? false;
    const dispatch = () =>
      web.send(
        from,
        base,
        message,
        {
          reply: answer,
          refused: () => {
            message.inlet?.stream.reset();
            this.#refused(from, to, message);
          },
          flow: (reply, events) => this.#streams.connectHere(to, from, events, reply),
        },
        apart,
      );
    if (rule.delayUs > 0) this.#wheel.after(rule.delayUs, dispatch);
    else dispatch();
  }

  #deliver(from: Address, port: string, message: Message): boolean {
    const handlers = this.#ports.get(port);
    if (!handlers) return false;
    this.#turn.enter(() => handlers.message(from, message), undefined, undefined);
    return true;
  }

  #refused(fromPort: string, to: Address, message: Message): void {
    const handlers = this.#ports.get(fromPort);
    this.#turn.enter(() => handlers?.refused?.(to, message), undefined, undefined);
  }

  #disconnected(node: string): void {
    for (const handlers of this.#ports.values()) {
      this.#turn.enter(() => handlers.disconnected?.(node), undefined, undefined);
    }
  }

  #crash(error: unknown): void {
    if (this.#ended) return;
    // What was recorded before the mistake did happen.
    try {
      this.#history.flush();
    } finally {
      this.kill();
      this.#options.onCrash(error);
    }
  }
}

function limitsOf(limits: EdgeLimits | undefined): Partial<EdgeOptions> {
  if (!limits) return {};
  return {
    connectionsMax: limits.max,
    headersTimeoutMs: limits.headersTimeoutUs / 1_000,
    requestTimeoutMs: limits.requestTimeoutUs / 1_000,
    keepAliveMs: limits.keepAliveUs / 1_000,
    headersMax: limits.headersMax,
    headersMaxBytes: limits.headerMaxBytes,
    urlMaxBytes: limits.urlMaxBytes,
  };
}

/** No program listens at this port any more. */
function unserved(id: number): WebReply {
  return {
    type: 'reply',
    id,
    status: 503,
    headers: ['content-type', 'text/plain', 'retry-after', '1'],
    body: 'Nothing is served here.\n',
  };
}

/** Whether it is spoken to over TLS, wherever that ends. */
export function isSecure(edge: EdgePlan | undefined): boolean {
  return edge?.tls !== undefined || edge?.passes === 'tls';
}

function isReply(message: Message): message is WebReply {
  return message.type === 'reply';
}

function isRequest(message: Message): message is WebRequest {
  return message.type === 'request';
}

function isCancel(message: Message): message is WebCancel {
  return message.type === 'cancel';
}

function call(fire: () => void): void {
  fire();
}
