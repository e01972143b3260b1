/**
 * Every kind of fault on every kind of block. Whether a fault acts is read off the traffic of the
 * nodes it is aimed at: the same run without it is the measure, and until the fault begins the two
 * must be equal. Whatever happens, no request goes missing and the run ends by itself.
 */
import {
  balancer,
  cache,
  call,
  cdn,
  dns,
  type Env,
  external,
  fleet,
  forwardProxy,
  gateway,
  ids,
  kv,
  limiter,
  mesh,
  purges,
  registry,
  service,
  system,
  topic,
  users,
  work,
} from 'loadpath';
import { noLoss, uniqueIds } from 'loadpath/verify';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../src/host/events.ts';
import type { Fault, Target } from '../src/host/fault.ts';
import { simulateHere } from '../src/run/node/here.ts';
import type { Report } from '../src/run/report.ts';
import { inTurn } from './turns.ts';

const store = kv<string>('store', { replicas: 3 });
const hot = cache<string>('hot', { nodes: 2, ttl: '100ms' });
const numbers = ids('numbers', { block: 3 });
const log = topic<string>('log', { partitions: 2, nodes: 2 });
const quotas = limiter('quotas', { limit: '1000000/d', durable: true });
const rates = external('rates', { latency: '5ms', stub: () => stamped() });
const model = service('model', {
  instances: 2,
  cost: { cpu: '1ms' },
  calls: [call(rates), work({ cpu: '1ms' })],
});

const pages = purges('pages', { lease: '400ms', timeout: '1s' });
const page = service('page', {
  fetch: () => new Response('a page', { headers: { 'cache-control': 'max-age=60' } }),
});
const site = cdn('site', { origin: page, purges: pages });

// What is not there is never remembered here, so that each lookup goes all the way.
const names = dns('names', {
  servers: 1,
  negativeTtl: '0ms',
  timeout: '200ms',
  records: { 'page.test': page },
});

const egress = forwardProxy('egress', { nodes: 2, sites: { 'page.test': page } });

const bindings = { egress, store, hot, numbers, log, quotas, rates, model, pages, names };

async function handle(request: Request, env: Env<typeof bindings>): Promise<Response> {
  const key = new URL(request.url).pathname;
  await env.quotas.take('everybody');
  await env.model.fetch('/');
  await env.store.put(key, await env.numbers.next());
  await env.hot.through(key, () => env.store.get(key));
  await env.log.publish(key);
  await env.pages.purge({ prefix: 'http://edge/page/' });
  await env.names.resolve('nothing.test');
  await env.egress.fetch('http://page.test/');
  return stamped();
}

/** User code says what time it is, so that a wrong clock shows. */
function stamped(): Response {
  console.log(`at ${Date.now()}`);
  return new Response('done');
}

const coded = service('coded', {
  instances: 2,
  cost: { cpu: '1ms' },
  env: bindings,
  releases: { v1: { fetch: handle }, v2: { fetch: handle } },
});

const reader = service('reader', {
  cost: { cpu: '1ms' },
  env: { log },
  on: { log: () => void stamped() },
});

const design = system('everything', {
  entry: balancer('lb', {
    nodes: 2,
    to: gateway('edge', {
      nodes: 2,
      routes: { '/': coded, '/page': site },
      policy: { timeout: '1s' },
    }),
  }),
  blocks: [reader],
  workload: users({
    rate: '40/s',
    async act(user) {
      stamped();
      await user.fetch(`/${user.random.below(10)}`);
      await user.fetch(`/page/${user.random.below(3)}`);
    },
  }),
  invariants: [noLoss(log), uniqueIds(numbers)],
});

const blocks = [
  'lb',
  'edge',
  'coded',
  'model',
  'rates',
  'store',
  'hot',
  'numbers',
  'log',
  'quotas',
  'site',
  'pages',
  'names',
  'egress',
  'reader',
  'users',
] as const;
type BlockName = (typeof blocks)[number];

const beginsAtUs = 600_000;
const when = { atUs: beginsAtUs, forUs: 600_000 };
const all: Target = { all: true };

