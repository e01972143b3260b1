/**
 * Makes the frames of a run, from what nodes counted, how busy they were, and what befell them: the
 * one place where frames are made, for both worlds.
 *
 *   framer.begin()                      the load begins
 *   framer.add(readings) …              what was counted in the frame that is open, in pieces
 *   framer.hear(event), fault(…)        whenever it happens
 *   framer.join(plan)                   nodes have come: the layout grows at its end
 *   framer.close(toUs, busyUs)          the frame
 */
import { calledBy as calledByOne } from '../design/plan.ts';
import type { Declaration } from '../host/declaration.ts';
import type { RunEvent } from '../host/events.ts';
import type { Fault } from '../host/fault.ts';
import type { Micros, NodeId } from '../host/host.ts';
import { type PathFigure, pathFigureOf } from '../host/path.ts';
import type { Plan } from '../host/plan.ts';
import { Histogram, type HistogramData, percentileOf } from '../kit/histogram.ts';
import type { MeterReading, MetersSnapshot } from '../kit/meters.ts';
import { Conditions } from './conditions.ts';
import type { Frame, FrameLayout } from './frames.ts';
import { countsOf, isOwnColumn, withPrefix } from './measure.ts';

export interface FramerOptions {
  readonly plan: Plan;
  /** Who is bound to whom: from the same design as the plan. */
  readonly declarations: readonly Declaration[];
  readonly frameUs: Micros;
  readonly forUs: Micros | null;
}

const second: Micros = 1_000_000;
const minute = 60 * second;
/** Each divides a second or is a whole number of them, so that frames and seconds have common edges. */
const neat: readonly Micros[] = [
  ...[100_000, 200_000, 250_000, 500_000],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * second),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440].map((minutes) => minutes * minute),
];

/** The shortest neat length of frames of which a run has at most `countMax`. */
export function frameLengthUs(forUs: Micros, countMax = 600, leastUs: Micros = 100_000): Micros {
  return neat.find((us) => us >= leastUs && forUs <= us * countMax) ?? Math.ceil(forUs / countMax);
}

export class Framer {
  #layout: FrameLayout;
  readonly #calledBy: CalledBy;
  readonly #conditions: Conditions;
  readonly #nodeIndex: Map<NodeId, number>;
  readonly #blockIndex: ReadonlyMap<string, number>;
  /** By caller and called block. */
  readonly #pathIndex = new Map<NodeId, Map<string, number>>();
  /** What a name says is worked out once. */
  readonly #figures = new Map<
    string,
    { readonly figure: PathFigure; readonly to: string } | null
  >();
  readonly #cores: number[];
  readonly #busyBeforeUs: number[];
  readonly #scratch = new Histogram();
  #readings: MeterReading[] = [];
  #index = 0;
  #fromUs: Micros = 0;

  constructor({ plan, declarations, frameUs, forUs }: FramerOptions) {
    this.#calledBy = calledBy(declarations);
    this.#layout = layoutOf(plan, this.#calledBy, frameUs, forUs);
    this.#conditions = new Conditions(plan, this.#layout);
    const { nodes, blocks, paths } = this.#layout;
    const coresOf = new Map(plan.nodes.map(({ id, cores }) => [id, cores]));
    this.#cores = nodes.map(({ id }) => coresOf.get(id)!);
    this.#busyBeforeUs = nodes.map(() => 0);
    this.#nodeIndex = new Map(nodes.map(({ id }, index) => [id, index]));
    this.#blockIndex = new Map(blocks.map((block, index) => [block, index]));
    this.#indexPaths(paths, 0);
  }

  /** Who is in the frames. Another object when nodes have come, which stand behind those before. */
  get layout(): FrameLayout {
    return this.#layout;
  }

  /** Where the open frame begins. */
  get fromUs(): Micros {
    return this.#fromUs;
  }

  /** Where it ends, if nothing ends it sooner. */
  get dueUs(): Micros {
    return this.#fromUs + this.#layout.frameUs;
  }

  /** `busyUs`: what a node's cores had worked before the load, in all. */
  begin(busyUs: (node: NodeId) => Micros): void {
    this.#conditions.begin();
    for (const [index, { id }] of this.#layout.nodes.entries()) {
      this.#busyBeforeUs[index] = busyUs(id);
    }
  }

