/** A modelled design as data is the design that its code would be. */
import { describe, expect, test } from 'vitest';
import { external } from '../blocks/compute/service/external.ts';
import {
  call,
  optional,
  parallel,
  sequence,
  service,
  sometimes,
  work,
} from '../blocks/compute/service/index.ts';
import { apiKeys, gateway, jwt, tokenBucket } from '../blocks/edge/gateway/index.ts';
import { limiter } from '../blocks/resilience/limiter/index.ts';
import { spike, users } from '../blocks/workload/users/index.ts';
import { exponential, gamma, lognormal, pareto, uniform } from '../kit/draw.ts';
import { LoadpathError } from '../kit/errors.ts';
import { simulate } from '../run/simulate.ts';
import { isDesignData, systemFromJson } from './json.ts';
import { planOf, system } from './system.ts';
import { typescriptOf } from './typescript.ts';

const data = {
  name: 'shop',
  blocks: [
    { kind: 'gateway', name: 'edge', routes: { '/': 'api' }, limit: { rate: '500/s', by: 'all' } },
    {
      kind: 'service',
      name: 'api',
      slots: 8,
      holds: 'request',
      cost: { exponential: '1ms' },
      calls: [
        { parallel: ['store', { optional: 'ads' }] },
        { sometimes: { chance: 0.2, call: { sequence: ['store', { work: { cpu: '1ms' } }] } } },
      ],
      policy: { timeout: '500ms', retry: { attempts: 2 } },
    },
    {
      kind: 'service',
      name: 'store',
      instances: 1,
      slots: 5,
      cost: { cpu: { gamma: { mean: '2ms', cv: 0.5 } } },
    },
    { kind: 'external', name: 'ads', latency: { lognormal: { median: '20ms', p99: '90ms' } } },
  ],
  entry: 'edge',
  users: { rate: { spike: { base: '50/s', peak: '400/s', at: '2s', for: '1s' } }, population: 50 },
  objectives: { p99: '200ms' },
  faults: ['kill api/1 at 3s, restart after 1s'],
  zones: ['a', { name: 'b', region: 'home' }],
};

function inCode() {
  const store = service('store', {
    instances: 1,
    slots: 5,
    cost: { cpu: gamma('2ms', { cv: 0.5 }) },
    calls: [],
  });
  const ads = external('ads', { latency: lognormal({ median: '20ms', p99: '90ms' }) });
  const api = service('api', {
    slots: 8,
    holds: 'request',
    cost: exponential('1ms'),
    calls: [
      parallel(call(store), optional(call(ads))),
      sometimes(0.2, sequence(call(store), work({ cpu: '1ms' }))),
    ],
    policy: { timeout: '500ms', retry: { attempts: 2 } },
  });
  return system('shop', {
    entry: gateway('edge', {
      routes: { '/': api },
      limit: tokenBucket({ rate: '500/s', by: 'all' }),
    }),
    workload: users({
      rate: spike({ base: '50/s', peak: '400/s', at: '2s', for: '1s' }),
      population: 50,
    }),
    objectives: { p99: '200ms' },
    faults: ['kill api/1 at 3s, restart after 1s'],
    zones: ['a', 'b'],
  });
}

function wrong(json: object): readonly string[] {
  try {
    systemFromJson({ ...data, ...json });
  } catch (error) {
    expect(error).toBeInstanceOf(LoadpathError);
    return (error as LoadpathError).problems.map(({ at, what }) => `${at}: ${what}`);
  }
  return [];
}

const blocks = (...more: object[]) => ({
  blocks: [{ kind: 'gateway', name: 'edge', routes: { '/': 'api' } }, ...more],
});
const api = (more: object) => blocks({ kind: 'service', name: 'api', ...more });

