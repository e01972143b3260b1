/** What an instance does with its requests: with a handler, or as a model of one. */
import { Hono } from 'hono';
import { describe, expect, test, vi } from 'vitest';
import { visit } from '../../../../test/visitor.ts';
import type { Fault } from '../../../host/fault.ts';
import { exponential, gamma } from '../../../kit/draw.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { kv } from '../../data/kv/index.ts';
import { gateway } from '../../edge/gateway/index.ts';
import { topic } from '../../messaging/topic/index.ts';
import { external } from './external.ts';
import {
  type Call,
  call,
  type Fetch,
  optional,
  parallel,
  type ServiceOptions,
  sequence,
  service,
  sometimes,
  work,
} from './index.ts';

const says =
  (text: string): Fetch<object> =>
  () =>
    new Response(text);

/** Two hops of the network of these tests. */
const roundTripUs = 1_000;

describe('a service with a handler', () => {
  test('answers with what the handler does, whatever that is', async () => {
    const api = service('api', {
      fetch: async (request) =>
        Response.json(
          {
            method: request.method,
            path: new URL(request.url).pathname,
            said: await request.text(),
          },
          { status: 418, headers: { 'x-kind': 'teapot' } },
        ),
    });
    const { send, run, reply, text } = visit(api);
    const id = send({ method: 'POST', url: 'http://api/a/b?c', body: 'hello' });
    await run(10_000);
    expect(reply(id)?.status).toBe(418);
    expect(reply(id)?.headers).toContain('teapot');
    expect(JSON.parse(await text(id))).toEqual({ method: 'POST', path: '/a/b', said: 'hello' });
  });

  test('answers 500 when the handler throws, and tells why to the log, not to the caller', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const api = service('api', {
      fetch: () => {
        throw new Error('the password is 1234');
      },
    });
    const { send, run, status, text, counted } = visit(api);
    const id = send();
    await run(10_000);
    expect([status(id), await text(id)]).toEqual([500, 'internal error']);
    expect(counted('api', 'errors')).toBe(1);
    expect(String(log.mock.calls[0])).toContain('the password is 1234');
    log.mockRestore();
  });

  const failing = () => {
    throw new Unavailable('links', 'get', 'timeout', false);
  };

  test.each([
    ['a bare function', failing],
    ['Hono', new Hono().get('/', failing).fetch],
    ['Hono, from a promise', new Hono().get('/', async () => failing()).fetch],
  ] as const)('lets an unavailable block pass as 503: %s', async (_name, fetch) => {
    const api = service('api', { fetch: (request) => fetch(request as Request) });
    const { send, run, status, text } = visit(api);
    const id = send();
    await run(10_000);
    expect(status(id)).toBe(503);
    expect(await text(id)).toContain('links.get: timeout');
  });

  test('charges its cost before the handler: of a core in turn, of waiting side by side', async () => {
    const times = async (cost: ServiceOptions<Record<never, never>>['cost']) => {
      const api = service('api', { instances: 1, cost: cost!, fetch: says('fine') });
      const { send, run, answeredAt, world } = visit(api);
      const startedAt = world.now;
      const ids = [send(), send(), send()];
      await run(1_000_000);
      return ids.map((id) => answeredAt(id)! - startedAt - roundTripUs);
    };
    expect(await times({ cpu: '10ms' })).toEqual([10_000, 20_000, 30_000]);
    expect(await times({ wait: '10ms' })).toEqual([10_000, 10_000, 10_000]);
    expect(await times('10ms')).toEqual([10_000, 10_000, 10_000]);
  });

  test('another service is called through env, and its policy keeps the call whole', async () => {
    let asked = 0;
    const prices = service('prices', {
      instances: 2,
      fetch: () => new Response(String(++asked), { status: asked === 1 ? 503 : 200 }),
      policy: { retry: { attempts: 2 } },
    });
    const api = service('api', {
      env: { prices },
      fetch: async (_request, env) => new Response(await (await env.prices.fetch('/')).text()),
    });
    const { send, run, text } = visit(api);
    const id = send();
    await run(1_000_000);
    expect(await text(id)).toBe('2');
  });

  test('what it calls gets no more time than its own caller has', async () => {
    const slow = service('slow', { instances: 1, cost: { wait: '5s' }, fetch: says('late') });
    const api = service('api', {
      env: { slow },
      fetch: (_request, env) => env.slow.fetch('/'),
    });
    const { send, run, status, answeredAt, world } = visit(api);
    const startedAt = world.now;
    const id = send({ timeoutUs: 200_000 });
    await run(1_000_000);
    expect(status(id)).toBe(503);
    expect(answeredAt(id)! - startedAt).toBeLessThanOrEqual(200_000 + roundTripUs);
  });

  test('each release answers on its share of the instances', async () => {
    const api = service('api', {
      instances: 10,
      releases: { v1: { fetch: says('v1') }, v2: { fetch: says('v2') } },
      traffic: { v1: 0.95, v2: 0.05 },
    });
    const { send, run, text } = visit(api);
    const ids = Array.from({ length: 10 }, (_, i) => send({}, `api/${i}`));
    await run(10_000);
    const texts = await Promise.all(ids.map(text));
    expect(texts.filter((one) => one === 'v2')).toHaveLength(1);
    expect(texts.filter((one) => one === 'v1')).toHaveLength(9);
  });

  test('a release that gets nothing yet has an instance to shift to', async () => {
    const api = service('api', {
      instances: 3,
      releases: { v1: { fetch: says('v1') }, v2: { fetch: says('v2') } },
      traffic: { v1: 1 },
    });
    const { world, send, run, text, plan } = visit(gateway('edge', { routes: { '/': api } }));
    const ask = async () => {
      const ids = Array.from({ length: 6 }, () => send());
      await run(50_000);
      return new Set(await Promise.all(ids.map(text)));
    };
    expect(plan.nodes.filter(({ block }) => block === 'api')).toHaveLength(3);
    expect(await ask()).toEqual(new Set(['v1']));
    world.inject({ atUs: 0, do: 'shift', service: 'api', traffic: { v1: 0, v2: 1 } });
    expect(await ask()).toEqual(new Set(['v2']));
  });
});

