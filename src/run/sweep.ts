/**
 * One option over a range, everything else as it is: the curve that shows where a design gives in.
 */
import type { Estimate } from './summary.ts';

export interface SweepPoint {
  /** As the user wrote it: `4`, `200/s`. */
  readonly value: string;
  /** For the axis. */
  readonly x: number;
  readonly offeredPerSec: number;
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
