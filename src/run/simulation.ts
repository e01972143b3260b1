/**
 * One simulated run of a design, from the first boot to the verdict:
 *
 *   boot → setup → warm-up → load (faults, one window a second) → stop → heal → drain → judge
 *
 * Synchronous: it must be called from a macrotask, and returns when all is over.
 */

import type { LoadOverride } from '../blocks/workload/users/index.ts';
import { changesOf } from '../design/options.ts';
import { grower } from '../design/plan.ts';
import { declarationsOf, type Objectives, planOf, type System } from '../design/system.ts';
import type { Boot, NodeRuntime } from '../host/boot.ts';
import type { FromProgram, ToProgram } from '../host/control.ts';
import type { Declaration } from '../host/declaration.ts';
import type { Phase, RunEvent } from '../host/events.ts';
import type { FaultPlan } from '../host/fault.ts';
import type { HistoryEvent } from '../host/history.ts';
import type { Host, Micros, NodeId } from '../host/host.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import { LoadpathError } from '../kit/errors.ts';
import { Histogram } from '../kit/histogram.ts';
import type { MetersSnapshot, MetersWindow } from '../kit/meters.ts';
import { formatDuration } from '../kit/units.ts';
import { decode, encode } from '../parts/codec.ts';
import type { Causality } from '../sim/causality.ts';
import { arithmetic } from '../sim/node/arithmetic.ts';
import { releaseGlobals, SharedGround } from '../sim/node/commons.ts';
import { catchStrays } from '../sim/node/drain.ts';
import { Leaks, type Token } from '../sim/node/leaks.ts';
import { Reaches } from '../sim/node/reaches.ts';
import { enter, type Scope } from '../sim/node/scope.ts';
import { releaseSignals } from '../sim/node/timers.ts';
import { World } from '../sim/world.ts';
import type { Budget } from '../verify/verdict.ts';
import { alarmsIn } from './alarms.ts';
import { makeBoot } from './boot.ts';
import { brokenOff } from './broken-off.ts';
import { Crowds } from './crowds.ts';
import { type Describe, describer } from './describe.ts';
import { Framer } from './framer.ts';
import type { Frame, FrameLayout } from './frames.ts';
import { isIn, judgeAll, judgedBlocks } from './judge.ts';
import { isBehind, lagEvents } from './lags.ts';
import { figuresOf, warmUpNote } from './measure.ts';
import { idleFaults } from './options.ts';
import { assemble, type InvariantResult, type Report } from './report.ts';
import { SeriesTable } from './series.ts';
import { version } from './version.ts';
import { keepWarm, letGo } from './warmth.ts';

export interface SimulationOptions {
  readonly design: System;
  /** The design with its modules evaluated afresh, for each life of a node with user code. */
  readonly afresh?: (() => System) | undefined;
  readonly seed: number;
  readonly forUs: Micros;
  /** For how long users come before it, uncounted. */
  readonly warmUpUs?: Micros | undefined;
  readonly faults: FaultPlan;
  readonly load?: LoadOverride | undefined;
  /** Hash content, freeze messages, pass them through the codec. */
  readonly check?: boolean | undefined;
  readonly untilUs?: Micros | undefined;
  /** After the heal, send some load again and demand that it is served: the system must recover. */
  readonly probe?: boolean | undefined;
  /** Steps a judge may take over one invariant. */
  readonly budget?: Budget | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  readonly onTrace?: ((line: string) => void) | undefined;
  readonly onStep?: ((index: number, hash: number, describe: () => string) => void) | undefined;
  readonly onSecond?: ((second: Second) => void) | undefined;
  /** Makes frames of the load: who is in them is told before the load begins. */
  readonly frames?: FrameOptions | undefined;
  /**
   * Asked once a virtual second, and after each frame: true ends the load early. A run whose answer
   * is long in coming stands still meanwhile.
   */
  readonly shouldStop?: ((now: Micros) => boolean) | undefined;
  /** Hears what causes what; told with `onLoad` from when on requests count, in world time. */
  readonly causality?: Causality | undefined;
  readonly onLoad?: ((now: Micros) => void) | undefined;
  /** Told whose code runs, for whoever watches this thread from another. */
  readonly whereabouts?: Whereabouts | undefined;
  readonly drain: () => void;
  /** Real milliseconds, for `wallSeconds` alone. */
  readonly clock: () => number;
}