describe('an instance', () => {
  const slow = (more: object = {}) =>
    service('api', { instances: 1, cost: { wait: '100ms' }, fetch: says('late'), ...more });

  test('sheds with 503 at once what is more than it may hold', async () => {
    const { send, run, status, counted } = visit(slow({ openMax: 2 }));
    const ids = [send(), send(), send()];
    await run(10_000);
    expect(ids.map(status)).toEqual([undefined, undefined, 503]);
    await run(200_000);
    expect(ids.map(status)).toEqual([200, 200, 503]);
    expect(counted('api', 'shed')).toBe(1);
  });

  test('takes a message that came twice as one', async () => {
    const { world, send, run, status } = visit(slow());
    const all = { all: true } as const;
    world.inject({ atUs: 0, do: 'duplicate', from: all, to: { block: 'api' }, ratio: 1 });
    const id = send();
    await run(300_000);
    expect(status(id)).toBe(200);
  });

  test('does not begin what was cancelled, and sends no answer', async () => {
    let begun = 0;
    const fetch = () => {
      begun++;
      return new Response('fine');
    };
    const { send, cancel, run, status, counted } = visit(slow({ fetch }));
    const ids = [send(), send()];
    await run(10_000);
    cancel(ids[0]!);
    await run(300_000);
    expect(ids.map(status)).toEqual([undefined, 200]);
    expect([begun, counted('api', 'abandoned')]).toEqual([1, 1]);
  });

  test('does not begin what nobody waits for any more', async () => {
    const { send, run, status, counted } = visit(slow());
    const id = send({ timeoutUs: 99_000 });
    await run(300_000);
    expect(status(id)).toBeUndefined();
    expect(counted('api', 'abandoned')).toBe(1);
  });

  test('told to stop finishes what it holds and takes nothing new', async () => {
    const { world, send, run, status } = visit(slow());
    const first = send();
    await run(10_000);
    world.inject({ atUs: 0, forUs: 1_000, do: 'restart', target: { node: 'api/0' } });
    await run(1_000);
    const second = send();
    await run(50_000);
    expect([status(first), status(second)]).toEqual([undefined, 503]);
    await run(1_000_000);
    expect(status(first)).toBe(200);
    const third = send();
    await run(200_000);
    expect(status(third)).toBe(200);
  });
});

