/**
 * One option over a range, everything else as it is: the curve that shows where a design gives in.
 */
import { LoadpathError, type Problem, refuse } from '../kit/errors.ts';
import type { SettingTable } from '../kit/settings.ts';
import type { SweepOptions, SweepWatch } from './api.ts';
import { kneeOf } from './knee.ts';
import { outcomeOf, type Report } from './report.ts';
import { type Estimate, estimate } from './summary.ts';
import { parseValues, type SweepValue, sweepValuesForm, sweepValuesMax } from './sweep-values.ts';

export interface SweepPoint {
  /** As the user wrote it: `4`, `200/s`. */
  readonly value: string;
  /** For the axis. */
  readonly x: number;
  readonly offeredPerSec: number;
  /** How long each of its runs was under load. */
  readonly loadSeconds: number;
  readonly throughputPerSec: Estimate;
  readonly availability: Estimate;
  readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'p999' | 'mean', Estimate>>;
  /** Of the busiest block, 0 to 1, and which that is. */
  readonly utilisation: Estimate;
  readonly busiest: string;
  /** How many of the seeds kept every promise. */
  readonly heldCount: number;
  readonly seedCount: number;
}

export interface SweepReport {
  /** `api.instances`, `rate`. */
  readonly over: string;
  readonly points: readonly SweepPoint[];
  /** Where the curve bends, and why it is thought so; null when it does not. */
  readonly knee: { readonly value: string; readonly x: number; readonly why: string } | null;
}

/** How one value is run: what it replaces. */
export interface SweepRun {
  readonly seed: number;
  readonly set: SettingTable;
  readonly ratePerSec?: number | undefined;
}

export interface Sweeping extends SweepOptions {
  /** Runs that go on at once. */
  readonly parallel: number;
  /** Throws what is wrong with the design when it is so. */
  readonly look: (set: SettingTable) => Promise<unknown>;
  /** With the signal aborted: what was seen until then, which is not a point. */
  readonly simulate: (run: SweepRun) => Promise<Report>;
}

/**
 * Every value with every seed. The same seeds at each value, so that neighbours differ by the
 * value and not by their luck. Stopped early, it tells of the runs that had ended.
 */
export async function sweep(options: Sweeping, watch: SweepWatch = {}): Promise<SweepReport> {
  const { over, seed, seedCount, parallel, simulate } = options;
  const values = valuesOf(options);
  const ways = values.map((value) => wayOf(options, value));
  await lookAt(options, values, ways);
  const ended = values.map((): Report[] => []);
  const points: (SweepPoint | undefined)[] = values.map(() => undefined);
  let next = 0;
  let runsDone = 0;
  const isStopped = (): boolean => watch.signal?.aborted ?? false;
  const lane = async (): Promise<void> => {
    while (next < values.length * seedCount && !isStopped()) {
      const place = next++;
      const at = Math.floor(place / seedCount);
      const report = await simulate({ ...ways[at]!, seed: seed + (place % seedCount) });
      if (isStopped()) return;
      const reports = ended[at]!;
      reports.push(report);
      runsDone++;
      if (reports.length === seedCount) {
        points[at] = pointOf(values[at]!, reports);
        watch.onPoint?.(points[at]);
      }
      watch.onProgress?.({ runsDone, runCount: values.length * seedCount });
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  const known = values.flatMap((value, at) => {
    const reports = ended[at]!;
    return points[at] ?? (reports.length > 0 ? pointOf(value, reports) : []);
  });
  return { over, points: known, knee: kneeOf(over, known) };
}

function valuesOf({ values }: SweepOptions): readonly SweepValue[] {
  const found = parseValues(values);
  if (found) return found;
  const what = `must be ${sweepValuesForm}, at most ${sweepValuesMax} of them, got '${values}'`;
  return refuse('bad-option', 'the sweep', [{ at: 'values', what }]);
}

function wayOf({ over, set = {}, ratePerSec }: SweepOptions, { text, x }: SweepValue): Way {
  if (over !== 'rate') return { set: { ...set, [over]: text }, ratePerSec };
  if (x > 0 && /^\d/.test(text)) return { set, ratePerSec: x };
  const what = `must be a rate above zero, like '200/s', got '${text}'`;
  return refuse('bad-option', 'the sweep', [{ at: 'rate', what }]);
}

type Way = Omit<SweepRun, 'seed'>;

/** A mistake in the last value must not come to light after an hour. */
async function lookAt(
  { over, look }: Sweeping,
  values: readonly SweepValue[],
  ways: readonly Way[],
): Promise<void> {
  const problems: Problem[] = [];
  for (const [at, { set }] of ways.entries()) {
    try {
      await look(set);
    } catch (failure) {
      // What is wrong whatever the value is told once.
      if (!(failure instanceof LoadpathError) || at === 0) throw failure;
      const first = failure.problems[0]?.what ?? failure.message;
      problems.push({ at: `${over} = ${values[at]!.text}`, what: first });
    }
  }
  if (problems.length > 0) refuse('bad-option', 'the sweep', problems);
}

function pointOf({ text, x }: SweepValue, reports: readonly Report[]): SweepPoint {
  const over = (pick: (report: Report) => number): Estimate => estimate(reports.map(pick));
  const busiest = busiestOf(reports);
  return {
    value: text,
    x,
    offeredPerSec: over((report) => report.generated / report.simulatedSeconds).mean,
    loadSeconds: over((report) => report.simulatedSeconds).mean,
    throughputPerSec: over((report) => report.throughputPerSec),
    availability: over((report) => report.availability),
    latencyMs: {
      p50: over((report) => report.latencyMs.p50),
      p90: over((report) => report.latencyMs.p90),
      p99: over((report) => report.latencyMs.p99),
      p999: over((report) => report.latencyMs.p999),
      mean: over((report) => report.latencyMs.mean),
    },
    utilisation: over((report) => report.blocks[busiest]?.utilisation ?? 0),
    busiest,
    heldCount: reports.filter((report) => outcomeOf(report) === 'holds').length,
    seedCount: reports.length,
  };
}

/** By core time; where that tells nothing (modelled waiting), by the longest queue. */
function busiestOf(reports: readonly Report[]): string {
  const names = Object.keys(reports[0]?.blocks ?? {});
  const mean = (name: string, pick: 'utilisation' | 'queueMax'): number =>
    estimate(reports.map(({ blocks }) => blocks[name]?.[pick] ?? 0)).mean;
  const by = names.some((name) => mean(name, 'utilisation') >= 0.01) ? 'utilisation' : 'queueMax';
  return names.reduce(
    (most, name) => (mean(name, by) > mean(most, by) ? name : most),
    names[0] ?? '',
  );
}
