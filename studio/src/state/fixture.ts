/** Frames and runs for tests: one node, one frame a tenth of a second. */
import { type Frame, type FrameLayout, Histogram } from 'loadpath/studio';
import { newRun, type RunState } from './run.ts';

export const frameUs = 100_000;

export const layout: FrameLayout = {
  nodes: [
    { id: 'users', block: 'users', zone: '' },
    { id: 'api/0', block: 'api', zone: 'a' },
  ],
  blocks: ['users', 'api'],
  paths: [{ from: 'users', to: 'api' }],
  frameUs,
  forUs: 60_000_000,
};

export function frame(
  index: number,
  figures: { readonly latencyUs?: number; readonly failed?: number } = {},
): Frame {
  const latency = new Histogram();
  latency.record(figures.latencyUs ?? 3_000, 50);
  return {
    index,
    fromUs: index * frameUs,
    toUs: (index + 1) * frameUs,
    users: {
      generated: 50 + (figures.failed ?? 0),
      completed: 50,
      failed: figures.failed ?? 0,
      rejected: 0,
      inFlight: 0,
      latency: latency.toJSON(),
      errors: {},
    },
    nodes: {
      state: 'uu',
      requests: [0, 50],
      errors: [0, 0],
      busy: [0, 0.2],
      queue: [0, 1],
      p99Us: [0, 900],
    },
    blocks: {
      p50Us: [0, 500],
      p90Us: [0, 700],
      p99Us: [0, 900],
      p999Us: [0, 990],
      meters: [{}, {}],
    },
    paths: { state: 'o', calls: [50], errors: [0], p99Us: [3_000] },
  };
}

export function frames(count: number): readonly Frame[] {
  return Array.from({ length: count }, (_, index) => frame(index));
}

export function runWith(change: Partial<RunState> = {}): RunState {
  const request = { seed: 1, faults: [], ownFaults: true, set: {} };
  return { ...newRun('r1', request, 1), layout, frames: frames(20), ...change };
}
