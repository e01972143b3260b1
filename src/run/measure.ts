/**
 * From what programs counted to the figures of a report: the same for both worlds, which only hand
 * in their meters, what processors were busy with, and how often each node booted.
 */
import { waitedInVain } from '../blocks/workload/users/tally.ts';
import type { Micros, NodeId } from '../host/host.ts';
import { pathFigureOf, pathNames } from '../host/path.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import { Histogram } from '../kit/histogram.ts';
import type { MeterReading, MetersSnapshot } from '../kit/meters.ts';
import { formatDuration } from '../kit/units.ts';
import {
  type BlockReport,
  blockReport,
  type Counts,
  type InvariantResult,
  type NodeFigures,
} from './report.ts';

export interface Observed {
  readonly plan: Plan;
  readonly loadUs: Micros;
  /** Over the load and the drain. */
  readonly totals: MetersSnapshot;
  /** The same before a probe, whose requests are not the load's. */
  readonly unprobed?: MetersSnapshot | undefined;
  busyUs(node: NodeId): Micros;
  boots(node: NodeId): number;
  /** For how much of the load a node was kept, up or not: what is paid for. Default: all of it. */
  keptUs?(node: NodeId): Micros;
}

export interface Figures {
  readonly counts: Counts;
  readonly servedCount: number;
  readonly latencies: Histogram;
  /** Of those who gave up waiting. */
  readonly inVain: Histogram;
  readonly errors: Readonly<Record<string, number>>;
  readonly blocks: Readonly<Record<string, BlockReport>>;
  readonly complaints: InvariantResult;
}

/** Counted by every server program; shown in columns of their own. */
const standard = new Set(['requests', 'errors', 'latency', 'queue', 'occupied']);

/** Whether a meter is shown in a column of its own, and not among the rest. */
export function isOwnColumn(name: string): boolean {
  return standard.has(name);
}

export function figuresOf(observed: Observed): Figures {
  const { totals, unprobed = totals } = observed;
  const users = unprobed.filter(isOfUsers);
  return {
    counts: countsOf(users),
    servedCount: sumOf(users, 'served'),
    latencies: merged(users, 'latency'),
    inVain: merged(users, waitedInVain),
    errors: withPrefix(users, 'reason: '),
    blocks: blocksOf(observed),
    complaints: complaintsOf(withPrefix(totals.filter(isOfUsers), 'complaint: ')),
  };
}

function isOfUsers({ block }: MeterReading): boolean {
  return block === 'users';
}

export function countsOf(users: MetersSnapshot): Counts {
  return {
    generated: sumOf(users, 'generated'),
    completed: sumOf(users, 'completed'),
    rejected: sumOf(users, 'rejected'),
    failed: sumOf(users, 'failed'),
    inFlight: users.reduce((total, { gauges }) => total + (gauges['in flight']?.last ?? 0), 0),
  };
}

function sumOf(readings: MetersSnapshot, name: string): number {
  return readings.reduce((total, { counters }) => total + (counters[name] ?? 0), 0);
}

/** What is said of requests that do not count. */
export function warmUpNote(
  totals: MetersSnapshot,
  warmUpUs: Micros | undefined,
): readonly string[] {
  if (!warmUpUs) return [];
  const users = totals.filter(isOfUsers);
  const { asked = 0, failed = 0 } = withPrefix(users, 'warm-up: ');
  const failures = failed > 0 ? ` (${failed} failed)` : '';
  return [
    `the load began after a warm-up of ${formatDuration(warmUpUs)}, whose ${asked} requests do not count${failures}`,
  ];
}

/** Counters of a family, by what their names say after `prefix`. */
export function withPrefix(readings: MetersSnapshot, prefix: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { counters } of readings) {
    for (const [name, count] of Object.entries(counters)) {
      if (!name.startsWith(prefix)) continue;
      const reason = name.slice(prefix.length);
      found[reason] = (found[reason] ?? 0) + count;
    }
  }
  return found;
}

