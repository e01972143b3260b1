/**
 * What clients saw, for the judges in `verify/`. One operation is an `invoke` and at most one
 * completion with the same `op`:
 *
 *   ok    it happened, with this result
 *   fail  it certainly did not happen
 *   info  nobody knows: a timeout, a lost connection
 *
 * An operation that never completes counts as `info` for ever.
 */
import type { Micros, NodeId, Value } from './host.ts';

export type Phase = 'invoke' | 'ok' | 'fail' | 'info';

/** What a program records. The host adds where and when. */
export interface HistoryEntry {
  /** The block operated on: `links`. */
  readonly block: string;
  readonly phase: Phase;
  /** Unique within one node's life; pairs an invoke with its completion. */
  readonly op: number;
  /** `get`, `put`, `delete`, `publish`, `deliver`, `next`, `claim` … */
  readonly f: string;
  readonly key?: string | undefined;
  readonly value?: Value | undefined;
  /** Whose point of view, for session guarantees: a user, when the caller knows one. */
  readonly session?: string | undefined;
  /** Why it failed or is unknown. */
  readonly reason?: string | undefined;
}

export interface HistoryEvent extends HistoryEntry {
  readonly node: NodeId;
  readonly life: number;
  /** True time of the run since its start (live: of the supervisor's machine), not the node's own clock. */
  readonly at: Micros;
}

export type History = readonly HistoryEvent[];
