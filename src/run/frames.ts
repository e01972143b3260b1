/**
 * A run as a film: one frame a window of time, with what every node, block and path did in it. The
 * same for a simulated and a live run, and all that Studio draws from.
 *
 * Columns instead of rows: a frame of 300 nodes is a few long arrays, quick to send and to read.
 * Every array is in the order of the layout, which comes first and never changes within a run.
 */
import type { Micros, NodeId } from '../host/host.ts';
import type { HistogramData } from '../kit/histogram.ts';

/** Who is in the columns of a frame, in this order. */
export interface FrameLayout {
  /** `users` stands first when the design has a workload. */
  readonly nodes: readonly { readonly id: NodeId; readonly block: string; readonly zone: string }[];
  readonly blocks: readonly string[];
  /** Who calls which block; from single nodes, since one instance may be cut off where others are not. */
  readonly paths: readonly { readonly from: NodeId; readonly to: string }[];
  /** Length of a frame; the last one may be shorter. */
  readonly frameUs: Micros;
  /** Length of the load; null when it goes on until somebody stops it. */
  readonly forUs: Micros | null;
}

/** `up`, `down`, `paused`, `slow` (works, but slower), `sick` (disk full or failing), `new` (not booted yet). */
export type NodeState = 'u' | 'd' | 'p' | 's' | 'f' | 'n';
/** `open`, `cut`, `lossy` (also one way), `delayed`. */
export type PathState = 'o' | 'c' | 'l' | 'd';

export interface Frame {
  /** From 0, without gaps. */
  readonly index: number;
  /** Since the load began. */
  readonly fromUs: Micros;
  readonly toUs: Micros;
  readonly users: {
    readonly generated: number;
    readonly completed: number;
    readonly failed: number;
    readonly rejected: number;
    /** At the end of the frame. */
    readonly inFlight: number;
    /** Of completed requests, microseconds. */
    readonly latency: HistogramData;
    /** By reason: `timeout`, `status 503`. */
    readonly errors: Readonly<Record<string, number>>;
  };
  readonly nodes: {
    /** One letter a node, see `NodeState`. */
    readonly state: string;
    readonly requests: readonly number[];
    readonly errors: readonly number[];
    /** Share of its cores that was busy, or of its slots, whichever is more; from 0 to 1. */
    readonly busy: readonly number[];
    /** The longest that its queue was. */
    readonly queue: readonly number[];
    /** 0 where nothing was served. */
    readonly p99Us: readonly Micros[];
  };
  readonly blocks: {
    readonly p50Us: readonly Micros[];
    readonly p90Us: readonly Micros[];
    readonly p99Us: readonly Micros[];
    readonly p999Us: readonly Micros[];
    /** What the block counts besides: `hits`, `repairs`; a gauge's last value. */
    readonly meters: readonly Readonly<Record<string, number>>[];
  };
  readonly paths: {
    /** One letter a path, see `PathState`. */
    readonly state: string;
    readonly calls: readonly number[];
    /** Timed out, refused, broken off, or answered with a status of 500 and more. */
    readonly errors: readonly number[];
    readonly p99Us: readonly Micros[];
  };
}
