/** The way of single requests, and messages between nodes: what a second run of the same seed tells. */
import { describe, expect, test } from 'vitest';
import shortener from '../../examples/shortener/design.ts';
import { link } from '../../test/sandbox.ts';
import { external } from '../blocks/compute/service/external.ts';
import {
  type Call,
  call,
  parallel,
  type ServiceOptions,
  service,
} from '../blocks/compute/service/index.ts';
import { kv } from '../blocks/data/kv/index.ts';
import { gateway } from '../blocks/edge/gateway/index.ts';
import { topic } from '../blocks/messaging/topic/index.ts';
import { users } from '../blocks/workload/users/index.ts';
import { system } from '../design/system.ts';
import type { Declaration } from '../host/declaration.ts';
import type { Micros } from '../host/host.ts';
import { Causality } from '../sim/causality.ts';
import { continuations } from '../sim/node/continuations.ts';
import { followHere, type HereOptions, simulateHere } from './node/here.ts';
import { type Asked, resolve } from './options.ts';
import type { MessageQuery, MessageWindow, RequestSample, Span, Waterfall } from './traced.ts';
import { MessageTracer } from './traces/messages.ts';
import { RequestTracer } from './traces/requests.ts';
import { WaterfallTracer } from './traces/waterfall.ts';
import { Words } from './traces/words.ts';
import { traceMessages, traceRequests, traceWaterfall } from './tracing.ts';

const hopUs = 500;
const hop = link(hopUs);
const network = { loopback: hop, sameZone: hop, sameRegion: hop };
const ms = 1_000;
const second = 1_000_000;

/** Requests at these instants, on a network where every hop takes half a millisecond. */
function asked(entry: Declaration, atUs: readonly Micros[], more: Asked = {}): () => HereOptions {
  const design = system('traced', {
    entry,
    zones: ['a'],
    network,
    workload: users({ rate: '1/s' }),
  });
  const visits = atUs.map((at) => ({ atUs: at, ip: '20.0.0.1', method: 'GET', path: '/x' }));
  return () => ({ design, seed: 1, ...resolve(design, { ...more, visits }) });
}

const modelled = (
  name: string,
  calls: readonly Call[],
  more: Partial<ServiceOptions<Record<string, Declaration>>> = {},
) => service(name, { instances: 1, calls, ...more } as never);

const waterfall = (prepare: () => HereOptions, index = 0): Promise<Waterfall> =>
  followHere(prepare, (options) => traceWaterfall(options, index));

const requests = (prepare: () => HereOptions): Promise<RequestSample> =>
  followHere(prepare, traceRequests);

const rowsOf = ({ slowest, failed }: RequestSample) => [...slowest, ...failed];

const messages = (
  prepare: () => HereOptions,
  query: Partial<MessageQuery> = {},
): Promise<MessageWindow> =>
  followHere(prepare, (options) =>
    traceMessages(options, { fromUs: 0, toUs: 10 * second, maxCount: 1_000, ...query }),
  );

/** `b 1500..2500 queued 0 served 1000 ok #1`, times since the request began. */
function lines({ request, spans }: Waterfall): string[] {
  const since = (at: Micros | null) => (at === null ? '-' : at - request.startUs);
  return spans.map((span) => {
    const depth = '  '.repeat(depthOf(spans, span));
    const times = [span.sentAt, span.arrivedAt, span.repliedAt, span.endedAt].map(since).join(' ');
    const attempt = span.attempt > 1 ? ` #${span.attempt}` : '';
    return `${depth}${span.from} > ${span.to}: ${times}, queued ${span.queuedUs} served ${span.servedUs}, ${span.outcome}${attempt}`;
  });
}

function depthOf(spans: readonly Span[], { parent }: Span): number {
  return parent === null ? 0 : 1 + depthOf(spans, spans[parent]!);
}

