/** Runs in warm workers: watched, paused, stopped, one after another. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SimulateOptions, SimulationControl, Simulator } from '../api.ts';
import type { Frame, FrameLayout } from '../frames.ts';
import { runner } from '../index.ts';
import { Reins } from './reins.ts';
import { Speaker } from './speaker.ts';
import type { Answer } from './tasks.ts';

const design = {
  name: 'shop',
  blocks: [
    { kind: 'service', name: 'app', instances: 2, slots: 4, cost: { exponential: '5ms' } },
    { kind: 'gateway', name: 'edge', routes: { '/': 'app' } },
  ],
  entry: 'edge',
  users: { rate: '200/s' },
};

let folder: string;
let simulator: Simulator;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'));
  const path = join(folder, 'shop.json');
  writeFileSync(path, JSON.stringify(design));
  simulator = runner.openSimulator(path);
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const asked: Omit<SimulateOptions, 'isolatePackages'> = {
  seed: 1,
  forUs: 20_000_000,
  faults: ['kill app/1 at 5s, restart after 3s'],
  ownFaults: true,
  check: false,
};

async function filmed(options = asked) {
  const frames: Frame[] = [];
  const layouts: FrameLayout[] = [];
  const startedAt = performance.now();
  let firstMs = 0;
  const report = await simulator.simulate(options, {
    onLayout: (layout) => layouts.push(layout),
    onFrame(frame) {
      if (frames.push(frame) === 1) firstMs = performance.now() - startedAt;
    },
  });
  return { frames, layouts, report, firstMs };
}

describe('a watched run', () => {
  test('has the digest and the figures of one that nobody watches', async () => {
    const { report, frames, layouts } = await filmed();
    const alone = await simulator.simulate(asked);
    const { wallSeconds: _, ...figures } = alone;
    expect(report).toMatchObject(figures);
    expect(layouts).toHaveLength(1);
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(frames.at(-1)!.toUs).toBe(20_000_000);
  });

  test('has the same frames every time', async () => {
    expect((await filmed()).frames).toEqual((await filmed()).frames);
  });

  test('has as few frames as were asked for, and a shorter last one', async () => {
    const { frames } = await filmed({ ...asked, forUs: 20_300_000, frameCountMax: 30 });
    const lengths = new Set(frames.map(({ fromUs, toUs }) => toUs - fromUs));
    expect([frames.length, ...lengths]).toEqual([21, 1_000_000, 300_000]);
  });

  test('begins at once when the workers are warm', async () => {
    await filmed();
    const times = [];
    for (let i = 0; i < 5; i++) times.push((await filmed()).firstMs);
    expect(Math.min(...times)).toBeLessThan(100);
  });

  test('may be of other data than the file has, with options set', async () => {
    const data = { ...design, users: { rate: '50/s' } };
    const { layouts, report } = await filmed({ ...asked, data, set: { 'app.instances': 3 } });
    expect(report.generated).toBeLessThan(1_500);
    expect(layouts[0]!.nodes.filter(({ block }) => block === 'app')).toHaveLength(3);
    const { structure } = await simulator.look({ data, set: { 'app.instances': 4 } });
    expect(structure.blocks.find(({ name }) => name === 'app')!.nodes).toHaveLength(4);
  });
});

describe('a simulation that is held', () => {
  const long = { ...asked, forUs: 600_000_000, faults: [] };

  async function held(options: typeof asked, onPaused: (control: SimulationControl) => void) {
    let control: SimulationControl | undefined;
    let seenUs = 0;
    let pausedUs = 0;
    const report = await simulator.simulate(options, {
      onStart: (given) => {
        control = given;
      },
      onFrame({ index, toUs }) {
        seenUs = toUs;
        if (index !== 2) return;
        control!.pause();
        // What was under way arrives, on a busy machine after a while; after that nothing does.
        const look = (): void => {
          if (seenUs > pausedUs) {
            pausedUs = seenUs;
            setTimeout(look, 500);
          } else {
            onPaused(control!);
          }
        };
        look();
      },
    });
    return { report, pausedUs };
  }

  test('stands still while it is paused, and goes on as if nothing had been', async () => {
    const { report, pausedUs } = await held(long, (control) => control.resume());
    expect(pausedUs).toBeLessThan(long.forUs);
    expect(report.simulatedSeconds).toBe(600);
    expect(report.digest).toBe((await simulator.simulate(long)).digest);
  });

  test('can be stopped while it is paused, and reports what was seen', async () => {
    const { report, pausedUs } = await held(long, (control) => control.stop());
    expect(report.simulatedSeconds * 1e6).toBeCloseTo(pausedUs, -3);
    expect(report.notes.join()).toContain('stopped early');
  });

  test('an aborted signal ends it, also while it is paused or waits for its turn', async () => {
    const abort = new AbortController();
    let control: SimulationControl | undefined;
    const waiting = simulator.simulate(long, {
      signal: abort.signal,
      onStart: (given) => {
        control = given;
      },
      onFrame: ({ index }) => {
        if (index > 0) return;
        control!.pause();
        setTimeout(() => abort.abort(), 100);
      },
    });
    const next = simulator.simulate(long, { signal: abort.signal });
    for (const report of await Promise.all([waiting, next])) {
      expect(report.simulatedSeconds).toBeLessThan(600);
    }
  });
});

test('a simulation waits for whoever does not listen', () => {
  const posted: Answer[] = [];
  const reins = new Reins();
  const speaker = new Speaker((answer) => posted.push(answer), reins);
  let count = 0;
  while (!reins.mustWait(posted.length) && count < 100_000) {
    speaker.frame({ index: count++ } as Frame);
  }
  // 256 portions of up to 16 frames: then it would stand still.
  expect(posted.length).toBe(257);
  expect(count).toBeLessThanOrEqual(257 * 16);
  const frames = posted.flatMap((answer) => (answer.type === 'frames' ? answer.frames : []));
  expect(frames.map(({ index }) => index)).toEqual(frames.map((_frame, index) => index));
  reins.hear();
  expect(reins.mustWait(posted.length)).toBe(false);
  reins.pause();
  expect(reins.mustWait(posted.length)).toBe(true);
  reins.stop();
  expect(speaker.hold()).toBe(true);
});
