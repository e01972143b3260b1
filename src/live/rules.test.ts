import { describe, expect, test } from 'vitest';
import type { Fault } from '../host/fault.ts';
import type { NodePlan, Plan } from '../host/plan.ts';
import { machines, noRules, openRoad, rulesFor, targets } from './rules.ts';
import { nodePlan, planOf } from './testdata/programs.ts';

const inZone = (node: NodePlan, zone: string): NodePlan => ({ ...node, zone });
const plan: Plan = {
  ...planOf(
    nodePlan('users/0', 'asker'),
    nodePlan('api/0', 'echo'),
    inZone(nodePlan('kv/0', 'echo'), 'a'),
    inZone(nodePlan('kv/1', 'echo'), 'b'),
  ),
  zones: [
    { name: 'a', region: 'north' },
    { name: 'b', region: 'south' },
  ],
};
const nobody: ReadonlySet<string> = new Set();
const rules = (faults: readonly Fault[], dark = nobody) => rulesFor(faults, dark, plan);

describe('targets', () => {
  test.each([
    [{ node: 'kv/1' }, ['kv/1']],
    [{ block: 'kv' }, ['kv/0', 'kv/1']],
    [{ zone: 'b' }, ['kv/1']],
    [{ region: 'north' }, ['users/0', 'api/0', 'kv/0']],
    [{ all: true as const }, ['users/0', 'api/0', 'kv/0', 'kv/1']],
  ])('%j', (target, ids) => {
    expect(targets(target, plan)).toEqual(ids);
  });

  test('machines that fail by zone are not those of the users', () => {
    expect(machines({ zone: 'a' }, plan)).toEqual(['api/0', 'kv/0']);
    expect(machines({ block: 'users' }, plan)).toEqual(['users/0']);
  });
});

describe('rules', () => {
  const between = { atUs: 0, from: { block: 'kv' }, to: { node: 'api/0' } } as const;

  test('a cut stops both directions, a one-way cut one', () => {
    const both = rules([{ ...between, do: 'cut', oneWay: false }]);
    expect(both.get('api/0')?.out['kv/1']?.cut).toBe(true);
    expect(both.get('api/0')?.in['kv/1']?.cut).toBe(true);
    expect(both.get('users/0')).toEqual(noRules);
    const one = rules([{ ...between, do: 'cut', oneWay: true }]);
    expect(one.get('kv/0')?.out['api/0']?.cut).toBe(true);
    expect(one.get('api/0')?.out).toEqual({});
  });

  test('rules on one link add up as chances and times do', () => {
    const together = rules([
      { ...between, do: 'lose', ratio: 0.5 },
      { ...between, do: 'lose', ratio: 0.5 },
      { ...between, do: 'delay', byUs: 10 },
      { ...between, do: 'delay', byUs: 5 },
      { ...between, do: 'duplicate', ratio: 0.1 },
    ]);
    const rule = { cut: false, lossRatio: 0.75, delayUs: 15, duplicateRatio: 0.1 };
    expect(together.get('kv/0')?.out['api/0']).toEqual(rule);
    expect(together.get('api/0')?.out['kv/0']).toEqual(rule);
  });

  test('a fault between overlapping groups acts once on each link, and on nobody alone', () => {
    const all = { all: true } as const;
    const everywhere = rules([{ do: 'delay', atUs: 0, byUs: 7, from: all, to: all }]);
    expect(everywhere.get('kv/0')?.out['kv/1']).toEqual({ ...openRoad, delayUs: 7 });
    expect(everywhere.get('kv/0')?.out['kv/0']).toBeUndefined();
  });

  test('who has no power is cut off from all', () => {
    const dark = rules([], new Set(['kv/0']));
    expect(Object.keys(dark.get('kv/0')?.out ?? {}).sort()).toEqual(['api/0', 'kv/1', 'users/0']);
    expect(dark.get('api/0')?.in['kv/0']?.cut).toBe(true);
    expect(dark.get('api/0')?.out['kv/1']).toBeUndefined();
  });
});
