/**
 * Runs a plan on this machine: starts every node, tells them of each other, restarts what dies,
 * does to them what the fault plan says, and takes everything down again.
 *
 *   start ──▶ listening ──▶ up ──▶ (died) ──▶ waiting ──▶ start …
 *                                    └── too often, or in a way that waiting does not mend: given up (restarts.ts)
 *
 * Nothing of it outlives the supervisor: a child whose channel breaks ends itself.
 */
import { randomBytes } from 'node:crypto';
import { isClaim, isOperation, type Operation } from '../host/control.ts';
import type { RunEvent } from '../host/events.ts';
import type { Fault, FaultPlan, Target } from '../host/fault.ts';
import type { History } from '../host/history.ts';
import type { Address, Message, Micros, NodeId } from '../host/host.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import { webPort } from '../host/web.ts';
import { assert } from '../kit/assert.ts';
import { LoadpathError } from '../kit/errors.ts';
import { type MetersSnapshot, mergeSnapshots } from '../kit/meters.ts';
import { clashesOf, type Door, fixedPorts, Ports } from '../parts/ports.ts';
import { Roster } from '../parts/roster.ts';
import { Addresses } from './addresses.ts';
import { machineNow } from './clocks.ts';
import { LiveFaults } from './faults.ts';
import { fileTrouble } from './files.ts';
import { readHistory } from './history-file.ts';
import { edgesOf, tiers } from './outside.ts';
import { type Life, startChild, startHere } from './process.ts';
import { nextTryMs, passes, triesMax } from './restarts.ts';
import { machines } from './rules.ts';
import { RunData } from './run-data.ts';
import { Seat } from './seat.ts';
import type { News } from './session.ts';
import type { EdgeAddress, LiveOptions, LiveSystem, NodeStatus, SeatState } from './system.ts';
import type { Peer, Peers } from './transport.ts';

export type { LiveOptions, LiveSystem } from './system.ts';

/** A life this long was a good one: the next failure starts counting again. */
const goodLifeMs = 10_000;
const drainDefaultUs = 10_000_000;
/** Within this, a signal has reached all processes that it was sent to. */
const groupSignalMs = 300;
const linesKept = 12;

export function startLive(options: LiveOptions): LiveSystem {
  return new Supervisor(options);
}

class Supervisor implements LiveSystem {
  readonly ready: Promise<void>;
  readonly #data: RunData;
  readonly #options: LiveOptions;
  readonly #originUs = machineNow();
  readonly #secret = randomBytes(32).toString('hex');
  readonly #roster: Roster;
  readonly #seats = new Map<NodeId, Seat>();
  /** Somebody else's nodes: told of, never started. */
  readonly #outside: Record<NodeId, Peer> = {};
  readonly #faults: LiveFaults;
  readonly #addresses: Addresses;
  /** Some node passes connections on, or tunnels them. */
  readonly #passes: boolean;
  #edgesSeated = 0;
  readonly #ports: Ports;
  #isReady = false;
  #failure: LoadpathError | undefined;
  #stopping: Promise<void> | undefined;
  #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #upWaiters: (() => void)[] = [];

