/** Single requests and messages, asked of a warm worker beside the run that they explain. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Simulator, TracedOptions } from '../api.ts';
import { runner } from '../index.ts';

const design = {
  name: 'shop',
  blocks: [
    { kind: 'service', name: 'app', instances: 2, cost: '5ms' },
    { kind: 'gateway', name: 'edge', routes: { '/': 'app' } },
  ],
  entry: 'edge',
  users: { rate: '100/s' },
};

let folder: string;
let simulator: Simulator;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'traced-'));
  writeFileSync(join(folder, 'shop.json'), JSON.stringify(design));
  simulator = runner.openSimulator(join(folder, 'shop.json'));
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const asked: TracedOptions = { seed: 1, forUs: 3_000_000, faults: [], ownFaults: true };

test('the slowest request of a run has its way, and its latency is the longest of the report', async () => {
  const report = await simulator.simulate({ ...asked, check: false });
  const [slowest] = (await simulator.requests(asked)).slowest;
  expect(slowest!.latencyUs! / 1_000).toBeCloseTo(report.latencyMs.max, 1);
  const { request, spans } = await simulator.waterfall(asked, slowest!.index);
  expect(request).toEqual(slowest);
  expect(spans.map(({ block }) => block)).toEqual(['edge', 'app']);
});

test('what is set, other data and faults are those of the run that is meant', async () => {
  const served = async (options: TracedOptions): Promise<readonly number[]> =>
    (await simulator.waterfall(options, 0)).spans.map(({ servedUs }) => servedUs);
  // The gateway's own 20 µs come first.
  expect(await served(asked)).toEqual([20, 5_000]);
  const data = { ...design, blocks: [{ ...design.blocks[0], cost: '7ms' }, design.blocks[1]] };
  expect(await served({ ...asked, data })).toEqual([20, 7_000]);
  const faults = ['power off app at 0s'];
  const { failed } = await simulator.requests({ ...asked, faults });
  expect(new Set(failed.map(({ outcome }) => outcome))).toEqual(new Set(['status 504']));
  const set = { 'app.instances': 1 };
  const { messages } = await simulator.messages(
    { ...asked, set },
    { fromUs: 0, toUs: 500_000, nodes: ['app', 'edge'], maxCount: 1_000 },
  );
  expect(new Set(messages.flatMap(({ from, to }) => [from, to]))).toEqual(
    new Set(['edge/0', 'app/0']),
  );
});

test('mistakes in what is asked are told as such', async () => {
  await expect(simulator.waterfall(asked, 1_000_000)).rejects.toMatchObject({ code: 'bad-option' });
  const query = { fromUs: 0, toUs: 1_000, nodes: ['shop/1'], blocks: ['till'], maxCount: 1 };
  const mistakes = simulator.messages(asked, query);
  await expect(mistakes).rejects.toThrow(/shop\/1: no node or block.*\n.*till: no block/);
});
