import { gateway, service, system, users } from 'loadpath';
import { describe, expect, test } from 'vitest';
import type { Frame, FrameLayout } from './frames.ts';
import { simulateHere } from './node/here.ts';

const api = service('api', { instances: 2, cost: { cpu: '1ms' } });

function design(faults: readonly string[]) {
  return system('coming', {
    entry: gateway('edge', { routes: { '/': api } }),
    workload: users({ rate: '50/s', act: async (user) => void (await user.fetch('/')) }),
    faults,
  });
}

async function run(faults: readonly string[], check = false) {
  const made = design(faults);
  const layouts: FrameLayout[] = [];
  const frames: Frame[] = [];
  const { report } = await simulateHere(() => ({
    design: made,
    seed: 1,
    forUs: 3_000_000,
    faults: made.faults,
    check,
    frames: {
      frameUs: 100_000,
      onLayout: (layout) => layouts.push(layout),
      onFrame: (frame) => frames.push(frame),
    },
  }));
  return { report, layouts, frames };
}

describe('nodes that no plan named', () => {
  test('count on from the last, stand where few are, and go for good', async () => {
    const { report, layouts, frames } = await run([
      'start 2 api instances at 1s',
      'kill api/2 at 1500ms, restart after 100ms',
      'stop api/2 at 2s',
      'start an api instance at 2500ms',
    ]);
    const { nodes, nodeHours } = report.blocks.api!;
    expect(nodes.map(({ id, zone, boots }) => [id, zone, boots])).toEqual([
      ['api/0', 'a', 1],
      ['api/1', 'b', 1],
      ['api/2', 'c', 2],
      ['api/3', 'a', 1],
      ['api/4', 'c', 1],
    ]);
    // Two for 3 s, one for a second, one for two, one for a half.
    expect(nodeHours * 3_600).toBeCloseTo(9.5, 6);
    expect(report.failed).toBe(0);
    const gone = report.events.filter((event) => event.type === 'crash' && event.gone);
    expect(gone.map((event) => 'node' in event && event.node)).toEqual(['api/2']);
    // A layout is told again when it has grown, and only at its end.
    expect(layouts.map((layout) => layout.nodes.length)).toEqual([4, 6, 7]);
    expect(layouts[2]!.nodes.slice(0, 6)).toEqual(layouts[1]!.nodes);
    const columns = frames.map((frame) => frame.nodes.state.length);
    expect(new Set(columns)).toEqual(new Set([4, 6, 7]));
    for (const frame of frames) {
      const { state, requests, busy } = frame.nodes;
      expect([requests.length, busy.length]).toEqual([state.length, state.length]);
    }
    const column = layouts[2]!.nodes.findIndex(({ id }) => id === 'api/2');
    expect(frames.at(-1)!.nodes.state[column]).toBe('x');
  });

  test('are stopped again when a start has an end', async () => {
    const { report } = await run(['start 3 api at 1s for 1s']);
    expect(report.blocks.api!.nodeHours * 3_600).toBeCloseTo(9, 6);
    expect(report.events.filter((event) => event.type === 'crash')).toHaveLength(3);
  });

  test('repeat with the seed, and change nothing before they come', async () => {
    const faults = ['start 2 api at 1s', 'kill api/3 at 2s'];
    const [once, again] = [await run(faults, true), await run(faults, true)];
    expect(again.report.digest).toBe(once.report.digest);
    const without = await run([]);
    expect(once.frames.slice(0, 9)).toEqual(without.frames.slice(0, 9));
  });
});
