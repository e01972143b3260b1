/** Several processes on one address: one line of new connections for all of them, or a line each. */
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
import { balancer } from './index.ts';

const second = 1_000_000;
const api = service('api', { instances: 2, cost: '100us' });
const edge = gateway('edge', { routes: { '/': api } });
const ways = ['shared', 'sharded'] as const;
type Way = (typeof ways)[number];

/** Whom users meet: nearly each of their requests is a new connection. */
const doors = {
  balancer: (listen: Way, backlog: number) =>
    balancer('lb', { nodes: 3, listen, backlog, to: edge, cost: '8ms' }),
  gateway: (listen: Way, backlog: number) =>
    gateway('lb', { nodes: 3, listen, backlog, routes: { '/': api }, cost: '8ms' }),
};

async function run(
  listen: Way,
  {
    door = 'balancer',
    faults = [],
    rate = 300,
    seed = 1,
    forS = 4,
    backlog = 511,
  }: {
    door?: keyof typeof doors;
    faults?: readonly Fault[];
    rate?: number;
    seed?: number;
    forS?: number;
    backlog?: number;
  } = {},
): Promise<Report> {
  const design = system('shop', {
    entry: doors[door](listen, backlog),
    workload: users({ rate: `${rate}/s`, population: 100_000, timeout: '3s' }),
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

const shares = (report: Report) =>
  report.blocks.lb!.nodes.map(
    ({ requestsPerSec }) => requestsPerSec / report.blocks.lb!.requestsPerSec,
  );

describe.each(['balancer', 'gateway'] as const)(
  'a %s with several nodes on one address',
  (door) => {
    test('serves everybody, and nobody waits in one line while somebody is free', async () => {
      const [shared, sharded] = await Promise.all(ways.map((listen) => run(listen, { door })));
      for (const report of [shared!, sharded!]) {
        expect(report.completed).toBe(report.generated);
        for (const share of shares(report)) expect(Math.abs(share - 1 / 3)).toBeLessThan(0.05);
      }
      expect(shared!.latencyMs.p99).toBeLessThan(sharded!.latencyMs.p99 * 0.8);
    });
  },
);

test('one that stands still holds up those that were dealt to it, and with one line almost nobody', async () => {
  const faults: Fault[] = [{ do: 'pause', target: { node: 'lb/1' }, atUs: second, forUs: second }];
  const [shared, sharded] = await Promise.all(
    ways.map((listen) => run(listen, { faults, rate: 150 })),
  );
  expect(shared!.latencyMs.p90).toBeLessThan(50);
  expect(sharded!.latencyMs.p90).toBeGreaterThan(100);
});

test('what waits for one that dies is lost with it, and with one line only what it had', async () => {
  const faults: Fault[] = [{ do: 'kill', target: { node: 'lb/1' }, atUs: second, forUs: second }];
  // More than they can do, so that there is a line.
  const [shared, sharded] = await Promise.all(
    ways.map((listen) => run(listen, { faults, rate: 420, forS: 2 })),
  );
  expect(sharded!.failed).toBeGreaterThan(shared!.failed + 3);
});

test('a planned stop loses what waits for the one that stops, and with one line nothing', async () => {
  const target = { node: 'lb/1' };
  const faults: Fault[] = [{ do: 'restart', target, atUs: second, forUs: second }];
  const [shared, sharded] = await Promise.all(
    ways.map((listen) => run(listen, { faults, rate: 420, forS: 2 })),
  );
  expect(shared!.failed).toBe(0);
  expect(sharded!.errors.reset).toBeGreaterThan(0);
});

test('a line that is full refuses, and none is longer', async () => {
  const report = await run('shared', { rate: 600, forS: 2, backlog: 10 });
  expect(report.errors.refused).toBeGreaterThan(50);
  expect(report.latencyMs.max).toBeLessThan(100);
});

test('whatever happens, every request ends once', async () => {
  const oneOf = fc.record({
    do: fc.constantFrom('kill', 'restart', 'pause', 'power-off'),
    target: fc.constantFrom('lb/0', 'lb/1', 'lb/2').map((node) => ({ node })),
    atUs: fc.integer({ min: 0, max: second }),
    forUs: fc.integer({ min: 1_000, max: second }),
  });
  const trial = fc.asyncProperty(
    fc.array(oneOf, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(...ways),
    fc.integer({ min: 1, max: 1_000 }),
    async (faults, listen, seed) => {
      const report = await run(listen, { faults, seed, forS: 2 });
      expect(report.invariants.map(({ verdict }) => verdict)).toEqual(['holds']);
      expect([report.inFlight, report.notes]).toEqual([0, []]);
    },
  );
  await fc.assert(trial, { numRuns: 6 });
});

test('users know one address, the nodes stand in one zone, and have no ports of their own', () => {
  const zones = ['a', 'b'].map((name) => ({ name, region: 'here' }));
  const plan = expand('shop', reachable([doors.balancer('sharded', 511)]), zones);
  const lines = { how: 'sharded', backlog: 511 };
  const members = ['lb/0', 'lb/1', 'lb/2'];
  expect(plan.addresses).toEqual([{ node: 'lb/address', listen: 8080, lines, members }]);
  const nodes = plan.nodes.filter(({ block }) => block === 'lb');
  expect(nodes.map(({ zone }) => zone)).toEqual(['a', 'a', 'a']);
});

test('one address is a standby, or shared, and not both', () => {
  const { problems } = balancer('lb', { to: edge, nodes: 2, standby: true, listen: 'shared' });
  expect(problems.map(({ at }) => at)).toEqual(['lb.listen']);
});
