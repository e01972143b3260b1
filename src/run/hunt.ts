/**
 * The hunt: seed after seed, each with its own fault schedule, until an invariant breaks; then the
 * schedule is shrunk to the shortest that still breaks it. First safety under faults, then heal
 * and demand progress.
 *
 * Pure but for `attempt`, which runs one seed somewhere: in a worker, or here in a test.
 */
import { formatFault } from '../design/faults.ts';
import type { Fault } from '../host/fault.ts';
import type { Micros } from '../host/host.ts';
import type { Finding, HuntOptions, HuntProgress, HuntReport, SeedVerdict } from './api.ts';
import type { Attempt, Attempted } from './attempt.ts';
import { simpler } from './schedule.ts';
import { shrink } from './shrink.ts';
import { version } from './version.ts';

export interface Hunting extends HuntOptions {
  readonly designPath: string;
  readonly attempt: (attempt: Attempt) => Promise<Attempted>;
  /** Attempts that may run at once. */
  readonly parallel: number;
  /** Real milliseconds. */
  readonly clock: () => number;
  readonly stopped: () => boolean;
  readonly onProgress?: ((progress: HuntProgress) => void) | undefined;
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

/** How long each seed's load lasts when nobody says. */
export const huntLoadUs: Micros = 20_000_000;
/** How many faults a schedule has at the most, beyond the least asked for. */
const faultsBeyondMin = 7;
const shrinkAttemptsMax = 400;

interface News {
  readonly attempted: Attempted;
  readonly invariant: string;
}

export async function hunt(options: Hunting): Promise<HuntReport> {
  return new Hunt(options).run();
}

class Hunt {
  readonly #options: Hunting;
  readonly #forUs: Micros;
  readonly #findings: Finding[] = [];
  /** Invariants found broken, shrunk or being shrunk. */
  readonly #known = new Set<string>();
  /** Seeds that ended before one below them did. */
  readonly #early = new Map<number, Attempted>();
  #startedAt = 0;
  #design = '';
  #seedsDone = 0;
  readonly #violated: SeedVerdict[] = [];
  readonly #unknown: SeedVerdict[] = [];
  #simulatedSeconds = 0;

  constructor(options: Hunting) {
    this.#options = options;
    this.#forUs = options.forUs ?? huntLoadUs;
  }

  async run(): Promise<HuntReport> {
    const { clock, seedFirst, seedCount, parallel } = this.#options;
    this.#startedAt = clock();
    let next = seedFirst;
    const lane = async (): Promise<void> => {
      while (next < seedFirst + seedCount && !this.#isOver()) await this.#seed(next++);
    };
    await Promise.all(Array.from({ length: parallel }, lane));
    this.#findings.sort((a, b) => a.seed - b.seed);
    return {
      version,
      design: this.#design,
      seedFirst,
      seedCount,
      seedsDone: this.#seedsDone,
      violatedCount: this.#violated.length,
      unknownCount: this.#unknown.length,
      violatedSeeds: this.#violated,
      unknownSeeds: this.#unknown,
      simulatedSeconds: this.#simulatedSeconds,
      wallSeconds: (clock() - this.#startedAt) / 1_000,
      ended: this.#ended(),
      findings: this.#findings,
    };
  }

  #isOver(): boolean {
    const { clock, stopped, wallMaxUs, findingsMax } = this.#options;
    const isLate = wallMaxUs !== undefined && (clock() - this.#startedAt) * 1_000 > wallMaxUs;
    return stopped() || isLate || this.#known.size >= findingsMax;
  }

  #ended(): HuntReport['ended'] {
    const { seedCount, findingsMax, stopped } = this.#options;
    if (this.#known.size >= findingsMax) return 'findings';
    if (this.#seedsDone === seedCount) return 'seeds';
    return stopped() ? 'interrupt' : 'time';
  }

  async #seed(seed: number): Promise<void> {
    this.#early.set(seed, await this.#attempt(seed));
    for (const { attempted, invariant } of this.#news()) {
      const finding = await this.#finding(attempted, invariant);
      this.#findings.push(finding);
      this.#options.onFinding?.(finding);
    }
  }

  /**
   * What breaks for the first time, in the order of seeds: which of several threads ends first must
   * decide neither which seed is shrunk nor how many were looked at.
   */
  #news(): readonly News[] {
    const { seedFirst, findingsMax } = this.#options;
    const news: News[] = [];
    while (this.#known.size < findingsMax) {
      const seed = seedFirst + this.#seedsDone;
      const attempted = this.#early.get(seed);
      if (!attempted) break;
      this.#early.delete(seed);
      this.#count(attempted);
      for (const { name } of attempted.violated) {
        // One finding an invariant: shrinking the same mistake twice tells nothing new.
        if (this.#known.has(name) || this.#known.size >= findingsMax) continue;
        this.#known.add(name);
        news.push({ attempted, invariant: name });
      }
    }
    return news;
  }

  #count({ design, seed, simulatedSeconds, violated, unknown }: Attempted): void {
    this.#design = design;
    this.#seedsDone++;
    this.#simulatedSeconds += simulatedSeconds;
    if (unknown.length > 0) this.#unknown.push({ seed, invariants: unknown });
    if (violated.length > 0) {
      this.#violated.push({ seed, invariants: violated.map(({ name }) => name) });
    }
    this.#tell();
  }

  async #finding(found: Attempted, invariant: string): Promise<Finding> {
    let smallest = found;
    let isShrunk = false;
    if (this.#options.shrink) {
      let isCut = false;
      const fails = async (faults: readonly Fault[]): Promise<boolean> => {
        if (this.#options.stopped()) {
          isCut = true;
          return false;
        }
        this.#tell({ seed: found.seed, faultCount: faults.length });
        const again = await this.#attempt(found.seed, faults);
        const breaks = again.violated.some(({ name }) => name === invariant);
        if (breaks) smallest = again;
        return breaks;
      };
      const { attempts } = await shrink(found.faults, fails, simpler, {
        attemptsMax: shrinkAttemptsMax,
      });
      isShrunk = !isCut && attempts < shrinkAttemptsMax;
    }
    const broken = smallest.violated.find(({ name }) => name === invariant);
    return {
      design: found.design,
      designPath: this.#options.designPath,
      seed: found.seed,
      forUs: this.#forUs,
      ratePerSec: this.#options.ratePerSec,
      set: this.#options.set,
      invariant,
      detail: broken?.detail ?? '',
      counterexample: broken?.counterexample ?? [],
      evidence: broken?.evidence,
      faults: smallest.faults.map(formatFault),
      faultCountBefore: found.faults.length,
      isShrunk,
      digest: smallest.digest,
    };
  }

  #attempt(seed: number, faults?: readonly Fault[]): Promise<Attempted> {
    const { ratePerSec, set, faultsMin, attempt } = this.#options;
    const faultsMax = faultsMin + faultsBeyondMin;
    return attempt({ seed, forUs: this.#forUs, ratePerSec, set, faultsMin, faultsMax, faults });
  }

  #tell(shrinking?: HuntProgress['shrinking']): void {
    this.#options.onProgress?.({
      seedsDone: this.#seedsDone,
      seedCount: this.#options.seedCount,
      violatedCount: this.#violated.length,
      unknownCount: this.#unknown.length,
      shrinking,
    });
  }
}
