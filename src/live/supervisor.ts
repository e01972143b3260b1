/**
 * Runs a plan on this machine: starts every node, tells them of each other, restarts what dies,
 * does to them what the fault plan says, and takes everything down again.
 *
 *   start ──▶ listening ──▶ up ──▶ (died) ──▶ waiting ──▶ start …
 *                                    └── too often, or in a way that waiting does not mend: given up
 *
 * Nothing of it outlives the supervisor: a child whose channel breaks ends itself.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../host/events.ts';
import type { Fault, FaultPlan, Target } from '../host/fault.ts';
import type { History } from '../host/history.ts';
import type { Address, Message, Micros, NodeId } from '../host/host.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import { type ErrorCode, LoadpathError } from '../kit/errors.ts';
import { type MetersSnapshot, type MetersWindow, mergeSnapshots } from '../kit/meters.ts';
import { machineNow } from './clocks.ts';
import { fileNameOf, fileTrouble } from './files.ts';
import { readHistory } from './history-file.ts';
import { type Condition, type Durability, healthy } from './live-node.ts';
import { type Lock, lockDirectory } from './lock.ts';
import { type Life, startChild, startHere } from './process.ts';
import { machines, type NodeRules, noRules, rulesFor } from './rules.ts';
import type { MakeBoot, News } from './session.ts';
import type { Peer, Peers, TransportCounts } from './transport.ts';

export interface LiveOptions {
  readonly plan: Plan;
  /** The module that a child process runs; it calls `runLiveNode`. */
  readonly childEntry: URL;
  /** Handed to each child's `makeBoot`: the path of the design, options … Structured-cloneable. */
  readonly childData: unknown;
  /** Kept between runs. One run at a time. */
  readonly dataDir: string;
  readonly seed: number;
  /** All nodes in this process, booted by this; nothing can then be paused. */
  readonly single?: MakeBoot | undefined;
  /** Where edges listen; a block with several edge nodes takes this port and those after it. 0: any. */
  readonly edgePort?: number | undefined;
  readonly durability?: Durability | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** A program sent `message` to `{ node: 'control', port: 'control' }`. */
  readonly onControl?: ((from: Address, message: Message) => void) | undefined;
  /** A node was given up after the system had come up. The rest runs on. */
  readonly onFailure?: ((error: LoadpathError) => void) | undefined;
  /** A fault as a sentence, for events. */
  readonly describe?: ((fault: Fault) => string) | undefined;
}

export interface LiveMeters {
  /** Everything counted since the start (or `clearMeters`), all nodes and all their lives. */
  readonly snapshot: MetersSnapshot;
  /** Second by second, as the nodes sent them; ordered by end. */
  readonly windows: readonly MetersWindow[];
}

export interface NodeStatus {
  readonly id: NodeId;
  readonly block: string;
  readonly state: SeatState;
  readonly life: number;
  readonly pid: number | undefined;
  readonly port: number | undefined;
  readonly edges: Readonly<Record<string, number>>;
  /** Lives begun in this run. */
  readonly boots: number;
  /** Of those, the ones that a crash made necessary. */
  readonly restarts: number;
  /** Processor time since the start, or since `clearMeters`. With `single` an equal share of the process's. */
  readonly busyUs: Micros;
  readonly transport: TransportCounts | undefined;
}

export interface EdgeAddress {
  readonly node: NodeId;
  readonly port: string;
  readonly url: string;
}

export interface LiveSystem {
  /** Every node is up. Rejects with a `LoadpathError` when one cannot come up; then all is stopped. */
  readonly ready: Promise<void>;
  /** Where people and load generators can knock. Complete once ready. */
  readonly edges: readonly EdgeAddress[];
  /** Microseconds since this run's zero, on the machine's clock: what events and histories are dated by. */
  now(): Micros;
  status(): readonly NodeStatus[];
  /** Faults now in force, as sentences. */
  activeFaults(): readonly string[];
  /** The fault happens now and ends after its `forUs`; its `atUs` is not looked at. */
  inject(fault: Fault): void;
  /** Now is the start of the load: each fault happens at its `atUs` from here. */
  startFaults(faults: FaultPlan): void;
  /**
   * Ends all faults and forgets those to come; nodes that were given up get another chance.
   * Resolves when every node is up again, or given up.
   */
  heal(): Promise<void>;
  /** A message to the programs of the nodes meant, from `{ node: 'control', port: 'control' }`. */
  tell(target: Target, message: Message, port?: string): void;
  /** Asks all nodes for what they count now, and merges it. */
  meters(): Promise<LiveMeters>;
  /** Forgets what was counted so far: the end of a warm-up. */
  clearMeters(): void;
  /** All events of this run recorded so far, in order of time. */
  histories(): History;
  /** This run's histories on disk, for a look after the supervisor died. */
  readonly historyDir: string;
  /** Drains, users first and stores last, then ends what is left. Safe to call at any time, and twice. */
  stop(options?: { readonly drainUs?: Micros }): Promise<void>;
}

