/**
 * Several replications of one design, told as one: each figure with its 95 % confidence interval,
 * each promise with the seeds that broke it.
 *
 * The interval is Student's: mean ± t · s / √n over independent seeds. A single run has no
 * interval, and says so with `null` rather than with zero.
 */
import { exitCode, type Report } from './report.ts';

export interface Estimate {
  readonly mean: number;
  /** Half the width of the 95 % interval; null with fewer than two runs. */
  readonly plusMinus: number | null;
  readonly min: number;
  readonly max: number;
}

export interface Summary {
  readonly version: string;
  readonly design: string;
  readonly world: Report['world'];
  readonly seeds: readonly number[];
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
  readonly throughputPerSec: Estimate;
  readonly availability: Estimate;
  readonly latencyMs: Readonly<Record<keyof Report['latencyMs'], Estimate>>;
  readonly objectives: readonly {
    readonly name: string;
    readonly unit: string;
    readonly target: number;
    readonly measured: Estimate;
    readonly heldCount: number;
    readonly brokenSeeds: readonly number[];
  }[];
  readonly invariants: readonly {
    readonly name: string;
    readonly holdsCount: number;
    readonly violatedSeeds: readonly number[];
    readonly unknownSeeds: readonly number[];
  }[];
  readonly runs: readonly { readonly seed: number; readonly digest: string | null }[];
}

export function summarise(reports: readonly Report[]): Summary {
  const first = reports[0];
  if (!first) throw new RangeError('a summary needs at least one report');
  const over = (pick: (report: Report) => number) => estimate(reports.map(pick));
  return {
    version: first.version,
    design: first.design,
    world: first.world,
    seeds: reports.map((report) => report.seed),
    simulatedSeconds: sum(reports.map((report) => report.simulatedSeconds)),
    wallSeconds: sum(reports.map((report) => report.wallSeconds)),
    throughputPerSec: over((report) => report.throughputPerSec),
    availability: over((report) => report.availability),
    latencyMs: {
      p50: over((report) => report.latencyMs.p50),
      p90: over((report) => report.latencyMs.p90),
      p99: over((report) => report.latencyMs.p99),
      p999: over((report) => report.latencyMs.p999),
      max: over((report) => report.latencyMs.max),
      mean: over((report) => report.latencyMs.mean),
    },
    objectives: first.objectives.map((objective) => {
      const named = reports.flatMap((report) =>
        report.objectives
          .filter((other) => other.name === objective.name)
          .map((other) => ({ ...other, seed: report.seed })),
      );
      const broken = named.filter((other) => !other.holds);
      return {
        name: objective.name,
        unit: objective.unit,
        target: objective.target,
        measured: estimate(named.map((other) => other.measured)),
        heldCount: named.length - broken.length,
        brokenSeeds: broken.map((other) => other.seed),
      };
    }),
    invariants: first.invariants.map((invariant) => {
      const seedsWith = (verdict: string) =>
        reports
          .filter((report) =>
            report.invariants.some(
              (other) => other.name === invariant.name && other.verdict === verdict,
            ),
          )
          .map((report) => report.seed);
      return {
        name: invariant.name,
        holdsCount: seedsWith('holds').length,
        violatedSeeds: seedsWith('violated'),
        unknownSeeds: seedsWith('unknown'),
      };
    }),
    runs: reports.map(({ seed, digest }) => ({ seed, digest })),
  };
}

/** As one report's: 1 when any run violated something, else 3 when any verdict is unknown. */
export function summaryExitCode(reports: readonly Report[]): 0 | 1 | 3 {
  const codes = reports.map(exitCode);
  return codes.includes(1) ? 1 : codes.includes(3) ? 3 : 0;
}

export function estimate(values: readonly number[]): Estimate {
  const count = values.length;
  if (count === 0) return { mean: 0, plusMinus: null, min: 0, max: 0 };
  const mean = sum(values) / count;
  const min = Math.min(...values);
  const max = Math.max(...values);
  if (count < 2) return { mean, plusMinus: null, min, max };
  const variance = sum(values.map((value) => (value - mean) ** 2)) / (count - 1);
  return { mean, plusMinus: student95(count - 1) * Math.sqrt(variance / count), min, max };
}

/** Two-sided 95 % quantiles of Student's t for 1 to 10 degrees of freedom. */
const student95Small = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281,
] as const;

/**
 * The quantile for `freedom` degrees of freedom: a table where the tail is heavy, beyond it the
 * Cornish-Fisher expansion around the normal one, right to four digits from 11 on.
 */
export function student95(freedom: number): number {
  const small = student95Small[freedom - 1];
  if (small !== undefined) return small;
  const z = 1.959964;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + (z ** 3 + z) / (4 * freedom) + second / freedom ** 2 + third / freedom ** 3;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