describe('a design as JSON', () => {
  test('expands into the plan of the same design in code', () => {
    expect(planOf(systemFromJson(data))).toEqual(planOf(inCode()));
  });

  test('runs as the same design in code, digest and all', async () => {
    const asked = { for: '4s', seed: 5 } as const;
    const fromJson = await simulate(systemFromJson(data), asked);
    const fromCode = await simulate(inCode(), asked);
    expect(fromJson.digest).toBe(fromCode.digest);
    expect({ ...fromJson, wallSeconds: 0 }).toEqual({ ...fromCode, wallSeconds: 0 });
    expect(fromJson.generated).toBeGreaterThan(200);
  });

  test('survives being written and read', () => {
    const text = JSON.stringify(data);
    expect(planOf(systemFromJson(JSON.parse(text) as typeof data))).toEqual(planOf(inCode()));
  });

  test('is told apart from a design in code and from anything else', () => {
    expect(isDesignData(data)).toBe(true);
    for (const other of [inCode(), {}, [], null, 'shop', { blocks: [] }]) {
      expect(isDesignData(other)).toBe(false);
    }
  });

  test.each([
    ['5ms', { kind: 'constant', value: 5_000 }],
    [{ constant: '5ms' }, { kind: 'constant', value: 5_000 }],
    [{ exponential: '5ms' }, exponential('5ms')],
    [{ uniform: { min: '1ms', max: '2ms' } }, uniform('1ms', '2ms')],
    [{ pareto: { min: '1ms', alpha: 2 } }, pareto({ min: '1ms', alpha: 2 })],
  ])('draws %j as code does', (cost, draw) => {
    const design = systemFromJson({ ...data, ...api({ cost }) });
    const config = design.declarations.find(({ name }) => name === 'api')!.config;
    expect(config).toMatchObject({ cost: { wait: draw } });
  });
});

describe('a gateway as JSON', () => {
  const rich = {
    kind: 'gateway',
    name: 'edge',
    routes: [
      { path: '/', to: 'api' },
      { path: '/old/*', redirect: '/*' },
      {
        host: '*.example.com',
        path: '/page/:id',
        headers: { 'x-client': 'mobile' },
        policy: { timeout: '800ms' },
        limits: { each: { algorithm: 'sliding-log', rate: '10/min', except: ['a'] } },
        to: {
          aggregate: {
            parts: {
              api: { from: 'api', path: '/:id', required: true },
              store: { from: 'store', path: '/', timeout: '50ms' },
            },
            shape: { of: '$api', and: ['$store.a'] },
          },
        },
      },
    ],
    limits: { open: { algorithm: 'concurrency', openMax: 5 } },
    requests: { hosts: ['edge'] },
    waf: { mode: 'detect' },
    flood: {},
    cors: { origins: ['*'] },
    compress: {},
    trace: {},
    replyHeaders: { server: 'edge' },
  };
  const blocks = [...data.blocks.filter(({ name }) => name !== 'edge'), rich];

  test('says what code says: routes, limits, pages of many parts, and what holds at the door', async () => {
    const shop = systemFromJson({ ...data, blocks });
    const config = shop.declarations.find(({ name }) => name === 'edge')!.config;
    expect(config).toMatchObject({
      routes: [
        { to: { type: 'service', service: 'api' } },
        { to: { type: 'redirect' } },
        {
          to: {
            type: 'aggregate',
            parts: [{ service: 'api', required: true }, { timeoutUs: 50_000 }],
          },
        },
      ],
      waf: { mode: 'detect' },
      limits: [{ algorithm: 'concurrency', openMax: 5 }],
    });
    expect((await simulate(shop, { for: '2s' })).completed).toBeGreaterThan(50);
    expect(typescriptOf({ ...data, blocks })).toContain(
      "to: aggregate({\n        parts: {\n          api: { from: api, path: '/:id', required: true },",
    );
  });

  test('knows who stands in for failures on one route alone', async () => {
    const backup = { kind: 'service', name: 'backup', cost: '1ms' };
    const routes = [
      { path: '/', to: 'api', policy: { fallback: { staleMax: '0ms', service: 'backup' } } },
    ];
    const covered = { ...data, blocks: [...blocks.slice(0, -1), { ...rich, routes }, backup] };
    const faults = ['fail 100% of calls to api with 503 at 0s'];
    const report = await simulate(systemFromJson(covered), { for: '2s', faults });
    expect(report.failed).toBe(0);
    expect(report.blocks.edge!.meters['backup answers api']).toBeGreaterThan(50);
    expect(typescriptOf(covered)).toMatch(/fallback: \{ staleMax: '0ms', service: backup \}/);
  });

  test('names the mistakes of its users along with those of its blocks', () => {
    const lines = wrong({ ...data, ...api({ calls: ['nobody'] }), users: { rate: 'many' } });
    expect(lines).toEqual([
      "api.calls[0]: there is no block 'nobody'",
      "users.rate: must be a rate like '500/s', got 'many'",
    ]);
  });

  test('names what is wrong in it, part and all', () => {
    const routes = [
      { to: 'nobody', policy: { fallback: { service: 'nobody-else' } } },
      { to: { aggregate: { parts: { a: { from: 'x', path: '/' } } } } },
    ];
    const said = wrong({ blocks: [...blocks.slice(0, -1), { ...rich, routes }] });
    expect(said.join()).toContain(
      "edge.routes[0].policy.fallback.service: there is no block 'nobody-else'",
    );
    expect(said.join()).toContain("edge.routes[0].to: there is no block 'nobody'");
    expect(said.join()).toContain("edge.routes[1].to.parts.a.from: there is no block 'x'");
  });
});

