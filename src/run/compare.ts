/**
 * Two runs, or two sets of runs, side by side: what differs, and what of it can be claimed.
 *
 * - Over the same seeds on both sides, each seed is compared with itself: its luck is the same, so
 *   the interval is of the differences (common random numbers, Student's).
 * - Over other seeds the interval is Welch's, of two independent means.
 * - One run a side has no interval: differences beyond 5 % are named, and said to be of one seed.
 *
 * Pure and without Node, so that the page compares as the command line does.
 */
import { objectiveName, sentencesOf } from './compare-words.ts';
import type { Report } from './report.ts';
import { type Estimate, estimate, type Summary, student95 } from './summary.ts';

/** `sim --json`, with `--seeds` or without. */
export type Compared = Report | (Summary & { readonly reports?: readonly Report[] });

export type Difference =
  | 'better'
  | 'worse'
  /** It differs, and neither is better: more requests a node. */
  | 'changed'
  /** Exactly, or within 2 % by its interval. */
  | 'same'
  /** It may well be chance. */
  | 'unclear';

export interface ComparedRow {
  /** A block; null: what users saw. */
  readonly block: string | null;
  /** `p99`, `throughput`, `requests a node`. */
  readonly what: string;
  readonly unit: 'ms' | '/s' | 'ratio' | 'count';
  readonly a: Estimate;
  readonly b: Estimate;
  /** b ÷ a; null when a is zero. */
  readonly ratio: number | null;
  /** The 95 % interval of b - a; null for single runs. */
  readonly change: { readonly from: number; readonly to: number } | null;
  readonly difference: Difference;
}

export interface ComparedPromise {
  /** `p99 at most 250 ms`, or an invariant's name. */
  readonly name: string;
  readonly a: 'kept' | 'broken' | 'unknown' | 'absent';
  readonly b: 'kept' | 'broken' | 'unknown' | 'absent';
  /** Measured values of an objective. */
  readonly measured: { readonly a: number; readonly b: number; readonly unit: string } | null;
}

export interface Side {
  readonly design: string;
  readonly world: Report['world'];
  readonly version: string;
  readonly seeds: readonly number[];
  readonly loadSeconds: number;
  /** What users sent; null where a summary came without its reports. */
  readonly offeredPerSec: number | null;
  /** What was made to go wrong, and when; null where nobody kept it. */
  readonly faults: readonly string[] | null;
  /** What was set in place of what the design gives, as the report notes it. */
  readonly changes: readonly string[];
}

export interface Comparison {
  readonly a: Side;
  readonly b: Side;
  readonly evidence: 'same seeds' | 'other seeds' | 'one seed';
  readonly rows: readonly ComparedRow[];
  readonly promises: readonly ComparedPromise[];
  /** What a reader must know first: other designs, lengths, worlds. */
  readonly cautions: readonly string[];
  /** The outcome in words with the measured figures, the most important first. */
  readonly sentences: readonly string[];
}

export function compareReports(a: Compared, b: Compared): Comparison {
  const evidence = evidenceOf(a, b);
  const draft = {
    a: sideOf(a),
    b: sideOf(b),
    evidence,
    rows: [...endToEnd(a, b, evidence), ...ofBlocks(a, b, evidence)],
    promises: promisesOf(a, b),
  };
  const isSame = runsOf(a).join() === runsOf(b).join() && !runsOf(a).includes(null);
  return {
    ...draft,
    cautions: cautionsOf(draft.a, draft.b),
    sentences: sentencesOf(draft, isSame),
  };
}

function isSummary(one: Compared): one is Extract<Compared, Summary> {
  return 'runs' in one;
}

function reportsOf(one: Compared): readonly Report[] {
  return isSummary(one) ? (one.reports ?? []) : [one];
}

function runsOf(one: Compared): readonly (string | null)[] {
  return isSummary(one) ? one.runs.map(({ digest }) => digest) : [one.digest];
}