interface Row {
  readonly kind: string;
  readonly faults: (target: Target) => readonly Fault[];
  /** Blocks that must notice; the others must not. */
  readonly acts: readonly BlockName[];
  readonly why: string;
}

const everyone = 'every block lives in a process and on a network';
const withDisk = ['store', 'numbers', 'log', 'quotas', 'pages'] as const;

const rows: readonly Row[] = [
  ...(['kill', 'power-off', 'restart', 'pause'] as const).map(
    (verb): Row => ({
      kind: verb,
      faults: (target) => [{ do: verb, target, ...when }],
      acts: blocks,
      why: everyone,
    }),
  ),
  {
    kind: 'slow',
    faults: (target) => [{ do: 'slow', target, factor: 20, ...when }],
    acts: blocks.filter((block) => block !== 'users'),
    why: 'users are not a machine of ours',
  },
  {
    kind: 'cut',
    faults: (from) => [{ do: 'cut', from, to: all, oneWay: false, ...when }],
    acts: blocks,
    why: everyone,
  },
  {
    kind: 'lose',
    faults: (from) => [{ do: 'lose', from, to: all, ratio: 0.5, ...when }],
    acts: blocks,
    why: everyone,
  },
  {
    kind: 'delay',
    faults: (from) => [{ do: 'delay', from, to: all, byUs: 50_000, ...when }],
    acts: blocks,
    why: everyone,
  },
  {
    kind: 'duplicate',
    faults: (from) => [{ do: 'duplicate', from, to: all, ratio: 0.5, ...when }],
    acts: blocks.filter((block) => block !== 'lb' && block !== 'users'),
    why: 'connections bring everything once',
  },
  ...(['fill-disk', 'fail-disk'] as const).map(
    (verb): Row => ({
      kind: verb,
      faults: (target) => [{ do: verb, target, ...when }],
      acts: withDisk,
      why: 'the others keep nothing on a disk',
    }),
  ),
];

interface Seen {
  readonly report: Report;
  /** Messages as they arrived or did not, one line each, beginning with the time in milliseconds. */
  readonly lines: readonly string[];
  readonly events: readonly RunEvent[];
}

async function run(faults: readonly Fault[], of = design): Promise<Seen> {
  const lines: string[] = [];
  const events: RunEvent[] = [];
  const { report } = await simulateHere(() => ({
    design: of,
    seed: 1,
    forUs: 2_000_000,
    faults,
    onTrace: (line) => lines.push(line),
    onEvent: (event) => events.push(event),
  }));
  return { report, lines, events };
}

function trafficOf(block: string, { lines }: Seen): readonly string[] {
  return lines.filter((line) => line.includes(` ${block}/`));
}

/** The load, the heal, and the minute of drain that a run allows itself, are over; nothing is missing. */
function expectWhole({ report }: Seen): void {
  const { generated, completed, rejected, failed, inFlight } = report;
  expect(completed + rejected + failed + inFlight).toBe(generated);
  const conserved = report.invariants.find(({ name }) => name === 'requests are conserved');
  expect(conserved?.verdict).toBe('holds');
  const wrong = report.invariants.filter(({ verdict }) => verdict === 'violated');
  expect(wrong).toEqual([]);
  expect(report.notes).toEqual([]);
}

let calm: Seen;
beforeAll(async () => {
  calm = await run([]);
});

test('without a fault everything is answered', () => {
  expectWhole(calm);
  expect(calm.report.completed).toBe(calm.report.generated);
  for (const block of blocks) expect(trafficOf(block, calm).length).toBeGreaterThan(0);
});

describe.each(rows.map((row, index) => ({ ...row, targets: inTurn(blocks, index) })))(
  '$kind ($why)',
  ({ faults, acts, targets }) => {
    test.each(targets)('of %s', async (block) => {
      const seen = await run(faults({ block }));
      expectWhole(seen);
      expectNoticed(block, acts.includes(block), seen, calm);
    });
  },
);