export type SeatState =
  | 'starting'
  | 'listening'
  | 'up'
  | 'draining'
  | 'down'
  | 'waiting'
  | 'failed';

const backoffMinMs = 100;
const backoffMaxMs = 5_000;
/** A life this long was a good one: the next failure starts counting again. */
const goodLifeMs = 10_000;
const startTriesMax = 3;
const crashesMax = 6;
const drainDefaultUs = 10_000_000;
const linesKept = 12;
const runsKept = 5;

/** Errors that another try does not mend. */
const hopeless: ReadonlySet<ErrorCode> = new Set([
  'bad-design',
  'bad-option',
  'design-not-found',
  'design-failed',
  'data-corrupt',
  'data-locked',
  'disk-full',
  'port-taken',
]);

export function startLive(options: LiveOptions): LiveSystem {
  return new Supervisor(options);
}

/** The place of one node: its lives come and go. */
class Seat {
  readonly node: NodePlan;
  state: SeatState = 'down';
  life = 0;
  handle: Life | undefined;
  peer: Peer | undefined;
  edgePorts: Record<string, number> = {};
  boots = 0;
  restarts = 0;
  /** Of lives that are over, and the present one's: now, and when counting began. */
  busyBeforeUs = 0;
  busyUs = 0;
  busyFromUs = 0;
  failures = 0;
  upAtMs = 0;
  /** How many faults keep it down. */
  holds = 0;
  pauses = 0;
  timer: NodeJS.Timeout | undefined;
  lastLines: string[] = [];
  crash: { readonly code: ErrorCode | undefined; readonly message: string } | undefined;
  past: MetersSnapshot[] = [];
  current: MetersSnapshot = [];
  transport: TransportCounts | undefined;
  /** Who wants to know when the present life is over. */
  endings: (() => void)[] = [];
  readings: (() => void)[] = [];

  constructor(node: NodePlan) {
    this.node = node;
  }
}

interface Active {
  readonly fault: Fault;
  readonly end: () => void;
  timer: NodeJS.Timeout | undefined;
}

class Supervisor implements LiveSystem {
  readonly ready: Promise<void>;
  readonly historyDir: string;
  readonly #options: LiveOptions;
  readonly #originUs = machineNow();
  readonly #secret = randomBytes(32).toString('hex');
  readonly #seats = new Map<NodeId, Seat>();
  /** Somebody else's nodes: told of, never started. */
  readonly #outside: Record<NodeId, Peer> = {};
  readonly #active = new Set<Active>();
  readonly #toCome = new Set<NodeJS.Timeout>();
  readonly #dark = new Map<NodeId, number>();
  readonly #windows: MetersWindow[] = [];
  #rules: ReadonlyMap<NodeId, NodeRules> = new Map();
  #lock: Lock | undefined;
  #isReady = false;
  #failure: LoadpathError | undefined;
  #stopping: Promise<void> | undefined;
  #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #upWaiters: (() => void)[] = [];

