/**
 * The simulated world: one thread, one queue, virtual time. It pops the earliest event, runs the
 * handler it is for, lets the user code of that node run dry, and goes on; so it is always known on
 * whose behalf code runs, and the same plan, boot, seed and faults give the same run, bit by bit.
 *
 *   const world = new World({ plan, seed: 1, boot });
 *   world.bootAll();
 *   world.run(60_000_000);
 */
import { isClaim, isOperation, type Operation } from '../host/control.ts';
import type { RunEvent } from '../host/events.ts';
import type { Fault, FaultPlan } from '../host/fault.ts';
import type { Address, Message, Micros, NodeId, Value } from '../host/host.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import { assert } from '../kit/assert.ts';
import { sampler } from '../kit/distribution.ts';
import { LoadpathError } from '../kit/errors.ts';
import { Fingerprint } from '../kit/fingerprint.ts';
import { Meters } from '../kit/meters.ts';
import { type Random, seeded } from '../kit/random.ts';
import { formatDuration } from '../kit/units.ts';
import { Roster } from '../parts/roster.ts';
import { Clock } from './clock.ts';
import { Cores, type Job } from './cpu.ts';
import { Platter } from './disk.ts';
import { type ActiveFault, Faults, faultText, isDone } from './faults.ts';
import { deepFreeze } from './freeze.ts';
import type { HostServices, SimTimer } from './host.ts';
import { Doors } from './http/doors.ts';
import * as kinds from './kinds.ts';
import { Machine } from './machine.ts';
import { Network, type NetworkCounts, type Route } from './network.ts';
import type { NodeUsage, WorldOptions } from './options.ts';
import { EventQueue } from './queue.ts';
import { type Segment, type StreamCounts, Streams } from './streams.ts';
import { reasonOf, whatHappened } from './telling.ts';
import { TracedCores, TracedNetwork, TracedQueue } from './traced.ts';

export type { NodeUsage, WorldOptions } from './options.ts';

/** Where control messages come from. */
export const controlAddress: Address = Object.freeze({ node: 'control', port: 'control' });

/** Events at one instant beyond which a world is taken to be stuck. */
const stillMax = 1_000_000;
const restartMaxUs = 30_000_000;

export class World {
  readonly meters: Meters;
  readonly fingerprint = new Fingerprint();
  readonly #options: WorldOptions;
  readonly #queue: EventQueue;
  /** The queue, in a traced run. */
  readonly #traced: TracedQueue | undefined;
  readonly #network: Network;
  readonly #streams: Streams;
  readonly #faults: Faults;
  readonly #doors: Doors;
  readonly #random: Random;
  readonly #services: HostServices;
  readonly #roster: Roster;
  readonly #machines: Machine[] = [];
  readonly #byId = new Map<NodeId, Machine>();
  readonly #regionOf: ReadonlyMap<string, string>;
  readonly #active = new Set<ActiveFault>();
  #faultCount = 0;
  readonly #scheduled = new Set<{ slot: number; generation: number }>();
  /** Whose code runs now; what is thrown then is that node's end. */
  #current: Machine | undefined;
  #steps = 0;
  #instant = -1;
  #stillCount = 0;

