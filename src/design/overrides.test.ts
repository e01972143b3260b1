/** Options set from outside reach the blocks of any design, and say so when they cannot. */
import { describe, expect, test } from 'vitest';
import { external } from '../blocks/compute/service/external.ts';
import { call, service } from '../blocks/compute/service/index.ts';
import { ids } from '../blocks/coordination/ids/index.ts';
import { cache } from '../blocks/data/cache/index.ts';
import { kv } from '../blocks/data/kv/index.ts';
import { mesh } from '../blocks/discovery/mesh/index.ts';
import { registry } from '../blocks/discovery/registry/index.ts';
import { registrar } from '../blocks/discovery/registry/registrar-block.ts';
import { balancer } from '../blocks/edge/balancer/index.ts';
import { cdn } from '../blocks/edge/cdn/index.ts';
import { dns } from '../blocks/edge/dns/index.ts';
import { gateway, tokenBucket } from '../blocks/edge/gateway/index.ts';
import { forwardProxy } from '../blocks/edge/proxy/index.ts';
import { blocks } from '../blocks/index.ts';
import { topic } from '../blocks/messaging/topic/index.ts';
import { fleet } from '../blocks/operations/fleet/index.ts';
import { limiter } from '../blocks/resilience/limiter/index.ts';
import { spike, users } from '../blocks/workload/users/index.ts';
import type { Declaration } from '../host/declaration.ts';
import { exponential } from '../kit/draw.ts';
import { LoadpathError } from '../kit/errors.ts';
import type { SettingTable } from '../kit/settings.ts';
import { explain } from './explain.ts';
import { systemFromJson } from './json.ts';
import { allKnobs, changesOf, knobsOf, optionsOf } from './options.ts';
import { configured } from './overrides.ts';
import { structureOf } from './structure.ts';
import { planOf, type System, system } from './system.ts';

interface Variant {
  readonly limited?: boolean;
  readonly closed?: boolean;
}

function shop({ limited = false, closed = false }: Variant = {}): System {
  const links = kv('links', { replicas: 3 });
  const ads = external('ads', { latency: exponential('20ms') });
  const store = service('store', { cost: { cpu: exponential('2ms') }, calls: [call(ads)] });
  const api = service('api', {
    env: { links, store },
    fetch: () => new Response('ok'),
    policy: { timeout: '500ms', retry: { attempts: 3 } },
  });
  return system('shop', {
    entry: gateway('edge', {
      routes: { '/': api },
      ...(limited ? { limit: tokenBucket({ rate: '100/s' }) } : {}),
    }),
    workload: users(closed ? { closed: { users: 5, think: '1s' } } : { rate: '50/s' }),
  });
}

function configOf(design: System, block: string): Readonly<Record<string, unknown>> {
  const found = planOf(design)
    .nodes.flatMap(({ programs }) => programs)
    .find((program) => program.block === block && program.role !== 'client');
  return found?.config as Readonly<Record<string, unknown>>;
}

function mistakes(set: SettingTable, make = () => shop()): readonly string[] {
  try {
    configured(make, set);
  } catch (error) {
    expect(error).toBeInstanceOf(LoadpathError);
    return (error as LoadpathError).problems.map(({ at, what }) => `${at}: ${what}`);
  }
  return [];
}