  constructor(options: LiveOptions) {
    this.#options = options;
    const { dataDir, plan } = options;
    this.historyDir = join(dataDir, 'history', `${Date.now()}-${process.pid}`);
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever only calls stop() is not to be punished for not having looked at `ready`.
    this.ready.catch(() => {});
    try {
      this.#openData();
      this.#seat(plan);
    } catch (error) {
      this.#fail(fileTrouble(error, 'preparing the data directory', dataDir));
      return;
    }
    for (const seat of this.#seats.values()) this.#launch(seat);
    if (this.#seats.size === 0) this.#becomeReady();
  }

  get edges(): readonly EdgeAddress[] {
    return [...this.#seats.values()].flatMap((seat) =>
      Object.entries(seat.edgePorts).map(([port, tcp]) => ({
        node: seat.node.id,
        port,
        url: `http://127.0.0.1:${tcp}`,
      })),
    );
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
      transport: seat.transport,
    }));
  }

  activeFaults(): readonly string[] {
    return [...this.#active].map(({ fault }) => this.#describe(fault));
  }

  tell(target: Target, message: Message, port?: string): void {
    const ids = new Set(machinesOrAll(target, this.#options.plan));
    for (const seat of this.#seats.values()) {
      if (ids.has(seat.node.id)) seat.handle?.order({ type: 'tell', message, port });
    }
  }

  async meters(): Promise<LiveMeters> {
    const asked = [...this.#seats.values()].filter((seat) => seat.state === 'up');
    await Promise.all(
      asked.map(
        (seat) =>
          new Promise<void>((resolve) => {
            // A node that stands still does not answer: what it said last must do.
            const timer = setTimeout(resolve, 1_000);
            seat.readings.push(() => {
              clearTimeout(timer);
              resolve();
            });
            seat.handle?.order({ type: 'read' });
          }),
      ),
    );
    const snapshots = [...this.#seats.values()].flatMap((seat) => [...seat.past, seat.current]);
    return {
      snapshot: mergeSnapshots(snapshots),
      windows: [...this.#windows].sort((a, b) => a.toUs - b.toUs),
    };
  }

  clearMeters(): void {
    this.#windows.length = 0;
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
    for (const fault of faults) {
      const timer = setTimeout(() => {
        this.#toCome.delete(timer);
        this.inject(fault);
      }, fault.atUs / 1_000);
      this.#toCome.add(timer);
    }
  }

  inject(fault: Fault): void {
    if (this.#stopping) return;
    this.#say({ type: 'fault', at: this.now(), text: this.#describe(fault), began: true });
    let over = false;
    const undo = this.#begin(fault, () => end());
    const active: Active = {
      fault,
      end: () => {
        undo();
        end();
      },
      timer: undefined,
    };
    const end = () => {
      if (over) return;
      over = true;
      clearTimeout(active.timer);
      this.#active.delete(active);
      this.#spread();
      this.#say({ type: 'fault', at: this.now(), text: this.#describe(fault), began: false });
    };
    this.#active.add(active);
    this.#spread();
    // A restart ends when the nodes are back, not by the clock.
    if (fault.forUs !== undefined && fault.do !== 'restart') {
      active.timer = setTimeout(active.end, fault.forUs / 1_000);
    }
  }

  async heal(): Promise<void> {
    for (const timer of this.#toCome) clearTimeout(timer);
    this.#toCome.clear();
    for (const active of [...this.#active]) active.end();
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

  #begin(fault: Fault, ended: () => void): () => void {
    const { plan } = this.#options;
    if ('from' in fault) return () => {};
    switch (fault.do) {
      case 'kill':
      case 'power-off':
        return this.#takeDown(machines(fault.target, plan), fault.do === 'power-off');
      case 'restart':
        return this.#restart(machines(fault.target, plan), fault.forUs ?? 0, ended);
      case 'pause':
        return this.#each(machines(fault.target, plan), (seat) => this.#pause(seat));
      case 'rot':
        for (const id of machines(fault.target, plan)) {
          this.#seats.get(id)?.handle?.order({ type: 'rot', bits: fault.bits });
        }
        setImmediate(ended);
        return () => {};
      default:
        // These follow from which faults are active: see `#spread`.
        return () => {};
    }
  }

  #takeDown(ids: readonly NodeId[], powerless: boolean): () => void {
    return this.#each(ids, (seat) => {
      const { id } = seat.node;
      seat.holds++;
      if (powerless) {
        // First the cable, then the switch: nobody is to see its connections close.
        this.#dark.set(id, (this.#dark.get(id) ?? 0) + 1);
        this.#spread();
        setTimeout(() => this.#kill(seat), 20);
      } else this.#kill(seat);
      return () => {
        seat.holds--;
        if (powerless) {
          const left = (this.#dark.get(id) ?? 1) - 1;
          if (left > 0) this.#dark.set(id, left);
          else this.#dark.delete(id);
        }
        this.#bringBack(seat);
      };
    });
  }

  #kill(seat: Seat): void {
    clearTimeout(seat.timer);
    seat.handle?.kill();
    if (!seat.handle && seat.state !== 'failed') this.#setState(seat, 'down');
  }

  #restart(ids: readonly NodeId[], downUs: Micros, ended: () => void): () => void {
    let left = ids.filter((id) => this.#seats.has(id)).length;
    if (left === 0) setImmediate(ended);
    return this.#each(ids, (seat) => {
      let held = true;
      seat.holds++;
      const release = () => {
        if (!held) return;
        held = false;
        seat.holds--;
        this.#bringBack(seat);
        if (--left === 0) ended();
      };
      this.#drainSeat(seat, drainDefaultUs).then(() => {
        const timer = setTimeout(release, downUs / 1_000);
        timer.unref();
      });
      return release;
    });
  }

  #pause(seat: Seat): () => void {
    const paused = seat.handle;
    if (!paused) return () => {};
    if (seat.pauses++ === 0 && !paused.pause()) {
      const text = 'cannot be paused: it is no process of its own';
      this.#say({ type: 'note', at: this.now(), node: seat.node.id, text });
    }
    return () => {
      // A node that was killed meanwhile came back running.
      if (seat.handle === paused && --seat.pauses === 0) paused.resume();
    };
  }

  #each(ids: readonly NodeId[], begin: (seat: Seat) => () => void): () => void {
    const undo = ids.flatMap((id) => {
      const seat = this.#seats.get(id);
      if (seat) return [begin(seat)];
      const text = 'is somebody else’s: nothing can be done to it';
      this.#say({ type: 'note', at: this.now(), node: id, text });
      return [];
    });
    return () => {
      for (const each of undo) each();
    };
  }

  /** Tells every node what holds for it now. */
  #spread(): void {
    const { plan } = this.#options;
    const faults = [...this.#active].map(({ fault }) => fault);
    this.#rules = rulesFor(faults, new Set(this.#dark.keys()), plan);
    for (const seat of this.#seats.values()) {
      if (!seat.handle || seat.state === 'starting') continue;
      seat.handle.order({ type: 'rules', rules: this.#rulesOf(seat) });
      seat.handle.order({ type: 'condition', condition: this.#conditionOf(seat) });
      for (const message of this.#orders(seat)) {
        seat.handle.order({ type: 'tell', message, port: undefined });
      }
    }
    this.#told = this.#standing();
  }

  #rulesOf(seat: Seat): NodeRules {
    return this.#rules.get(seat.node.id) ?? noRules;
  }

  #conditionOf(seat: Seat): Condition {
    let { slowFactor, wallOffsetUs, driftPpm, disk } = healthy;
    for (const { fault } of this.#active) {
      if (!('target' in fault)) continue;
      if (!machines(fault.target, this.#options.plan).includes(seat.node.id)) continue;
      if (fault.do === 'slow') slowFactor *= fault.factor;
      else if (fault.do === 'skew') {
        wallOffsetUs += fault.byUs;
        driftPpm += fault.driftPpm;
      } else if (fault.do === 'fill-disk') disk = 'full';
      else if (fault.do === 'fail-disk') disk = 'failing';
    }
    return { slowFactor, wallOffsetUs, driftPpm, disk };
  }

  /** Surge and shift as they stand, by whom they concern. */
  #standing(): ReadonlyMap<string, Message> {
    const standing = new Map<string, Message>();
    let factor = 1;
    for (const { fault } of this.#active) {
      if (fault.do === 'surge') factor *= fault.factor;
      else if (fault.do === 'shift') {
        const { service, traffic } = fault;
        standing.set(service, shiftMessage(service, traffic));
      }
    }
    if (factor !== 1) standing.set('', surgeMessage(factor));
    return standing;
  }

  #told: ReadonlyMap<string, Message> = new Map();

  /** What `seat` is to be told, now that things stand as they do; what has ended is taken back. */
  #orders(seat: Seat, fresh = false): readonly Message[] {
    const standing = this.#standing();
    const told: ReadonlyMap<string, Message> = fresh ? new Map() : this.#told;
    const messages: Message[] = [];
    for (const key of new Set([...standing.keys(), ...told.keys()])) {
      const concerned =
        key === ''
          ? seat.node.kind === 'users'
          : seat.node.block === key || seat.node.kind === 'gateway';
      const now = standing.get(key) ?? (key === '' ? surgeMessage(1) : shiftMessage(key, {}));
      if (concerned && JSON.stringify(now) !== JSON.stringify(told.get(key))) messages.push(now);
    }
    return messages;
  }

  #busyUs(seat: Seat): Micros {
    const sinceUs = seat.busyBeforeUs + seat.busyUs - seat.busyFromUs;
    return this.#options.single ? Math.round(sinceUs / this.#seats.size) : sinceUs;
  }

  #describe(fault: Fault): string {
    return this.#options.describe?.(fault) ?? JSON.stringify(fault);
  }

  // ---- the lives of nodes

  #openData(): void {
    const { dataDir } = this.#options;
    mkdirSync(join(dataDir, 'nodes'), { recursive: true });
    this.#lock = lockDirectory(dataDir);
    mkdirSync(this.historyDir, { recursive: true });
    const runs = readdirSync(join(dataDir, 'history')).sort();
    for (const run of runs.slice(0, -runsKept)) {
      rmSync(join(dataDir, 'history', run), { recursive: true, force: true });
    }
  }

  #seat(plan: Plan): void {
    const { edgePort } = this.#options;
    let taken = 0;
    for (const node of plan.nodes) {
      if (node.outside !== undefined) {
        this.#outside[node.id] = { life: 0, port: 0, edges: {}, outside: node.outside };
        continue;
      }
      const seat = new Seat(node);
      for (const program of node.programs) {
        if (!program.edge) continue;
        const first = edgePort ?? program.edge.listen;
        seat.edgePorts[program.port] = first === 0 ? 0 : first + taken++;
      }
      seat.life = this.#readLife(node.id);
      this.#seats.set(node.id, seat);
    }
  }

  #lifePath(id: NodeId): string {
    return join(this.#options.dataDir, 'nodes', fileNameOf(id), 'life');
  }

  #readLife(id: NodeId): number {
    mkdirSync(join(this.#options.dataDir, 'nodes', fileNameOf(id)), { recursive: true });
    try {
      const life = Number(readFileSync(this.#lifePath(id), 'utf8'));
      return Number.isSafeInteger(life) && life > 0 ? life : 0;
    } catch {
      // No life before this one, or none that can be read.
      return 0;
    }
  }

  #launch(seat: Seat): void {
    if (this.#stopping) return;
    const {
      childEntry,
      childData,
      dataDir,
      durability = 'files',
      plan,
      seed,
      single,
    } = this.#options;
    seat.life++;
    seat.boots++;
    try {
      writeFileSync(this.#lifePath(seat.node.id), String(seat.life));
    } catch (error) {
      this.#fail(fileTrouble(error, 'counting lives', this.#lifePath(seat.node.id)));
      return;
    }
    this.#setState(seat, 'starting');
    seat.crash = undefined;
    seat.lastLines = [];
    const { id } = seat.node;
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
    const handle: Life = single ? startHere(single, events) : startChild(childEntry, events);
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
        edgePorts: seat.edgePorts,
        childData,
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
        this.#setState(seat, 'up');
        this.#say({ type: 'boot', at: this.now(), node: seat.node.id, life: seat.life });
        for (const message of this.#orders(seat, true)) {
          seat.handle?.order({ type: 'tell', message, port: undefined });
        }
        this.#checkUp();
        return;
      case 'event':
        this.#say(news.event);
        return;
      case 'control':
        this.#options.onControl?.(news.from, news.message);
        return;
      case 'reading': {
        seat.current = news.reading.meters;
        seat.busyUs = news.reading.processBusyUs;
        seat.transport = news.reading.transport;
        if (news.reading.window.readings.length > 0) this.#windows.push(news.reading.window);
        const waiting = seat.readings;
        seat.readings = [];
        for (const told of waiting) told();
        return;
      }
      case 'crashed':
        seat.crash = { code: news.code, message: news.message };
        if (news.code === undefined && news.stack) {
          seat.lastLines = [...seat.lastLines, ...news.stack.split('\n')].slice(-linesKept);
        }
        return;
      case 'drained':
        return;
    }
  }

  /** At first, all wait for all, so that no program finds a neighbour missing. */
  #introduce(arrived: Seat): void {
    const seats = [...this.#seats.values()];
    if (!this.#isReady) {
      if (seats.some((seat) => seat.state === 'starting' || seat.state === 'waiting')) return;
      for (const seat of seats) if (seat.state === 'listening') this.#start(seat);
      return;
    }
    this.#broadcastPeers();
    this.#start(arrived);
  }

  #start(seat: Seat): void {
    seat.handle?.order({
      type: 'start',
      peers: this.#peers(),
      rules: this.#rulesOf(seat),
      condition: this.#conditionOf(seat),
    });
  }

  #peers(): Peers {
    const peers: Record<NodeId, Peer> = { ...this.#outside };
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
    const expected = seat.holds > 0 || seat.state === 'draining' || this.#stopping !== undefined;
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
      const text = seat.holds > 0 && !seat.crash ? 'killed' : why;
      this.#say({ type: 'crash', at: this.now(), node: seat.node.id, why: text });
      this.#broadcastPeers();
    }
    for (const told of seat.endings.splice(0)) told();
    if (expected) {
      this.#bringBack(seat);
      return;
    }
    if (wasUp && performance.now() - seat.upAtMs > goodLifeMs) seat.failures = 0;
    seat.failures++;
    const tries = this.#isReady ? crashesMax : startTriesMax;
    const code = seat.crash?.code;
    if ((code !== undefined && hopeless.has(code)) || seat.failures >= tries) {
      this.#giveUp(seat, why);
      return;
    }
    seat.restarts++;
    this.#setState(seat, 'waiting');
    const delayMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** (seat.failures - 1));
    seat.timer = setTimeout(() => this.#bringBack(seat), delayMs);
  }

  #bringBack(seat: Seat): void {
    clearTimeout(seat.timer);
    if (seat.handle || seat.holds > 0 || this.#stopping || seat.state === 'failed') return;
    this.#launch(seat);
  }

  #giveUp(seat: Seat, why: string): void {
    this.#setState(seat, 'failed');
    const code = seat.crash?.code;
    const { id } = seat.node;
    const lines = seat.lastLines.map((line) => `  ${line}`).join('\n');
    const error =
      code !== undefined
        ? new LoadpathError(code, `${id}: ${why}`)
        : new LoadpathError(
            'node-failed',
            `${id} does not stay up: ${why}. Tried ${seat.failures} times.` +
              (lines ? ` It said last:\n${lines}` : ''),
          );
    if (!this.#isReady) this.#fail(error);
    else {
      this.#say({ type: 'crash', at: this.now(), node: id, why: `given up: ${why}` });
      this.#options.onFailure?.(error);
      this.#checkUp();
    }
  }

  #checkUp(): void {
    const seats = [...this.#seats.values()];
    if (!seats.every((seat) => seat.state === 'up' || seat.state === 'failed')) return;
    if (!this.#isReady) this.#becomeReady();
    for (const told of this.#upWaiters.splice(0)) told();
  }

  #becomeReady(): void {
    this.#isReady = true;
    this.#settle?.resolve();
  }

  /** It did not come up: everything goes down again, and then the reason is told. */
  #fail(error: LoadpathError): void {
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
    for (const timer of this.#toCome) clearTimeout(timer);
    this.#toCome.clear();
    for (const active of this.#active) clearTimeout(active.timer);
    const seats = [...this.#seats.values()];
    for (const seat of seats) {
      clearTimeout(seat.timer);
      if (seat.pauses > 0) seat.handle?.resume();
    }
    // Who asks goes before who answers, so that nobody drains against a closed door.
    const until = performance.now() + drainUs / 1_000;
    for (const tier of tiers(seats)) {
      const leftUs = Math.max(0, (until - performance.now()) * 1_000);
      await Promise.all(tier.map((seat) => this.#drainSeat(seat, leftUs)));
    }
    for (const told of this.#upWaiters.splice(0)) told();
    this.#active.clear();
    this.#lock?.release();
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
      handle.order({ type: 'drain', graceUs });
    });
  }
}

function tiers(seats: readonly Seat[]): readonly (readonly Seat[])[] {
  const rank = ({ node }: Seat): number => {
    if (node.kind === 'users') return 0;
    if (node.programs.some((program) => program.edge)) return 1;
    return node.userCode ? 2 : 3;
  };
  return [0, 1, 2, 3].map((wanted) => seats.filter((seat) => rank(seat) === wanted));
}

function machinesOrAll(target: Target, plan: Plan): readonly NodeId[] {
  return 'all' in target ? plan.nodes.map((node) => node.id) : machines(target, plan);
}

function surgeMessage(factor: number): Message {
  const message = { type: 'surge', factor };
  return message;
}

function shiftMessage(service: string, traffic: Readonly<Record<string, number>>): Message {
  const message = { type: 'shift', service, traffic };
  return message;
}