describe('a mistake in it is named', () => {
  test('a balancer that leads nowhere, or to nobody', () => {
    const lead = (to?: unknown) =>
      wrong(blocks({ kind: 'service', name: 'api' }, { kind: 'balancer', name: 'lb', to }));
    expect(lead()[0]).toBe('lb.to: must be the name of a block, got undefined');
    expect(lead('ap')[0]).toBe("lb.to: there is no block 'ap'; did you mean api?");
  });

  test('and so are all the others', () => {
    expect(
      wrong({
        ...blocks(
          { kind: 'service', name: 'api', instances: 0, calls: ['stroe'] },
          { kind: 'service', name: 'store', cost: { gamma: 5 } },
          { kind: 'kv', name: 'links' },
          { name: 5 },
          { kind: 'service', name: 'api' },
        ),
        entry: 'egde',
        user: {},
        objectives: [],
        faults: 'kill api/1 at 3s',
        zones: {},
        users: { closed: 5 },
      }),
    ).toEqual([
      'shop.user: no such option',
      'blocks: each must be an object with a kind and a name, got {"name":5}',
      'api: two blocks have this name',
      "api.calls[0]: there is no block 'stroe'; did you mean store?",
      expect.stringContaining('store.cost: must be a duration or one of { constant }'),
      "links.kind: must be service, external, gateway, balancer, forwardProxy or limiter in a modelled design, got 'kv'",
      "shop.entry: there is no block 'egde'; did you mean edge?",
      "users.closed: must be an object, like { users: 10, think: '1s' }",
      'shop.objectives: must be an object',
      'shop.faults: must be a list of sentences',
      'shop.zones: must be a list',
      expect.stringContaining('api.instances: must be a whole number from 1 to 1000, got 0'),
    ]);
  });

  test('calls that go in a circle, by the way that they go', () => {
    expect(
      wrong(
        blocks(
          { kind: 'service', name: 'api', calls: ['a'] },
          { kind: 'service', name: 'a', calls: [{ parallel: ['b'] }] },
          { kind: 'service', name: 'b', calls: ['a'] },
        ),
      ),
    ).toEqual(['b.calls[0]: calls go in a circle: a -> b -> a']);
  });

  test.each([
    ['a step', { calls: [5] }, 'api.calls[0]: must be the name of a block'],
    ['a verb', { calls: [{ maybe: 'api' }] }, 'api.calls[0]: must be the name of a block'],
    [
      'a chance',
      { calls: [{ sometimes: { chance: 2, call: 'api' } }] },
      'api.calls[0].sometimes: ',
    ],
    ['a list', { calls: 'store' }, 'api.calls: must be a list'],
    [
      'a step inside',
      { calls: [{ optional: { parallel: [5] } }] },
      'api.calls[0].optional.parallel[0]',
    ],
    ['a gateway that is called', { calls: ['edge'] }, 'api.calls[0]: calls go in a circle'],
    ['an option', { replicas: 3 }, 'api.replicas: no such option'],
    ['a policy', { policy: { timeout: 'soon' } }, 'api.policy.timeout: must be a duration'],
  ])('%s', (_name, more, told) => {
    expect(wrong(api(more))).toContainEqual(expect.stringContaining(told));
  });

  test.each([
    [
      'a shape',
      { rate: { ramp: { from: 'x', to: '1/s', over: '1s' } } },
      'users.rate: from must be a rate',
    ],
    ['a rate', { rate: 5 }, 'users.rate'],
    ['thinking', { closed: { users: 3, think: 'long' } }, 'users.closed.think: must be'],
    ['an option', { timout: '1s' }, 'users.timout: no such option; did you mean timeout?'],
  ])('of the users: %s', (_name, users, told) => {
    expect(wrong({ users })).toContainEqual(expect.stringContaining(told));
  });
});

