/**
 * Versions of what holds in a mesh, and how a new one is rolled out: first to a share of the sidecars, then, if
 * calls fail no more often there than elsewhere, to all; otherwise it is taken back.
 *
 *   apply ──▶ candidate, for a share ──well──▶ holds for all
 *                     └──worse──▶ taken back          roll-back ──▶ what held before
 *
 * Numbers only grow, also of what is taken back: a sidecar compares its own with what it should have.
 */
import type { Micros } from '../../../host/host.ts';
import type { PathPolicy } from '../../../path/policy.ts';
import type { MeshConfig } from './config.ts';

/** What differs from the design, by service. */
export type MeshChange = Readonly<
  Record<
    string,
    {
      readonly policy?: PathPolicy | undefined;
      /** Shares of its releases. */
      readonly traffic?: Readonly<Record<string, number>> | undefined;
    }
  >
>;

export type Version = { readonly version: number; readonly change: MeshChange };

/** Calls from one service to another. */
export type Pair = { readonly calls: number; readonly errors: number };

export type MeshState = {
  /** That holds for all, or for most while a newer one is tried. */
  readonly version: number;
  readonly candidate: number | null;
  /** Why the last candidate was taken back. */
  readonly takenBack: string | null;
  /** Calls and errors since the control plane started, as sidecars count them: `m1 → m2`. */
  readonly pairs: Readonly<Record<string, Pair>>;
};

/** What outlives a crash: the versions, and the highest number given. */
export type Kept = { readonly held: readonly Version[]; readonly highest: number };

const declared: Version = { version: 0, change: {} };

type VersionsConfig = Pick<
  MeshConfig,
  'stageShare' | 'stageForUs' | 'errorsMax' | 'volumeMin' | 'versionsMax'
>;

interface Trial {
  readonly version: Version;
  readonly endsAt: Micros;
  readonly tried: { calls: number; errors: number };
  readonly others: { calls: number; errors: number };
}

export class Versions {
  readonly #config: VersionsConfig;
  /** The last one holds. */
  #held: Version[];
  #highest: number;
  #trial: Trial | undefined;
  #takenBack: string | null = null;
  readonly #pairs = new Map<string, { calls: number; errors: number }>();

  constructor(config: VersionsConfig, kept: Kept = { held: [declared], highest: 0 }) {
    this.#config = config;
    this.#held = [...kept.held];
    this.#highest = kept.highest;
  }

  /** A candidate that is being tried is not kept: after a crash what held before holds. */
  get kept(): Kept {
    return { held: this.#held, highest: this.#highest };
  }

  get state(): MeshState {
    return {
      version: this.#holding.version,
      candidate: this.#trial?.version.version ?? null,
      takenBack: this.#takenBack,
      pairs: Object.fromEntries([...this.#pairs].map(([pair, counts]) => [pair, { ...counts }])),
    };
  }

  /** What the change does not name stays as it is. A candidate that is being tried gives way. */
  apply(change: MeshChange, now: Micros): void {
    const merged: Record<string, MeshChange[string]> = { ...this.#holding.change };
    for (const [service, of] of Object.entries(change)) {
      merged[service] = { ...merged[service], ...of };
    }
    const version = { version: ++this.#highest, change: merged };
    this.#takenBack = null;
    if (this.#config.stageForUs === 0) return this.#hold(version);
    this.#trial = {
      version,
      endsAt: now + this.#config.stageForUs,
      tried: { calls: 0, errors: 0 },
      others: { calls: 0, errors: 0 },
    };
  }

  /** To what held before, under a number of its own; also ends a trial. */
  rollBack(): void {
    if (this.#trial) {
      this.#takenBack = 'by hand';
      this.#trial = undefined;
      return;
    }
    const before = this.#held.at(-2) ?? declared;
    this.#held = this.#held.slice(0, -1);
    this.#held = [...this.#held.slice(0, -1), { ...before, version: ++this.#highest }];
  }

  /** Of a sidecar whose rank is a number from 0 to below 1, always the same. */
  for(rank: number): Version {
    return this.#trial && rank < this.#config.stageShare ? this.#trial.version : this.#holding;
  }

  /** What a sidecar counted while it had `version`. */
  counted(from: string, version: number, pairs: Readonly<Record<string, Pair>>): void {
    for (const [to, { calls, errors }] of Object.entries(pairs)) {
      const name = `${from} → ${to}`;
      let sum = this.#pairs.get(name);
      if (!sum) {
        sum = { calls: 0, errors: 0 };
        this.#pairs.set(name, sum);
      }
      const trial = this.#trial;
      const group = trial && (version === trial.version.version ? trial.tried : trial.others);
      for (const counts of group ? [sum, group] : [sum]) {
        counts.calls += calls;
        counts.errors += errors;
      }
    }
  }

  /** Ends a trial whose time has come, or that is plainly worse. Returns what became of it. */
  judge(now: Micros): 'holds' | 'taken back' | undefined {
    const trial = this.#trial;
    if (!trial) return undefined;
    const { errorsMax, volumeMin } = this.#config;
    const { tried, others } = trial;
    const worse = ratioOf(tried) - ratioOf(others);
    if (tried.calls >= volumeMin && worse > errorsMax) {
      const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;
      this.#takenBack = `${percent(ratioOf(tried))} of calls failed under version ${trial.version.version}, ${percent(ratioOf(others))} elsewhere`;
      this.#trial = undefined;
      return 'taken back';
    }
    // With too few calls nobody can say: it goes on being tried.
    if (now < trial.endsAt || tried.calls < volumeMin) return undefined;
    this.#hold(trial.version);
    return 'holds';
  }

  get #holding(): Version {
    return this.#held.at(-1)!;
  }

  #hold(version: Version): void {
    this.#trial = undefined;
    this.#held = [...this.#held, version].slice(-this.#config.versionsMax);
  }
}

function ratioOf({ calls, errors }: Pair): number {
  return calls === 0 ? 0 : errors / calls;
}
