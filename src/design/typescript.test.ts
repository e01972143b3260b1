/** A design of data as code: the same design, written as a person would, in the house's format. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDesign } from '../run/node/load.ts';
import { designOf } from '../run/options.ts';
import { simulate } from '../run/simulate.ts';
import { systemFromJson } from './json.ts';
import { planOf } from './system.ts';
import { typescriptOf } from './typescript.ts';

/** Every construct that JSON has, and names that code cannot have. */
const everything = {
  $schema: '../schema/design.schema.json',
  studio: { positions: { edge: [10, 20] } },
  name: 'every-thing',
  blocks: [
    {
      kind: 'gateway',
      name: 'edge',
      routes: { '/': 'api-v2', 'shop.example.com/old': 'class', '/call': 'call' },
      limit: { burst: 50 },
      policy: { timeout: '800ms', balance: 'round-robin', retry: { attempts: 2, budget: 0.1 } },
    },
    {
      kind: 'service',
      name: 'api-v2',
      instances: 3,
      slots: 8,
      holds: 'request',
      cost: { exponential: '1ms' },
      calls: [
        { parallel: ['store', { optional: 'ads' }, { sequence: ['class', { work: '1ms' }] }] },
        { sometimes: { chance: 0.25, call: { work: { cpu: { constant: '2ms' } } } } },
        { optional: { sometimes: { chance: 0.5, call: 'bare' } } },
      ],
      policy: { timeout: '500ms' },
    },
    { kind: 'service', name: 'class', cost: { cpu: { gamma: { mean: '2ms', cv: 0.5 } } } },
    { kind: 'service', name: 'call', cost: { wait: { uniform: { min: '1ms', max: '2ms' } } } },
    { kind: 'service', name: 'store', cost: { pareto: { min: '1ms', alpha: 2.5 } }, calls: [] },
    { kind: 'external', name: 'ads', latency: { lognormal: { median: '20ms', p99: '90ms' } } },
    { kind: 'external', name: 'bare' },
    { kind: 'service', name: 'left-out', calls: ['left-2'] },
    { kind: 'service', name: 'left-2', cost: '1ms' },
  ],
  entry: 'edge',
  users: { rate: { ramp: { from: '20/s', to: '90/s', over: '3s' } }, population: 40 },
  objectives: { p99: '200ms', availability: 0.99 },
  faults: ['kill api-v2/1 at 1s, restart after 1s', 'cut zone b from zone a at 2s for 500ms'],
  zones: ['a', { name: 'b', region: 'home' }],
};

const small = {
  name: 'small',
  blocks: [{ kind: 'service', name: 'api', instances: 1 }],
  entry: 'api',
};

const closed = {
  ...small,
  users: { closed: { users: 5, think: { exponential: '100ms' } }, timeout: '2s' },
  zones: [
    { name: 'a', region: 'home' },
    { name: 'b', region: 'away' },
  ],
};
const balanced = {
  name: 'balanced',
  blocks: [
    {
      kind: 'balancer',
      name: 'lb',
      to: 'edge',
      nodes: 2,
      standby: true,
      health: { interval: '1s' },
    },
    { kind: 'gateway', name: 'edge', nodes: 2, routes: { '/': 'api' } },
    { kind: 'service', name: 'api', cost: '1ms' },
  ],
  entry: 'lb',
  users: { rate: '40/s' },
};
const proxied = {
  name: 'office',
  blocks: [
    {
      kind: 'forwardProxy',
      name: 'egress',
      sites: { '*': 'news', '*.wiki.example': 'wiki' },
      rules: [{ do: 'block', hosts: ['*.ads.example'] }],
      cache: {},
      limit: { rate: '20/s', burst: 40 },
    },
    { kind: 'service', name: 'wiki', cost: '1ms' },
    { kind: 'service', name: 'news', cost: '2ms' },
    { kind: 'service', name: 'desk', calls: ['egress'] },
  ],
  entry: 'desk',
  users: { rate: '40/s' },
};
const spike = { base: '10/s', peak: '50/s', at: '1s', for: '500ms' };
const spiked = { ...small, users: { rate: { spike } } };
const daily = { ...small, users: { rate: { diurnal: { mean: '30/s', period: '10s' } } } };

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const threeTier = JSON.parse(
  readFileSync(join(checkout, 'examples/three-tier/design.json'), 'utf8'),
) as object;