describe('a waterfall', () => {
  test('of a modelled chain is what its constants say', async () => {
    const b = modelled('b', [], { cost: '3ms' });
    const a = modelled('a', [call(b)], { cost: { cpu: '2ms' } });
    const edge = gateway('edge', { cost: '0us', routes: { '/': a } });
    const found = await waterfall(asked(edge, [10 * ms]));
    expect(found.request).toMatchObject({
      index: 0,
      what: 'GET /x',
      latencyUs: 8_000,
      outcome: 'ok',
    });
    expect(found.leftOut).toBe(0);
    expect(lines(found)).toEqual([
      'users/0 > edge/0: 0 500 7500 8000, queued 0 served 0, ok',
      '  edge/0 > a/0: 500 1000 7000 7500, queued 0 served 2000, ok',
      '    a/0 > b/0: 3000 3500 6500 7000, queued 0 served 3000, ok',
    ]);
    expect(found.spans.map(({ block, what }) => `${block}: ${what}`)).toEqual([
      'edge: GET /x',
      'a: GET /x',
      'b: GET /',
    ]);
  });

  test('shows calls made side by side as such', async () => {
    const a = modelled('a', [], { cost: '1ms' });
    const b = modelled('b', [], { cost: '2ms' });
    const found = await waterfall(asked(modelled('api', [parallel(call(a), call(b))]), [0]));
    expect(lines(found)).toEqual([
      'users/0 > api/0: 0 500 3500 4000, queued 0 served 0, ok',
      '  api/0 > a/0: 500 1000 2000 2500, queued 0 served 1000, ok',
      '  api/0 > b/0: 500 1000 3000 3500, queued 0 served 2000, ok',
    ]);
  });

  test.each([
    ['a core', { cost: { cpu: '4ms' } }],
    ['a slot', { cost: '4ms', slots: 1 }],
  ])('tells the wait for %s from the work', async (_what, more) => {
    const b = modelled('b', [], { cost: '1ms' });
    const api = modelled(
      'api',
      [call(b)],
      more as Partial<ServiceOptions<Record<string, Declaration>>>,
    );
    const together = asked(api, [0, 0, 0]);
    expect(lines(await waterfall(together, 0))).toEqual([
      'users/0 > api/0: 0 500 6500 7000, queued 0 served 4000, ok',
      '  api/0 > b/0: 4500 5000 6000 6500, queued 0 served 1000, ok',
    ]);
    expect(lines(await waterfall(together, 2))).toEqual([
      'users/0 > api/0: 0 500 14500 15000, queued 8000 served 4000, ok',
      '  api/0 > b/0: 12500 13000 14000 14500, queued 0 served 1000, ok',
    ]);
  });

  test('counts attempts: killed under the first, answered by the second', async () => {
    const back = modelled('back', [], {
      instances: 2,
      cost: '10ms',
      policy: { retry: { attempts: 2, backoff: '1ms', backoffMax: '1ms' } },
    });
    const api = modelled('api', [call(back)]);
    const first = (await waterfall(asked(api, [0]))).spans[1]!.to;
    const found = await waterfall(asked(api, [0], { faults: [`kill ${first} at 5ms`] }));
    const [, one, two] = found.spans;
    expect(one).toMatchObject({ to: first, outcome: 'reset', attempt: 1, repliedAt: null });
    expect(two).toMatchObject({ outcome: 'ok', attempt: 2, parent: 0 });
    expect(two!.to).not.toBe(first);
    expect(two!.sentAt).toBeGreaterThanOrEqual(one!.endedAt!);
    expect(found.request.outcome).toBe('ok');
  });

  test('two calls of the same are two first attempts when the first went well', async () => {
    const back = modelled('back', [], { cost: '1ms' });
    const found = await waterfall(asked(modelled('api', [call(back), call(back)]), [0]));
    expect(found.spans.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  });

  test('follows work that nobody waits for any more', async () => {
    const back = modelled('back', [], { cost: '50ms', policy: { timeout: '20ms' } });
    const found = await waterfall(asked(modelled('api', [call(back)]), [0]));
    const [root, given] = found.spans;
    expect(root).toMatchObject({ outcome: 'error' });
    expect(found.request.outcome).toBe('status 502');
    expect(given).toMatchObject({ outcome: 'timeout', servedUs: 50_000 });
    expect(given!.endedAt! - given!.sentAt).toBeGreaterThanOrEqual(20 * ms);
  });

  test('says when a caller gave up because its own caller had', async () => {
    const back = modelled('back', [], { cost: '50ms' });
    // What comes late to the gateway is given up before the gateway's own time is over.
    const design = system('traced', {
      entry: gateway('edge', { routes: { '/': back } }),
      zones: ['a'],
      network,
      workload: users({ rate: '1/s', timeout: '20ms' }),
      faults: ['delay 5ms between users and edge at 0s for 10ms'],
    });
    const visits = [{ atUs: ms, ip: '20.0.0.1', method: 'GET', path: '/x' }];
    const { spans } = await waterfall(() => ({ design, seed: 1, ...resolve(design, { visits }) }));
    expect(spans.map(({ outcome, endedAt }) => [outcome, endedAt === null])).toEqual([
      ['timeout', false],
      ['abandoned', true],
    ]);
  });

  test('says that a message was lost, and how long its caller waited', async () => {
    const back = modelled('back', [], { policy: { timeout: '20ms' } });
    const faults = ['lose 100% between api and back at 0s'];
    const found = await waterfall(asked(modelled('api', [call(back)]), [10 * ms], { faults }));
    expect(found.spans[1]).toMatchObject({ outcome: 'lost', arrivedAt: null, repliedAt: null });
    expect(found.spans[1]!.endedAt! - found.spans[1]!.sentAt).toBeGreaterThanOrEqual(20 * ms);
  });

  test('of a quorum read has every replica, and the answer that was not needed', async () => {
    const cells = kv('cells');
    const api = service('api', {
      instances: 1,
      env: { cells },
      fetch: async (_request, env) => Response.json((await env.cells.get('a')) ?? null),
    });
    const faults = ['delay 30ms between api and cells/1 at 0s'];
    const found = await waterfall(asked(api, [10 * ms], { faults }));
    const replicas = found.spans.slice(1);
    expect(replicas.map(({ to }) => to).sort()).toEqual(['cells/0', 'cells/1', 'cells/2']);
    for (const span of replicas) {
      expect(span).toMatchObject({ parent: 0, attempt: 1, block: 'cells' });
      expect(span.repliedAt).not.toBeNull();
      const late = span.to === 'cells/1';
      expect(span.outcome).toBe(late ? 'abandoned' : 'ok');
      expect(span.endedAt === null).toBe(late);
    }
    const { messages: all } = await messages(asked(api, [10 * ms], { faults }), {
      blocks: ['cells'],
    });
    const answers = all.filter(({ to }) => to === 'api/0');
    expect(answers.map(({ from, late }) => [from, late])).toContainEqual(['cells/1', true]);
    expect(answers.filter(({ late }) => late)).toHaveLength(1);
  });

  test('of a question asked again in the same words has both, and the answer to the second', async () => {
    const cells = kv('cells', { timeout: '90ms' });
    const api = service('api', {
      instances: 1,
      env: { cells },
      fetch: async (_request, env) => Response.json((await env.cells.get('a')) ?? null),
    });
    const faults = [0, 1].map((i) => `lose 100% between api and cells/${i} at 0s for 25ms`);
    const { spans } = await waterfall(asked(api, [10 * ms], { faults }));
    const told = spans.slice(1).map(({ to, outcome, attempt }) => `${to} ${outcome} #${attempt}`);
    expect(told.sort()).toEqual([
      'cells/0 lost #1',
      'cells/0 ok #2',
      // With the two others that is a majority.
      'cells/1 abandoned #2',
      'cells/1 lost #1',
      'cells/2 ok #1',
    ]);
  });

  test('tells requests apart that one load answers, and what each does afterwards', async () => {
    const store = external('store', { latency: '20ms' });
    const after = external('after', { latency: '1ms' });
    let shared: Promise<unknown> | undefined;
    const api = service('api', {
      instances: 1,
      env: { store, after },
      async fetch(request, env) {
        shared ??= env.store.fetch('/');
        await shared;
        await env.after.fetch(`/${request.headers.get('x-forwarded-for') ?? ''}`);
        return new Response();
      },
    });
    const both = asked(api, [0, 5 * ms]);
    const named = async (index: number) => (await waterfall(both, index)).spans.map(({ to }) => to);
    expect(await named(0)).toEqual(['api/0', 'store/0', 'after/0']);
    shared = undefined;
    expect(await named(1)).toEqual(['api/0', 'after/0']);
  });

  test('follows what was published to who consumes it, and leaves out what one sync tells others', async () => {
    const events = topic<string>('events', { partitions: 1, nodes: 1 });
    const cells = kv('cells', { replicas: 1 });
    const api = service('api', {
      instances: 2,
      env: { events },
      async fetch(_request, env) {
        await env.events.publish('x');
        return new Response();
      },
    });
    const reader = service('reader', {
      instances: 1,
      env: { events, cells },
      on: {
        events: async (batch, env) => {
          for (const { id, value } of batch) await env.cells.put(id, value);
        },
      },
    });
    const design = system('traced', {
      entry: gateway('edge', { routes: { '/': api } }),
      blocks: [reader],
      zones: ['a'],
      network,
      workload: users({ rate: '1/s' }),
    });
    const visits = [0, 0, 0].map((atUs) => ({
      atUs: atUs + 100 * ms,
      ip: '20.0.0.1',
      method: 'POST',
      path: '/',
    }));
    const run = (): HereOptions => ({ design, seed: 1, ...resolve(design, { visits }) });
    const first = await waterfall(run, 0);
    expect(
      first.spans.map(({ from, block, what }) => `${from} > ${block} ${what.split(' ')[0]}`),
    ).toEqual([
      'users/0 > edge POST',
      'edge/0 > api POST',
      'api/1 > events publish',
      'events/0 > events deliver',
      'reader/0 > cells ask-version',
      'reader/0 > cells store',
      'reader/0 > events commit',
    ]);
    for (const index of [1, 2]) {
      const { spans } = await waterfall(run, index);
      expect(spans.map(({ block }) => block)).toEqual(['edge', 'api', 'events']);
    }
  });

  test('of a number that was never asked says how many there are', async () => {
    await expect(waterfall(asked(modelled('api', []), [0, 1, 2]), 3)).rejects.toThrow(
      'this run has no request number 3: there are 3, numbered from 0 to 2',
    );
  });
});

describe('the requests of a run', () => {
  test('are the slowest first, then those that failed', async () => {
    const back = modelled('back', [], { cost: '5ms', openMax: 2 });
    const rows = rowsOf(await requests(asked(back, [0, 0, 0, 50 * ms, 60 * ms])));
    expect(rows.map(({ index, outcome, latencyUs }) => [index, outcome, latencyUs])).toEqual([
      [0, 'ok', 6_000],
      [1, 'ok', 6_000],
      [3, 'ok', 6_000],
      [4, 'ok', 6_000],
      [2, 'status 503', 1_000],
    ]);
    expect(rows[0]).toMatchObject({ what: 'GET /x', startUs: expect.closeTo(0, -1) });
  });

  test('are no more than 200 of each kind, however many there were', async () => {
    const back = modelled('back', [], { cost: '1ms', openMax: 1 });
    const many = Array.from({ length: 3_000 }, (_, index) => Math.floor(index / 3) * 5 * ms);
    const sample = await requests(asked(back, many));
    const rows = rowsOf(sample);
    const { answeredCount, failedCount } = sample;
    expect([answeredCount, failedCount]).toEqual([1_000, 2_000]);
    const answered = rows.filter(({ outcome }) => outcome === 'ok');
    expect([rows.length, answered.length]).toEqual([400, 200]);
    expect(rows.slice(200).map(({ index }) => index)).toEqual(
      [...rows.slice(200)].map(({ index }) => index).sort((a, b) => a - b),
    );
    expect(rows[200]!.index).toBe(1);
  });
});

describe('the shortener, traced', () => {
  const faults = ['kill links/1 at 1s, restart after 1s', 'lose 2% between api and links at 0s'];
  const forUs = 3 * second;
  const prepare = (): HereOptions => ({
    design: shortener,
    seed: 5,
    ...resolve(shortener, { forUs, faults }),
  });

  test('is the very same run, whatever is traced', async () => {
    const words = new Words(shortener, undefined);
    const window = { fromUs: 0, toUs: forUs, maxCount: 10 };
    const code = continuations();
    const traced = [
      new RequestTracer(words),
      new WaterfallTracer(words, 700),
      new MessageTracer(words, window),
    ];
    const { report } = await simulateHere(prepare);
    for (const tracer of traced) {
      const causality = new Causality(tracer, code);
      const again = await simulateHere(() => ({
        ...prepare(),
        causality,
        onLoad: (at) => tracer.begins(at),
      }));
      expect(again.report.digest).toBe(report.digest);
    }
    code.end();
  });

  test('counts as the run that it follows', async () => {
    const [{ report }, sample] = [await simulateHere(prepare), await requests(prepare)];
    const rows = rowsOf(sample);
    const { answeredCount, failedCount } = sample;
    expect([answeredCount, failedCount]).toEqual([report.completed, report.failed]);
    expect(rows.filter(({ outcome }) => outcome === 'ok')).toHaveLength(200);
    expect(rows.filter(({ outcome }) => outcome !== 'ok')).toHaveLength(report.failed);
    // Users are timed from when they were due, on a clock of their own: microseconds apart.
    expect(rows[0]!.latencyUs! / 1_000).toBeCloseTo(report.latencyMs.max, 1);
  });

  test('is the same twice, and every span lies within what it belongs to', async () => {
    const rows = rowsOf(await requests(prepare));
    for (const { index, latencyUs } of [rows[0]!, rows[7]!, rows[150]!]) {
      const found = await waterfall(prepare, index);
      expect(await waterfall(prepare, index)).toEqual(found);
      expect(found.request.latencyUs).toBe(latencyUs);
      expect(found.spans.length).toBeGreaterThan(2);
      found.spans.forEach((span, id) => {
        expect(span.id).toBe(id);
        const { arrivedAt, repliedAt, endedAt, sentAt, queuedUs, servedUs } = span;
        const known = [sentAt, arrivedAt, repliedAt, endedAt].filter((at) => at !== null);
        if (span.outcome === 'ok') expect(known).toEqual([...known].sort((a, b) => a - b));
        if (arrivedAt !== null && repliedAt !== null) {
          expect(queuedUs + servedUs).toBeLessThanOrEqual(repliedAt - arrivedAt);
        }
        if (span.parent === null) return;
        expect(span.parent).toBeLessThan(id);
        const parent = found.spans[span.parent]!;
        expect(parent.to).toBe(span.from);
        expect(sentAt).toBeGreaterThanOrEqual(parent.arrivedAt!);
      });
    }
  });

  test('says of each message what became of it', async () => {
    const { messages: all, leftOut } = await messages(prepare, {
      fromUs: 900 * ms,
      toUs: 1_100 * ms,
      nodes: ['api', 'links'],
      maxCount: 100_000,
    });
    expect(leftOut).toBe(0);
    const fates = new Set(all.map(({ fate }) => fate));
    expect([...fates].sort()).toEqual(['delivered', 'lost', 'refused']);
    for (const { from, to, sentAt, arrivedAt, fate } of all) {
      expect([from, to].every((node) => /^(api|links)\/\d$/.test(node))).toBe(true);
      expect(arrivedAt === null).toBe(fate !== 'delivered');
      expect(sentAt).toBeLessThanOrEqual(1_100 * ms);
    }
    const few = await messages(prepare, { fromUs: 0, toUs: second, maxCount: 10 });
    expect(few.messages).toHaveLength(10);
    expect(few.leftOut).toBeGreaterThan(1_000);
  });
});
