/** How long users go to a region that is lost, who goes where, and what is refused. */
import { describe, expect, test } from 'vitest';
import { cluster } from '../../../../test/cluster.ts';
import { system } from '../../../design/system.ts';
import type { Fault } from '../../../host/fault.ts';
import { configure } from '../../../kit/config.ts';
import { seeded } from '../../../kit/random.ts';
import { simulateHere } from '../../../run/node/here.ts';
import { service } from '../../compute/service/index.ts';
import { users } from '../../workload/users/index.ts';
import { gateway } from '../gateway/index.ts';
import { knobs, type RecordConfig, type ServerConfig } from './config.ts';
import { dns } from './index.ts';
import { Records } from './records.ts';

const second = 1_000_000;
const regions = ['asia', 'europe', 'america'];
const zones = regions.map((region) => ({ name: `${region}-1`, region }));

/** A service and a gateway in each region, and users in each who find theirs by name. */
function world(ttl: '1s' | '4s') {
  const api = service('api', { instances: 3 });
  const edge = gateway('edge', {
    nodes: 3,
    routes: { '/': api },
    policy: { retry: { attempts: 3 } },
  });
  const names = dns('names', {
    servers: 3,
    ttl,
    records: { 'shop.test': edge, 'www.shop.test': { alias: 'shop.test' } },
    health: { interval: '1s', timeout: '500ms' },
    distances: { asia: { europe: '160ms', america: '210ms' }, europe: { america: '90ms' } },
  });
  const design = system('shop', {
    entry: edge,
    zones,
    workload: users({
      rate: '90/s',
      from: { asia: 1, europe: 1, america: 1 },
      resolver: names,
      timeout: '1s',
      async act(user) {
        await user.fetch(user.random.chance(0.5) ? '/' : 'http://www.shop.test/');
      },
    }),
  });
  return design;
}

/** Asia goes dark after three seconds. */
async function lose(seed: number, ttl: '1s' | '4s') {
  const target = { region: 'asia' };
  const faults: Fault[] = [{ do: 'power-off', target, atUs: 3 * second, forUs: 20 * second }];
  const lines: string[] = [];
  const { report } = await simulateHere(() => ({
    design: world(ttl),
    seed,
    forUs: 16 * second,
    faults,
    onTrace: (line) => lines.push(line),
  }));
  return { report, lines };
}

describe('a region that is lost', () => {
  test('is left by its users within detection and time to live', async () => {
    for (const [seed, ttl, ttlUs] of [
      [1, '1s', second],
      [2, '4s', 4 * second],
    ] as const) {
      const { report, lines } = await lose(seed, ttl);
      const asked = lines.flatMap((line) => {
        const found = /^ *(-?[\d.]+) users\/(\d) \S+ edge\/(\d) GET/.exec(line);
        return found ? [{ at: Number(found[1]) * 1_000, from: found[2]!, to: found[3]! }] : [];
      });
      const before = asked.filter(({ at }) => at < 3 * second);
      // Everybody goes to his own region while it is there.
      expect(before.length).toBeGreaterThan(200);
      expect(before.every(({ from, to }) => from === to)).toBe(true);
      // Three bad answers half a second apart after at most a second, then what is remembered twice runs out.
      const detectUs = 1_100_000 + 3 * (500_000 + 550_000);
      const late = asked.filter(({ at, to }) => to === '0' && at > 3 * second + detectUs + ttlUs);
      expect(late).toEqual([]);
      const moved = asked.filter(
        ({ at, from }) => from === '0' && at > 3 * second + detectUs + ttlUs,
      );
      expect(moved.length).toBeGreaterThan(100);
      // To the nearest that is left.
      expect(moved.every(({ to }) => to === '1')).toBe(true);
      // Nobody else notices: gateways elsewhere call into the lost region, and are well all the same.
      const others = asked.filter(({ from }) => from !== '0');
      expect(others.length).toBeGreaterThan(500);
      expect(others.filter(({ from, to }) => from !== to)).toEqual([]);
      expect(report.failed).toBeGreaterThan(0);
    }
  });
});