const designs: readonly (readonly [string, object])[] = [
  ['with every construct', everything],
  ['without users', small],
  ['with users who wait', closed],
  ['behind a balancer', balanced],
  ['with a proxy', proxied],
  ['with a spike', spiked],
  ['with a day', daily],
  ['of the examples', threeTier],
];

describe.each(designs)('a design %s', (_what, data) => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'as code '));
    file = join(folder, 'design.ts');
    writeFileSync(file, typescriptOf(data));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('has the same plan as code', async () => {
    const design = designOf(await loadDesign(file));
    const { options: _met, ...same } = design;
    expect(planOf(design)).toEqual(planOf(systemFromJson({ ...data })));
    expect(same.faults).toEqual(systemFromJson({ ...data }).faults);
    expect(same.objectives).toEqual(systemFromJson({ ...data }).objectives);
  });

  test('runs as the same system, digest and all', async () => {
    const asked = { for: '3s', seed: 3 } as const;
    const [code, json] = [
      await simulate(file, asked),
      await simulate(systemFromJson({ ...data }), asked),
    ];
    expect(code.digest).toBe(json.digest);
    expect(code.generated).toBe(json.generated);
  });

  test('is formatted as this project formats', () => {
    const biome = join(checkout, 'node_modules/@biomejs/biome/bin/biome');
    const format = ['format', '--stdin-file-path', 'src/design.ts'];
    const code = typescriptOf(data);
    const formatted = execFileSync(process.execPath, [biome, ...format], {
      input: code,
      cwd: checkout,
      encoding: 'utf8',
    });
    expect(code).toBe(formatted);
  });
});

test('a design reads as one would write it', () => {
  expect(typescriptOf(everything)).toMatchInlineSnapshot(`
    "import {
      call,
      exponential,
      external,
      gamma,
      gateway,
      lognormal,
      optional,
      parallel,
      pareto,
      ramp,
      sequence,
      service,
      sometimes,
      system,
      tokenBucket,
      uniform,
      users,
      work,
    } from 'loadpath';

    const store = service('store', { cost: pareto({ min: '1ms', alpha: 2.5 }), calls: [] });

    const ads = external('ads', { latency: lognormal({ median: '20ms', p99: '90ms' }) });

    const classBlock = service('class', { cost: { cpu: gamma('2ms', { cv: 0.5 }) } });

    const bare = external('bare');

    const apiV2 = service('api-v2', {
      instances: 3,
      slots: 8,
      holds: 'request',
      cost: exponential('1ms'),
      calls: [
        parallel(call(store), optional(call(ads)), sequence(call(classBlock), work('1ms'))),
        sometimes(0.25, work({ cpu: '2ms' })),
        optional(sometimes(0.5, call(bare))),
      ],
      policy: { timeout: '500ms' },
    });

    const callBlock = service('call', { cost: uniform('1ms', '2ms') });

    const edge = gateway('edge', {
      routes: { '/': apiV2, 'shop.example.com/old': classBlock, '/call': callBlock },
      limit: tokenBucket({ rate: '100/s', burst: 50 }),
      policy: { timeout: '800ms', balance: 'round-robin', retry: { attempts: 2, budget: 0.1 } },
    });

    const left2 = service('left-2', { cost: '1ms' });

    const leftOut = service('left-out', { calls: [call(left2)] });

    export default system('every-thing', {
      entry: edge,
      blocks: [left2, leftOut],
      workload: users({ rate: ramp({ from: '20/s', to: '90/s', over: '3s' }), population: 40 }),
      objectives: { p99: '200ms', availability: 0.99 },
      faults: ['kill api-v2/1 at 1s, restart after 1s', 'cut zone b from zone a at 2s for 500ms'],
      zones: ['a', { name: 'b', region: 'home' }],
    });
    "
  `);
});

test('mistakes are told as those of the data', () => {
  expect(() => typescriptOf({ ...small, entry: 'apu' })).toThrow('did you mean api?');
  expect(() => typescriptOf([])).toThrow('a design of data has a name, blocks and an entry');
});
