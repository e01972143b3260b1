import { describe, expect, test } from 'vitest';
import { Histogram } from '../kit/histogram.ts';
import type { Frame, FrameLayout } from '../run/frames.ts';
import { thinned } from './thinning.ts';

const layout: FrameLayout = {
  nodes: [
    { id: 'users/0', block: 'users', zone: 'a' },
    { id: 'api/0', block: 'api', zone: 'a' },
  ],
  blocks: ['users', 'api'],
  paths: [{ from: 'users/0', to: 'api' }],
  frameUs: 100,
  forUs: 500,
};

/** In frame 1 the api is down and its path is cut. */
function frame(index: number, toUs = (index + 1) * 100): Frame {
  const latency = new Histogram();
  latency.record(1_000 * (index + 1));
  return {
    index,
    fromUs: index * 100,
    toUs,
    users: {
      generated: 2,
      completed: 1,
      failed: 1,
      rejected: 0,
      inFlight: index,
      latency: latency.toJSON(),
      errors: { timeout: 1 },
    },
    nodes: {
      state: index === 1 ? 'ud' : 'uu',
      requests: [0, index],
      errors: [0, 0],
      busy: [0, 0.5],
      queue: [0, 10 - index],
      p99Us: [0, index * 10],
    },
    blocks: {
      p50Us: [0, 1],
      p90Us: [0, 2],
      p99Us: [0, 3],
      p999Us: [0, index],
      meters: [{}, { hits: 3 }],
    },
    paths: { state: index === 1 ? 'c' : 'o', calls: [2], errors: [index], p99Us: [5] },
  };
}

describe('a thinned film', () => {
  const frames = [0, 1, 2, 3].map((index) => frame(index));
  const film = thinned({ layout, frames: [...frames, frame(4, 450)] }, 2);

  test('has fewer and longer frames without gaps, the last one as long as it was', () => {
    expect(film.layout.frameUs).toBe(200);
    expect(film.frames.map(({ index, fromUs, toUs }) => [index, fromUs, toUs])).toEqual([
      [0, 0, 200],
      [1, 200, 400],
      [2, 400, 450],
    ]);
  });

  test('loses no count, no reason and no latency', () => {
    const [first] = film.frames;
    expect(first!.users).toMatchObject({ generated: 4, completed: 2, failed: 2, inFlight: 1 });
    expect(first!.users.errors).toEqual({ timeout: 2 });
    expect(first!.users.latency).toMatchObject({ count: 2, min: 1_000, max: 2_000 });
    expect(first!.nodes.requests).toEqual([0, 1]);
    expect(first!.paths).toMatchObject({ calls: [4], errors: [1] });
  });

  test('keeps the worst of what does not add up', () => {
    const [first, second] = film.frames;
    expect(first!.nodes).toMatchObject({ state: 'ud', queue: [0, 10], p99Us: [0, 10] });
    expect(first!.nodes.busy).toEqual([0, 0.5]);
    expect(first!.paths.state).toBe('c');
    expect(second!.nodes.state).toBe('uu');
  });
});