  constructor(options: WorldOptions) {
    const { plan, seed, startUs = 0, causality, onTrace, record, isRecorded } = options;
    this.#options = options;
    this.#traced = causality && new TracedQueue(causality, startUs);
    this.#queue = this.#traced ?? new EventQueue(startUs);
    this.#random = seeded(seed);
    this.#regionOf = new Map(plan.zones.map((zone) => [zone.name, zone.region]));
    const luck = this.#random.fork('network');
    this.#network = causality
      ? new TracedNetwork(causality, this.#queue, plan, luck, onTrace)
      : new Network(this.#queue, plan, luck, onTrace);
    const pass = options.check
      ? (message: Message) => this.#pass(message)
      : (message: Message) => message;
    this.#streams = new Streams({
      queue: this.#queue,
      network: this.#network,
      random: this.#random.fork('streams'),
      connectTimeoutUs: plan.network.connectTimeoutUs,
      pass,
      holds: (to, opening, held) => this.#doors.holds(to, opening, held),
    });
    this.meters = new Meters(startUs);
    this.#services = {
      queue: this.#queue,
      network: this.#network,
      streams: this.#streams,
      arithmetic: options.arithmetic,
      machineOf: (node) => this.#byId.get(node),
      pass,
      record: (event) => record?.(event),
      isRecorded: isRecorded ?? (() => record !== undefined),
      toControl: (from, message) => this.#toControl(from, message),
      causes: causality && ((address) => causality.of(address, this.#queue)),
    };
    this.#faults = new Faults({
      network: this.#network,
      random: this.#random.fork('faults'),
      now: () => this.now,
      machines: () => this.#machines,
      regionOf: (zone) => this.#regionOf.get(zone),
      hold: (machine) => {
        machine.holdCount++;
      },
      release: (machine) => {
        machine.holdCount--;
        if (machine.holdCount === 0 && !machine.isUp && machine.phase !== 'new') {
          this.#boot(machine);
        }
      },
      crash: (machine, how, why) => this.#crash(machine, how, why, false),
      start: (block) => this.startNode(block),
      stop: (machine) => this.stopNode(machine.plan.id, 'drain'),
      drain: (machine, stopped) => this.#drain(machine, stopped),
      pause: (machine) => this.#pause(machine),
      resume: (machine) => this.#resume(machine),
      later: (delayUs, run) => this.#later(delayUs, run),
      post: (machine, ports, message) => {
        for (const port of ports) this.post({ node: machine.plan.id, port }, message);
      },
    });
    this.#doors = new Doors(plan, this.#queue, onTrace, this.#services);
    this.#roster = new Roster(plan, options.grow);
    for (const node of plan.nodes) this.#add(node);
    if (options.faults) this.applyFaults(options.faults, startUs);
  }

  /** True time, which no node can see. */
  get now(): Micros {
    return this.#queue.now;
  }

  /** Events that happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Events that will happen: messages in flight, timers, work. */
  get pendingCount(): number {
    return this.#queue.size;
  }

  get network(): Readonly<NetworkCounts> {
    return this.#network.counts;
  }

  get streams(): Readonly<StreamCounts> {
    return this.#streams.counts;
  }

  /** Every node in the order of the plan. Counts run from the start: keep the last ones to get rates. */
  usage(): readonly NodeUsage[] {
    return this.#machines.map(({ plan, cores, platter, isUp }) => ({
      node: plan.id,
      block: plan.block,
      isUp,
      cores: cores.cores,
      busyUs: cores.busyUs,
      queued: cores.queued,
      queuedMax: cores.queuedMax,
      diskBytes: platter.usedBytes,
      syncCount: platter.syncCount,
    }));
  }

  isAlive(node: NodeId): boolean {
    return this.#byId.get(node)?.isUp ?? false;
  }

  /** Boots every node of the plan that never ran, in the plan's order. */
  bootAll(): void {
    for (const machine of [...this.#machines]) if (machine.phase === 'new') this.#boot(machine);
  }

  /** The plan with the nodes that came later; those that are gone are still in it. */
  get plan(): Plan {
    return this.#roster.plan;
  }

  /** For how long between two instants a node was kept. */
  keptUs(node: NodeId, fromUs: Micros, toUs: Micros): Micros {
    return this.#roster.keptUs(node, fromUs, toUs);
  }

  /** A node that no plan named: it boots now. */
  addNode(node: NodePlan): void {
    this.#roster.add(node, this.now);
    this.#join(node);
  }

  /** One more member of `block`, where it has fewest; undefined where their number cannot change. */
  startNode(block: string): NodeId | undefined {
    const node = this.#roster.start(block, this.now);
    if (node) this.#join(node);
    return node?.id;
  }

  /** Takes a node out for good. A drain may take as long as `drainLimitUs`. */
  stopNode(node: NodeId, how: 'drain' | 'kill'): void {
    const machine = this.#byId.get(node);
    if (!machine || !this.#roster.stop(node, this.now)) return;
    machine.isGone = true;
    this.#announce(machine.plan.block);
    if (!machine.isUp) {
      if (machine.phase !== 'new') this.#tellCrash(machine, 'stopped');
    } else if (how === 'kill') this.#crash(machine, 'killed', 'stopped', false);
    else if (machine.phase !== 'draining') this.#drain(machine, () => {});
  }

  /**
   * Runs everything due by `untilUs`, which is then the time; or until `stop` says so, which is asked
   * after every event. Must not be called from a microtask when user code is to be drained.
   * @throws LoadpathError 'stuck' when time does not advance.
   */
  run(untilUs: Micros, stop?: () => boolean): void {
    for (;;) {
      try {
        this.#loop(untilUs, stop);
        return;
      } catch (error) {
        const machine = this.#current;
        if (!machine) throw error;
        this.#current = undefined;
        this.#broke(machine, error);
        if (machine.plan.userCode) this.#exhaust(machine.plan.id);
      }
    }
  }

  /**
   * Code of `node` let an error fall that nobody caught: its process ends at once, as a real one does.
   * What is left of that code may still run, and the world no longer hears it.
   */
  fail(node: NodeId, error: unknown): void {
    const machine = this.#byId.get(node);
    if (machine) this.#broke(machine, error);
  }

  /** Begins a fault now, whatever its `atUs`. The answer ends it before its time. */
  inject(fault: Fault): () => void {
    const active: ActiveFault = { id: ++this.#faultCount, fault, undo: () => {} };
    const end = () => {
      if (!this.#active.delete(active)) return;
      active.undo();
      this.#tellFault(active, false);
    };
    this.#active.add(active);
    this.#tellFault(active, true);
    active.undo = this.#faults.begin(fault, end);
    // Done is done.
    if (isDone(fault)) this.#active.delete(active);
    // A restart lasts as long as its drain, and then as long as it says.
    if (fault.forUs !== undefined && fault.do !== 'restart') {
      this.#schedule(this.now + fault.forUs, end);
    }
    return end;
  }

  /** Their times count from `t0`. */
  applyFaults(faults: FaultPlan, t0: Micros): void {
    for (const fault of faults) {
      this.#schedule(t0 + fault.atUs, () => {
        this.inject(fault);
      });
    }
  }

  /** Ends every fault, forgets those to come, and starts what is down. */
  healAll(): void {
    for (const { slot, generation } of this.#scheduled) this.#queue.cancel(slot, generation);
    this.#scheduled.clear();
    for (const active of [...this.#active].reverse()) {
      this.#active.delete(active);
      active.undo();
      this.#tellFault(active, false);
    }
    for (const machine of this.#machines) {
      if (!machine.isUp && machine.phase !== 'new') this.#boot(machine);
    }
  }

  #join(node: NodePlan): void {
    const machine = this.#add(node);
    this.#faults.joined(machine);
    this.#options.onNode?.(node);
    this.#boot(machine);
    this.#announce(node.block);
  }

  #announce(block: string): void {
    for (const [to, message] of this.#roster.news(block)) this.post(to, message);
  }

  /** Operations are done as an event of their own: their sender is in the middle of its handler. */
  #toControl(from: Address, message: Message): void {
    // As news that no wire carries: a switch learns it with the frame itself.
    if (isClaim(message)) return this.#later(0, () => this.#doors.hold(message, from.node));
    if (!isOperation(message)) return this.#options.onControl?.(from, message);
    this.#later(0, () => {
      if (this.#roster.allows(from, message)) return this.#operate(message);
      const text = `may not ask for ${message.type}`;
      this.#tell({ type: 'note', at: this.now, node: from.node, text });
    });
  }

  #operate(operation: Operation): void {
    switch (operation.type) {
      case 'follow-nodes':
        return this.#announce(operation.block);
      case 'start-node':
        this.startNode(operation.block);
        return;
      case 'stop-node':
        return this.stopNode(operation.node, operation.how);
      case 'restart-node': {
        const machine = this.#byId.get(operation.node)!;
        if (machine.isUp) this.#crash(machine, 'killed', 'restarted', false);
        if (machine.holdCount === 0) this.#boot(machine);
      }
    }
  }

  /** From the control address, without a network in between. A node that is down does not get it. */
  post(to: Address, message: Message): void {
    const machine = this.#byId.get(to.node);
    if (!machine?.isUp) return;
    const { index, life } = machine;
    const passed = this.#services.pass(message);
    this.#queue.push(this.now, kinds.control, index, life, passed, to.port);
  }

  #loop(untilUs: Micros, stop: (() => boolean) | undefined): void {
    const queue = this.#queue;
    const { onStep, enter, drain } = this.#options;
    for (;;) {
      if (stop?.()) return;
      if (!queue.pop(untilUs)) {
        if (untilUs > queue.now && Number.isFinite(untilUs)) queue.now = untilUs;
        return;
      }
      const { kind, node, life } = queue;
      if (queue.now === this.#instant) {
        if (++this.#stillCount > stillMax) this.#stuck(node);
      } else {
        this.#instant = queue.now;
        this.#stillCount = 0;
      }
      const machine = this.#machines[node - 1];
      // Of an earlier life: a crash takes its timers and callbacks with it.
      if (life !== 0 && machine?.livingLife !== life) continue;
      this.#steps++;
      this.fingerprint.word(queue.now);
      this.fingerprint.word((node << 4) | kind);
      if (machine !== undefined && machine.pauseCount > 0) {
        const a = this.#traced ? this.#traced.sealed() : queue.a;
        machine.deferred.push({ kind, life, a, b: queue.b });
        continue;
      }
      if (machine?.userCode) {
        enter?.(machine.plan.id);
        this.#current = machine;
        this.#dispatch(kind, machine, queue.a, queue.b);
        drain?.();
        enter?.(undefined);
      } else {
        this.#current = machine;
        this.#dispatch(kind, machine, queue.a, queue.b);
      }
      this.#current = undefined;
      if (onStep) {
        const happened = { kind, a: queue.a, b: queue.b };
        onStep(this.#steps, this.fingerprint.short(), () => {
          const at = `${this.now} µs ${machine?.plan.id ?? 'world'}`;
          return `${at}: ${whatHappened(happened, this.#options.describe)}`;
        });
      }
    }
  }

  #dispatch(kind: number, machine: Machine | undefined, a: unknown, b: unknown): void {
    switch (kind) {
      case kinds.deliver:
      case kinds.deliverTwice: {
        const route = b as Route;
        const message = a as Message;
        const handlers = this.#network.arrive(route, message, kind === kinds.deliverTwice);
        if (handlers !== undefined) handlers.message(route.from, message);
        return;
      }
      case kinds.timer: {
        const timer = a as SimTimer;
        const { fire } = timer;
        timer.fire = undefined;
        if (fire !== undefined) fire();
        return;
      }
      case kinds.cpu: {
        const job = a as Job;
        machine!.cores.finish(job);
        job.done();
        return;
      }
      case kinds.disk:
      case kinds.call:
      case kinds.act:
        (a as () => void)();
        return;
      case kinds.deliverAgain: {
        const route = b as Route;
        const message = a as Message;
        this.#network.arriveAgain(route, message)?.message(route.from, message);
        return;
      }
      case kinds.refused: {
        const route = b as Route;
        machine!.ports.get(route.from.port)?.refused?.(route.to, a as Message);
        return;
      }
      case kinds.disconnected: {
        const node = a as NodeId;
        if (!this.#network.close(machine!, this.#byId.get(node)!, b as number)) return;
        for (const handlers of machine!.ports.values()) handlers.disconnected?.(node);
        return;
      }
      case kinds.segment:
        return this.#streams.arrive(a as Segment);
      case kinds.control:
        machine!.ports.get(b as string)?.message(controlAddress, a as Message);
        return;
      default:
        assert(false, `the world knows an event of kind ${kind}`);
    }
  }

  #add(plan: NodePlan): Machine {
    assert(!this.#byId.has(plan.id), `one node is called ${plan.id}`);
    const { clocks, syncCost, diskSizeBytes, wallEpochUs, causality } = this.#options;
    const random = this.#random.fork('node').fork(plan.id);
    const index = this.#machines.length + 1;
    const clock = new Clock(
      random.fork('clock'),
      {
        offsetMaxUs: clocks?.offsetMaxUs ?? 500,
        driftMaxPpm: clocks?.driftMaxPpm ?? 20,
      },
      wallEpochUs ?? Date.UTC(2026, 0, 1) * 1000,
    );
    const platter = new Platter(
      this.#queue,
      index,
      {
        syncCost: sampler(syncCost ?? { kind: 'lognormal', median: 300, p99: 1_500 }),
        sizeMaxBytes: diskSizeBytes ?? Number.POSITIVE_INFINITY,
      },
      random.fork('disk'),
      (bytes) => this.fingerprint.bytes(bytes),
    );
    const cores = causality
      ? new TracedCores(causality, this.#queue, index, plan.cores)
      : new Cores(this.#queue, index, plan.cores);
    const machine = new Machine(index, plan, clock, cores, platter);
    this.#machines.push(machine);
    this.#byId.set(plan.id, machine);
    return machine;
  }

  #boot(machine: Machine): void {
    if (machine.isGone) return;
    const { plan } = machine;
    const life = ++machine.life;
    machine.phase = 'up';
    machine.livingLife = life;
    machine.bootedAt = this.now;
    machine.pauseCount = 0;
    machine.clock.boot(this.now);
    machine.cores.boot(life);
    machine.platter.boot(life);
    // A stream of its own for each life and port: what one program draws shifts nobody else.
    const random = this.#random.fork('node').fork(plan.id).fork(`life ${life}`);
    const onNote = (text: string, isAlarm: boolean) => {
      const note = { type: 'note', at: this.now, node: plan.id, text } as const;
      this.#tell(isAlarm ? { ...note, isAlarm } : note);
    };
    const blockOf = new Map(plan.programs.map((program) => [program.port, program.block]));
    this.#tell({ type: 'boot', at: this.now, node: plan.id, life });
    let failure: unknown;
    try {
      if (plan.userCode) this.#options.enter?.(plan.id);
      const hostOf = (port: string) => {
        const meter = this.meters.meter(plan.id, blockOf.get(port) ?? plan.block, onNote);
        return this.#doors.hostOf(this.#services, machine, port, random.fork(port), meter);
      };
      const { ports } = this.#options.boot(plan, life, hostOf);
      machine.ports = this.#doors.serve(plan, ports, hostOf);
      this.#doors.joined(machine);
      if (plan.userCode) this.#options.drain?.();
    } catch (error) {
      failure = error ?? 'nothing';
    } finally {
      if (plan.userCode) this.#options.enter?.(undefined);
    }
    if (failure === undefined) {
      // What its code let fall may have ended it already.
      if (machine.livingLife === life) this.#faults.greet(machine);
      return;
    }
    this.#options.onThrow?.(plan.id, failure);
    // It stays down: what stopped it once would stop it again. `healAll` gives it another chance.
    this.#crash(machine, 'killed', `did not come up: ${reasonOf(failure)}`, false);
  }

  /** @param isGraceful what was written is on the disk, since the system goes on running. */
  #crash(machine: Machine, how: 'killed' | 'powerless', why: string, isGraceful: boolean): void {
    assert(machine.isUp, 'only what is up can go down');
    machine.phase = how;
    machine.livingLife = -1;
    machine.ports = new Map();
    this.#doors.left(machine);
    machine.cores.boot(0);
    if (!isGraceful) machine.platter.crash();
    this.#network.ended(machine, this.#machines, how === 'powerless');
    this.#streams.ended(machine, how === 'powerless');
    // What had arrived but not been read: the network says what becomes of it.
    const { deferred, index } = machine;
    machine.deferred = [];
    machine.pauseCount = 0;
    for (const { kind, life, a, b } of deferred) {
      if (life === 0) this.#queue.push(this.now, kind, index, life, a, b);
    }
    this.#tellCrash(machine, why);
  }

  #tellCrash({ plan, isGone }: Machine, why: string): void {
    const event = { type: 'crash', at: this.now, node: plan.id, why } as const;
    this.#tell(isGone ? { ...event, gone: true } : event);
  }

  /** A program threw. Its node ends, and a supervisor starts it again after a pause. */
  #broke(machine: Machine, error: unknown): void {
    this.#options.onThrow?.(machine.plan.id, error);
    if (!machine.isUp) return;
    const { restartAfterUs = 1_000_000 } = this.#options;
    this.#crash(machine, 'killed', reasonOf(error), false);
    const isInRow = this.now - machine.bootedAt < restartMaxUs;
    machine.crashesInRow = isInRow ? machine.crashesInRow + 1 : 1;
    const pauseUs = Math.min(restartMaxUs, restartAfterUs * 2 ** (machine.crashesInRow - 1));
    const { life } = machine;
    this.#later(pauseUs, () => {
      if (machine.life === life && !machine.isUp && machine.holdCount === 0) this.#boot(machine);
    });
  }

  #drain(machine: Machine, stopped: () => void): void {
    const { life } = machine;
    const waiting = new Set<string>();
    let isStopped = false;
    const stop = (why: string) => {
      if (isStopped) return;
      isStopped = true;
      if (machine.livingLife === life) this.#crash(machine, 'killed', why, true);
      stopped();
    };
    machine.phase = 'draining';
    this.#doors.left(machine);
    for (const [port, handlers] of machine.ports) if (handlers.drain) waiting.add(port);
    // Never from inside a program's own call, which has not returned yet.
    if (waiting.size === 0) return this.#later(0, () => stop('stopped'));
    this.#later(this.#options.drainLimitUs ?? 10_000_000, () => stop('stopped by force'));
    this.#runOn(machine, () => {
      for (const [port, handlers] of machine.ports) {
        handlers.drain?.(() => {
          if (waiting.delete(port) && waiting.size === 0) this.#later(0, () => stop('stopped'));
        });
      }
    });
  }

  #pause(machine: Machine): void {
    if (!machine.isUp) return;
    if (machine.pauseCount++ === 0) machine.cores.pause();
  }

  #resume(machine: Machine): void {
    if (!machine.isUp || machine.pauseCount === 0 || --machine.pauseCount > 0) return;
    const { deferred, index } = machine;
    machine.deferred = [];
    for (const { kind, life, a, b } of deferred) {
      this.#queue.push(this.now, kind, index, life, a, b);
    }
    machine.cores.resume();
  }

  /** What the dead node's code still had to run must not run in the name of the next node. */
  #exhaust(node: NodeId): void {
    const { enter, drain } = this.#options;
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        drain?.();
        break;
      } catch (error) {
        // It is dead already: one more error of the same end is only for those who want them all.
        this.#options.onThrow?.(node, error);
      }
    }
    enter?.(undefined);
  }

  /** Program code outside of an event of its own. */
  #runOn(machine: Machine, run: () => void): void {
    const { userCode, id } = machine.plan;
    let failure: unknown;
    try {
      if (userCode) this.#options.enter?.(id);
      run();
      if (userCode) this.#options.drain?.();
    } catch (error) {
      failure = error ?? 'nothing';
    } finally {
      if (userCode) this.#options.enter?.(undefined);
    }
    if (failure !== undefined) this.#broke(machine, failure);
  }

  #later(delayUs: Micros, run: () => void): void {
    this.#queue.push(this.now + delayUs, kinds.act, 0, 0, run, undefined);
  }

  #schedule(at: Micros, run: () => void): void {
    const entry = { slot: 0, generation: 0 };
    entry.slot = this.#queue.push(
      at,
      kinds.act,
      0,
      0,
      () => {
        this.#scheduled.delete(entry);
        run();
      },
      undefined,
    );
    entry.generation = this.#queue.generation(entry.slot);
    this.#scheduled.add(entry);
  }

  #pass(message: Message): Message {
    const { codec } = this.#options;
    const value = message as unknown as Value;
    this.fingerprint.value(value);
    const passed = codec ? codec.decode(codec.encode(value)) : value;
    return deepFreeze(passed) as unknown as Message;
  }

  #tellFault({ id, fault }: ActiveFault, began: boolean): void {
    this.#tell({ type: 'fault', at: this.now, text: faultText(fault), began, id });
    this.#options.onFault?.(fault, began);
  }

  #tell(event: RunEvent): void {
    this.#options.onEvent?.(event);
  }

  #stuck(node: number): never {
    const at = this.#machines[node - 1]?.plan.id ?? 'the world itself';
    throw new LoadpathError(
      'stuck',
      `the simulation is stuck at ${formatDuration(this.now)}: more than ${stillMax} events in one ` +
        `instant, the last on ${at}. Something there goes on without ever waiting, such as a loop ` +
        'over a timer of 0.',
      { problems: [{ at, what: 'goes on without time passing' }] },
    );
  }
}
