import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NodePlan, Plan } from '../host/plan.ts';
import { Roster } from './roster.ts';

const zones = ['a', 'b', 'c'];

function node(block: string, index: number, zone: string, operates?: readonly string[]): NodePlan {
  const programs = [{ port: 'p', block, role: 'p', config: null, operates }];
  const id = `${block}/${index}`;
  return { id, block, kind: 'k', role: 'r', zone, cores: 1, userCode: false, programs };
}

function roster(): Roster {
  const plan = {
    design: 'd',
    zones: zones.map((name) => ({ name, region: 'r' })),
    nodes: [node('api', 0, 'a'), node('api', 1, 'b'), node('boss', 0, 'a', ['api'])],
  } as unknown as Plan;
  return new Roster(plan, (block, index, zone) =>
    block === 'api' ? node(block, index, zone) : undefined,
  );
}

test('no id comes twice, zones differ by one at most while only starts happen, and time is kept', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (actions) => {
      const all = roster();
      const ids = new Set(['api/0', 'api/1']);
      let now = 0;
      let heldUs = 0;
      for (const starts of actions) {
        const present = all.members('api');
        heldUs += 10 * present.length;
        now += 10;
        if (starts || present.length === 0) {
          const fewest = Math.min(
            ...zones.map((zone) => present.filter((one) => one.zone === zone).length),
          );
          const come = all.start('api', now)!;
          expect(ids.has(come.id)).toBe(false);
          ids.add(come.id);
          expect(present.filter(({ zone }) => zone === come.zone)).toHaveLength(fewest);
        } else {
          expect(all.stop(present[0]!.id, now)).toBe(true);
          expect(all.stop(present[0]!.id, now)).toBe(false);
        }
      }
      const kept = all.plan.nodes.filter(({ block }) => block === 'api');
      expect(kept.reduce((sum, { id }) => sum + all.keptUs(id, 0, now), 0)).toBe(heldUs);
    }),
  );
});

test('only an operator is heard, of the block that its plan names, and then told', () => {
  const all = roster();
  const follow = { type: 'follow-nodes', block: 'api' } as const;
  expect(all.allows({ node: 'api/0', port: 'p' }, follow)).toBe(false);
  expect(all.allows({ node: 'boss/0', port: 'other' }, follow)).toBe(false);
  expect(all.news('api')).toEqual([]);
  const boss = { node: 'boss/0', port: 'p' };
  expect(all.allows(boss, { ...follow, block: 'boss' })).toBe(false);
  expect(all.allows(boss, { type: 'stop-node', node: 'boss/0', how: 'kill' })).toBe(false);
  expect(all.allows(boss, follow)).toBe(true);
  expect(all.start('boss', 1)).toBeUndefined();
  all.start('api', 1);
  all.stop('api/0', 2);
  expect(all.news('api')).toEqual([
    [
      boss,
      {
        type: 'members',
        block: 'api',
        nodes: [
          { id: 'api/1', zone: 'b' },
          { id: 'api/2', zone: 'c' },
        ],
      },
    ],
  ]);
});
