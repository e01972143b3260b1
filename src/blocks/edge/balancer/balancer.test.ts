/** What becomes of users' connections while what they lead to comes, goes, and is taken away. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain } from '../../../design/explain.ts';
import { lint } from '../../../design/lint.ts';
import { structureOf } from '../../../design/structure.ts';
import { system } from '../../../design/system.ts';
import type { Fault } from '../../../host/fault.ts';
import { seeded } from '../../../kit/random.ts';
import { simulateHere } from '../../../run/node/here.ts';
import type { Report } from '../../../run/report.ts';
import { service } from '../../compute/service/index.ts';
import { users } from '../../workload/users/index.ts';
import { gateway } from '../gateway/index.ts';
import { type BalancerOptions, balancer } from './index.ts';
import { pickerOf, Target, weightsOf } from './target.ts';

const second = 1_000_000;
const api = service('api', { instances: 3, cost: '2ms' });
const edge = gateway('edge', { nodes: 3, routes: { '/': api } });

async function run(
  options: Partial<BalancerOptions>,
  faults: readonly Fault[] = [],
  { seed = 1, population = 40, forS = 6, rate = '100/s' as const } = {},
): Promise<Report> {
  const design = system('shop', {
    entry: balancer('lb', { to: edge, ...options }),
    workload: users({ rate, population, timeout: '1s' }),
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

const meters = (report: Report) => report.blocks.lb!.meters;

describe('a connection', () => {
  test('goes to one target with all that comes over it', async () => {
    const report = await run({ balance: 'round-robin' }, [], { population: 1, rate: '100/s' });
    const shares = report.blocks.edge!.nodes.map(({ requestsPerSec }) => requestsPerSec > 0);
    // One user needs a second connection only while a request of his is under way.
    expect(meters(report)['bytes there']).toBeGreaterThan(0);
    expect(report.blocks.lb!.requestsPerSec).toBeLessThan(3);
    expect(shares).toContain(true);
    expect(report.failed).toBe(0);
  });

  test('is offered to another target when one does not take it', async () => {
    const target = { node: 'edge/1' };
    const report = await run({}, [{ do: 'kill', target, atUs: 0, forUs: 6 * second }]);
    expect(meters(report).declined).toBeGreaterThan(0);
    expect(report.failed).toBe(0);
    expect(report.blocks.edge!.nodes[1]!.requestsPerSec).toBe(0);
  });

  test('breaks when its target dies, and no other does', async () => {
    const target = { node: 'edge/1' };
    const report = await run({}, [{ do: 'kill', target, atUs: 2 * second, forUs: second }]);
    const broken = Number(meters(report).broken);
    expect(broken).toBeGreaterThan(0);
    expect(broken).toBeLessThanOrEqual(20);
    // Of what was under way: at 100 a second and 4 ms each, hardly anything.
    expect(report.failed).toBeLessThanOrEqual(2);
  });

  test('to a target that is silent is cut once its checks say so', async () => {
    const target = { node: 'edge/1' };
    const health = { interval: '200ms', timeout: '100ms', fall: 2 } as const;
    const faults: Fault[] = [{ do: 'power-off', target, atUs: 2 * second, forUs: 3 * second }];
    const cut = await run({ health }, faults);
    const kept = await run({ health: false }, faults);
    expect(cut.failed).toBeLessThan(kept.failed);
    expect(cut.events.map((event) => ('text' in event ? event.text : ''))).toContain(
      'edge/1 is down for its health checks',
    );
  });
});

describe('a drain', () => {
  test('of a target loses nothing', async () => {
    const target = { node: 'edge/1' };
    const report = await run({}, [{ do: 'restart', target, atUs: 2 * second, forUs: second }]);
    expect([report.failed, report.rejected]).toEqual([0, 0]);
    expect(report.blocks.edge!.nodes[1]!.boots).toBe(2);
  });

  test('of the balancer lets those who are connected finish', async () => {
    const target = { node: 'lb/0' };
    const report = await run({}, [{ do: 'restart', target, atUs: 2 * second, forUs: 100_000 }]);
    const { refused, reset } = report.errors as Record<string, number | undefined>;
    expect(reset ?? 0).toBe(0);
    expect(refused).toBeGreaterThan(0);
  });
});

test('an address goes to one target while that is there', async () => {
  const report = await run({ balance: 'source-hash' }, [], { population: 1 });
  const busy = report.blocks.edge!.nodes.filter(({ requestsPerSec }) => requestsPerSec > 0);
  expect(busy).toHaveLength(1);
});

test('without a look at what passes, a layer-7 gateway sees the same users', async () => {
  const report = await run({});
  expect(report.completed).toBe(report.generated);
  expect(report.blocks.api!.requestsPerSec).toBeGreaterThan(90);
});

test('whatever happens, every request ends once', async () => {
  const nodes = ['lb/0', 'edge/0', 'edge/1', 'edge/2', 'api/0'];
  const verbs = ['kill', 'restart', 'pause', 'power-off'] as const;
  const oneOf = fc.record({
    do: fc.constantFrom(...verbs),
    target: fc.constantFrom(...nodes).map((node) => ({ node })),
    atUs: fc.integer({ min: 0, max: 2 * second }),
    forUs: fc.integer({ min: 1_000, max: second }),
  });
  const trial = fc.asyncProperty(
    fc.array(oneOf, { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 1_000 }),
    async (faults, seed) => {
      const report = await run({}, faults, { seed, forS: 3 });
      expect(report.invariants.map(({ verdict }) => verdict)).toEqual(['holds']);
      expect(report.inFlight).toBe(0);
      expect(report.notes).toEqual([]);
    },
  );
  await fc.assert(trial, { numRuns: 8 });
});

test('round robin gives equal shares, and weights give theirs', () => {
  const picker = pickerOf('round-robin', seeded(1));
  const targets = ['a', 'b', 'c'].map((id, index) => new Target(id, index + 1));
  const counts = new Map<string, number>();
  for (let i = 0; i < 600; i++) {
    const { id } = picker.pick(targets, 0)!;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  expect(counts).toEqual(
    new Map([
      ['a', 100],
      ['b', 200],
      ['c', 300],
    ]),
  );
});

test('a release gets its share, spread over its members', () => {
  const releases = { v1: ['a', 'b'], v2: [{ node: 'c', weight: 2 }], v3: ['d'] };
  const weights = weightsOf({ releases, traffic: { v1: 0.8, v2: 0.2, v3: 0 } });
  expect([...weights]).toEqual([
    ['a', 0.4],
    ['b', 0.4],
    ['c', 0.4],
  ]);
});

test('what it may lead to, and all that is wrong, is said at once', () => {
  const wrong = balancer('lb', {
    to: balancer('inner', { to: edge }),
    nodes: 0,
    connectTimeout: 'soon',
  } as never);
  expect(wrong.problems.map(({ at }) => at).sort()).toEqual([
    'lb.connectTimeout',
    'lb.nodes',
    'lb.to',
  ]);
});

test('lint asks no timeout of who passes connections on, and explain says what it does with them', () => {
  const design = system('shop', { entry: balancer('lb', { to: edge }) });
  const view = structureOf(design);
  expect(lint(view).filter(({ rule }) => rule === 'no-timeout')).toEqual([]);
  const path = explain(view).paths.find(({ from }) => from === 'lb');
  expect(path).toMatchObject({ to: 'edge', waitMaxUs: 3 * second });
  expect(path?.stages.join()).toContain('passed on untouched');
});
