/**
 * One live run of a design, from the first process to the verdict. The same phases as in the
 * simulator, in real time:
 *
 *   start → setup → warm-up → load (faults) → stop → heal → drain → judge
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blocks } from '../../blocks/index.ts';
import { formatFault, parseFaultNow } from '../../design/faults.ts';
import { changesOf } from '../../design/options.ts';
import { grower } from '../../design/plan.ts';
import { declarationsOf, namesIn, planOf, type System } from '../../design/system.ts';
import type { FromProgram, ToProgram } from '../../host/control.ts';
import type { Declaration } from '../../host/declaration.ts';
import type { Phase, RunEvent } from '../../host/events.ts';
import type { Micros, NodeId, Value } from '../../host/host.ts';
import type { NodePlan, Plan } from '../../host/plan.ts';
import { LoadpathError } from '../../kit/errors.ts';
import type { MetersSnapshot } from '../../kit/meters.ts';
import { type Admin, startAdmin } from '../../live/admin.ts';
import { emptyDirectory } from '../../live/lock.ts';
import { type LiveSystem, startLive } from '../../live/supervisor.ts';
import { faultText } from '../../sim/faults.ts';
import { onFormerData } from '../../verify/former.ts';
import { alarmsIn } from '../alarms.ts';
import type { LiveControl, LiveOptions, Watch } from '../api.ts';
import { brokenOff } from '../broken-off.ts';
import { Crowds } from '../crowds.ts';
import { isIn, judgeAll, judgedBlocks } from '../judge.ts';
import { isBehind, lagEvents } from '../lags.ts';
import { silenceNotes, stubNotes } from '../live-notes.ts';
import { figuresOf, warmUpNote } from '../measure.ts';
import { idleFaults, type Resolved, resolve } from '../options.ts';
import { assemble, type ObjectiveResult, type Report } from '../report.ts';
import { version } from '../version.ts';
import type { DesignBundle } from './bundle.ts';
import { entry } from './entry.ts';
import { type KeptBundle, keepBundle } from './kept-bundle.ts';
import { type ChildData, kindsWithoutDesign, liveBoot } from './live-boot.ts';
import type { LoadedDesign } from './load.ts';
import { Observer } from './observer.ts';

export interface LiveRun extends LiveOptions {
  readonly design: System;
  readonly bundle: DesignBundle;
  /** The same, as it was evaluated here. */
  readonly loaded: LoadedDesign;
  readonly visits?: Parameters<typeof resolve>[1]['visits'];
  /** Only send the workload, to where the design already runs: the address of its door. */
  readonly target?: string | undefined;
}

const setupMaxMs = 60_000;
const quietMaxMs = 30_000;
const settleMs = 1_000;
const lagMaxMs = 30_000;
/** A system may run for weeks: the report tells of the latest. */
const eventsMax = 10_000;
/** When a smaller share of the users came in time, the machine, and not the system, was measured. */
const achievedMin = 0.98;

export async function runLive(run: LiveRun, watch: Watch = {}): Promise<Report> {
  return new Live(run, watch).run();
}

class Live {
  readonly #run: LiveRun;
  readonly #watch: Watch;
  readonly #asked: Resolved;
  readonly #plan: Plan;
  readonly #crowds: Crowds;
  readonly #declared: ReadonlyMap<string, Declaration>;
  #kept: DesignBundle | KeptBundle | undefined;
  readonly #events: RunEvent[] = [];
  #forgottenCount = 0;
  readonly #notes: string[] = [];
  readonly #startedAt = performance.now();
  readonly #dataDir: string;
  #loadBeganAt: Micros = 0;
  /** What is on the disks may stem from runs whose history we do not have. */
  #hadData = false;
  readonly #observer: Observer;
  /** Undefined: until somebody stops it. */
  readonly #forUs: Micros | undefined;
  readonly #stopped = new AbortController();
  readonly #signal: AbortSignal;
  #ready: ((answer: FromProgram & { type: 'ready' }) => void) | undefined;
  #quiet: (() => void) | undefined;

