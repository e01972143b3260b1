import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { built, removeBuilt, trial } from './testdata/harness.ts';
import { nodePlan, planOf } from './testdata/programs.ts';

let child: URL;
beforeAll(async () => {
  child = await built('child');
});
afterAll(() => removeBuilt(child));

describe.each([
  ['separate processes', false],
  ['one process', true],
])('nodes in %s', (_name, here) => {
  test('exchange frames in order', async () => {
    const plan = planOf(nodePlan('a/0', 'asker'), nodePlan('b/0', 'echo'), nodePlan('b/1', 'echo'));
    const t = trial(child, plan, { here });
    try {
      await t.system.ready;
      t.system.tell({ node: 'a/0' }, { type: 'go', node: 'b/0', count: 40_000, inFlight: 64 } as {
        type: string;
      });
      const done = await t.hear('done');
      expect(done).toMatchObject({ back: 40_000, disorder: 0 });
      if (process.env.LIVE_SPEED)
        console.log(`${Math.round(40_000 / (Number(done.tookUs) / 1e6))} RPC/s`);
    } finally {
      await t.end();
    }
  });
});
