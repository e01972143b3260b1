/**
 * What the command line asks of the floor below it: one object, loaded only when a command needs
 * it, so that `--help` is instant. Faults and rates come as the sentences users wrote, because
 * names can only be checked once the design is loaded.
 */

import type { StructuralView } from '../design/structure.ts';
import type { Block } from '../host/declaration.ts';
import type { RunEvent } from '../host/events.ts';
import type { Micros } from '../host/host.ts';
import type { SettingTable } from '../kit/settings.ts';
import type { AdminPage } from '../live/admin.ts';
import type { Evidence } from '../verify/evidence.ts';
import type { Frame, FrameLayout } from './frames.ts';
import type { DesignLook } from './look.ts';
import type { Otherwise } from './options.ts';
import type { Report } from './report.ts';
import type { SweepPoint, SweepReport } from './sweep.ts';
import type { MessageQuery, MessageWindow, RequestSample, Waterfall } from './traced.ts';

export interface Runner {
  /** Loads a design without running it: what `lint`, `explain` and `estimate` look at. */
  inspect(designPath: string, set?: SettingTable): Promise<StructuralView>;
  /** Every kind of block there is, for `explain <kind>`. */
  blocks(): Promise<readonly Block[]>;
  simulate(designPath: string, options: SimulateOptions, watch?: Watch): Promise<Report>;
  /** For run after run of one design: it is loaded once, and the workers stay warm. */
  openSimulator(designPath: string, options?: SimulatorOptions): Simulator;
  runLive(designPath: string, options: LiveOptions, watch?: Watch): Promise<Report>;
  /** Sends a design's workload to where that design already runs, and judges what users saw. */
  load(designPath: string, options: TargetOptions, watch?: Watch): Promise<Report>;
  hunt(designPath: string, options: HuntOptions, watch?: HuntWatch): Promise<HuntReport>;
  /** One option over a range of values, everything else as it is. */
  sweep(designPath: string, options: SweepOptions, watch?: SweepWatch): Promise<SweepReport>;
  /** Files whose change means a new run: the design and what it imports, packages aside. */
  sources(designPath: string): Promise<readonly string[]>;
}

interface LoadOptions {
  /** Length of the measured load; the design's own when undefined. */
  readonly forUs?: Micros | undefined;
  /** For how long users come before it, uncounted. Default 0. */
  readonly warmUpUs?: Micros | undefined;
  readonly seed: number;
  /** Sentences. */
  readonly faults: readonly string[];
  /** Whether the faults that the design declares happen too. */
  readonly ownFaults: boolean;
  /** Replaces the arrival rate of the design's workload. */
  readonly ratePerSec?: number | undefined;
  /** Path of an access log in Common or Combined Log Format that replaces the workload. */
  readonly replayLog?: string | undefined;
  /** Options in place of the design's: `{ 'links.replicas': 5 }`. */
  readonly set?: SettingTable | undefined;
}

export interface SimulateOptions extends LoadOptions {
  /** Run twice, hash content as well, trace what real input or output leaks; refuse when they differ. */
  readonly check: boolean;
  /** File that gets the trace, one line an event; `-` for standard output. */
  readonly trace?: string | undefined;
  /** Stop at this virtual instant and report what was seen until then. */
  readonly untilUs?: Micros | undefined;
  /** After the heal, send some load again and demand that it is served, as a hunt does. */
  readonly probe?: boolean | undefined;
  /** Give every life of a node its own copy of packages too. */
  readonly isolatePackages: boolean;
  /** A design of data in place of the file's. */
  readonly data?: unknown;
  /** Of the frames that `onFrame` gets: how many at most. Default 600. */
  readonly frameCountMax?: number | undefined;
}

export interface SimulatorOptions {
  /** Runs that go on at once; further ones wait for their turn. Default 1. */
  readonly workers?: number | undefined;
  readonly isolatePackages?: boolean | undefined;
}

/** Which run to trace: what does not change it, as its frames, does not matter. */
export type TracedOptions = Omit<
  SimulateOptions,
  'isolatePackages' | 'check' | 'probe' | 'trace' | 'frameCountMax'
>;

/** Holds a design as it was when it was opened: who sees a file change opens another. */
export interface Simulator {
  simulate(options: Omit<SimulateOptions, 'isolatePackages'>, watch?: Watch): Promise<Report>;
  /** What is known of the design, as changed by `set` or replaced by `data`, without running it. */
  look(otherwise?: Otherwise): Promise<DesignLook & { readonly files: readonly string[] }>;
  /** The slowest requests of a run, then those that failed. Like all of a trace, told by running it again. */
  requests(options: TracedOptions, signal?: AbortSignal): Promise<RequestSample>;
  /** The way of one of them, by its index. */
  waterfall(options: TracedOptions, index: number, signal?: AbortSignal): Promise<Waterfall>;
  /** What nodes said to each other. */
  messages(
    options: TracedOptions,
    query: MessageQuery,
    signal?: AbortSignal,
  ): Promise<MessageWindow>;
  /** Ends what runs, at once: those calls fail. */
  close(): Promise<void>;
}

export interface LiveOptions extends LoadOptions {
  /** Send the design's workload; else only serve, until stopped. */
  readonly load: boolean;
  /** All nodes in this one process. */
  readonly single: boolean;
  /** Where nodes keep their files. */
  readonly dataFolder?: string | undefined;
  /** Start from empty disks. */
  readonly fresh: boolean;
  /** Where the edge listens, in place of the design's own port; 0 takes a free one. */
  readonly edgePort?: number | undefined;
  /** A killed node loses what it had not synced, as if the power had failed. */
  readonly discardUnsynced?: boolean | undefined;
  /** Answers on the admin port what that does not know by itself. */
  readonly page?: AdminPage | undefined;
}