describe('records', () => {
  const places = regions.flatMap((region, index) =>
    [0, 1].map((n) => ({ node: `edge/${index * 2 + n}`, region })),
  );
  const make = (record: Partial<RecordConfig>, more: Partial<ServerConfig> = {}) => {
    const nodes = {
      kind: 'nodes',
      by: 'latency',
      ttlUs: 9 * second,
      to: ['edge'],
      weights: {},
      regions: [],
    };
    const { config } = configure('names', knobs, {});
    return new Records(
      {
        ...config,
        records: {
          site: { ...nodes, ...record } as RecordConfig,
          www: { kind: 'alias', to: 'site', ttlUs: second },
          loop: { kind: 'alias', to: 'loop', ttlUs: second },
          note: { kind: 'text', text: 'v=1', ttlUs: second },
        },
        health: {} as ServerConfig['health'],
        regions: { spare: 1.4, nearByUs: 5_000, holdDownUs: 60 * second },
        distancesUs: { asia: { europe: 160_000, america: 210_000 }, europe: { america: 90_000 } },
        region: 'asia',
        places: { site: places },
        ...more,
      },
      seeded(1),
    );
  };
  const regionsOf = (records: Records, from: string, count = 300): readonly string[] => {
    const all = Array.from(
      { length: count },
      () => records.find('site', from, second).nodes,
    ).flat();
    return [
      ...new Set(all.map((node) => places.find((place) => place.node === node)!.region)),
    ].sort();
  };

  test('by latency lead to the nearest region, and to the next when it is down', () => {
    const records = make({});
    expect(regionsOf(records, 'america')).toEqual(['america']);
    for (const node of ['edge/4', 'edge/5']) records.report(node, false, second);
    expect(regionsOf(records, 'america')).toEqual(['europe']);
    expect(regionsOf(records, 'asia')).toEqual(['asia']);
  });

  test('let half a region overflow into the next one, with the well half only', () => {
    const records = make({});
    records.report('edge/0', false, second);
    expect(regionsOf(records, 'asia')).toEqual(['asia', 'europe']);
    const named = new Set(
      Array.from({ length: 99 }, () => records.find('site', 'asia', second).nodes).flat(),
    );
    expect(named.has('edge/0')).toBe(false);
  });

  test('by priority lead to the backup only in need', () => {
    const records = make({ by: 'priority', regions: ['europe', 'asia'] } as Partial<RecordConfig>);
    expect(regionsOf(records, 'asia')).toEqual(['europe']);
    for (const node of ['edge/2', 'edge/3']) records.report(node, false, second);
    expect(regionsOf(records, 'america')).toEqual(['asia']);
  });

  test('by weight share as they say', () => {
    const records = make({
      by: 'weighted',
      weights: { asia: 3, europe: 1 },
    } as Partial<RecordConfig>);
    const first = Array.from(
      { length: 4_000 },
      () => records.find('site', 'asia', second).nodes[0]!,
    );
    const asia = first.filter((node) => node < 'edge/2').length;
    expect(asia / 4_000).toBeGreaterThan(0.72);
    expect(asia / 4_000).toBeLessThan(0.78);
  });

  test('name everybody when nobody seems well: the checks may be wrong', () => {
    const records = make({ by: 'all' } as Partial<RecordConfig>);
    for (const { node } of places) records.report(node, false, second);
    expect(records.find('site', 'asia', second).nodes).toHaveLength(4);
  });

  test('follow aliases, with the least time to live, and no loops', () => {
    const records = make({});
    expect(records.find('WWW.', 'asia', 0)).toMatchObject({
      code: 'ok',
      aliases: ['site'],
      ttlUs: second,
    });
    expect(records.find('loop', 'asia', 0).code).toBe('failed');
    expect(records.find('note', 'asia', 0).text).toBe('v=1');
    expect(records.find('other', 'asia', 0)).toMatchObject({ code: 'no-name', ttlUs: 5 * second });
  });

  test('a name that others are below is there, with nothing of its own', () => {
    const text = { kind: 'text', text: 'x', ttlUs: second } as const;
    const records = make({}, { records: { 'a.deep.example': text }, places: {} });
    const nothing = { nodes: [], aliases: [], text: null, ttlUs: 5 * second };
    for (const name of ['deep.example', 'EXAMPLE.']) {
      expect(records.find(name, 'asia', 0), name).toEqual({ code: 'ok', ...nothing });
    }
    for (const name of ['ep.example', 'b.deep.example', 'x.a.deep.example']) {
      expect(records.find(name, 'asia', 0), name).toEqual({ code: 'no-name', ...nothing });
    }
  });
});

test('services look names up, and what is not there is remembered too', async () => {
  const api = service('api', { instances: 3 });
  const names = dns('names', {
    records: { 'api.test': api, txt: { text: 'hello' } },
    negativeTtl: '2s',
  });
  const { handle, settle, run, world } = cluster([names], { zones });
  const found = await settle(handle(names).resolve('API.test'));
  expect(found).toMatchObject({ ok: { nodes: ['api/0'], ttlMs: expect.any(Number) } });
  // Its own list: what is remembered stays as it is.
  (found as unknown as { ok: { nodes: string[] } }).ok.nodes.push('nobody/0');
  expect(await settle(handle(names).resolve('txt'))).toMatchObject({ ok: { text: 'hello' } });
  const count = () => {
    const all = world.meters.snapshot().map(({ counters }) => counters['names asked for'] ?? 0);
    return all.reduce((a, b) => a + b, 0);
  };
  expect(await settle(handle(names).resolve('nothing'))).toMatchObject({ ok: { nodes: [] } });
  const asked = count();
  await settle(handle(names).resolve('nothing'));
  expect(count()).toBe(asked);
  run(3 * second);
  await settle(handle(names).resolve('nothing'));
  expect(count()).toBeGreaterThan(asked);
  world.inject({ do: 'power-off', target: { block: 'names' }, atUs: 0 });
  expect(await settle(handle(names).resolve('api.test'))).toMatchObject({
    ok: { nodes: ['api/0'] },
  });
  expect(await settle(handle(names).resolve('unknown'))).toMatchObject({
    error: { certain: true },
  });
});

test('a design that cannot be is refused, all at once', () => {
  const api = service('api', {});
  const wrong = dns('names', {
    ttl: '0s' as '1s',
    records: {
      'No Name': api,
      a: { alias: 'b' },
      c: { to: api, by: 'nearest' as 'all' },
      d: { to: api, by: 'weighted' },
    },
    distances: { asia: { europe: 'far' as '1s' } },
  });
  expect(wrong.problems.map(({ at }) => at)).toEqual([
    'names.ttl',
    "names.records['No Name']",
    "names.records['c'].by",
    "names.records['d'].weights",
    "names.records['a']",
    'names.distances.asia.europe',
  ]);
  const other = dns('names', { records: { a: api } });
  const edge = gateway('edge', { routes: { '/': api } });
  const lost = () => system('s', { entry: edge, workload: users({ resolver: other }) });
  expect(lost).toThrow('no record that leads to edge');
});