  /** `plan` names more nodes than before; the frame that is open has them already. */
  join(plan: Plan): void {
    const before = this.#layout;
    const known = this.#nodeIndex;
    const come = plan.nodes.filter(({ id }) => !known.has(id));
    for (const [at, { id, cores }] of come.entries()) {
      known.set(id, before.nodes.length + at);
      this.#cores.push(cores);
      this.#busyBeforeUs.push(0);
    }
    const nodes = come.map(({ id, block, zone }) => ({ id, block, zone }));
    const paths = pathsOf(come, before.blocks, this.#calledBy);
    this.#indexPaths(paths, before.paths.length);
    this.#layout = {
      ...before,
      nodes: [...before.nodes, ...nodes],
      paths: [...before.paths, ...paths],
    };
    this.#conditions.grow(plan, this.#layout);
  }

  #indexPaths(paths: FrameLayout['paths'], from: number): void {
    for (const [at, path] of paths.entries()) {
      const known = this.#pathIndex.get(path.from) ?? new Map<string, number>();
      this.#pathIndex.set(path.from, known.set(path.to, from + at));
    }
  }

  add(readings: MetersSnapshot): void {
    this.#readings.push(...readings);
  }

  /** Its time counts from the beginning of the load, as all times here. */
  hear(event: RunEvent): void {
    this.#conditions.hear(event);
  }

  fault(at: Micros, fault: Fault, began: boolean): void {
    this.#conditions.fault(at, fault, began);
  }

  close(toUs: Micros, busyUs: (node: NodeId) => Micros): Frame {
    const fromUs = this.#fromUs;
    const state = this.#conditions.within(fromUs, toUs);
    const users = this.#readings.filter(({ block }) => block === 'users');
    const frame: Frame = {
      index: this.#index++,
      fromUs,
      toUs,
      users: {
        ...countsOf(users),
        // A frame may be made of several windows: what is open is what was open last.
        inFlight: countsOf([...new Map(users.map((reading) => [reading.node, reading])).values()])
          .inFlight,
        latency: this.#merged(users.flatMap(({ histograms }) => histograms.latency ?? [])),
        errors: withPrefix(users, 'reason: '),
      },
      nodes: { state: state.nodes, ...this.#nodes(busyUs, toUs - fromUs) },
      blocks: this.#blocks(),
      paths: { state: state.paths, ...this.#paths() },
    };
    this.#readings = [];
    this.#fromUs = toUs;
    return frame;
  }

  #nodes(busyUs: (node: NodeId) => Micros, tookUs: Micros): Omit<Frame['nodes'], 'state'> {
    const { nodes } = this.#layout;
    const requests = nodes.map(() => 0);
    const errors = nodes.map(() => 0);
    const queue = nodes.map(() => 0);
    const occupiedUs = nodes.map(() => 0);
    const latencies = nodes.map((): HistogramData[] => []);
    for (const { node, block, counters, gauges, histograms } of this.#readings) {
      const index = this.#nodeIndex.get(node);
      if (index === undefined || nodes[index]!.block !== block) continue;
      if (block === 'users') {
        requests[index]! += counters.generated ?? 0;
        errors[index]! += (counters.failed ?? 0) + (counters.rejected ?? 0);
        queue[index] = Math.max(queue[index]!, gauges['in flight']?.max ?? 0);
      } else {
        requests[index]! += counters.requests ?? 0;
        errors[index]! += counters.errors ?? 0;
        occupiedUs[index]! += counters.occupied ?? 0;
        queue[index] = Math.max(queue[index]!, gauges.queue?.max ?? 0);
      }
      if (histograms.latency) latencies[index]!.push(histograms.latency);
    }
    const busy = nodes.map(({ id }, index) => {
      const nowUs = busyUs(id);
      const sinceUs = nowUs - this.#busyBeforeUs[index]!;
      this.#busyBeforeUs[index] = nowUs;
      if (tookUs === 0) return 0;
      const cores = sinceUs / (tookUs * this.#cores[index]!);
      // Live, a process has threads besides.
      return share(Math.max(cores, occupiedUs[index]! / tookUs));
    });
    return { requests, errors, busy, queue, p99Us: latencies.map((all) => this.#p99(all)) };
  }

  #blocks(): Frame['blocks'] {
    const { blocks, nodes } = this.#layout;
    const latencies = blocks.map((): HistogramData[] => []);
    const meters = blocks.map((): Record<string, number> => ({}));
    /** By node and block: a gauge counts as it was last. */
    const lastOf = new Map<string, MeterReading>();
    for (const reading of this.#readings) {
      const { node, block, counters, histograms } = reading;
      const index = this.#blockIndex.get(block);
      if (index === undefined) continue;
      const at = this.#nodeIndex.get(node);
      const isMember = at !== undefined && nodes[at]!.block === block;
      if (isMember && histograms.latency) latencies[index]!.push(histograms.latency);
      if (block === 'users') continue;
      const sums = meters[index]!;
      for (const [name, value] of Object.entries(counters)) {
        if (isOwnColumn(name) || this.#figureOf(name)) continue;
        sums[name] = (sums[name] ?? 0) + value;
      }
      lastOf.set(`${node} ${block}`, reading);
    }
    for (const { block, gauges } of lastOf.values()) {
      const sums = meters[this.#blockIndex.get(block)!]!;
      for (const [name, { last }] of Object.entries(gauges)) {
        if (!isOwnColumn(name)) sums[name] = (sums[name] ?? 0) + last;
      }
    }
    const merged = latencies.map((all) => this.#merged(all));
    const at = (percent: number) => merged.map((data) => percentileOf(data, percent));
    return { p50Us: at(50), p90Us: at(90), p99Us: at(99), p999Us: at(99.9), meters };
  }

  #paths(): Omit<Frame['paths'], 'state'> {
    const { paths } = this.#layout;
    const calls = paths.map(() => 0);
    const errors = paths.map(() => 0);
    const latencies = paths.map((): HistogramData[] => []);
    for (const { node, counters, histograms } of this.#readings) {
      const from = this.#pathIndex.get(node);
      if (!from) continue;
      for (const name in counters) {
        const path = this.#figureOf(name);
        const index = path && from.get(path.to);
        if (index === undefined || index === null) continue;
        (path!.figure === 'calls' ? calls : errors)[index]! += counters[name]!;
      }
      for (const name in histograms) {
        const path = this.#figureOf(name);
        const index = path && from.get(path.to);
        if (index !== undefined && index !== null) latencies[index]!.push(histograms[name]!);
      }
    }
    return { calls, errors, p99Us: latencies.map((all) => this.#p99(all)) };
  }

  #figureOf(name: string): { readonly figure: PathFigure; readonly to: string } | null {
    let figure = this.#figures.get(name);
    if (figure === undefined) {
      figure = pathFigureOf(name) ?? null;
      this.#figures.set(name, figure);
    }
    return figure;
  }

  #p99(all: readonly HistogramData[]): Micros {
    return percentileOf(this.#merged(all), 99);
  }

  /** Mostly there is one, which is taken as it is. */
  #merged(all: readonly HistogramData[]): HistogramData {
    const filled = all.filter(({ count }) => count > 0);
    if (filled.length === 1) return filled[0]!;
    const scratch = this.#scratch;
    scratch.clear();
    for (const data of filled) scratch.add(data);
    return scratch.toJSON();
  }
}

/** Users first, then everything in the order of the plan. */
function layoutOf(
  plan: Plan,
  called: CalledBy,
  frameUs: Micros,
  forUs: Micros | null,
): FrameLayout {
  const isUsers = ({ block }: { readonly block: string }): boolean => block === 'users';
  const nodes = [...plan.nodes.filter(isUsers), ...plan.nodes.filter((node) => !isUsers(node))].map(
    ({ id, block, zone }) => ({ id, block, zone }),
  );
  const blocks = [...new Set(nodes.map(({ block }) => block))];
  return { nodes, blocks, paths: pathsOf(nodes, blocks, called), frameUs, forUs };
}

/** By block, the blocks that it calls. */
type CalledBy = ReadonlyMap<string, readonly string[]>;

function calledBy(declarations: readonly Declaration[]): CalledBy {
  return new Map(declarations.map((declaration) => [declaration.name, calledByOne(declaration)]));
}

function pathsOf(
  nodes: readonly { readonly id: NodeId; readonly block: string }[],
  blocks: readonly string[],
  called: CalledBy,
): FrameLayout['paths'] {
  return nodes.flatMap(({ id, block }) =>
    (called.get(block) ?? []).filter((to) => blocks.includes(to)).map((to) => ({ from: id, to })),
  );
}

/** A share of one, to four digits: what is drawn of it has fewer. */
function share(ratio: number): number {
  return Math.round(Math.min(1, Math.max(0, ratio)) * 10_000) / 10_000;
}
