/** Two balancers and one address: what users lose when it moves, and who has it afterwards. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expand, reachable } from '../../../design/plan.ts';
import { system } from '../../../design/system.ts';
import type { Fault } from '../../../host/fault.ts';
import { simulateHere } from '../../../run/node/here.ts';
import type { Report } from '../../../run/report.ts';
import { service } from '../../compute/service/index.ts';
import { users } from '../../workload/users/index.ts';
import { gateway } from '../gateway/index.ts';
import { type BalancerOptions, balancer } from './index.ts';

const second = 1_000_000;
const api = service('api', { instances: 2, cost: '1ms' });
const edge = gateway('edge', { nodes: 2, routes: { '/': api } });
const lb = (standby: BalancerOptions['standby'] = true) =>
  balancer('lb', { nodes: 2, to: edge, standby });

async function run(
  faults: readonly Fault[],
  {
    standby = true,
    seed = 1,
    forS = 6,
  }: { standby?: BalancerOptions['standby']; seed?: number; forS?: number } = {},
): Promise<Report> {
  const design = system('shop', {
    entry: lb(standby),
    workload: users({ rate: '100/s', population: 40, timeout: '2s' }),
  });
  const { report } = await simulateHere(() => ({
    design,
    seed,
    forUs: forS * second,
    faults,
    check: true,
  }));
  return report;
}

const first = { node: 'lb/0' };
const both = { block: 'lb' };
const from = { atUs: 2 * second } as const;

/** Who took the address when, in the order of time. */
const moves = ({ events }: Report): readonly string[] =>
  events.flatMap((event) =>
    event.type === 'note' && event.text.startsWith('takes the address') ? [event.node] : [],
  );

test('a planned switch loses no request, whenever it comes', async () => {
  const trial = fc.asyncProperty(
    fc.integer({ min: 1_000, max: 1_500_000 }),
    fc.integer({ min: 1, max: 1_000 }),
    async (atUs, seed) => {
      const faults: Fault[] = [
        { do: 'restart', target: first, atUs: second + atUs, forUs: second },
      ];
      const report = await run(faults, { seed, forS: 4 });
      expect(report.errors).toEqual({});
      expect(moves(report)).toContain('lb/1');
    },
  );
  await fc.assert(trial, { numRuns: 5 });
});

test('after a kill only what was open is lost, and who comes before it is noticed', async () => {
  const report = await run([{ do: 'kill', target: first, ...from, forUs: 2 * second }]);
  const standing = 350_000 + 100_000;
  // At 100 a second: a twentieth more than the mean of that time, and what was under way.
  expect(report.failed).toBeLessThanOrEqual(Math.ceil((standing / second) * 100 * 1.5));
  expect(report.failed).toBeGreaterThan(0);
  const failing = report.series.errors.flatMap((count, at) => (count > 0 ? [at] : []));
  expect(failing).toEqual([2]);
  expect(moves(report)).toEqual(['lb/0', 'lb/1']);
});

test('without a standby everything fails until it is back', async () => {
  const design = system('shop', {
    entry: balancer('lb', { to: edge }),
    workload: users({ rate: '100/s', timeout: '2s' }),
  });
  const faults: Fault[] = [{ do: 'kill', target: first, ...from, forUs: 2 * second }];
  const { report } = await simulateHere(() => ({ design, seed: 1, forUs: 6 * second, faults }));
  expect(report.failed).toBeGreaterThan(150);
});

describe('cut off from each other', () => {
  test('both are active, and the address is with the later one', async () => {
    const to = { node: 'lb/1' };
    const report = await run([
      { do: 'cut', from: first, to, oneWay: false, ...from, forUs: 2 * second },
    ]);
    expect(report.errors).toEqual({});
    expect(moves(report)).toEqual(['lb/0', 'lb/1']);
    const yields = report.events.filter(
      (event) => event.type === 'note' && event.text.startsWith('leaves the address'),
    );
    expect(yields).toHaveLength(1);
  });

  test('who is cut off from everything does not take the address', async () => {
    const cut = { do: 'cut', from: { node: 'lb/1' }, to: { all: true }, oneWay: false } as const;
    const report = await run([{ ...cut, ...from, forUs: 2 * second }]);
    expect(moves(report)).toEqual(['lb/0']);
    expect(report.errors).toEqual({});
  });
});

test('the first one returns when it is told to, and loses nothing by it', async () => {
  const standby = { whenBack: 'active' } as const;
  const report = await run([{ do: 'kill', target: first, ...from, forUs: second }], { standby });
  expect(moves(report)).toEqual(['lb/0', 'lb/1', 'lb/0']);
  expect(report.series.errors.slice(3)).toEqual([0, 0, 0]);
});

test('both may die, and one of them has it when they are back', async () => {
  const report = await run([{ do: 'kill', target: both, ...from, forUs: second }]);
  expect(report.series.errors.slice(4)).toEqual([0, 0]);
});

test('users know one address, and the nodes have ports of their own', () => {
  const declarations = reachable([lb()]);
  const plan = expand('shop', declarations, [{ name: 'a', region: 'here' }]);
  expect(plan.addresses).toEqual([{ node: 'lb/address', listen: 8080, members: ['lb/0', 'lb/1'] }]);
  const edges = plan.nodes.flatMap(({ programs }) =>
    programs.flatMap(({ edge: one }) => one ?? []),
  );
  expect(edges.map(({ listen }) => listen)).toEqual([0, 0, 0, 0]);
});

test('a lone one cannot stand by, and silence is longer than a heartbeat', () => {
  const standby = { heartbeat: '1s', silence: '500ms' } as const;
  const { problems } = balancer('lb', { to: edge, standby });
  expect(problems.map(({ at }) => at)).toEqual(['lb.standby', 'lb.standby.silence']);
});
