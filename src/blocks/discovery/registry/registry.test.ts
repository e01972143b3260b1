import { fleet, gateway, registrar, registry, service, system, users } from 'loadpath';
import { describe, expect, test } from 'vitest';
import { calledBy } from '../../../design/plan.ts';
import type { RunEvent } from '../../../host/events.ts';
import type { Fault } from '../../../host/fault.ts';
import { simulateHere } from '../../../run/node/here.ts';

const second = 1_000_000;

interface Asked {
  readonly faults: readonly string[];
  readonly seed?: number;
  readonly options?: Parameters<typeof registry>[1];
  /** Registered by others. */
  readonly third?: boolean;
  readonly forUs?: number;
  readonly check?: boolean;
}

/** Users call an edge, the edge calls api, api calls stock: both are found in the registry. */
async function run({ faults, seed = 1, options = {}, third = false, ...more }: Asked) {
  const names = registry('names', { ttl: '1500ms', renewEvery: '500ms', ...options });
  const policy = { retry: { attempts: 2 } };
  const stock = service('stock', { instances: 2, cost: { cpu: '1ms' }, discovery: names });
  const api = service('api', {
    instances: 2,
    cost: { cpu: '1ms' },
    discovery: names,
    env: { stock },
    fetch: (_request, env) => env.stock.fetch('/'),
    policy,
  });
  const keeper = registrar('keeper', {
    registry: names,
    of: [api, stock],
    health: { interval: '200ms', timeout: '100ms' },
  });
  const design = system('discovered', {
    entry: gateway('edge', { routes: { '/': api }, policy }),
    blocks: third ? [keeper] : [],
    workload: users({
      rate: '100/s',
      act: async (user) => void (await user.fetch('/', { method: 'POST' })),
    }),
    faults,
  });
  const events: RunEvent[] = [];
  const lines: string[] = [];
  const { report } = await simulateHere(() => ({
    design,
    seed,
    forUs: more.forUs ?? 5 * second,
    faults: design.faults as readonly Fault[],
    check: more.check,
    onEvent: (event) => events.push(event),
    onTrace: (line) => lines.push(line),
  }));
  const served = (node: string) => {
    const row = report.blocks[node.split('/')[0]!]!.nodes.find(({ id }) => id === node);
    return (row?.requestsPerSec ?? 0) * report.simulatedSeconds;
  };
  return { report, events, lines, served };
}

describe.each([
  ['who register themselves', false],
  ['whom a registrar registers', true],
])('instances %s', (_who, third) => {
  test('get traffic without a plan that names them, and go without a failed request', async () => {
    const { report, served } = await run({
      third,
      faults: ['start an api instance at 1s', 'stop api/0 at 3s', 'start 2 stock at 2s'],
    });
    // POST is not tried again once it may have happened: whatever goes wrong would show.
    expect(report.errors).toEqual({});
    expect(report.completed).toBe(report.generated);
    expect(served('api/2')).toBeGreaterThan(80);
    expect(served('stock/3')).toBeGreaterThan(20);
    expect(served('api/0')).toBeGreaterThan(50);
    // Nothing reached it after it had left.
    const after = await run({ third, faults: ['stop api/0 at 1s'] });
    expect(after.report.errors).toEqual({});
    expect(after.served('api/1')).toBeGreaterThan(after.served('api/0') * 2);
  });

  test('that die are out when their lease is over, or sooner', async () => {
    const { report, lines } = await run({ third, faults: ['power off api/1 at 1s'] });
    const asked = lines.filter((line) => / api\/1 POST/.test(line));
    const late = asked.filter((line) => Number.parseFloat(line) > 3_500);
    expect(asked.length).toBeGreaterThan(50);
    expect(late).toEqual([]);
    expect(report.failed).toBeLessThan(report.generated * 0.35);
  });
});