function sideOf(one: Compared): Side {
  const seeds = isSummary(one) ? one.seeds : [one.seed];
  const reports = reportsOf(one);
  const notes = reports[0]?.notes ?? [];
  return {
    design: one.design,
    world: one.world,
    version: one.version,
    seeds,
    loadSeconds: one.simulatedSeconds / Math.max(1, seeds.length),
    offeredPerSec: offeredBy(reports),
    faults: faultsIn(reports[0]),
    changes: notes.flatMap((note) => /^with (\S+ = .*)$/.exec(note)?.[1] ?? []),
  };
}

function offeredBy(reports: readonly Report[]): number | null {
  const seconds = reports.reduce((sum, { simulatedSeconds }) => sum + simulatedSeconds, 0);
  if (seconds === 0) return null;
  return reports.reduce((sum, { generated }) => sum + generated, 0) / seconds;
}

/** In a simulation at their instants; real ones are never on the dot. Every run has events, unless they were left out. */
function faultsIn(report: Report | undefined): Side['faults'] {
  if (!report || report.events.length === 0) return null;
  return report.events.flatMap((event) => {
    if (event.type !== 'fault' || !event.began) return [];
    return report.world === 'live' ? event.text : `${event.text} at ${secondsText(event.at / 1e6)}`;
  });
}

function secondsText(seconds: number): string {
  return `${Number(seconds.toFixed(3))} s`;
}

function evidenceOf(a: Compared, b: Compared): Comparison['evidence'] {
  const [ours, theirs] = [reportsOf(a), reportsOf(b)];
  const counts = [sideOf(a).seeds.length, sideOf(b).seeds.length];
  if (Math.min(...counts) < 2) return 'one seed';
  const seeds = (reports: readonly Report[]) => reports.map(({ seed }) => seed).join();
  return ours.length > 1 && seeds(ours) === seeds(theirs) ? 'same seeds' : 'other seeds';
}

function cautionsOf(a: Side, b: Side): string[] {
  const unlike = (what: string, of: (side: Side) => string): string[] =>
    of(a) === of(b) ? [] : [`The ${what} differ: ${of(a)} and ${of(b)}.`];
  return [
    ...unlike('designs', ({ design }) => design),
    ...unlike('worlds', ({ world }) => world),
    ...unlike('lengths of the load', ({ loadSeconds }) => `${Number(loadSeconds.toFixed(1))} s`),
    ...(isOtherLoad(a, b)
      ? unlike('loads', ({ offeredPerSec }) => `${Number(offeredPerSec!.toPrecision(3))}/s`)
      : []),
    // Sets of seeds are told by what is claimed of them.
    ...(a.seeds.length === 1 && b.seeds.length === 1
      ? unlike('seeds', ({ seeds }) => String(seeds[0]))
      : []),
    ...unlike('versions of Loadpath', ({ version }) => version),
  ];
}

/** Beyond what chance makes of the same load: users are as many more or fewer by luck (Poisson, three sigma). */
function isOtherLoad(a: Side, b: Side): boolean {
  if (a.offeredPerSec === null || b.offeredPerSec === null) return false;
  const variance = (side: Side, perSec: number) => perSec / (side.loadSeconds * side.seeds.length);
  const luck = 3 * Math.sqrt(variance(a, a.offeredPerSec) + variance(b, b.offeredPerSec));
  const apart = Math.abs(b.offeredPerSec - a.offeredPerSec);
  return apart > Math.max(luck, wordShare * Math.max(a.offeredPerSec, b.offeredPerSec));
}

// Rows -------------------------------------------------------------------------------------------

/** A difference of single runs that is worth a word. */
const wordShare = 0.05;
/** Differences that lie within this share, by their interval, are none. */
const sameShare = 0.02;

interface Figure {
  readonly what: string;
  readonly unit: ComparedRow['unit'];
  readonly good: 'more' | 'less' | 'neither';
  readonly of: (report: Report) => number;
  /** Where a summary without its reports has it. */
  readonly in?: (summary: Summary) => Estimate;
}

