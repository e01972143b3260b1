/**
 * A design as lint, explain and estimate see it: who is there, who calls whom, under which
 * policy. Plain data made from a design, so that nothing here depends on how designs are written.
 */
import type { Micros } from '../host/host.ts';

export interface StructuralView {
  readonly design: string;
  readonly zones: readonly { readonly name: string; readonly region: string }[];
  readonly blocks: readonly BlockView[];
  /** Every path on which one block calls another. */
  readonly calls: readonly CallView[];
  /** Requests a second that the workload sends, and by whom; undefined when it depends on the run. */
  readonly ratePerSec?: number | undefined;
}

export interface BlockView {
  readonly name: string;
  readonly kind: string;
  /** What its block calls it, for people: `replicated store`. */
  readonly purpose: string;
  /** The checked config, units in names. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly nodes: readonly { readonly id: string; readonly zone: string }[];
  /** Set for a replicated store: how many copies, how many must answer. */
  readonly quorum?: { readonly copies: number; readonly read: number; readonly write: number };
  /** Queues it keeps, by name, with their bounds (null: none). */
  readonly queues?: Readonly<Record<string, number | null>>;
  /** Stubs for what is not ours, and users: they are not ours to replicate. */
  readonly outside?: boolean;
}

/** The effective policy of one path, after defaults. Absent fields mean that the stage is absent. */
export interface CallView {
  readonly from: string;
  readonly to: string;
  /** `route /`, or the binding's name. */
  readonly as: string;
  /** What the whole call may take, with all attempts. */
  readonly deadlineUs?: Micros | undefined;
  /** What one attempt may take. */
  readonly timeoutUs?: Micros | undefined;
  readonly retry?: {
    /** First try included. */
    readonly attempts: number;
    /** Retries allowed as a share of calls; undefined: no budget. */
    readonly budgetRatio?: number | undefined;
    /** Methods that are tried again; undefined: all. */
    readonly methods?: readonly string[] | undefined;
  };
  /** Other stages in their order, one sentence each: `breaker: opens at 50 % failures over 10 s`. */
  readonly stages?: readonly string[];
}