describe('a registry', () => {
  test('may die under load: nobody notices, and it knows everybody again soon', async () => {
    const faults = ['kill names at 1s, restart after 1s'];
    const { report } = await run({ faults });
    expect(report.errors).toEqual({});
    expect(report.completed).toBe(report.generated);
    const again = await run({ faults: [...faults, 'start an api instance at 3s'] });
    expect(again.report.errors).toEqual({});
    expect(again.served('api/2')).toBeGreaterThan(30);
  });

  test('that is down when a caller comes leaves it without a list: its calls fail, clearly', async () => {
    const { report } = await run({
      faults: ['kill names at 1s', 'kill edge/0 at 1500ms, restart after 500ms'],
      options: { wait: '200ms' },
    });
    expect(Object.keys(report.errors)).toContain('503');
    expect(report.completed).toBeGreaterThan(0);
  });

  test('of two nodes is there while one is', async () => {
    const { report, served } = await run({
      options: { nodes: 2 },
      faults: ['kill names/0 at 1s', 'start an api instance at 2s', 'stop api/1 at 3s'],
    });
    expect(report.errors).toEqual({});
    expect(served('api/2')).toBeGreaterThan(40);
  });

  test('that is cut off from all at once drops nobody', async () => {
    const { report, events } = await run({
      faults: ['cut names from everything at 1s for 2500ms'],
    });
    expect(report.errors).toEqual({});
    const notes = events.filter((event) => event.type === 'note');
    expect(notes.some((event) => 'text' in event && /lapse together/.test(event.text))).toBe(true);
    expect(notes.some((event) => 'text' in event && /has lapsed/.test(event.text))).toBe(false);
  });

  test('polled instead of watched: a list is as old as a poll, unless failures make it new', async () => {
    // The list is settled by then: a registry that has just begun is asked again soon.
    const moved = ['start 2 api at 2s', 'kill api/0 at 3s', 'kill api/1 at 3s'];
    const slow = { follow: 'poll', poll: '1h', refreshAfter: '500ms' } as const;
    const { report, served } = await run({ options: slow, faults: moved, forUs: 6 * second });
    expect(served('api/2')).toBeGreaterThan(100);
    expect(report.failed).toBeGreaterThan(20);
    const each = await run({
      options: { ...slow, refetch: 'each' },
      faults: moved,
      forUs: 6 * second,
    });
    expect(each.report.failed).toBeLessThan(report.failed / 2);
  });

  test('that is polled and knows nobody yet is asked again before its turn', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const rare = { follow: 'poll', poll: '1h', refreshAfter: '1h' } as const;
      const { report } = await run({ faults: [], options: rare, seed, forUs: 2 * second });
      expect(report.errors).toEqual({});
    }
  });

  test('and its callers do the same for the same seed', async () => {
    const faults = ['start an api instance at 1s', 'kill api/0 at 2s', 'kill names at 3s'];
    const [once, again] = [await run({ faults, check: true }), await run({ faults, check: true })];
    expect(again.report.digest).toBe(once.report.digest);
  });
});

test('who asks for instances gets a list of his own', async () => {
  const names = registry('names');
  const stock = service('stock', { instances: 2, discovery: names });
  const seen = new Set<string>();
  const api = service('api', {
    env: { names, stock },
    fetch: async (_request, env) => {
      const entries = await env.names.instances('stock');
      for (const entry of entries as unknown as { node: string }[]) {
        seen.add(entry.node);
        entry.node = 'nobody/0';
      }
      return new Response('ok');
    },
  });
  const design = system('looked-up', {
    entry: gateway('edge', { routes: { '/': api } }),
    workload: users({ rate: '20/s', act: async (user) => void (await user.fetch('/')) }),
  });
  await simulateHere(() => ({ design, seed: 1, forUs: 2 * second, faults: [] }));
  expect([...seen].sort()).toEqual(['stock/0', 'stock/1']);
});

test('mistakes are named', () => {
  const api = service('api', {});
  expect(registry('names', { ttl: '1s', renewEvery: '2s' }).problems).toHaveLength(1);
  expect(service('web', { discovery: api }).problems).toMatchObject([
    { at: 'web.discovery', what: 'must be a registry, got service' },
  ]);
  const names = registry('names');
  expect(registrar('keeper', { registry: names, of: [api] }).problems).toHaveLength(1);
  expect(fleet('f', { of: api }).problems).toMatchObject([{ at: 'f.of' }]);
  const found = service('found', { discovery: names });
  expect(calledBy(gateway('edge', { routes: { '/': found } }))).toEqual(['found', 'names']);
});