const figures: readonly Figure[] = [
  {
    what: 'throughput',
    unit: '/s',
    good: 'more',
    of: (report) => report.throughputPerSec,
    in: (summary) => summary.throughputPerSec,
  },
  {
    what: 'availability',
    unit: 'ratio',
    good: 'more',
    of: (report) => report.availability,
    in: (summary) => summary.availability,
  },
  ...(['p50', 'p90', 'p99', 'p999', 'mean'] as const).map(
    (name): Figure => ({
      what: name,
      unit: 'ms',
      good: 'less',
      of: (report) => report.latencyMs[name],
      in: (summary) => summary.latencyMs[name],
    }),
  ),
  { what: 'failed', unit: 'count', good: 'less', of: (report) => report.failed },
  { what: 'rejected', unit: 'count', good: 'neither', of: (report) => report.rejected },
];

function endToEnd(a: Compared, b: Compared, evidence: Comparison['evidence']): ComparedRow[] {
  return figures.flatMap((figure) => rowOf(null, figure, a, b, evidence) ?? []);
}

function ofBlocks(a: Compared, b: Compared, evidence: Comparison['evidence']): ComparedRow[] {
  const [ours, theirs] = [reportsOf(a)[0], reportsOf(b)[0]];
  const names = Object.keys(ours?.blocks ?? {}).filter((name) => theirs?.blocks[name]);
  return names.flatMap((name) => {
    const of = (pick: (block: Report['blocks'][string]) => number) => (report: Report) => {
      const block = report.blocks[name];
      return block ? pick(block) : 0;
    };
    const perNode = (value: number, nodes: number) => (nodes === 0 ? 0 : value / nodes);
    const own: readonly Figure[] = [
      { what: 'nodes', unit: 'count', good: 'neither', of: of(({ nodes }) => nodes.length) },
      {
        what: 'requests a node',
        unit: '/s',
        good: 'neither',
        of: of(({ requestsPerSec, nodes }) => perNode(requestsPerSec, nodes.length)),
      },
      { what: 'p99', unit: 'ms', good: 'less', of: of(({ p99Ms }) => p99Ms) },
      { what: 'utilisation', unit: 'ratio', good: 'neither', of: of((one) => one.utilisation) },
      { what: 'longest queue', unit: 'count', good: 'less', of: of(({ queueMax }) => queueMax) },
      { what: 'errors', unit: 'count', good: 'less', of: of(({ errors }) => errors) },
    ];
    return own.flatMap((figure) => rowOf(name, figure, a, b, evidence) ?? []);
  });
}

function rowOf(
  block: string | null,
  figure: Figure,
  a: Compared,
  b: Compared,
  evidence: Comparison['evidence'],
): ComparedRow | undefined {
  const [ours, theirs] = [estimateOf(figure, a), estimateOf(figure, b)];
  if (!ours || !theirs) return undefined;
  const change =
    evidence === 'same seeds'
      ? pairedChange(figure, reportsOf(a), reportsOf(b))
      : evidence === 'other seeds'
        ? welchChange(ours, theirs, sideOf(a).seeds.length, sideOf(b).seeds.length)
        : null;
  const { what, unit } = figure;
  return {
    block,
    what,
    unit,
    a: ours,
    b: theirs,
    ratio: ours.mean === 0 ? null : theirs.mean / ours.mean,
    change,
    difference: differenceOf(figure, ours, theirs, change),
  };
}

function estimateOf(figure: Figure, one: Compared): Estimate | undefined {
  const reports = reportsOf(one);
  if (reports.length > 0) return estimate(reports.map(figure.of));
  return isSummary(one) ? figure.in?.(one) : undefined;
}

function pairedChange(
  { of }: Figure,
  ours: readonly Report[],
  theirs: readonly Report[],
): ComparedRow['change'] {
  const { mean, plusMinus } = estimate(
    ours.map((report, index) => of(theirs[index]!) - of(report)),
  );
  return { from: mean - plusMinus!, to: mean + plusMinus! };
}

