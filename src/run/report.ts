/**
 * What a run measured, and its verdict: plain data with stable names, the same from the simulator,
 * the live world and the load generator. The terminal, `--json` and Studio all read this.
 *
 * Milliseconds here and microseconds everywhere else: a report is read by people.
 */
import type { RunEvent } from '../host/events.ts';
import type { Micros } from '../host/host.ts';
import { Histogram } from '../kit/histogram.ts';
import { formatDuration } from '../kit/units.ts';
import type { Evidence } from '../verify/evidence.ts';

export interface Report {
  readonly version: string;
  readonly design: string;
  readonly world: 'simulated' | 'live' | 'load';
  readonly seed: number;
  /** Over events, messages and disk content of a simulation; null where nothing is deterministic. */
  readonly digest: string | null;
  /** Length of the measured load in the run's own time. */
  readonly simulatedSeconds: number;
  /** What the whole run took on the machine, from loading the design to the verdict. */
  readonly wallSeconds: number;
  /** Requests that the workload sent. Always completed + rejected + failed + inFlight. */
  readonly generated: number;
  /** Answered, and the answer was not an error of the system (a 404 is a good answer). */
  readonly completed: number;
  /** Turned away on purpose, with 429: users who asked for more than they may. */
  readonly rejected: number;
  /** Errors, timeouts, lost connections. */
  readonly failed: number;
  /** Neither answered nor given up when the run ended. */
  readonly inFlight: number;
  /** Served while the load lasted, per second of it. What an overloaded system answers later is no throughput. */
  readonly throughputPerSec: number;
  /** Completed ÷ (completed + failed). 1 when nothing was asked. */
  readonly availability: number;
  /** Of completed requests, from the intended start. */
  readonly latencyMs: LatencyMs;
  readonly objectives: readonly ObjectiveResult[];
  readonly invariants: readonly InvariantResult[];
  /** By reason, as clients saw it: `timeout`, `503`. Rejected ones included. */
  readonly errors: Readonly<Record<string, number>>;
  /** By block name, in the order of the design. */
  readonly blocks: Readonly<Record<string, BlockReport>>;
  readonly series: Series;
  readonly events: readonly RunEvent[];
  /** What a reader must know: leaks, faults this world could not do, bounds that were hit. */
  readonly notes: readonly string[];
}