/** From the beginning of the fault on, and not before. */
function expectNoticed(block: string, acts: boolean, seen: Seen, without: Seen): void {
  const before = trafficOf(block, without);
  const after = trafficOf(block, seen);
  if (!acts) return expect(after).toEqual(before);
  expect(after).not.toEqual(before);
  const first = before.findIndex((line, index) => line !== after[index]);
  const at = after[first] ?? before[first] ?? after[before.length]!;
  expect(Number.parseFloat(at) * 1_000).toBeGreaterThanOrEqual(beginsAtUs);
}

/** What user code of a block read from its clock while the fault lasted, in milliseconds. */
function clockOf(block: string, { events }: Seen): readonly number[] {
  return events.flatMap((event) =>
    event.type === 'log' &&
    event.node.startsWith(`${block}/`) &&
    event.at > when.atUs &&
    event.at < when.atUs + when.forUs
      ? [Number(event.text.replace('at ', ''))]
      : [],
  );
}

describe('skew (the wall clock is wrong, and nothing else)', () => {
  test.each(inTurn(blocks))('of %s', async (block) => {
    const target = { block };
    const seen = await run([{ do: 'skew', target, byUs: 5_000_000, driftPpm: 0, ...when }]);
    expectWhole(seen);
    // Nobody's messages come at another time: five seconds are nothing to a quota of a day, and no
    // other block looks at the wall clock.
    expect(trafficOf(block, seen)).toEqual(trafficOf(block, calm));
    const before = clockOf(block, calm);
    expect(clockOf(block, seen)).toEqual(before.map((ms) => ms + 5_000));
    const readsClock = ['coded', 'rates', 'reader', 'users'].includes(block);
    expect(before.length > 0).toBe(readsClock);
  });
});

describe('rot (bits on a disk flip, which shows when a node boots from it)', () => {
  test.each(inTurn(blocks, 1))('of %s', async (block) => {
    const kill: Fault = {
      do: 'kill',
      target: { node: `${block}/0` },
      atUs: 800_000,
      forUs: 200_000,
    };
    const rot: Fault = { do: 'rot', target: { node: `${block}/0` }, bits: 200, atUs: beginsAtUs };
    const whole = await run([kill]);
    const rotten = await run([rot, kill]);
    const { generated, completed, rejected, failed, inFlight } = rotten.report;
    expect(completed + rejected + failed + inFlight).toBe(generated);
    const noticed = trafficOf(block, rotten).join() !== trafficOf(block, whole).join();
    expect(noticed).toBe(withDisk.some((one) => one === block));
  });
});

test('surge: more users come while it lasts', async () => {
  const seen = await run([{ do: 'surge', factor: 3, ...when }]);
  expectWhole(seen);
  expect(seen.report.generated).toBeGreaterThan(calm.report.generated * 1.3);
});

test('shift: only instances of the release that has the traffic get any', async () => {
  const traffic = { v1: 0, v2: 1 };
  const seen = await run([{ do: 'shift', service: 'coded', traffic, ...when }]);
  expectWhole(seen);
  const asked = ({ lines }: Seen, node: string): number =>
    lines.filter((line) => {
      const at = Number.parseFloat(line) * 1_000;
      const isMeanwhile = at > when.atUs + 100_000 && at < when.atUs + when.forUs;
      return isMeanwhile && line.includes(`delivered ${node} GET`);
    }).length;
  expect(asked(calm, 'coded/0')).toBeGreaterThan(0);
  expect(asked(seen, 'coded/0')).toBe(0);
  expect(asked(seen, 'coded/1')).toBeGreaterThan(asked(calm, 'coded/1'));
});

test('fail calls, slow calls: only those of the service that is named, and nobody works for what fails', async () => {
  const failing = await run([
    { do: 'fail-calls', service: 'coded', ratio: 1, status: 503, ...when },
  ]);
  expectWhole(failing);
  expect(failing.report.failed + failing.report.rejected).toBeGreaterThan(
    calm.report.failed + calm.report.rejected + 10,
  );
  const slow = await run([
    { do: 'slow-calls', service: 'coded', ratio: 1, byUs: 200_000, ...when },
  ]);
  expectWhole(slow);
  expect(slow.report.latencyMs.p99).toBeGreaterThan(calm.report.latencyMs.p99 + 150);
});

