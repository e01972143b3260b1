/**
 * A run as a film: one frame a window of time, with what every node, block and path did in it. The
 * same for a simulated and a live run, and all that Studio draws from.
 *
 * Columns instead of rows: a frame of 300 nodes is a few long arrays, quick to send and to read.
 * Every array is in the order of the layout, which comes first. When nodes come that no plan named, a
 * layout with them at its end comes before the first frame that has them.
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

/** `up`, `down`, `paused`, `slow` (works, but slower), `sick` (disk full or failing), `new` (not booted yet), `gone` (stopped for good). */
export type NodeState = 'u' | 'd' | 'p' | 's' | 'f' | 'n' | 'x';
/** `open`, `cut`, `lossy` (also one way), `delayed`. */
export type PathState = 'o' | 'c' | 'l' | 'd';

/** Of a run whose nodes come and go there are several layouts: a later one only adds at its ends. */
export function continues(former: FrameLayout, later: FrameLayout): boolean {
  return (
    former.frameUs === later.frameUs &&
    former.blocks.every((block, index) => block === later.blocks[index]) &&
    former.nodes.every(({ id }, index) => id === later.nodes[index]?.id) &&
    former.paths.every(
      ({ from, to }, index) => from === later.paths[index]?.from && to === later.paths[index]?.to,
    )
  );
}

/** An earlier frame with the columns of those that came after it: they were not there yet. */
export function widened(frame: Frame, { nodes, paths }: FrameLayout): Frame {
  const nodesMissing = nodes.length - frame.nodes.state.length;
  const pathsMissing = paths.length - frame.paths.state.length;
  if (nodesMissing <= 0 && pathsMissing <= 0) return frame;
  const zeros = Array<number>(Math.max(nodesMissing, pathsMissing)).fill(0);
  const wider = (column: readonly number[], by: number) => [...column, ...zeros.slice(0, by)];
  return {
    ...frame,
    nodes: {
      state: frame.nodes.state + 'n'.repeat(nodesMissing),
      requests: wider(frame.nodes.requests, nodesMissing),
      errors: wider(frame.nodes.errors, nodesMissing),
      busy: wider(frame.nodes.busy, nodesMissing),
      queue: wider(frame.nodes.queue, nodesMissing),
      p99Us: wider(frame.nodes.p99Us, nodesMissing),
    },
    paths: {
      state: frame.paths.state + 'o'.repeat(pathsMissing),
      calls: wider(frame.paths.calls, pathsMissing),
      errors: wider(frame.paths.errors, pathsMissing),
      p99Us: wider(frame.paths.p99Us, pathsMissing),
    },
  };
}

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
    /** By reason: `timeout`, `503`. */
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