describe('a modelled service', () => {
  /** How long one request takes, without the network between it and the visitor. */
  async function tookUs(calls: readonly Call[], more: object = {}): Promise<number> {
    const api = service('api', { instances: 1, calls, ...more });
    const { send, run, status, answeredAt, world } = visit(api);
    const startedAt = world.now;
    const id = send();
    await run(10_000_000);
    expect(status(id)).toBe(200);
    return answeredAt(id)! - startedAt - roundTripUs;
  }

  const a = service('a', { instances: 1, cost: '10ms' });
  const b = service('b', { instances: 1, cost: '30ms' });

  test('does its own work, then its calls one after the other', async () => {
    expect(await tookUs([call(a), call(b)], { cost: '5ms' })).toBe(45_000 + 2 * roundTripUs);
  });

  test('waits for the longest of parallel calls, and for each of a sequence', async () => {
    expect(await tookUs([parallel(call(a), call(b))])).toBe(30_000 + roundTripUs);
    expect(await tookUs([sequence(call(a), work('1ms'), call(b))])).toBe(41_000 + 2 * roundTripUs);
    expect(await tookUs([parallel(), sequence()])).toBe(0);
  });

  test('calls sometimes as often as it says', async () => {
    const api = service('api', {
      instances: 1,
      slots: 10_000,
      openMax: 10_000,
      calls: [sometimes(0.3, call(a))],
    });
    const { send, run, counted } = visit(api);
    for (let i = 0; i < 2_000; i++) send();
    await run(60_000_000);
    expect(counted('a', 'requests') / 2_000).toBeGreaterThan(0.26);
    expect(counted('a', 'requests') / 2_000).toBeLessThan(0.34);
  });

  test('fails with what it calls, unless that is optional', async () => {
    for (const [step, expected] of [
      [call(a), 502],
      [sequence(call(a), call(b)), 502],
      [parallel(call(b), call(a)), 502],
      [optional(call(a)), 200],
      [optional(parallel(call(b), call(a))), 200],
    ] as const) {
      const { world, send, run, status } = visit(service('api', { instances: 1, calls: [step] }));
      world.inject({ atUs: 0, do: 'kill', target: { block: 'a' } } as Fault);
      await run(1_000);
      const id = send();
      await run(5_000_000);
      expect(status(id)).toBe(expected);
    }
  });

  test('works on as many as it has slots; the rest wait in order', async () => {
    const api = service('api', { instances: 1, slots: 2, cost: '10ms' });
    const { send, run, answered, answeredAt, world } = visit(api);
    const startedAt = world.now;
    const ids = Array.from({ length: 5 }, () => send());
    await run(1_000_000);
    expect(answered).toEqual(ids);
    expect(ids.map((id) => answeredAt(id)! - startedAt - roundTripUs)).toEqual([
      10_000, 10_000, 20_000, 20_000, 30_000,
    ]);
    // Both slots for 20 ms, then one of the two for 10: on the node's own clock.
    const counters = world.meters.snapshot().find(({ block }) => block === 'api')!.counters;
    expect(Math.abs(counters.occupied! - 25_000)).toBeLessThanOrEqual(5);
  });

  test('holds a slot during its own work only, or until its calls have returned', async () => {
    const lastAt = async (holds: 'work' | 'request') => {
      const api = service('api', { instances: 1, slots: 1, cost: '1ms', holds, calls: [call(b)] });
      const { send, run, answeredAt, world } = visit(api);
      const startedAt = world.now;
      const ids = [send(), send(), send()];
      await run(1_000_000);
      return answeredAt(ids[2]!)! - startedAt - roundTripUs;
    };
    expect(await lastAt('work')).toBe(3_000 + 30_000 + roundTripUs);
    expect(await lastAt('request')).toBe(3 * (1_000 + 30_000 + roundTripUs));
  });

  test('gives no slot to what was cancelled or is too late while it waited', async () => {
    const api = service('api', { instances: 1, slots: 1, cost: '10ms' });
    const { send, cancel, run, status, answeredAt, counted, world } = visit(api);
    const startedAt = world.now;
    const first = send();
    const cancelled = send();
    const late = send({ timeoutUs: 5_000 });
    const last = send();
    await run(2_000);
    cancel(cancelled);
    await run(1_000_000);
    expect([first, cancelled, late, last].map(status)).toEqual([200, undefined, undefined, 200]);
    expect(answeredAt(last)! - startedAt - roundTripUs).toBe(20_000);
    expect(counted('api', 'abandoned')).toBe(2);
  });
});

