/**
 * One seed of a hunt: draw a fault schedule, or take the one given, run under it, then heal and
 * demand recovery. What runs it is somebody else's: a worker thread, or a test on its own thread.
 */
import { declarationsOf, planOf, type System } from '../design/system.ts';
import type { Fault } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import { seeded } from '../kit/random.ts';
import type { SettingTable } from '../kit/settings.ts';
import type { Evidence } from '../verify/evidence.ts';
import { resolve } from './options.ts';
import type { Report } from './report.ts';
import { drawSchedule } from './schedule.ts';
import type { SimulationOptions } from './simulation.ts';

export interface Attempt {
  readonly seed: number;
  readonly forUs: Micros;
  readonly ratePerSec?: number | undefined;
  /** Options in place of the design's. */
  readonly set?: SettingTable | undefined;
  readonly faultsMin: number;
  readonly faultsMax: number;
  /** Instead of drawing some. */
  readonly faults?: readonly Fault[] | undefined;
}

export interface Attempted {
  readonly design: string;
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly violated: readonly {
    readonly name: string;
    readonly detail: string;
    readonly counterexample: readonly string[];
    readonly evidence?: Evidence | undefined;
  }[];
  readonly unknown: readonly string[];
  /** The invariants that the design declares. Others are judged in any run. */
  readonly declared: readonly string[];
  readonly digest: string | null;
  readonly simulatedSeconds: number;
}

/**
 * What the run of this attempt takes. The faults that the design declares are left out: a hunt
 * draws its own, so that what it finds is named by the schedule it prints.
 */
export function attemptOf(
  design: System,
  attempt: Attempt,
): Omit<SimulationOptions, 'drain' | 'clock'> {
  const { seed, forUs, ratePerSec } = attempt;
  const asked = resolve(design, { forUs, ratePerSec });
  const moving = declarationsOf(design, asked.load)
    .filter(({ discovery, block }) => discovery && block.member)
    .map(({ name }) => name);
  const faults =
    attempt.faults ??
    drawSchedule(planOf(design, asked.load), seeded(seed).fork('schedule'), { ...attempt, moving });
  return { design, seed, ...asked, faults, probe: true };
}

export function attemptedOf(
  report: Report,
  { design, faults }: Pick<SimulationOptions, 'design' | 'faults'>,
): Attempted {
  const violated = report.invariants.filter(({ verdict }) => verdict === 'violated');
  const unknown = report.invariants.filter(({ verdict }) => verdict === 'unknown');
  return {
    seed: report.seed,
    faults,
    design: report.design,
    digest: report.digest,
    simulatedSeconds: report.simulatedSeconds,
    violated: violated.map(({ name, detail, counterexample = [], evidence }) => ({
      name,
      detail,
      counterexample,
      evidence,
    })),
    unknown: unknown.map(({ name }) => name),
    declared: design.invariants.map(({ name }) => name),
  };
}