describe('a gateway in data', () => {
  const sha256 = 'ab'.repeat(32);
  const guarded = {
    name: 'guarded',
    blocks: [
      { kind: 'limiter', name: 'counts', limit: '10/min', also: ['100/h'], mode: 'sticky' },
      { kind: 'service', name: 'issuer' },
      { kind: 'service', name: 'api', cost: '2ms' },
      {
        kind: 'gateway',
        name: 'edge',
        nodes: 2,
        routes: [
          { path: '/', to: 'api', auth: 'optional', limits: { own: { backend: 'counts' } } },
          { path: '/partners', to: 'api', tiers: ['partner'] },
        ],
        limits: {
          calls: { backend: 'counts', by: 'user' },
          pace: { algorithm: 'gcra', rate: '50/s' },
        },
        auth: [
          { apiKeys: { users: { acme: { sha256, tier: 'partner' } } } },
          { jwt: { keys: 'issuer', audience: 'shop' } },
        ],
        quotas: { day: { calls: 500, per: '1d', tier: 'partner' } },
        usage: { adminTier: 'ops' },
      },
    ],
    entry: 'edge',
    users: { rate: '20/s', population: 3 },
  };

  test('knows who asks, shares limits and counts quotas as one in code does', () => {
    const counts = limiter('counts', { limit: '10/min', also: ['100/h'], mode: 'sticky' });
    const issuer = service('issuer', { calls: [] });
    const api = service('api', { cost: '2ms', calls: [] });
    const edge = gateway('edge', {
      nodes: 2,
      routes: [
        { path: '/', to: api, auth: 'optional', limits: { own: { backend: counts } } },
        { path: '/partners', to: api, tiers: ['partner'] },
      ],
      limits: {
        calls: { backend: counts, by: 'user' },
        pace: { algorithm: 'gcra', rate: '50/s' },
      },
      auth: [
        apiKeys({ users: { acme: { sha256, tier: 'partner' } } }),
        jwt({ keys: issuer, audience: 'shop' }),
      ],
      quotas: { day: { calls: 500, per: '1d', tier: 'partner' } },
      usage: { adminTier: 'ops' },
    });
    const workload = users({ rate: '20/s', population: 3 });
    const same = system('guarded', { entry: edge, blocks: [counts, issuer, api, edge], workload });
    expect(planOf(systemFromJson(guarded))).toEqual(planOf(same));
  });

  test('runs, and three users get what the limiter gives', async () => {
    const report = await simulate(systemFromJson(guarded), { for: '20s' });
    expect(report.rejected).toBeGreaterThan(300);
    expect(report.completed).toBe(30);
  });

  test('is TypeScript that a person would write', () => {
    const code = typescriptOf(guarded);
    expect(code).toContain('limits: { own: { backend: counts } }');
    expect(code).toContain('apiKeys({');
    expect(code).toContain("jwt({ keys: issuer, audience: 'shop' })");
    expect(code.indexOf('const counts = limiter(')).toBeLessThan(code.indexOf('gateway('));
  });

  test('says which limiter, issuer or scheme there is not', () => {
    const bad = structuredClone(guarded) as { blocks: Record<string, unknown>[] };
    Object.assign(bad.blocks[3]!, {
      limits: { calls: { backend: 'count' } },
      auth: [{ basic: {} }, { jwt: { keys: 'nobody' } }],
    });
    expect(() => systemFromJson(bad as never)).toThrow(
      /there is no block 'count'; did you mean counts\?[\s\S]*must be \{ apiKeys \} or \{ jwt \}[\s\S]*there is no block 'nobody'/,
    );
  });
});