/** What is known after each second of load. */
export interface Second {
  readonly at: Micros;
  readonly window: MetersWindow;
}

export interface FrameOptions {
  readonly frameUs: Micros;
  onLayout(layout: FrameLayout): void;
  onFrame(frame: Frame): void;
}

/** Places are numbers from 1, since it is told at every event of user code. */
export interface Whereabouts {
  name(place: number, name: string): void;
  /** `at`: since the load began. */
  enter(place: number, at: Micros): void;
  leave(): void;
}

/** A node with user code, in its present life. */
interface Place {
  readonly index: number;
  scope: Scope | undefined;
}

export interface SimulationOutcome {
  readonly report: Report;
  readonly history: readonly HistoryEvent[];
  readonly plan: Plan;
}

const setupMaxUs = 600_000_000;
const drainMaxUs = 60_000_000;
const probeUs = 1_000_000;
/** Repairs, hints and the last redeliveries: what a healed system does when left alone. */
const settleUs = 2_000_000;

export function runSimulation(options: SimulationOptions): SimulationOutcome {
  return new Simulation(options).run();
}

/** The same run for what its `causality` hears of it, until it should stop. Nothing is judged. */
export function traceSimulation(options: SimulationOptions): void {
  new Simulation(options).trace();
}

/** Waits for the end of something asynchronous, and is then free for the next. */
class Follower {
  token: Token = 0;
  node: NodeId = '';
  failure: { readonly reason: unknown } | undefined = undefined;
  readonly ended: () => void;
  readonly failed: (reason: unknown) => void;