  constructor(options: LiveOptions) {
    this.#options = options;
    const { dataDir, plan, grow } = options;
    this.#roster = new Roster(plan, grow);
    this.#data = new RunData(dataDir);
    this.#passes = plan.nodes.some(({ programs }) =>
      programs.some(({ edge }) => edge?.passes ?? edge?.tunnels),
    );
    this.#addresses = new Addresses(plan.addresses ?? [], {
      hand: (node, socket) => {
        const seat = this.#seats.get(node);
        const isThere = seat?.state === 'up' || seat?.state === 'draining';
        if (isThere) seat.handle?.hand(webPort, socket);
        return isThere && seat.handle !== undefined;
      },
      wake: (node) => this.#seats.get(node)?.handle?.order({ type: 'connections' }),
    });
    this.#faults = new LiveFaults({
      plan: () => this.#roster.plan,
      start: (block) => this.startNode(block),
      stop: (id) => this.stopNode(id, 'drain'),
      seats: this.#seats,
      kill: (seat) => this.#kill(seat),
      drain: (seat) => this.#drainSeat(seat, drainDefaultUs),
      bringBack: (seat) => this.#bringBack(seat),
      note: (node, text) => this.#say({ type: 'note', at: this.now(), node, text }),
      told: (fault, began, id) => {
        this.#say({ type: 'fault', at: this.now(), text: this.#describe(fault), began, id });
        options.onFault?.(fault, began);
      },
    });
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever only calls stop() is not to be punished for not having looked at `ready`.
    this.ready.catch(() => {});
    const fixed = fixedPorts(plan);
    const [clash] = options.edgePort === undefined ? clashesOf(fixed) : [];
    this.#ports = new Ports(fixed);
    if (clash) {
      this.#fail(new LoadpathError('port-taken', clash.text));
      return;
    }
    const places = plan.addresses ?? [];
    // Before those of single nodes: it is what users are told.
    const portOf = new Map(places.map((place) => [place.node, this.#portFor(place)]));
    try {
      this.#data.open();
      for (const node of plan.nodes) this.#seat(node);
    } catch (error) {
      this.#fail(fileTrouble(error, 'preparing the data directory', dataDir));
      return;
    }
    const launch = (): void => {
      for (const { text, node } of this.#addresses.notes()) {
        this.#say({ type: 'note', at: this.now(), node, text });
      }
      for (const seat of this.#seats.values()) {
        const port = this.#addresses.portOf(seat.node.id);
        if (port !== undefined) seat.edgePorts[webPort] = port;
        this.#launch(seat);
      }
      if (this.#seats.size === 0) this.#becomeReady();
    };
    if (places.length > 0) {
      const listening = this.#addresses.listen(({ node }) => portOf.get(node)!);
      listening.then(launch, (error) => this.#fail(error));
    } else launch();
  }

  get plan(): Plan {
    return this.#roster.plan;
  }

  get historyDir(): string {
    return this.#data.historyDir;
  }

  keptUs(node: NodeId, fromUs: Micros, toUs: Micros): Micros {
    return this.#roster.keptUs(node, fromUs, toUs);
  }

  startNode(block: string): NodeId | undefined {
    const node = this.#stopping ? undefined : this.#roster.start(block, this.now());
    if (!node) return undefined;
    this.#options.onNode?.(node);
    this.#seat(node);
    this.#launch(this.#seats.get(node.id)!);
    this.#announce(block);
    return node.id;
  }

  stopNode(node: NodeId, how: 'drain' | 'kill'): void {
    const seat = this.#seats.get(node);
    if (!seat || !this.#roster.stop(node, this.now())) return;
    seat.isGone = true;
    this.#announce(seat.node.block);
    clearTimeout(seat.timer);
    if (!seat.handle) this.#leave(seat, 'stopped');
    else if (how === 'kill') this.#kill(seat);
    else void this.#drainSeat(seat, drainDefaultUs);
  }

  get edges(): readonly EdgeAddress[] {
    return edgesOf(this.#addresses, this.#seats);
  }

  now(): Micros {
    return machineNow() - this.#originUs;
  }

  status(): readonly NodeStatus[] {
    return [...this.#seats.values()].map((seat) => ({
      id: seat.node.id,
      block: seat.node.block,
      state: seat.state,
      life: seat.life,
      pid: seat.handle?.pid,
      port: seat.peer?.port,
      edges: seat.edgePorts,
      boots: seat.boots,
      restarts: seat.restarts,
      busyUs: this.#busyUs(seat),
      silentMs: seat.silentMs,
      transport: seat.transport,
    }));
  }

  activeFaults(): readonly string[] {
    return this.#faults.active.map((fault) => this.#describe(fault));
  }

  tell(target: Target, message: Message, port?: string): void {
    const ids = new Set(machinesOrAll(target, this.plan));
    for (const seat of this.#seats.values()) {
      if (ids.has(seat.node.id)) seat.handle?.order({ type: 'tell', message, port });
    }
  }

  async read(waitMaxMs = 1_000): Promise<void> {
    const asked = [...this.#seats.values()].filter((seat) => seat.state === 'up');
    await Promise.all(
      asked.map(
        (seat) =>
          new Promise<void>((resolve) => {
            // A node that stands still does not answer: what it said last must do.
            const timer = setTimeout(resolve, waitMaxMs);
            seat.readings.push(() => {
              clearTimeout(timer);
              resolve();
            });
            seat.handle?.order({ type: 'read' });
          }),
      ),
    );
  }

  async meters(): Promise<MetersSnapshot> {
    await this.read();
    const seats = [...this.#seats.values()];
    return mergeSnapshots(seats.flatMap((seat) => [...seat.past, seat.current]));
  }

  clearMeters(): void {
    for (const seat of this.#seats.values()) {
      seat.past = [];
      seat.current = [];
      seat.busyBeforeUs = 0;
      seat.busyFromUs = seat.busyUs;
      seat.handle?.order({ type: 'clear' });
    }
  }

  histories(): History {
    return readHistory(this.historyDir);
  }

  stop({ drainUs = drainDefaultUs }: { readonly drainUs?: Micros } = {}): Promise<void> {
    this.#stopping ??= this.#stop(drainUs);
    return this.#stopping;
  }

  // ---- faults

  startFaults(faults: FaultPlan): void {
    if (!this.#stopping) this.#faults.plan(faults);
  }

  inject(fault: Fault): void {
    if (!this.#stopping) this.#faults.inject(fault);
  }

  async heal(): Promise<void> {
    if (this.#stopping) return this.#stopping;
    this.#faults.endAll();
    for (const seat of this.#seats.values()) {
      // What made it fail may be gone with the faults.
      if (seat.state === 'failed') this.#setState(seat, 'down');
      seat.failures = 0;
      this.#bringBack(seat);
    }
    await new Promise<void>((resolve) => {
      this.#upWaiters.push(resolve);
      this.#checkUp();
    });
  }

  #busyUs(seat: Seat): Micros {
    const sinceUs = seat.busyBeforeUs + seat.busyUs - seat.busyFromUs;
    return this.#options.single ? Math.round(sinceUs / this.#seats.size) : sinceUs;
  }

  #describe(fault: Fault): string {
    return this.#options.describe?.(fault) ?? JSON.stringify(fault);
  }

  // ---- nodes that come and go

  #announce(block: string): void {
    for (const [{ node, port }, message] of this.#roster.news(block)) {
      this.#seats.get(node)?.handle?.order({ type: 'tell', message, port });
    }
  }

  #operate(from: Address, operation: Operation): void {
    if (this.#stopping) return;
    if (!this.#roster.allows(from, operation)) {
      const text = `may not ask for ${operation.type}`;
      return this.#say({ type: 'note', at: this.now(), node: from.node, text });
    }
    switch (operation.type) {
      case 'follow-nodes':
        return this.#announce(operation.block);
      case 'start-node':
        this.startNode(operation.block);
        return;
      case 'stop-node':
        return this.stopNode(operation.node, operation.how);
      case 'restart-node': {
        const seat = this.#seats.get(operation.node);
        if (!seat) return;
        this.#kill(seat);
        if (!seat.handle) this.#bringBack(seat);
      }
    }
  }

  #leave(seat: Seat, why: string): void {
    this.#setState(seat, 'gone');
    this.#say({ type: 'crash', at: this.now(), node: seat.node.id, why, gone: true });
    this.#checkUp();
  }

  // ---- the lives of nodes

  #kill(seat: Seat): void {
    clearTimeout(seat.timer);
    seat.doomed = true;
    seat.handle?.kill();
    if (!seat.handle && seat.state !== 'failed') this.#setState(seat, 'down');
  }

  #seat(node: NodePlan): void {
    if (node.outside !== undefined) {
      this.#outside[node.id] = { life: 0, port: 0, edges: {}, outside: node.outside };
      return;
    }
    const seat = new Seat(node);
    for (const program of node.programs) {
      if (!program.edge) continue;
      const isShared = this.#addresses.isMember(node.id);
      seat.edgePorts[program.port] = isShared ? 0 : this.#portFor(program.edge);
    }
    this.#seats.set(node.id, seat);
  }

  /** Edges listen one port after the other where the caller says which is the first. */
  #portFor(door: Door): number {
    const { edgePort } = this.#options;
    if (edgePort !== undefined) return edgePort === 0 ? 0 : edgePort + this.#edgesSeated++;
    return this.#ports.of(door);
  }

  #launch(seat: Seat): void {
    if (this.#stopping) return;
    seat.crash = undefined;
    seat.doomed = false;
    try {
      this.#begin(seat);
    } catch (error) {
      // The machine may refuse a file or a process at any time, which is no reason to end what runs.
      const path = this.#data.lifePath(seat.node.id);
      const { code, message } = fileTrouble(error, 'counting lives', path);
      seat.crash = { code, message };
      this.#tryLater(seat, message);
      if (seat.state !== 'waiting') return;
      this.#say({ type: 'crash', at: this.now(), node: seat.node.id, why: message });
    }
  }

  #begin(seat: Seat): void {
    const { id } = seat.node;
    seat.life = this.#data.beginLife(id, seat.life);
    seat.boots++;
    this.#setState(seat, 'starting');
    seat.isStarted = false;
    seat.lastLines = [];
    const {
      childEntry,
      childData,
      dataDir,
      durability = 'files',
      judged,
      plan,
      seed,
      single,
    } = this.#options;
    const events = {
      news: (news: News) => {
        if (seat.handle === handle) this.#hear(seat, news);
      },
      line: (level: 'log' | 'error', text: string) => {
        seat.lastLines = [...seat.lastLines, text].slice(-linesKept);
        this.#say({ type: 'log', at: this.now(), node: id, level, text });
      },
      ended: (how: string) => {
        if (seat.handle === handle) this.#ended(seat, how);
      },
    };
    const handle: Life = single
      ? startHere(single, events)
      : startChild(childEntry(seat.node), seat.node, events);
    seat.handle = handle;
    handle.order({
      type: 'init',
      init: {
        node: seat.node,
        life: seat.life,
        network: plan.network,
        secret: this.#secret,
        seed,
        dataDir,
        historyDir: this.historyDir,
        originUs: this.#originUs,
        durability,
        judged,
        edgePorts: seat.edgePorts,
        childData: childData(seat.node),
        takesPassed: this.#passes,
      },
    });
  }

  #hear(seat: Seat, news: News): void {
    switch (news.type) {
      case 'listening':
        seat.peer = news.peer;
        seat.edgePorts = { ...news.peer.edges };
        this.#setState(seat, 'listening');
        this.#introduce(seat);
        return;
      case 'ready':
        seat.upAtMs = performance.now();
        seat.heard();
        this.#setState(seat, 'up');
        this.#addresses.joined(seat.node.id);
        this.#say({ type: 'boot', at: this.now(), node: seat.node.id, life: seat.life });
        for (const order of this.#faults.orders(seat, true)) seat.handle?.order(order);
        this.#checkUp();
        return;
      case 'asked':
        this.#asked(seat);
        return;
      case 'turn':
        this.#addresses.turn(seat.node.id);
        return;
      case 'event':
        this.#say(news.event);
        return;
      case 'control':
        if (isClaim(news.message)) this.#addresses.hold(news.message.address, news.from.node);
        else if (isOperation(news.message)) this.#operate(news.from, news.message);
        else this.#options.onControl?.(news.from, news.message);
        return;
      case 'reading': {
        seat.read(news.reading);
        if (news.reading.window.readings.length > 0) this.#options.onWindow?.(news.reading.window);
        const waiting = seat.readings;
        seat.readings = [];
        for (const told of waiting) told();
        return;
      }
      case 'crashed':
        seat.crash = { code: news.code, message: news.message };
        if (news.trace !== undefined) {
          const { trace } = news;
          seat.lastLines = [...seat.lastLines, ...trace.split('\n')].slice(-linesKept);
          const node = seat.node.id;
          this.#say({ type: 'log', at: this.now(), node, level: 'error', text: trace });
        }
        return;
      case 'drained':
      case 'taken':
        return;
    }
  }

  /**
   * A SIGTERM at one node lets it drain and start again. One that went to all processes, as systemd and `timeout`
   * send it, is about the run, which needs its nodes until it is judged: the supervisor hears of it, too, if later.
   */
  #asked(seat: Seat): void {
    const { handle } = seat;
    setTimeout(() => {
      if (this.#stopping || this.#options.isEnding?.() || seat.handle !== handle) return;
      handle?.order({ type: 'drain', graceUs: drainDefaultUs });
    }, groupSignalMs).unref();
  }

  #introduce(arrived: Seat): void {
    if (!this.#isReady) return this.#introduceAll();
    this.#broadcastPeers();
    this.#start(arrived);
  }

  /** At first, all wait for all, so that no program finds a neighbour missing. */
  #introduceAll(): void {
    const seats = [...this.#seats.values()];
    if (seats.some(({ state }) => state === 'starting' || state === 'waiting')) return;
    this.#broadcastPeers();
    for (const seat of seats) {
      if (seat.state === 'listening' && !seat.isStarted) this.#start(seat);
    }
  }

  #start(seat: Seat): void {
    seat.isStarted = true;
    seat.handle?.order({
      type: 'start',
      peers: this.#peers(),
      rules: this.#faults.rulesOf(seat),
      condition: this.#faults.conditionOf(seat),
    });
  }

  #peers(): Peers {
    const shared = this.#addresses.peers((node) => this.#seats.get(node)?.peer);
    const peers: Record<NodeId, Peer> = { ...this.#outside, ...shared };
    for (const seat of this.#seats.values()) {
      if (seat.peer) peers[seat.node.id] = seat.peer;
    }
    return peers;
  }

  #broadcastPeers(): void {
    const peers = this.#peers();
    for (const seat of this.#seats.values()) {
      if (seat.state === 'up') seat.handle?.order({ type: 'peers', peers });
    }
  }

  #ended(seat: Seat, how: string): void {
    const wasUp = seat.state === 'up';
    const expected =
      seat.isGone || seat.doomed || seat.state === 'draining' || this.#stopping !== undefined;
    this.#addresses.left(seat.node.id);
    seat.handle = undefined;
    seat.peer = undefined;
    seat.pauses = 0;
    seat.past.push(seat.current);
    seat.current = [];
    if (!this.#options.single) {
      seat.busyBeforeUs += seat.busyUs - seat.busyFromUs;
      seat.busyUs = 0;
      seat.busyFromUs = 0;
    }
    if (seat.past.length > 8) seat.past = [mergeSnapshots(seat.past)];
    for (const told of seat.readings.splice(0)) told();
    this.#setState(seat, 'down');
    const why = seat.crash?.message ?? how;
    if (!this.#stopping) {
      const text = seat.doomed && !seat.crash ? 'killed' : why;
      if (seat.isGone) this.#leave(seat, 'stopped');
      else this.#say({ type: 'crash', at: this.now(), node: seat.node.id, why: text });
      this.#broadcastPeers();
    }
    for (const told of seat.endings.splice(0)) told();
    if (expected) {
      this.#bringBack(seat);
      return;
    }
    if (wasUp && performance.now() - seat.upAtMs > goodLifeMs) seat.failures = 0;
    this.#tryLater(seat, why);
  }

  #tryLater(seat: Seat, why: string): void {
    const code = seat.crash?.code;
    // What ails the machine does not count against the node.
    if (passes(code) !== seat.isMachineToBlame) seat.failures = 0;
    seat.isMachineToBlame = passes(code);
    const failures = ++seat.failures;
    const waitMs = nextTryMs({ failures, code, isStarting: !this.#isReady });
    if (waitMs === undefined) {
      this.#giveUp(seat, why);
      return;
    }
    seat.restarts++;
    this.#setState(seat, 'waiting');
    seat.timer = setTimeout(() => this.#bringBack(seat), waitMs);
    if (failures !== triesMax) return;
    const text = `${seat.node.id} did not stay up in ${failures} tries and is tried again until it does: ${why}`;
    this.#options.onFailure?.(new LoadpathError(code ?? 'node-failed', text));
    this.#checkUp();
  }

  #bringBack(seat: Seat): void {
    clearTimeout(seat.timer);
    const isBarred = seat.isGone || seat.state === 'failed' || seat.holds > 0;
    if (seat.handle || isBarred || this.#stopping) return;
    this.#launch(seat);
  }

  #giveUp(seat: Seat, why: string): void {
    this.#setState(seat, 'failed');
    const error = seat.failure(why);
    if (!this.#isReady && !this.#isSpared(seat)) return this.#fail(error);
    const text = `given up until loadpath fault --heal: ${why}`;
    this.#say({ type: 'crash', at: this.now(), node: seat.node.id, why: text });
    this.#options.onFailure?.(error);
    if (!this.#isReady) this.#introduceAll();
    this.#checkUp();
  }

  /** Damaged, while others do the same work: the system starts without it, as it would have gone on. */
  #isSpared({ crash, node }: Seat): boolean {
    const seats = [...this.#seats.values()];
    return (
      crash?.code === 'data-corrupt' &&
      seats.some(
        ({ node: { block, role }, state }) =>
          block === node.block && role === node.role && state !== 'failed',
      )
    );
  }

  #checkUp(): void {
    // While all goes down because one node failed, the others may still say that they are up.
    if (this.#stopping) return;
    const seats = [...this.#seats.values()];
    // Who was killed just now may look up until its end is heard of.
    const isSettled = ({ state, doomed, failures }: Seat) =>
      (state === 'up' && !doomed) || state === 'failed' || state === 'gone' || failures >= triesMax;
    if (!seats.every(isSettled)) return;
    if (!this.#isReady) this.#becomeReady();
    for (const told of this.#upWaiters.splice(0)) told();
  }

  #becomeReady(): void {
    this.#isReady = true;
    this.#settle?.resolve();
  }

  /** It did not come up: everything goes down again, and then the reason is told. */
  #fail(error: LoadpathError): void {
    assert(!this.#isReady, 'what came up is not taken down because one node fails');
    this.#failure ??= error;
    this.#stopping ??= this.#stop(0);
  }

  #setState(seat: Seat, state: SeatState): void {
    seat.state = state;
  }

  #say(event: RunEvent): void {
    this.#options.onEvent?.(event);
  }

  // ---- the end

  async #stop(drainUs: Micros): Promise<void> {
    this.#faults.close();
    this.#addresses.close();
    const seats = [...this.#seats.values()];
    for (const seat of seats) {
      clearTimeout(seat.timer);
      if (seat.pauses > 0) seat.handle?.resume();
    }
    const until = performance.now() + drainUs / 1_000;
    for (const tier of tiers(seats)) {
      const leftUs = Math.max(0, (until - performance.now()) * 1_000);
      await Promise.all(tier.map((seat) => this.#drainSeat(seat, leftUs)));
    }
    for (const told of this.#upWaiters.splice(0)) told();
    this.#data.close();
    this.#settle?.reject(
      this.#failure ??
        new LoadpathError('node-failed', 'The system was stopped before it was ready.'),
    );
  }

  /** Resolves when this life of the node is over, by force if it must be. */
  #drainSeat(seat: Seat, graceUs: Micros): Promise<void> {
    const { handle } = seat;
    if (!handle) return Promise.resolve();
    return new Promise((resolve) => {
      const polite = seat.state === 'up' && graceUs > 0;
      seat.endings.push(() => {
        clearTimeout(timer);
        resolve();
      });
      const timer = setTimeout(() => handle.kill(), polite ? graceUs / 1_000 + 500 : 0);
      if (!polite) return;
      this.#setState(seat, 'draining');
      this.#addresses.left(seat.node.id);
      handle.order({ type: 'drain', graceUs });
    });
  }
}

function machinesOrAll(target: Target, plan: Plan): readonly NodeId[] {
  return 'all' in target ? plan.nodes.map((node) => node.id) : machines(target, plan);
}