describe('an external service', () => {
  test('is its stub in the simulator, after its latency', async () => {
    const stripe = external('stripe', {
      latency: '50ms',
      stub: () => Response.json({ paid: true }),
    });
    const { send, run, text, answeredAt, world } = visit(stripe);
    const startedAt = world.now;
    const id = send();
    await run(1_000_000);
    expect(await text(id)).toBe('{"paid":true}');
    expect(answeredAt(id)! - startedAt - roundTripUs).toBe(50_000);
  });

  test('says when its address is none', () => {
    expect(external('stripe', { url: 'stripe' }).problems).toEqual([
      { at: 'stripe.url', what: "must be an absolute URL, got 'stripe'" },
    ]);
  });
});

describe('a service that cannot be', () => {
  const wrong = (options: object) =>
    service('api', options as ServiceOptions<Record<never, never>>).problems.map(
      ({ at, what }) => `${at}: ${what}`,
    );
  const edge = gateway('edge', { routes: { '/': service('inner', {}) } });

  test('says all that is wrong at once', () => {
    const lines = wrong({
      instances: 0,
      replicas: 3,
      cost: 'much',
      policy: { retries: 3 },
      env: { edge, nothing: undefined },
      on: { clicks: () => {} },
      traffic: { v2: 1 },
      fetch: says('v1'),
      calls: [],
    });
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'api.replicas',
      'api.instances',
      'api.policy.retries',
      'api.calls',
      'api.env.edge',
      'api.env.nothing',
      'api.traffic.v2',
      'api.traffic',
      'api.on.clicks',
      'api.cost',
    ]);
  });

  test('has more releases than instances', () => {
    const releases = { v1: { fetch: says('v1') }, v2: { fetch: says('v2') } };
    expect(wrong({ instances: 1, releases })).toEqual([
      'api.instances: must be at least 2, one for each release, got 1',
    ]);
    expect(wrong({ releases, traffic: { v1: -1, v2: 1 } })).toEqual([
      'api.traffic.v1: must be a share, zero or more, got -1',
    ]);
    expect(wrong({ releases, fetch: says('v0') })).toEqual([
      'api: give fetch or releases, not both',
    ]);
  });

  test('has a handler, and knobs that only a model has', () => {
    expect(wrong({ fetch: says('v1'), slots: 1, holds: 'request' })).toEqual([
      'api.slots: is for modelled services: a handler is given all requests at once; openMax and concurrency bound them',
      expect.stringMatching(/^api\.holds: is for modelled services/),
    ]);
    expect(wrong({ slots: 1, holds: 'request', calls: [] })).toEqual([]);
  });

  test('models what cannot be, and the step is named', () => {
    expect(
      wrong({
        calls: [
          call(kv('links')),
          parallel(call(edge), sometimes(1.5, work(gamma('5ms', { cv: -1 })))),
          optional(work('5 parsecs' as '5ms')),
          work({ cpu: exponential('5ms') }),
        ],
      }),
    ).toEqual([
      'api.calls[0]: a modelled service calls services, got kv',
      'api.calls[1].parallel[0]: a modelled service calls services, got gateway',
      'api.calls[1].parallel[1]: sometimes takes a chance from 0 to 1, got 1.5',
      `api.calls[1].parallel[1].sometimes: must be a duration like '5ms' or a distribution like exponential('5ms'), got {"kind":"gamma","mean":5000,"cv":-1}`,
      `api.calls[2].optional: must be a duration like '5ms' or a distribution like exponential('5ms'), got '5 parsecs'`,
    ]);
  });

  test('reads from what is no topic', () => {
    const clicks = topic('clicks');
    expect(wrong({ env: { clicks }, on: { clicks: () => {} } })).toEqual([]);
    expect(wrong({ env: { links: kv('links') }, on: { links: () => {} } })).toEqual([
      'api.on.links: must name a topic that stands in env',
    ]);
  });
});