describe('what is set', () => {
  test('takes the place of what a design gives, at every depth', () => {
    const design = configured(() => shop({ limited: true }), {
      'links.replicas': '5',
      'api.instances': 4,
      'api.policy.retry.attempts': '2',
      'edge.policy.timeout': '80ms',
      'edge.limit.rate': '10',
      'users.rate': '800/s',
      'store.cost': 'gamma(4ms, 0.5)',
      'ads.latency': 'uniform(1ms, 2ms)',
    });
    expect(configOf(design, 'links')).toMatchObject({ replicas: 5 });
    expect(planOf(design).nodes.filter(({ block }) => block === 'api')).toHaveLength(4);
    expect(configOf(design, 'api')).toMatchObject({ path: { attempts: 2, timeoutUs: 500_000 } });
    expect(configOf(design, 'edge')).toMatchObject({
      policy: { timeoutUs: 80_000 },
      limits: [{ name: 'limit', rate: { count: 10, periodUs: 1_000_000 } }],
    });
    expect(configOf(design, 'users')).toMatchObject({ load: { shape: { perSec: 800 } } });
    // Without a word before it, a cost stays of the kind that it was.
    expect(configOf(design, 'store')).toMatchObject({
      cost: { cpu: { kind: 'gamma', mean: 4_000, cv: 0.5 } },
    });
    expect(configOf(design, 'ads')).toMatchObject({
      cost: { wait: { kind: 'uniform', min: 1_000, max: 2_000 } },
    });
  });

  test('is told with what stood there before, and only where it differs', () => {
    const design = configured(() => shop(), {
      'links.replicas': 5,
      'api.policy.timeout': '500ms',
      'store.cost': '1ms',
      'edge.limit.rate': '10/s',
      'api.policy.attemptTimeout': '100ms',
    });
    expect(changesOf(design.options)).toEqual([
      'with links.replicas = 5 instead of 3',
      'with store.cost = 1ms instead of cpu exponential(2ms)',
      'with api.policy.attemptTimeout = 100ms instead of none',
      'with edge.limit.rate = 10/s instead of 100/s',
    ]);
  });

  test('is gone when the design is made again without it', () => {
    configured(() => shop(), { 'links.replicas': 5 });
    expect(configOf(shop(), 'links')).toMatchObject({ replicas: 3 });
    expect(() => configured(() => shop(), { 'links.replicas': 0 })).toThrow(LoadpathError);
    expect(configOf(shop(), 'links')).toMatchObject({ replicas: 3 });
  });

  test('gives a gateway the limit that it has not', () => {
    expect(
      configOf(
        configured(() => shop()),
        'edge',
      ),
    ).toMatchObject({ limits: [] });
    const design = configured(() => shop(), { 'edge.limit.burst': 3 });
    expect(configOf(design, 'edge')).toMatchObject({ limits: [{ burst: 3 }] });
  });

  test('reaches designs of data', () => {
    const data = {
      name: 'one',
      blocks: [{ kind: 'service', name: 'api', cost: '5ms' }],
      entry: 'api',
      users: { rate: { spike: { base: '1/s', peak: '9/s', at: '1s', for: '1s' } } },
    };
    const design = configured(() => systemFromJson(data), {
      'api.cost': 'cpu 1ms',
      'users.rate': 20,
    });
    expect(configOf(design, 'api')).toMatchObject({ cost: { cpu: { value: 1_000 } } });
    expect(configOf(design, 'users')).toMatchObject({ load: { shape: { perSec: 20 } } });
    expect(changesOf(design.options)).toContain(
      'with users.rate = 20/s instead of what the design gives',
    );
  });

  test('users who wait for replies can be more, or become people who do not', () => {
    const more = configured(() => shop({ closed: true }), { 'users.closed.users': '50' });
    expect(configOf(more, 'users')).toMatchObject({ load: { kind: 'closed', users: 50 } });
    const open = configured(() => shop({ closed: true }), { 'users.rate': '5/s' });
    expect(configOf(open, 'users')).toMatchObject({ load: { kind: 'open' } });
  });
});

describe('what cannot be set is named, all of it at once', () => {
  test('a block, an option, a value', () => {
    expect(
      mistakes({
        'lnks.replicas': 5,
        'links.replica': 5,
        'links.replicas': '0',
        'ads.instances': 3,
        links: 5,
        'edge.policy.timeout': 80,
        'users.closed.users': 4,
      }),
    ).toEqual([
      expect.stringMatching(/^links.replicas: must be a whole number .*, got '0'$/),
      expect.stringMatching(/^edge.policy.timeout: must be a duration .*, got 80$/),
      'lnks.replicas: there is no block lnks; did you mean links?',
      'links.replica: kv has no such option; did you mean replicas?',
      expect.stringMatching(/^ads.instances: external has no such option; there are latency, /),
      expect.stringMatching(/^links: name an option of it too, such as links\./),
      'users.closed.users: this design has no use for it',
    ]);
  });

  test('a relation that only what is set breaks, with what was set', () => {
    expect(() => configured(() => shop(), { 'links.read': 2 })).toThrow(
      /links.read: means nothing with consistency 'atomic'.*\n\(with links.read = 2 instead of none\)/,
    );
  });
});