  constructor(run: LiveRun, watch: Watch) {
    this.#run = run;
    this.#watch = watch;
    const { design, ownFaults } = run;
    this.#asked = resolve(ownFaults ? design : { ...design, faults: [] }, run);
    this.#plan = nodesToRun(planOf(design, this.#asked.load), design, run);
    this.#crowds = new Crowds(this.#plan);
    const declared = declarationsOf(design, this.#asked.load);
    this.#declared = new Map(declared.map((declaration) => [declaration.name, declaration]));
    // Until stopped, unless somebody said for how long or a recorded log has an end.
    const isEndless = run.forUs === undefined && (!run.load || run.visits === undefined);
    this.#forUs = isEndless ? undefined : this.#asked.forUs;
    const { load } = this.#asked;
    const hasUsers = run.load;
    this.#observer = new Observer(design, this.#plan, watch, {
      forUs: this.#forUs,
      load,
      hasUsers,
    });
    this.#signal = AbortSignal.any([
      this.#stopped.signal,
      ...(watch.signal === undefined ? [] : [watch.signal]),
    ]);
    this.#dataDir = run.dataFolder ?? join(dirname(run.bundle.path), '.loadpath', design.name);
  }

  async run(): Promise<Report> {
    const { design, single, seed, fresh, edgePort, discardUnsynced } = this.#run;
    if (fresh) emptyDirectory(this.#dataDir);
    this.#hadData = existsSync(join(this.#dataDir, 'nodes'));
    if (this.#hadData && this.#run.load) {
      this.#notes.push(
        `went on with the data of earlier runs in ${this.#dataDir}; --fresh starts empty`,
      );
    }
    this.#notes.push(...changesOf(design.options), ...idleFaults(this.#asked));
    this.#notes.push(...stubNotes(this.#plan));
    this.#phase('setup');
    const system = startLive({
      plan: this.#plan,
      childEntry: (node) =>
        entry(this.#kindsWithoutDesign(node) ? 'plain-child' : 'child', import.meta.url),
      childData: (node) => this.#childData(node),
      dataDir: this.#dataDir,
      seed,
      single: single ? (data, node) => liveBoot(data as ChildData, node) : undefined,
      edgePort,
      durability: discardUnsynced ? 'sync-only' : 'files',
      // A system that runs for days without a load to judge must not fill the disk with histories.
      judged: this.#isJudged ? judgedBlocks(this.#run.design.invariants) : [],
      // As the simulator says it: when it began is told beside it.
      describe: faultText,
      isEnding: () => this.#signal.aborted,
      onEvent: (event) => this.#tell(event),
      onFault: (fault, began) => this.#observer.fault(fault, began),
      onWindow: (window) => this.#observer.window(window),
      grow: grower([...this.#declared.values()], this.#plan.zones),
      onNode: (node) => this.#observer.join(node, system.plan),
      onControl: (from, message) => this.#hear(from.node, message as FromProgram),
      onFailure: ({ message }) => {
        // Tried once more when all is healed, a node may fail for the same reason.
        if (!this.#notes.includes(message)) this.#notes.push(message);
      },
    });
    let admin: Admin | undefined;
    try {
      await this.#orAborted(system.ready);
      admin = await startAdmin(system, { page: this.#run.page });
      this.#watch.onReady?.({
        urls: system.edges.map(({ url }) => url),
        adminUrl: `${admin.url}/metrics`,
        tryIt: commandsFor(design, system),
        control: this.#control(system),
      });
      const report = await (this.#run.load ? this.#loaded(system) : this.#serve(system));
      this.#watch.onReport?.(report);
      return report;
    } finally {
      await system.stop({ drainUs: 5_000_000 });
      await admin?.close();
    }
  }

  /** What a node's process is told of what it runs. */
  #childData(node: NodePlan): ChildData {
    const { bundle, loaded, single, set = null } = this.#run;
    const kindOf = this.#kindsWithoutDesign(node);
    if (kindOf) return { kindOf };
    this.#kept ??= single ? bundle : this.#keep(bundle, loaded);
    return { bundle: this.#kept, load: (this.#asked.load ?? null) as Value, set };
  }

  #kindsWithoutDesign(node: NodePlan): Readonly<Record<string, string>> | undefined {
    if (this.#run.single) return undefined;
    return kindsWithoutDesign(node, this.#declared, ({ block }) => blocks.includes(block));
  }

  #keep(bundle: DesignBundle, loaded: LoadedDesign): DesignBundle | KeptBundle {
    try {
      return keepBundle(bundle, loaded.engineCode(), join(this.#dataDir, 'design'));
    } catch {
      return bundle; // It is handed over whole, then.
    }
  }

  /** Without a load: serves until stopped. */
  async #serve(system: LiveSystem): Promise<Report> {
    this.#loadBeganAt = system.now();
    this.#observer.begin(system, this.#loadBeganAt);
    system.startFaults(this.#asked.faults);
    await this.#pause(this.#forUs);
    const loadUs = system.now() - this.#loadBeganAt;
    await this.#observer.end(loadUs);
    return this.#report(system, loadUs);
  }

  async #loaded(system: LiveSystem): Promise<Report> {
    await this.#prepare(system);
    await this.#warmUp(system);
    system.clearMeters();
    this.#loadBeganAt = system.now();
    this.#phase('load', this.#loadBeganAt);
    this.#observer.begin(system, this.#loadBeganAt);
    system.startFaults(this.#asked.faults);
    this.#post(system, { type: 'begin', forUs: this.#forUs ?? 365 * 86_400_000_000 });
    await this.#pause(this.#forUs);
    const loadUs = system.now() - this.#loadBeganAt;
    await this.#observer.end(loadUs);
    await this.#end(system);
    return this.#report(system, loadUs);
  }

  async #warmUp(system: LiveSystem): Promise<void> {
    const { warmUpUs } = this.#asked;
    if (warmUpUs === 0) return;
    this.#phase('warm-up', system.now());
    this.#post(system, { type: 'warm-up' });
    await this.#pause(warmUpUs);
  }

  async #prepare(system: LiveSystem): Promise<void> {
    const answered = new Promise<FromProgram & { type: 'ready' }>((settle) => {
      this.#ready = settle;
    });
    this.#crowds.ask();
    this.#post(system, { type: 'prepare' });
    const answer = await this.#within(setupMaxMs, this.#orAborted(answered));
    if (answer === 'late') {
      throw new LoadpathError(
        'stuck',
        `the workload's setup did not finish within ${setupMaxMs / 1_000} s`,
      );
    }
    if (answer.failure !== undefined) {
      throw new LoadpathError('design-failed', `the workload's setup failed: ${answer.failure}`);
    }
  }

  /** Stop the load, heal, drain. */
  async #end(system: LiveSystem): Promise<void> {
    this.#phase('heal', system.now());
    await system.heal();
    this.#phase('drain', system.now());
    const quiet = new Promise<void>((settle) => {
      this.#quiet = settle;
    });
    this.#crowds.ask();
    this.#post(system, { type: 'stop' });
    if ((await this.#within(quietMaxMs, quiet)) === 'late') {
      this.#notes.push(
        `some requests had no answer ${quietMaxMs / 1_000} s after the load had ended`,
      );
    }
    await sleep(settleMs);
    const until = performance.now() + lagMaxMs;
    while (performance.now() < until && isBehind(await system.meters())) await sleep(200);
  }

  get #isJudged(): boolean {
    return this.#run.load && this.#run.target === undefined;
  }

  async #report(system: LiveSystem, loadUs: Micros): Promise<Report> {
    this.#phase('judge', system.now());
    if (this.#forgottenCount > 0) {
      this.#notes.push(
        `events before the latest ${eventsMax} are left out: ${this.#forgottenCount}`,
      );
    }
    const { design, seed } = this.#run;
    const origin = this.#loadBeganAt;
    const snapshot = await system.meters();
    const status = new Map(system.status().map((node) => [node.id, node]));
    const { counts, servedCount, latencies, inVain, errors, blocks, complaints } = figuresOf({
      // Where only users run here, they have counted what the system said.
      plan:
        this.#run.target === undefined
          ? system.plan
          : { ...system.plan, nodes: system.plan.nodes.filter(({ outside }) => !outside) },
      loadUs,
      totals: snapshot,
      busyUs: (node) => status.get(node)?.busyUs ?? 0,
      boots: (node) => status.get(node)?.boots ?? 0,
      keptUs: (node) => system.keptUs(node, origin, origin + loadUs),
    });
    const isJudged = isIn(this.#isJudged ? judgedBlocks(design.invariants) : []);
    const recorded = [...system.histories(), ...lagEvents(snapshot, system.now(), isJudged)].map(
      (event) => ({ ...event, at: event.at - origin }),
    );
    const history = this.#hadData ? onFormerData(recorded) : recorded;
    const invariants = this.#isJudged ? judgeAll(design.invariants, history, undefined) : [];
    if (complaints.verdict !== 'holds') invariants.push(complaints);
    const events = this.#events.map((event) => ({ ...event, at: event.at - origin }));
    const broken = brokenOff(events, system.plan, loadUs);
    if (broken) invariants.push(broken);
    return assemble({
      version,
      design: design.name,
      world: 'live',
      seed,
      digest: null,
      loadUs,
      wallUs: Math.round((performance.now() - this.#startedAt) * 1_000),
      counts,
      servedCount,
      latencies,
      inVain,
      objectives: this.#run.load ? design.objectives : {},
      moreObjectives: this.#achieved(snapshot, loadUs),
      invariants,
      errors,
      blocks,
      series: this.#observer.series(loadUs),
      events,
      notes: [
        ...this.#notes,
        ...warmUpNote(snapshot, this.#asked.warmUpUs),
        ...alarmsIn(events),
        // In one process they would all be silent together.
        ...(this.#run.single ? [] : silenceNotes(system.status())),
      ],
    });
  }

  /**
   * An open load whose users did not come when they were due measured the generator: that run
   * fails. Held against the arrivals drawn, since chance alone moves a short run by more.
   */
  #achieved(totals: MetersSnapshot, loadUs: Micros): readonly ObjectiveResult[] {
    const due = usersCount(totals, 'arrivals due');
    if (!this.#run.load || due === 0) return [];
    const inTime = due - usersCount(totals, 'arrivals late');
    const target = (achievedMin * due * 1e6) / loadUs;
    const measured = (inTime * 1e6) / loadUs;
    return [{ name: 'load reached', unit: '/s', target, measured, holds: measured >= target }];
  }

  #post(system: LiveSystem, message: ToProgram): void {
    system.tell({ block: 'users' }, message, 'users');
  }

  #hear(node: NodeId, message: FromProgram): void {
    if (!this.#crowds.hear(node, message)) return;
    if (message.type === 'ready') this.#ready?.(message);
    else this.#quiet?.();
  }

  #phase(phase: Phase, at: Micros = 0): void {
    this.#tell({ type: 'phase', at, phase });
  }

  #tell(event: RunEvent): void {
    if (event.type !== 'log' && this.#events.push(event) > eventsMax) {
      this.#events.shift();
      this.#forgottenCount++;
    }
    this.#observer.hear(event);
    this.#watch.onEvent?.({ ...event, at: event.at - this.#loadBeganAt });
  }

  /** Until the time is over, or somebody stops the run. */
  #pause(us: Micros | undefined): Promise<void> {
    const signal = this.#signal;
    return new Promise((settle) => {
      if (signal.aborted) return settle();
      // Long waits in pieces: a timer holds 24 days at the most.
      const timer =
        us === undefined ? setInterval(() => {}, 1 << 30) : setTimeout(done, us / 1_000);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        settle();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #control(system: LiveSystem): LiveControl {
    const design = namesIn(this.#run.design);
    return {
      fault: (sentence) => {
        const atUs = Math.max(0, system.now() - this.#loadBeganAt);
        const names = { ...design, nodes: system.plan.nodes.map(({ id }) => id) };
        const fault = { ...parseFaultNow(sentence, names), atUs: atUs - (atUs % 1_000) };
        system.inject(fault);
        return formatFault(fault);
      },
      heal: () => system.heal(),
      stop: () => this.#stopped.abort(),
    };
  }

  #orAborted<T>(promise: Promise<T>): Promise<T> {
    const signal = this.#signal;
    return new Promise((settle, reject) => {
      const stop = (): void =>
        reject(new LoadpathError('bad-option', 'stopped before the load began'));
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      promise.then(settle, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  async #within<T>(ms: number, promise: Promise<T>): Promise<T | 'late'> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((settle) => {
      timer = setTimeout(() => settle('late'), ms);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function nodesToRun(plan: Plan, design: System, { load, target }: LiveRun): Plan {
  // Nobody sends: then no process stands idle for it.
  if (!load) return { ...plan, nodes: plan.nodes.filter(({ kind }) => kind !== 'users') };
  if (target === undefined) return plan;
  const users = plan.nodes.filter(({ kind }) => kind === 'users');
  const doors = plan.nodes.filter(({ block }) => block === design.entry.name);
  return { ...plan, nodes: [...users, ...doors.map((door) => ({ ...door, outside: target }))] };
}

function commandsFor({ tryIt }: System, { edges }: LiveSystem): readonly string[] {
  const url = edges[0]?.url;
  return url === undefined ? [] : tryIt.map((command) => command.replaceAll('{url}', url));
}

function usersCount(totals: MetersSnapshot, name: string): number {
  return totals
    .filter(({ block }) => block === 'users')
    .reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0);
}

function sleep(ms: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, ms));
}