export interface TargetOptions extends LoadOptions {
  /** Where its edge listens; the design's own address when undefined. */
  readonly url?: string | undefined;
}

export interface Progress {
  readonly phase: string;
  /** Time of the run since the load began, and its planned end (undefined: until stopped). */
  readonly at: Micros;
  readonly endsAt: Micros | undefined;
  readonly generated: number;
  readonly completed: number;
  readonly failed: number;
  readonly rejected: number;
  /** Over the last second. */
  readonly throughputPerSec: number;
  readonly p99Ms: number;
}

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  onEvent?(event: RunEvent): void;
  onProgress?(progress: Progress): void;
  /** Live: where the edge listens, once it does. */
  onReady?(ready: {
    readonly urls: readonly string[];
    readonly adminUrl?: string | undefined;
    /** Commands to paste: `curl …`. */
    readonly tryIt?: readonly string[] | undefined;
    readonly control?: LiveControl | undefined;
    /** Where Studio shows it, with the token that lets one in. */
    readonly studioUrl?: string | undefined;
  }): void;
  /** Live: the report, while the admin port still answers. */
  onReport?(report: Report): void;
  /** With this or `onFrame`, a run is filmed: who is in its frames comes before the first of them. */
  onLayout?(layout: FrameLayout): void;
  onFrame?(frame: Frame): void;
  /** Simulated: the run has been handed to a worker. */
  onStart?(control: SimulationControl): void;
}

/** Steers a simulation that runs. All of it acts at the next edge of a second or a frame. */
export interface SimulationControl {
  /** It stands still and keeps its worker until it is resumed or stopped. */
  pause(): void;
  resume(): void;
  /** Ends the load; the report is of what was seen until then. */
  stop(): void;
}

/** Steers a live run. */
export interface LiveControl {
  /**
   * Does what the sentence says, now. Returns the sentence with its time, as the timeline has it.
   * Throws `LoadpathError` ('bad-option') when it cannot be understood.
   */
  fault(sentence: string): string;
  /** Ends all faults, and forgets those to come. Resolves when every node is up again, or given up. */
  heal(): Promise<void>;
  /** Ends the run, as an aborted `signal` does. */
  stop(): void;
}

export interface SweepOptions extends LoadOptions {
  /** `rate`, or an option as `set` names it: `api.instances`. */
  readonly over: string;
  /** `1..8`, `100/s..1000/s step 100/s`, `eventual, atomic`. */
  readonly values: string;
  /** Runs at each value, from `seed` on. */
  readonly seedCount: number;
  /** A design of data in place of the file's. */
  readonly data?: unknown;
  /** Worker threads; undefined: one a core. */
  readonly workers?: number | undefined;
}

export interface SweepWatch {
  readonly signal?: AbortSignal | undefined;
  /** A value with all its seeds, as soon as they have ended. */
  onPoint?(point: SweepPoint): void;
  onProgress?(progress: { readonly runsDone: number; readonly runCount: number }): void;
}

export interface HuntOptions {
  /** Options in place of the design's. */
  readonly set?: SettingTable | undefined;
  readonly seedFirst: number;
  readonly seedCount: number;
  /** Stop sooner when this much real time has passed. */
  readonly wallMaxUs?: Micros | undefined;
  readonly forUs?: Micros | undefined;
  readonly ratePerSec?: number | undefined;
  /** At least this many faults in each schedule. */
  readonly faultsMin: number;
  /** Worker threads; undefined: one a core. */
  readonly workers?: number | undefined;
  /** Stop when this many different invariants have broken: each is found once. */
  readonly findingsMax: number;
  readonly shrink: boolean;
}

export interface HuntProgress {
  readonly seedsDone: number;
  readonly seedCount: number;
  readonly violatedCount: number;
  readonly unknownCount: number;
  /** Set while a finding is being shrunk: faults left. */
  readonly shrinking?: { readonly seed: number; readonly faultCount: number } | undefined;
}

export interface HuntWatch {
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: HuntProgress): void;
  onFinding?(finding: Finding): void;
}

export interface HuntReport {
  readonly version: string;
  readonly design: string;
  readonly seedFirst: number;
  /** As many as were asked for. */
  readonly seedCount: number;
  /** All of them from the first on: what ended out of turn is not counted. */
  readonly seedsDone: number;
  readonly violatedCount: number;
  readonly unknownCount: number;
  /** Every seed that broke something, shrunk or not. */
  readonly violatedSeeds: readonly SeedVerdict[];
  readonly unknownSeeds: readonly SeedVerdict[];
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
  /** By what: all seeds done, as many findings as were asked for, the time over, or somebody's wish. */
  readonly ended: 'seeds' | 'findings' | 'time' | 'interrupt';
  readonly findings: readonly Finding[];
}

/** A seed, and the invariants that it broke or left undecided. */
export interface SeedVerdict {
  readonly seed: number;
  readonly invariants: readonly string[];
}

/** One way to break an invariant. Saved as JSON, it is what `loadpath replay` takes. */
export interface Finding {
  readonly design: string;
  readonly designPath: string;
  readonly seed: number;
  readonly forUs: Micros;
  readonly ratePerSec?: number | undefined;
  /** Options in place of the design's, as the hunt was asked for. */
  readonly set?: SettingTable | undefined;
  readonly invariant: string;
  readonly detail: string;
  readonly counterexample: readonly string[];
  /** The same to be drawn. */
  readonly evidence?: Evidence | undefined;
  /** The shortest schedule that still breaks it, as sentences. */
  readonly faults: readonly string[];
  /** How many faults the seed had drawn. */
  readonly faultCountBefore: number;
  /** Whether shrinking came to its end: else fewer faults may do. */
  readonly isShrunk: boolean;
  readonly digest: string | null;
}