  constructor(done: (follower: Follower) => void) {
    this.ended = () => done(this);
    this.failed = (reason) => {
      this.failure = { reason };
      done(this);
    };
  }
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #crowds: Crowds;
  readonly #world: World;
  #history: Mutable<HistoryEvent>[] = [];
  readonly #events: RunEvent[] = [];
  readonly #series: SeriesTable;
  readonly #framer: Framer | undefined;
  readonly #places = new Map<NodeId, Place>();
  readonly #boots = new Map<NodeId, number>();
  /** Of a node of each block: see `warmth.ts`. */
  readonly #programs = new Map<string, NodeRuntime>();
  readonly #notes: string[] = [];
  readonly #leaks = new Leaks();
  readonly #reaches = new Reaches();
  /** In a checking run. */
  #ground: SharedGround | undefined;
  #ready: FromProgram | undefined;
  #quiet = false;
  /** World time at which the load began; events are told relative to it. */
  #loadBeganAt: Micros = 0;
  #loadUs: Micros = 0;
  /** Real time that the run spent waiting for whoever watches it. */
  #stoodStillMs = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { design, load, seed, check, frames, forUs } = options;
    const declarations = declarationsOf(design, load);
    const plan = planOf(design, load);
    this.#crowds = new Crowds(plan);
    this.#series = new SeriesTable(plan);
    this.#framer = frames && new Framer({ plan, declarations, frameUs: frames.frameUs, forUs });
    const describe = describer(declarations);
    this.#world = new World({
      plan,
      seed,
      boot: this.#boot(),
      check,
      codec: { encode, decode },
      arithmetic,
      describe,
      causality: options.causality,
      record: (event) => this.#history.push(event),
      isRecorded: isIn(judgedBlocks(design.invariants)),
      onEvent: (event) => this.#tell(event),
      onFault: (fault, began) =>
        this.#framer?.fault(this.#world.now - this.#loadBeganAt, fault, began),
      grow: grower(declarations, plan.zones),
      onNode: (node) => {
        this.#series.join(node);
        this.#framer?.join(this.#world.plan);
      },
      onControl: (from, message) => this.#hear(from.node, message as FromProgram),
      enter: (node) => this.#enter(node),
      drain: options.drain,
      onStep: options.onStep,
      onTrace: options.onTrace && this.#tracer(describe, options.onTrace),
    });
  }

  run(): SimulationOutcome {
    return this.#caught(() => this.#run());
  }

  trace(): void {
    this.#caught(() => {
      this.#world.bootAll();
      this.#prepare();
      this.#warmUp();
      this.#load();
      if (this.#options.shouldStop?.(this.#world.now)) return;
      // The last requests have their ends only now, as in the run that is followed.
      this.#heal();
      this.#quieten();
    });
  }

  #caught<T>(run: () => T): T {
    const release = catchStrays((node, thrown) => this.#stray(node, thrown));
    if (this.#options.check) {
      this.#leaks.trace();
      this.#ground = new SharedGround();
    }
    try {
      return run();
    } finally {
      this.#leaks.stopTracing();
      enter(undefined);
      release();
      releaseSignals();
      releaseGlobals();
    }
  }

  #run(): SimulationOutcome {
    const { clock, seed, design, forUs, warmUpUs } = this.#options;
    const startedAt = clock();
    this.#phase('setup');
    this.#world.bootAll();
    this.#prepare();
    this.#warmUp();
    this.#load();
    this.#heal();
    this.#quieten();
    // Before the probe, so that a replay of what a hunt found has the same digest.
    const digest = this.#world.fingerprint.hex();
    const unprobed = this.#options.probe ? this.#world.meters.snapshot() : undefined;
    const recovery = this.#options.probe ? this.#recovers() : undefined;
    this.#drain();
    this.#phase('judge');
    const loadUs = this.#loadUs || forUs;
    const totals = this.#world.meters.snapshot();
    const { counts, servedCount, latencies, inVain, errors, blocks, complaints } = figuresOf({
      plan: this.#world.plan,
      loadUs,
      totals,
      unprobed,
      busyUs: (node) => this.#busyDuringLoad.get(node) ?? 0,
      boots: (node) => this.#boots.get(node) ?? 0,
      keptUs: (node) => this.#world.keptUs(node, this.#loadBeganAt, this.#loadBeganAt + loadUs),
    });
    // Told from the beginning of the load, as faults are; what `setup` did lies before zero.
    const origin = this.#loadBeganAt;
    const events = this.#events.map((event) => ({ ...event, at: event.at - origin }));
    const isJudged = isIn(judgedBlocks(design.invariants));
    this.#history.push(...lagEvents(totals, this.#world.now, isJudged));
    // In place: nobody else has them, and there may be millions.
    for (const event of this.#history) event.at -= origin;
    const history: readonly HistoryEvent[] = this.#history;
    // What is kept of this run must not hold it.
    this.#history = [];
    const invariants = judgeAll(design.invariants, history, this.#options.budget);
    if (complaints.verdict !== 'holds') invariants.push(complaints);
    if (recovery) invariants.push(recovery);
    const broken = brokenOff(events, this.#world.plan, loadUs);
    if (broken) invariants.push(broken);
    invariants.push(...this.#reached());
    const report = assemble({
      version,
      design: design.name,
      world: 'simulated',
      seed,
      digest,
      loadUs,
      wallUs: Math.round((clock() - startedAt - this.#stoodStillMs) * 1_000),
      counts,
      servedCount,
      latencies: design.workload ? latencies : new Histogram(),
      inVain,
      objectives: design.objectives satisfies Objectives,
      invariants,
      errors,
      blocks,
      series: this.#series.series(),
      events,
      notes: [
        ...changesOf(design.options),
        ...warmUpNote(totals, warmUpUs),
        ...this.#notes,
        ...idleFaults(this.#options),
        ...alarmsIn(events),
        ...this.#stuck(),
        ...this.#shared(),
      ],
    });
    keepWarm(this.#programs.values());
    return { report, history, plan: this.#world.plan };
  }

  #toldLayout: FrameLayout | undefined;
  readonly #busyDuringLoad = new Map<NodeId, Micros>();

  #boot(): Boot {
    const { design, load, afresh } = this.#options;
    const byName = (system: System): ReadonlyMap<string, Declaration> =>
      new Map(declarationsOf(system, load).map((declaration) => [declaration.name, declaration]));
    const shared = byName(design);
    const boot = makeBoot({
      declarations: (node) => (node.userCode && afresh ? byName(afresh()) : shared),
      runUserCode: (node, _life, what, start) => this.#runUserCode(node, what, start),
    });
    return (node, life, hostOf) => {
      this.#boots.set(node.id, (this.#boots.get(node.id) ?? 0) + 1);
      if (node.userCode) {
        this.#placeOf(node.id).scope = this.#scope(hostOf('user code'));
        this.#enter(node.id);
      }
      const runtime = boot(node, life, hostOf);
      this.#programs.set(node.block, runtime);
      return runtime;
    };
  }

  #placeOf(node: NodeId): Place {
    let place = this.#places.get(node);
    if (!place) {
      place = { index: this.#places.size + 1, scope: undefined };
      this.#places.set(node, place);
      this.#options.whereabouts?.name(place.index, node);
    }
    return place;
  }

  #enter(node: NodeId | undefined): void {
    const { whereabouts } = this.#options;
    if (node === undefined) {
      whereabouts?.leave();
      enter(undefined);
      return;
    }
    const { index, scope } = this.#placeOf(node);
    whereabouts?.enter(index, this.#world.now - this.#loadBeganAt);
    enter(scope);
  }

  #scope(host: Host): Scope {
    return {
      node: host.self,
      now: () => host.now(),
      wall: () => host.wall(),
      after: (delayUs, fire) => host.after(delayUs, fire),
      random: host.random,
      fetch: (input) => {
        const url =
          typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
        this.#reaches.add(host.self, `fetch('${url}')`);
        throw new LoadpathError(
          'real-io',
          `${host.self} called fetch('${url}'). A simulation reaches nothing outside: declare it as external('…', { url, stub }) and call it through env`,
        );
      },
      log: (level, text) =>
        this.#tell({ type: 'log', at: this.#world.now, node: host.self, level, text }),
      reached: (call) => this.#reaches.add(host.self, call),
    };
  }

  #runUserCode(node: NodePlan, what: string, start: () => Promise<void> | void): void {
    const { causality } = this.#options;
    const running = causality ? causality.inCode(start) : start();
    if (!running) return;
    const token = this.#leaks.open(node.id, what, this.#world.now);
    const follower = this.#followers.pop() ?? new Follower(this.#followed);
    follower.token = token;
    follower.node = node.id;
    running.then(follower.ended, follower.failed);
  }

  /** Those who follow nobody just now: user code runs twice a request, and two functions each would be made for it. */
  readonly #followers: Follower[] = [];

  readonly #followed = (follower: Follower): void => {
    this.#leaks.close(follower.token);
    const { node, failure } = follower;
    if (failure !== undefined) this.#stray(node, failure.reason);
    follower.failure = undefined;
    this.#followers.push(follower);
  };

  /** User code let something fall that nobody caught: the end of its process, here as it is live. */
  #stray(node: NodeId | undefined, failure: unknown): void {
    const text = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
    const at = this.#world.now;
    this.#tell({ type: 'log', at, node: node ?? 'run', level: 'error', text });
    if (node !== undefined) this.#world.fail(node, failure);
  }

  /** What a node does after an error that it meets here only says nothing of what it does live. */
  #reached(): InvariantResult[] {
    const { count } = this.#reaches;
    if (count === 0) return [];
    const times = count === 1 ? 'once' : `${count} times`;
    const detail = `user code reached for the real world ${times} and was refused, so what it does live was not simulated: ${this.#reaches.places().join('; ')}`;
    return [{ name: 'all that happens is simulated', verdict: 'unknown', detail }];
  }

  /** User code that was still waiting when all was over. */
  #stuck(): readonly string[] {
    const counts = new Map<string, number>();
    for (const { node, what, waitsFor } of this.#leaks.stuck()) {
      const whatFor = waitsFor.length > 0 ? `; ${node} waits for ${waitsFor.join(', ')}` : '';
      const name = `${node}: ${what} never finished${whatFor}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const stuck = [...counts].map(([name, count]) =>
      count > 1 ? `${name} (${count} times)` : name,
    );
    return [...stuck.slice(0, 10), ...this.#leaks.uncleared().slice(0, 10)];
  }

  /** What separate processes would have had each for itself. */
  #shared(): readonly string[] {
    const found = this.#ground?.found() ?? [];
    if (found.length === 0) return [];
    const names = found.slice(0, 5).join(', ');
    return [`set by code of nodes and shared by all of them, which live ones do not: ${names}`];
  }

  #prepare(): void {
    if (!this.#options.design.workload) return;
    this.#post({ type: 'prepare' });
    this.#world.run(this.#world.now + setupMaxUs, () => this.#ready !== undefined);
    const ready = this.#ready as FromProgram | undefined;
    if (ready?.type !== 'ready') {
      throw new LoadpathError(
        'stuck',
        `the workload's setup did not finish within ${formatDuration(setupMaxUs)} of virtual time`,
      );
    }
    if (ready.failure !== undefined) {
      throw new LoadpathError('design-failed', `the workload's setup failed: ${ready.failure}`);
    }
  }

  /** Nobody else learns that it goes on: the load only begins where a system is already at work. */
  #warmUp(): void {
    const world = this.#world;
    const endsAt = world.now + (this.#options.warmUpUs ?? 0);
    if (endsAt === world.now || !this.#options.design.workload) return;
    this.#phase('warm-up');
    this.#post({ type: 'warm-up' });
    do world.run(Math.min(endsAt, world.now + 1_000_000));
    while (world.now < endsAt && !this.#isToStop());
  }

  #load(): void {
    const world = this.#world;
    const { forUs, faults, untilUs = Number.POSITIVE_INFINITY } = this.#options;
    this.#loadBeganAt = world.now;
    this.#phase('load');
    world.meters.clear(world.now);
    const busyBefore = new Map(world.usage().map(({ node, busyUs }) => [node, busyUs]));
    this.#framer?.begin((node) => busyBefore.get(node)!);
    this.#tellLayout();
    this.#options.onLoad?.(world.now);
    world.applyFaults(faults, world.now);
    if (this.#options.design.workload) this.#post({ type: 'begin', forUs });
    this.#watched(Math.min(forUs, untilUs));
    for (const { node, busyUs } of world.usage()) {
      this.#busyDuringLoad.set(node, busyUs - (busyBefore.get(node) ?? 0));
    }
  }

  /** Closes windows at the edges of seconds and frames. The last of each may be shorter. */
  #watched(forUs: Micros): void {
    const world = this.#world;
    const { onSecond, frames } = this.#options;
    const secondUs = 1_000_000;
    const stepUs = Math.min(secondUs, frames?.frameUs ?? secondUs);
    const beganAt = this.#loadBeganAt;
    let readings: MetersSnapshot = [];
    let secondFromUs: Micros = 0;
    let isStopped = false;
    while (this.#loadUs < forUs && !isStopped) {
      const at = Math.min(forUs, this.#loadUs + stepUs);
      world.run(beganAt + at);
      this.#loadUs = at;
      if (at >= secondUs) letGo();
      const window = world.meters.window(world.now);
      readings = readings.length === 0 ? window.readings : [...readings, ...window.readings];
      this.#framer?.add(window.readings);
      if (this.#framer && at >= this.#framer.dueUs) this.#frame();
      isStopped = this.#isToStop();
      if (at - secondFromUs < secondUs && at < forUs && !isStopped) continue;
      this.#series.add(Math.floor(secondFromUs / secondUs), readings);
      onSecond?.({ at, window: { fromUs: beganAt + secondFromUs, toUs: world.now, readings } });
      readings = [];
      secondFromUs = at;
    }
    if (this.#framer && this.#framer.fromUs < this.#loadUs) this.#frame();
  }

  /** Again when nodes have come. */
  #tellLayout(): void {
    const layout = this.#framer?.layout;
    if (layout === undefined || layout === this.#toldLayout) return;
    this.#toldLayout = layout;
    this.#options.frames?.onLayout(layout);
  }

  #frame(): void {
    this.#tellLayout();
    const busyUs = new Map(this.#world.usage().map((usage) => [usage.node, usage.busyUs]));
    const frame = this.#framer!.close(this.#loadUs, (node) => busyUs.get(node)!);
    this.#options.frames?.onFrame(frame);
  }

  #isToStop(): boolean {
    const { shouldStop, clock } = this.#options;
    if (!shouldStop) return false;
    const askedAt = clock();
    const answer = shouldStop(this.#world.now);
    this.#stoodStillMs += clock() - askedAt;
    return answer;
  }

  #heal(): void {
    this.#phase('heal');
    this.#world.healAll();
  }

  /** Until every request has been answered or given up. */
  #quieten(): void {
    if (!this.#options.design.workload) return;
    const world = this.#world;
    const endsAt = world.now + drainMaxUs;
    this.#quiet = false;
    this.#crowds.ask();
    while (!this.#quiet && world.now < endsAt) {
      // Users that were just booted again hear it only now, and once more does no harm.
      this.#post({ type: 'stop' });
      world.run(Math.min(endsAt, world.now + 1_000_000), () => this.#quiet);
    }
  }

  /** Until what was published is consumed and what was hinted is handed over. */
  #drain(): void {
    const world = this.#world;
    this.#phase('drain');
    const endsAt = world.now + drainMaxUs;
    world.run(world.now + settleUs);
    while (isBehind(world.meters.snapshot()) && world.now < endsAt) world.run(world.now + 500_000);
  }

  /** Liveness: what was broken is whole again, so requests must be served again. */
  #recovers(): InvariantResult | undefined {
    if (!this.#options.design.workload) return undefined;
    const world = this.#world;
    const before = this.#served();
    this.#post({ type: 'begin', forUs: probeUs });
    world.run(world.now + probeUs);
    this.#quieten();
    const after = this.#served();
    const completed = after.completed - before.completed;
    const failed = after.failed - before.failed;
    const name = 'the system recovers';
    const detail = `after the heal ${completed} requests were served and ${failed} failed`;
    return { name, verdict: completed > failed ? 'holds' : 'violated', detail };
  }

  #served(): { readonly completed: number; readonly failed: number } {
    let completed = 0;
    let failed = 0;
    for (const { block, counters } of this.#world.meters.snapshot()) {
      if (block !== 'users') continue;
      completed += counters.completed ?? 0;
      failed += counters.failed ?? 0;
    }
    return { completed, failed };
  }

  #post(message: ToProgram): void {
    if (message.type === 'prepare') this.#crowds.ask();
    for (const node of this.#world.plan.nodes) {
      if (node.kind === 'users') this.#world.post({ node: node.id, port: 'users' }, message);
    }
  }

  #hear(node: NodeId, message: FromProgram): void {
    if (!this.#crowds.hear(node, message)) return;
    if (message.type === 'ready') this.#ready = message;
    else this.#quiet = true;
  }

  #phase(phase: Phase): void {
    this.#tell({ type: 'phase', at: this.#world.now, phase });
  }

  #tell(event: RunEvent): void {
    const told = { ...event, at: event.at - this.#loadBeganAt };
    if (told.type === 'crash') this.#leaks.forget(told.node);
    this.#framer?.hear(told);
    if (told.type !== 'log') this.#events.push(event);
    this.#options.onEvent?.(told);
  }

  #tracer(describe: Describe, onTrace: (line: string) => void): (event: TraceLike) => void {
    return (event) => onTrace(traceLine(event, this.#loadBeganAt, describe));
  }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

type TraceLike = Parameters<NonNullable<ConstructorParameters<typeof World>[0]['onTrace']>>[0];

function traceLine(event: TraceLike, origin: Micros, describe: Describe): string {
  const { at, from, to, message, what } = event;
  const ms = ((at - origin) / 1_000).toFixed(3).padStart(12);
  return `${ms} ${from.node} ${what} ${to.node} ${describe(from, to, message)}`;
}