function complaintsOf(complaints: Readonly<Record<string, number>>): InvariantResult {
  const name = 'users get answers that can be right';
  const reasons = Object.entries(complaints).filter(([, count]) => count > 0);
  if (reasons.length === 0) return { name, verdict: 'holds', detail: 'nobody complained' };
  const detail = reasons.map(([reason, count]) => `${reason} (${count})`).join('; ');
  return { name, verdict: 'violated', detail };
}

function merged(readings: Iterable<MeterReading>, name: string): Histogram {
  const sum = new Histogram();
  for (const { histograms } of readings) {
    const data = histograms[name];
    if (data) sum.add(data);
  }
  return sum;
}

function blocksOf(observed: Observed): Record<string, BlockReport> {
  const { plan, totals, loadUs } = observed;
  const byKey = new Map(totals.map((reading) => [`${reading.node} ${reading.block}`, reading]));
  const blocks: Record<string, BlockReport> = {};
  for (const name of new Set(plan.nodes.map((node) => node.block))) {
    if (name === 'users') continue;
    const members = plan.nodes.filter((node) => node.block === name);
    const isOurs = members.some(({ id, outside }) => !outside || byKey.has(`${id} ${name}`));
    if (!isOurs) {
      blocks[name] = seenByCallers(members[0]!, totals, loadUs);
      continue;
    }
    const rows = members.map((node): NodeFigures => {
      const own = byKey.get(`${node.id} ${name}`);
      return {
        id: node.id,
        zone: node.zone,
        boots: observed.boots(node.id),
        keptUs: observed.keptUs?.(node.id),
        requests: own?.counters.requests ?? 0,
        errors: own?.counters.errors ?? 0,
        // Whichever is scarcer: its cores, or the slots in which its work is done.
        busyUs: Math.max(observed.busyUs(node.id), (own?.counters.occupied ?? 0) * node.cores),
        cores: node.cores,
        queueMax: own?.gauges.queue?.max ?? 0,
        latencies: merged(own ? [own] : [], 'latency'),
        meters: own ? extras(own) : {},
      };
    });
    const ownReadings = members.flatMap((node) => byKey.get(`${node.id} ${name}`) ?? []);
    const report = blockReport(members[0]!.kind, rows, merged(ownReadings, 'latency'), loadUs);
    blocks[name] = { ...report, meters: summed([report.meters, atCallers(totals, plan, name)]) };
  }
  return blocks;
}

/** Somebody else's service, live: it tells us nothing, so what its callers had of it stands in its row. */
function seenByCallers(node: NodePlan, totals: MetersSnapshot, loadUs: Micros): BlockReport {
  const names = pathNames(node.block);
  const sum = (name: string): number =>
    totals.reduce((count, { counters }) => count + (counters[name] ?? 0), 0);
  const latencies = merged(totals, names.latency);
  const row: NodeFigures = {
    id: node.id,
    zone: node.zone,
    boots: 0,
    keptUs: 0,
    requests: sum(names.calls),
    errors: sum(names.errors),
    busyUs: 0,
    cores: node.cores,
    queueMax: 0,
    latencies,
    meters: {},
  };
  return blockReport(node.kind, [row], latencies, loadUs);
}

/** Paths have figures of their own; here they would fill the table. */
function extras(reading: MeterReading): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of Object.entries(reading.counters)) {
    if (!standard.has(name) && pathFigureOf(name) === undefined) found[name] = value;
  }
  for (const [name, { last, max }] of Object.entries(reading.gauges)) {
    if (standard.has(name)) continue;
    found[name] = last;
    // By the end everybody has caught up: how far a group was behind is what its consumers are judged by.
    if (name.startsWith('lag ')) found[`largest ${name}`] = max;
  }
  return found;
}

/** What the client halves of a block counted on other nodes: cache hits, kv repairs. */
function atCallers(totals: MetersSnapshot, plan: Plan, block: string): Record<string, number> {
  const members = new Set(plan.nodes.filter((node) => node.block === block).map(({ id }) => id));
  const theirs = totals.filter(({ node, block: of }) => of === block && !members.has(node));
  return summed(theirs.map(extras));
}

function summed(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const meters of all) {
    for (const [name, value] of Object.entries(meters)) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}