export interface LatencyMs {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

export interface ObjectiveResult {
  /** `p99`, `availability`, `throughput`. */
  readonly name: string;
  readonly unit: 'ms' | 'ratio' | '/s';
  readonly target: number;
  readonly measured: number;
  readonly holds: boolean;
}

export interface InvariantResult {
  readonly name: string;
  readonly verdict: 'holds' | 'violated' | 'unknown';
  readonly detail: string;
  /** The smallest history that shows it, one line an operation. */
  readonly counterexample?: readonly string[] | undefined;
  /** The same to be drawn: its operations, with the one that cannot be explained. */
  readonly evidence?: Evidence | undefined;
}

/** One row of the table: a block over its nodes, or one of its nodes. */
export interface BlockFigures {
  /** What the load asked of it, while it was drained too, per second of load. */
  readonly requestsPerSec: number;
  /** Busy ÷ available core time, 0 to 1. Live: measured processor time. */
  readonly utilisation: number;
  /** The longest that any one queue of it was. */
  readonly queueMax: number;
  readonly p99Ms: number;
  readonly errors: number;
  /** Whatever else it counts: `hits`, `elections`. Counters summed, gauges as last seen. */
  readonly meters: Readonly<Record<string, number>>;
}

export interface BlockReport extends BlockFigures {
  readonly kind: string;
  /** Hours for which its nodes were kept during the load, together: what they cost. */
  readonly nodeHours: number;
  readonly nodes: readonly (BlockFigures & {
    readonly id: string;
    readonly zone: string;
    readonly boots: number;
  })[];
}

/** One entry a second of load: parallel arrays, `at` in whole seconds since the load began. */
export interface Series {
  readonly at: readonly number[];
  /** Completed in that second. */
  readonly throughput: readonly number[];
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
  /** Failed and rejected in that second. */
  readonly errors: readonly number[];
  /** Per block, requests in that second. */
  readonly blocks: Readonly<Record<string, readonly number[]>>;
}

// What assembling needs --------------------------------------------------------------------------

/** As a histogram answers; values in microseconds. */
export interface Latencies {
  readonly count: number;
  readonly mean: number;
  readonly max: number;
  /** `p` from 0 to 100. */
  percentile(p: number): number;
}

export interface Counts {
  readonly generated: number;
  readonly completed: number;
  readonly rejected: number;
  readonly failed: number;
  readonly inFlight: number;
}

/** What a design promises. Microseconds inside, as everywhere. */
export interface Objectives {
  readonly p50Us?: Micros | undefined;
  readonly p90Us?: Micros | undefined;
  readonly p99Us?: Micros | undefined;
  readonly p999Us?: Micros | undefined;
  /** From 0 to 1. */
  readonly availability?: number | undefined;
  readonly throughputPerSec?: number | undefined;
}

export interface Measured {
  readonly version: string;
  readonly design: string;
  readonly world: Report['world'];
  readonly seed: number;
  readonly digest: string | null;
  readonly loadUs: Micros;
  readonly wallUs: Micros;
  readonly counts: Counts;
  /** Good answers while the load lasted, those to the warm-up's last requests among them. */
  readonly servedCount: number;
  readonly latencies: Histogram;
  /** The waits of those who gave up: objectives of latency are held against these, too. */
  readonly inVain?: Histogram | undefined;
  readonly objectives: Objectives;
  /** What only this world can judge, such as the rate a live load generator reached. */
  readonly moreObjectives?: readonly ObjectiveResult[] | undefined;
  readonly invariants: readonly InvariantResult[];
  readonly errors: Readonly<Record<string, number>>;
  readonly blocks: Readonly<Record<string, BlockReport>>;
  readonly series: Series;
  readonly events: readonly RunEvent[];
  readonly notes: readonly string[];
}

/**
 * Puts a report together. Conservation of requests is judged here, in every run: an invariant
 * that nobody has to declare.
 */
export function assemble(measured: Measured): Report {
  const { counts, servedCount, latencies, inVain = new Histogram() } = measured;
  const loadSeconds = measured.loadUs / 1e6;
  const throughputPerSec = loadSeconds > 0 ? servedCount / loadSeconds : 0;
  const availability = availabilityOf(counts);
  return {
    version: measured.version,
    design: measured.design,
    world: measured.world,
    seed: measured.seed,
    digest: measured.digest,
    simulatedSeconds: loadSeconds,
    wallSeconds: measured.wallUs / 1e6,
    ...counts,
    throughputPerSec,
    availability,
    latencyMs: latencyMs(latencies),
    objectives: [
      ...judge(measured.objectives, waits(latencies, inVain), availability, throughputPerSec),
      ...(measured.moreObjectives ?? []),
    ],
    invariants: [...measured.invariants, conservation(counts)],
    errors: byCount(measured.errors),
    blocks: measured.blocks,
    series: measured.series,
    events: measured.events,
    notes: [...measured.notes, ...inVainNote(inVain, measured.objectives)],
  };
}

function waits(latencies: Histogram, inVain: Histogram): Histogram {
  if (inVain.count === 0) return latencies;
  const all = new Histogram();
  all.merge(latencies);
  all.merge(inVain);
  return all;
}

/** Why a percentile that was promised is another than the one of what was completed. */
function inVainNote(inVain: Histogram, objectives: Objectives): readonly string[] {
  const { p50Us, p90Us, p99Us, p999Us } = objectives;
  if (inVain.count === 0 || !(p50Us ?? p90Us ?? p99Us ?? p999Us)) return [];
  return [
    `${inVain.count} requests were waited for in vain, ${formatDuration(Math.round(inVain.mean))} on average: objectives count those waits, the percentiles of latency are of replies`,
  ];
}

/** What is in flight when all has ended was never answered, whatever the reason. */
export function availabilityOf(counts: Pick<Counts, 'completed' | 'failed' | 'inFlight'>): number {
  const asked = counts.completed + counts.failed + counts.inFlight;
  return asked === 0 ? 1 : counts.completed / asked;
}

export function latencyMs(latencies: Latencies): LatencyMs {
  if (latencies.count === 0) return { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0 };
  const ms = (us: number) => us / 1_000;
  return {
    p50: ms(latencies.percentile(50)),
    p90: ms(latencies.percentile(90)),
    p99: ms(latencies.percentile(99)),
    p999: ms(latencies.percentile(99.9)),
    max: ms(latencies.max),
    mean: ms(latencies.mean),
  };
}

/**
 * Measures against targets. Without a single completed request no latency target holds: silence
 * is not speed.
 */
export function judge(
  objectives: Objectives,
  latencies: Latencies,
  availability: number,
  throughputPerSec: number,
): ObjectiveResult[] {
  const results: ObjectiveResult[] = [];
  const percentiles = [
    ['p50', objectives.p50Us, 50],
    ['p90', objectives.p90Us, 90],
    ['p99', objectives.p99Us, 99],
    ['p999', objectives.p999Us, 99.9],
  ] as const;
  for (const [name, targetUs, p] of percentiles) {
    if (targetUs === undefined) continue;
    const us = latencies.count === 0 ? 0 : latencies.percentile(p);
    const holds = latencies.count > 0 && us <= targetUs;
    results.push({ name, unit: 'ms', target: targetUs / 1_000, measured: us / 1_000, holds });
  }
  const floors = [
    ['availability', 'ratio', objectives.availability, availability],
    ['throughput', '/s', objectives.throughputPerSec, throughputPerSec],
  ] as const;
  for (const [name, unit, target, measured] of floors) {
    if (target === undefined) continue;
    results.push({ name, unit, target, measured, holds: measured >= target });
  }
  return results;
}

export function conservation(counts: Counts): InvariantResult {
  const accounted = counts.completed + counts.rejected + counts.failed + counts.inFlight;
  const name = 'requests are conserved';
  if (accounted === counts.generated) {
    return { name, verdict: 'holds', detail: `all ${counts.generated} requests accounted for` };
  }
  const detail =
    `${counts.generated} generated, but ${accounted} accounted for ` +
    `(completed ${counts.completed}, rejected ${counts.rejected}, failed ${counts.failed}, ` +
    `in flight ${counts.inFlight})`;
  return { name, verdict: 'violated', detail };
}

function byCount(errors: Readonly<Record<string, number>>): Record<string, number> {
  const entries = Object.entries(errors).filter(([, count]) => count > 0);
  return Object.fromEntries(entries.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

// One node's meters to a row ---------------------------------------------------------------------

export interface NodeFigures {
  readonly id: string;
  readonly zone: string;
  readonly boots: number;
  /** For how much of the load it was kept, up or not. Default: all of it. */
  readonly keptUs?: Micros | undefined;
  readonly requests: number;
  readonly errors: number;
  readonly busyUs: Micros;
  readonly cores: number;
  readonly queueMax: number;
  readonly latencies: Latencies;
  readonly meters: Readonly<Record<string, number>>;
}

/** A block's row from its nodes; `latencies` are theirs merged, since percentiles cannot be added. */
export function blockReport(
  kind: string,
  nodes: readonly NodeFigures[],
  latencies: Latencies,
  loadUs: Micros,
): BlockReport {
  const seconds = Math.max(loadUs / 1e6, 1e-6);
  const kept = ({ keptUs = loadUs }: NodeFigures): Micros => keptUs;
  const rows = nodes.map((node) => ({
    id: node.id,
    zone: node.zone,
    boots: node.boots,
    requestsPerSec: node.requests / seconds,
    utilisation: share(node.busyUs, kept(node) * node.cores),
    queueMax: node.queueMax,
    p99Ms: latencyMs(node.latencies).p99,
    errors: node.errors,
    meters: node.meters,
  }));
  const coresUs = nodes.reduce((sum, node) => sum + kept(node) * node.cores, 0);
  const busyUs = nodes.reduce((sum, node) => sum + node.busyUs, 0);
  const meters: Record<string, number> = {};
  for (const node of nodes) {
    for (const [name, value] of Object.entries(node.meters)) {
      meters[name] = (meters[name] ?? 0) + value;
    }
  }
  return {
    kind,
    nodeHours: nodes.reduce((sum, node) => sum + kept(node), 0) / 3_600_000_000,
    nodes: rows,
    requestsPerSec: rows.reduce((sum, row) => sum + row.requestsPerSec, 0),
    utilisation: share(busyUs, coresUs),
    queueMax: rows.reduce((max, row) => Math.max(max, row.queueMax), 0),
    p99Ms: latencyMs(latencies).p99,
    errors: rows.reduce((sum, row) => sum + row.errors, 0),
    meters,
  };
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

// The verdict -------------------------------------------------------------------------------------

export type Outcome = 'holds' | 'violated' | 'unknown';

/** One violation outweighs everything; what nobody could decide never counts as clean. */
export function outcomeOf(report: Pick<Report, 'objectives' | 'invariants'>): Outcome {
  const violated =
    report.objectives.some((objective) => !objective.holds) ||
    report.invariants.some((invariant) => invariant.verdict === 'violated');
  if (violated) return 'violated';
  return report.invariants.every((invariant) => invariant.verdict === 'holds')
    ? 'holds'
    : 'unknown';
}

/** 0 all holds, 1 something is violated, 3 a verdict is unknown. 2 is for mistakes in the input. */
export function exitCode(report: Pick<Report, 'objectives' | 'invariants'>): 0 | 1 | 3 {
  const codes = { holds: 0, violated: 1, unknown: 3 } as const;
  return codes[outcomeOf(report)];
}