describe('the options of a design', () => {
  test('are what users write, defaults included', () => {
    const options = optionsOf(configured(() => shop({ closed: true }), { 'links.replicas': 5 }));
    expect(Object.keys(options)).toEqual(['edge', 'api', 'links', 'store', 'ads', 'users']);
    expect(options.links).toMatchObject({ replicas: 5, consistency: 'atomic' });
    expect(options.api).toMatchObject({
      'policy.timeout': '500ms',
      'policy.retry.attempts': 3,
      'policy.retry.backoff': '10ms',
    });
    expect(options.edge).toMatchObject({ nodes: 1, 'policy.retry.attempts': 1, bodyMax: '1MB' });
    expect(options.edge).not.toHaveProperty('limit.rate');
    expect(options.store).toMatchObject({ cost: 'cpu exponential(2ms)', slots: 64 });
    expect(Object.keys(options.ads!)).not.toContain('instances');
    expect(options.ads).toMatchObject({ latency: 'exponential(20ms)' });
    expect(options.users).toMatchObject({ 'closed.users': 5, 'closed.think': '1s' });
    expect(options.users).not.toHaveProperty('rate');
  });

  test('are only those that have an effect: a handler has no slots', () => {
    const coded = () => system('one', { entry: service('api', { fetch: () => new Response() }) });
    expect(optionsOf(configured(coded)).api).not.toHaveProperty('slots');
    expect(() => configured(coded, { 'api.slots': '7' })).toThrow('has no use for it');
    expect(explain(structureOf(configured(coded))).blocks[0]!.config).not.toHaveProperty('slots');
  });

  test('can all be set to what they are', () => {
    const design = configured(() => shop({ limited: true }));
    const set = Object.fromEntries(
      Object.entries(optionsOf(design)).flatMap(([block, options]) =>
        Object.entries(options).map(([name, value]) => [`${block}.${name}`, String(value)]),
      ),
    );
    const same = configured(() => shop({ limited: true }), set);
    expect(planOf(same)).toEqual(planOf(design));
    expect(changesOf(same.options)).toEqual([]);
  });

  test('have a knob each, for every kind of block', () => {
    const design = configured(() => shop({ limited: true }));
    const options = optionsOf(design);
    for (const { name, block } of [...design.declarations]) {
      const known = knobsOf(block).map((knob) => knob.name);
      expect(known).toEqual(expect.arrayContaining(Object.keys(options[name]!)));
    }
    for (const block of blocks) {
      for (const knob of knobsOf(block)) {
        expect(knob.doc, `${block.kind}.${knob.name}`).not.toBe('');
        expect(knob.preset === null || typeof knob.preset !== 'object').toBe(true);
      }
    }
  });

  test('are all told of by `explain`, those too that are no knobs', () => {
    const known = { api: service('api', { calls: [] }), names: registry('names') };
    // Whoever gives an option that there is not is told those that there are.
    const wrong = { zzzzzzzzzzzz: 1 } as object;
    const made: readonly Pick<Declaration, 'block' | 'problems'>[] = [
      service('it', wrong),
      external('it', wrong),
      gateway('it', { routes: { '/': known.api }, ...wrong }),
      balancer('it', { to: known.api, ...wrong }),
      cdn('it', { origin: known.api, ...wrong }),
      dns('it', { records: {}, ...wrong }),
      forwardProxy('it', { sites: {}, ...wrong }),
      mesh('it', wrong),
      registrar('it', { registry: known.names, of: [], ...wrong }),
      fleet('it', { of: known.api, ...wrong }),
      limiter('it', wrong),
      topic('it', wrong),
      ids('it', wrong),
      kv('it', wrong),
      cache('it', wrong),
      users(wrong).declare(known.api),
    ];
    for (const { block, problems } of made) {
      const { what = '' } = problems.find(({ at }) => at.endsWith('zzzz')) ?? {};
      const told = [...Object.keys(allKnobs(block)), ...Object.keys(block.besides ?? {})];
      const isTold = (option: string) =>
        told.some((one) => one === option || one.startsWith(`${option}.`));
      const options = what.replace('no such option; there are ', '').split(', ');
      expect(options.length, block.kind).toBeGreaterThan(1);
      expect(
        options.filter((option) => !isTold(option)),
        block.kind,
      ).toEqual([]);
    }
  });

  test('a shape has no line, a rate has one', () => {
    const workload = users({ rate: spike({ base: '1/s', peak: '2/s', at: '1s', for: '1s' }) });
    const api = service('api', { cost: '1ms', calls: [] });
    const shaped = configured(() => system('one', { entry: api, workload }));
    expect(optionsOf(shaped).users).not.toHaveProperty('rate');
    expect(optionsOf(configured(() => shop())).users).toMatchObject({ rate: '50/s' });
  });
});