function welchChange(
  a: Estimate,
  b: Estimate,
  countA: number,
  countB: number,
): ComparedRow['change'] {
  if (a.plusMinus === null || b.plusMinus === null) return null;
  const varianceA = (a.plusMinus / student95(countA - 1)) ** 2;
  const varianceB = (b.plusMinus / student95(countB - 1)) ** 2;
  const both = varianceA + varianceB;
  // Welch and Satterthwaite: as many degrees of freedom as the noisier side has runs for.
  const freedom =
    both === 0
      ? countA + countB - 2
      : both ** 2 / (varianceA ** 2 / (countA - 1) + varianceB ** 2 / (countB - 1));
  const half = student95(Math.max(1, Math.floor(freedom))) * Math.sqrt(both);
  const mean = b.mean - a.mean;
  return { from: mean - half, to: mean + half };
}

function differenceOf(
  { what, unit, good }: Figure,
  a: Estimate,
  b: Estimate,
  change: ComparedRow['change'],
): Difference {
  if (a.mean === b.mean && a.min === b.min && a.max === b.max) return 'same';
  // Of a share that is nearly one, what is missing from it is what people feel.
  const base = what === 'availability' ? 1 - a.mean : Math.abs(a.mean);
  const moved = b.mean - a.mean;
  if (change === null) {
    if (Math.abs(moved) <= wordShare * base) return 'unclear';
    if (unit === 'count' && what !== 'nodes' && isFewCounts(a.mean, b.mean)) return 'unclear';
  } else {
    const within = sameShare * base;
    if (change.from >= -within && change.to <= within) return 'same';
    if (change.from <= 0 && change.to >= 0) return 'unclear';
  }
  if (good === 'neither') return 'changed';
  return moved > 0 === (good === 'more') ? 'better' : 'worse';
}

/** Of things that are counted one by one, as many more or less come by chance (Poisson, two sigma). */
function isFewCounts(a: number, b: number): boolean {
  return Math.abs(b - a) <= 2 * Math.sqrt(a + b);
}

// Promises ---------------------------------------------------------------------------------------

type Kept = ComparedPromise['a'];

function promisesOf(a: Compared, b: Compared): ComparedPromise[] {
  const ours = keptBy(a);
  const theirs = keptBy(b);
  return [...new Set([...ours.keys(), ...theirs.keys()])].map((name) => {
    const [one, other] = [ours.get(name), theirs.get(name)];
    const isMeasured = one?.measured !== undefined && other?.measured !== undefined;
    return {
      name,
      a: one?.kept ?? 'absent',
      b: other?.kept ?? 'absent',
      measured: isMeasured ? { a: one.measured!, b: other.measured!, unit: one.unit ?? '' } : null,
    };
  });
}

interface Promised {
  readonly kept: Kept;
  readonly measured?: number;
  readonly unit?: string;
}

function keptBy(one: Compared): ReadonlyMap<string, Promised> {
  const kept = new Map<string, Promised>();
  for (const objective of one.objectives) {
    const { unit, measured } = objective;
    const holds = 'holds' in objective ? objective.holds : objective.brokenSeeds.length === 0;
    kept.set(objectiveName(objective), {
      kept: holds ? 'kept' : 'broken',
      measured: typeof measured === 'number' ? measured : measured.mean,
      unit,
    });
  }
  for (const invariant of one.invariants) {
    const verdict = 'verdict' in invariant ? invariant.verdict : verdictOver(invariant);
    const words = { holds: 'kept', violated: 'broken', unknown: 'unknown' } as const;
    kept.set(invariant.name, { kept: words[verdict] });
  }
  return kept;
}

function verdictOver(invariant: Summary['invariants'][number]): 'holds' | 'violated' | 'unknown' {
  if (invariant.violatedSeeds.length > 0) return 'violated';
  return invariant.unknownSeeds.length > 0 ? 'unknown' : 'holds';
}