describe('where instances come and go', () => {
  const net = mesh('net', {
    sync: '100ms',
    stageFor: '0ms',
    identity: 'required',
    identityFor: '1s',
    allow: { front: ['edge'] },
  });
  const names = registry('names', { renewEvery: '200ms', ttl: '1s' });
  const both = { mesh: net, discovery: names, cost: '1ms' } as const;
  const back = service('back', { ...both, instances: 2, fetch: () => new Response() });
  const front = service('front', {
    ...both,
    instances: 2,
    env: { back },
    fetch: (_request, env) => env.back.fetch('/'),
  });
  const ops = service('ops', {
    env: { net },
    async fetch(_request, env) {
      await env.net.apply({ back: { traffic: { current: 1 } } });
      return new Response();
    },
  });
  const keeper = fleet('keeper', {
    of: back,
    min: 2,
    every: '200ms',
    health: { interval: '200ms' },
  });
  const moving = system('moving', {
    entry: gateway('edge', { routes: { '/': front, '/ops': ops }, policy: { timeout: '1s' } }),
    blocks: [keeper],
    workload: users({
      rate: '20/s',
      async act(user) {
        await user.fetch('/');
        await user.fetch('/ops');
      },
    }),
  });
  const movers = ['names', 'net', 'keeper'] as const;
  /** Of what does not act on all of them. */
  const actsOn: Readonly<Record<string, readonly string[]>> = {
    // A fleet computes next to nothing, and a control plane signs.
    slow: ['names', 'net'],
    'fill-disk': ['net'],
    'fail-disk': ['net'],
  };
  let still: Seen;
  beforeAll(async () => {
    still = await run([], moving);
  });

  test('without a fault everything is answered', () => {
    expectWhole(still);
    expect(still.report.completed).toBe(still.report.generated);
  });

  describe.each(rows)('$kind', ({ kind, faults }) => {
    test.each(movers)('of %s', async (block) => {
      const seen = await run(faults({ block }), moving);
      expectWhole(seen);
      expectNoticed(block, actsOn[kind]?.includes(block) ?? true, seen, still);
    });
  });

  test('skew: who lists and keeps instances has no use for the time of day', async () => {
    for (const block of ['names', 'keeper']) {
      const skew = {
        do: 'skew',
        target: { block },
        byUs: 5_000_000,
        driftPpm: 0,
        ...when,
      } as const;
      const seen = await run([skew], moving);
      expectWhole(seen);
      expect(trafficOf(block, seen)).toEqual(trafficOf(block, still));
    }
  });

  test('rot: of what the control plane keeps nothing damaged is believed', async () => {
    const target = { node: 'net/0' };
    const kill: Fault = { do: 'kill', target, atUs: 800_000, forUs: 200_000 };
    const seen = await run([{ do: 'rot', target, bits: 200, atUs: beginsAtUs }, kill], moving);
    const crash = seen.events.find(
      (event) => event.type === 'crash' && event.node === 'net/0' && event.at > 900_000,
    );
    expect(JSON.stringify(crash)).toContain('is damaged');
    // Traffic never needed it.
    expect(seen.report.blocks.front!.errors).toBe(0);
  });

  test('start, stop: traffic goes to those who are there', async () => {
    const seen = await run(
      [
        { do: 'start', block: 'front', count: 1, atUs: beginsAtUs },
        { do: 'stop', target: { node: 'front/0' }, atUs: beginsAtUs + 300_000 },
      ],
      moving,
    );
    expectWhole(seen);
    expect(seen.report.completed).toBe(seen.report.generated);
    const last = (node: string): string | undefined =>
      seen.lines.findLast((line) => line.includes(`delivered ${node} GET`));
    expect(Number.parseFloat(last('front/2')!)).toBeGreaterThan(1_500);
    expect(Number.parseFloat(last('front/0')!)).toBeLessThan(1_500);
  });
});
