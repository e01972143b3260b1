/** What a design may be, and how it is told what it may not. */
import { describe, expect, test } from 'vitest';

import { call, service } from '../blocks/compute/service/index.ts';
import { ids } from '../blocks/coordination/ids/index.ts';
import { kv } from '../blocks/data/kv/index.ts';
import { gateway } from '../blocks/edge/gateway/index.ts';
import { topic } from '../blocks/messaging/topic/index.ts';
import { users } from '../blocks/workload/users/index.ts';
import { LoadpathError } from '../kit/errors.ts';
import { linearizable, noLoss, uniqueIds } from '../verify/index.ts';
import { cloudNetwork } from './plan.ts';
import { isSystem, namesIn, planOf, type SystemOptions, system } from './system.ts';

const api = service('api', { instances: 2, calls: [] });
const edge = gateway('edge', { routes: { '/': api } });
const fetch = () => new Response();

function wrong(options: object): readonly string[] {
  try {
    system('shop', { entry: edge, ...options } as SystemOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(LoadpathError);
    expect((error as LoadpathError).code).toBe('bad-design');
    return (error as LoadpathError).problems.map(({ at, what }) => `${at}: ${what}`);
  }
  return [];
}

describe('a design', () => {
  test('is all that its entry needs, each once, in the order of reading', () => {
    const links = kv('links');
    const clicks = topic('clicks');
    const one = service('one', { env: { links, clicks }, fetch });
    const two = service('two', { env: { links, one }, fetch });
    const counter = service('counter', { env: { clicks }, on: { clicks: () => {} } });
    const design = system('shop', {
      entry: gateway('door', { routes: { '/': one, '/two': two } }),
      blocks: [counter],
    });
    expect(isSystem(design)).toBe(true);
    expect(design.declarations.map(({ name }) => name)).toEqual([
      'door',
      'one',
      'links',
      'clicks',
      'two',
      'counter',
    ]);
  });

  test('gives the same plan each time, with members spread over three zones', () => {
    const design = system('shop', { entry: edge, workload: users({ rate: '5/s' }) });
    const plan = planOf(design);
    expect(plan.nodes.map(({ id, zone }) => `${id} ${zone}`)).toEqual([
      'edge/0 a',
      'api/0 a',
      'api/1 b',
      'users/0 a',
    ]);
    expect(planOf(design)).toEqual(plan);
  });

  test('gives a plan that is data: it can be sent to another process', () => {
    const plan = planOf(system('shop', { entry: edge, workload: users({ rate: '5/s' }) }));
    expect(structuredClone(plan)).toEqual(plan);
  });

  test('may be as far apart as it says, in the words of other options', () => {
    const { network } = system('shop', { entry: edge, network: { sameZone: { delay: '5ms' } } });
    const { sameZone, ...others } = cloudNetwork;
    const delay = { kind: 'constant', value: 5_000 };
    expect(network).toEqual({ ...others, sameZone: { ...sameZone, delay } });
  });

  test('may stand in zones and regions of its own', () => {
    const zones = ['x', { name: 'y', region: 'away' }];
    const design = system('shop', { entry: edge, zones });
    expect(namesIn(design)).toMatchObject({
      nodes: ['edge/0', 'api/0', 'api/1'],
      blocks: ['edge', 'api'],
      zones: ['x', 'y'],
      regions: ['home', 'away'],
    });
  });
});

describe('a design that cannot be', () => {
  test('is told everything at once, its blocks and its users included', () => {
    expect(
      wrong({
        entry: gateway('edge', { routes: { '/': service('api', { instances: 0 }) }, nodes: 0 }),
        objective: {},
        objectives: { p99: 'fast', p98: '1s', availability: 99.9, throughput: '5' },
        workload: users({ rate: 'often' as '1/s' }),
        zones: ['a', 'a'],
        network: {
          sameZone: { delay: { kind: 'constant', value: -5_000 }, lossRatio: 5, los: 1 },
          sameRegion: { delay: 'near', bytesPerSec: -1 },
          acrossZones: 3,
          loopback: '1ms',
          connectTimeoutUs: 0,
        },
        invariants: [linearizable(kv('apo'))],
      }),
    ).toEqual([
      'shop.objective: no such option; did you mean objectives?',
      'edge.nodes: must be a whole number from 1 to 100, got 0',
      'api.instances: must be a whole number from 1 to 1000, got 0',
      "users.rate: must be a rate like '500/s', got 'often'",
      'shop.zones: two zones are called a',
      'shop.network.acrossZones: no such option; there are loopback, sameZone, sameRegion, betweenRegions, connectTimeoutUs',
      "shop.network.loopback: must be an object like { delay: '1ms' }, got '1ms'",
      'shop.network.sameZone.los: no such option; there are delay, bytesPerSec, lossRatio, duplicateRatio',
      'shop.network.sameZone.delay: must be a duration like \'5ms\' or a distribution like exponential(\'5ms\'), got {"kind":"constant","value":-5000}',
      'shop.network.sameZone.lossRatio: must be a share from 0 to 1, got 5',
      "shop.network.sameRegion.delay: must be a duration like '5ms' or a distribution like exponential('5ms'), got 'near'",
      'shop.network.sameRegion.bytesPerSec: must be a number above 0, got -1',
      'shop.network.connectTimeoutUs: must be a whole number of microseconds, at least 1, got 0',
      "shop.objectives.p99: must be a duration like '50ms', got 'fast'",
      'shop.objectives.p98: no such objective; there are p50, p90, p99, p999, availability, throughput',
      'shop.objectives.availability: must be a share above 0 and up to 1, like 0.999, got 99.9',
      "shop.objectives.throughput: must be a rate like '100/s', got '5'",
      'shop.invariants: apo is linearizable: apo is not a block of this design; did you mean api?',
    ]);
  });

  test.each([
    ['nothing', undefined, 'undefined'],
    ['a name', 'edge', "'edge'"],
    ['a store', kv('links'), 'a kv'],
    ['a topic', topic('clicks'), 'a topic'],
  ])('is entered by %s', (_name, entry, given) => {
    expect(wrong({ entry })).toEqual([`shop.entry: must be a gateway or a service, got ${given}`]);
  });

  test('has a block that is none', () => {
    expect(wrong({ blocks: [undefined] })).toEqual([
      'shop.blocks[0]: must be a block, got undefined',
    ]);
  });

  test('has two blocks of one name', () => {
    expect(wrong({ blocks: [kv('api')] })).toEqual([
      'api: two blocks have this name: a service and a kv',
    ]);
  });

  test.each(['users', 'control'])('takes the name %s, which is the run’s own', (name) => {
    expect(wrong({ blocks: [kv(name)] })).toEqual([
      `${name}: this name is taken by the run itself`,
    ]);
  });

  test.each(['', '7up', 'a/b', 'a b', 'a.b'])('has a block called %j', (name) => {
    expect(wrong({ blocks: [kv(name)] })).toEqual([
      `'${name}': a block name must be letters, digits and dashes, beginning with a letter`,
    ]);
  });

  test.each([
    ['none', []],
    ['no list', 'a'],
    ['a nameless one', ['']],
    ['a half one', [{ name: 'a' }]],
    ['a number', [5]],
  ])('stands in zones: %s', (_name, zones) => {
    expect(wrong({ zones })).toEqual([expect.stringContaining('shop.zones: must be ')]);
  });

  test('fails in a way that names nothing of it', () => {
    const faults = ['kill api/7 at 3s', 'kill api/1 at 3s', 'tickle api/1 at 3s'];
    const lines = wrong({ faults });
    expect(lines.map((line) => line.split(':')[0])).toEqual(['shop.faults[0]', 'shop.faults[2]']);
  });

  test('promises something of a block that is not in it', () => {
    expect(wrong({ invariants: [noLoss(topic('clicks'))] })).toHaveLength(1);
  });

  test('promises what is no invariant', () => {
    const invariants = [() => true, { name: 'sums' }, null];
    expect(wrong({ invariants })).toEqual([
      expect.stringMatching(/^shop.invariants\[0\]: must be an invariant, .*, got a function$/),
      expect.stringMatching(/^shop.invariants\[1\]: .*, got {"name":"sums"}$/),
      expect.stringMatching(/^shop.invariants\[2\]: .*, got null$/),
    ]);
    expect(wrong({ invariants: noLoss(topic('clicks')) })).toEqual([
      expect.stringContaining('shop.invariants: must be a list of invariants'),
    ]);
  });

  test('promises what a block of another kind cannot keep', () => {
    const links = kv('links');
    const codes = ids('codes');
    const clicks = topic('clicks');
    const code = service('code', { env: { links, codes, clicks }, fetch });
    const rejected = (...invariants: unknown[]) => wrong({ blocks: [code], invariants });
    const { name } = links;
    expect(rejected(uniqueIds({ name }), linearizable({ name }), noLoss(clicks))).toEqual([
      'shop.invariants: links are unique: links is a kv and records get, put, delete; this claim is about next, claim',
    ]);
    expect(rejected(linearizable({ name: 'clicks' }), noLoss({ name: 'codes' }))).toHaveLength(2);
    expect(rejected(linearizable(links, { model: 'lock' }))).toHaveLength(1);
    expect(rejected(linearizable({ name: 'edge' }))).toEqual([
      expect.stringContaining('edge is a gateway and records nothing that is judged'),
    ]);
  });

  test('has a service that needs itself, and the way is told', () => {
    const a = service('a', { calls: [] });
    const b = service('b', { calls: [call(a)] });
    // Code cannot write a circle; a plan is not made from one all the same.
    const circular = { ...a, binds: {} as Record<string, unknown> };
    const back = { ...b, binds: { a: circular } };
    circular.binds.b = back;
    const entry = circular as typeof a;
    expect(() => planOf(system('shop', { entry }))).toThrow('a needs itself, through a -> b');
  });
});
