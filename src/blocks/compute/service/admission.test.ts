/** Who is turned away when there is too much to do, and what stands on the path to a service. */
import { describe, expect, test } from 'vitest';
import { type Visit, visit } from '../../../../test/visitor.ts';
import type { Fault } from '../../../host/fault.ts';
import { gateway } from '../../edge/gateway/index.ts';
import { call, service } from './index.ts';

const fine = () => new Response('fine');
const kill = (node: string): Fault => ({ atUs: 0, do: 'kill', target: { node } });

/** Twice what it can do, for `forMs`: one request each half a millisecond. */
async function overload(
  made: Visit,
  forMs: number,
  urgency: (i: number) => number,
): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < forMs * 2; i++) {
    ids.push(
      made.send({ headers: ['priority', `u=${urgency(i)}`], ip: `20.0.${i % 200}.1` }, 'api/0'),
    );
    await made.run(500);
  }
  return ids;
}

describe('a limit of its instances', () => {
  test('lets no more into each than its law, whoever asks, and tells the rest when to come back', async () => {
    for (const options of [
      { fetch: fine, cost: { wait: '100us' } },
      { cost: '100us', slots: 10 },
    ] as const) {
      const limit = { rate: '100/s', burst: 5 } as const;
      const made = visit(service('api', { instances: 2, ...options, limit }));
      const ids = await overload(made, 1_000, () => 0);
      await made.run(100_000);
      // The burst, and what the rate gives in the 999.5 ms in which they come.
      const admitted = ids.filter((id) => made.status(id) === 200);
      expect(admitted).toHaveLength(104);
      const refused = ids.filter((id) => made.status(id) === 429);
      expect(refused).toHaveLength(ids.length - 104);
      const { headers } = made.reply(refused[0]!)!;
      expect(headers[headers.indexOf('retry-after') + 1]).toBe('1');
      expect(made.counted('api', 'limited')).toBe(refused.length);
      expect(made.counted('api', 'shed')).toBe(0);
      // The other instance counts by itself, and a health check is not counted.
      const other = made.send({}, 'api/1');
      const checks = Array.from({ length: 20 }, () => made.send({ method: 'OPTIONS', url: '*' }));
      await made.run(10_000);
      expect([other, ...checks].map(made.status)).toEqual(Array(21).fill(200));
    }
  });

  test('a window admits as many in each', async () => {
    const limit = { algorithm: 'sliding-log', rate: '50/s' } as const;
    const made = visit(service('api', { instances: 1, fetch: fine, limit }));
    const ids = await overload(made, 2_000, () => 0);
    await made.run(10_000);
    const times = ids.filter((id) => made.status(id) === 200).map((id) => made.answeredAt(id)!);
    times.forEach((at, i) => {
      if (i >= 50) expect(at - times[i - 50]!).toBeGreaterThanOrEqual(1_000_000);
    });
    expect(times).toHaveLength(100);
  });
});

describe('shedding', () => {
  test('turns the least important away, and serves the important', async () => {
    const shed = { target: '5ms', interval: '50ms', stepDown: 0.2, levels: 4 } as const;
    for (const options of [
      { fetch: fine, cost: { cpu: '1ms' } },
      { cost: '1ms', slots: 1 },
    ] as const) {
      const made = visit(service('api', { instances: 1, ...options, shed }));
      const ids = await overload(made, 2_000, (i) => (i % 4 === 0 ? 0 : 3));
      await made.run(2_000_000);
      const late = ids.slice(2_000);
      const served = (urgent: boolean): number => {
        const own = late.filter((_, i) => (i % 4 === 0) === urgent);
        return own.filter((id) => made.status(id) === 200).length / own.length;
      };
      expect(served(true)).toBeGreaterThan(0.98);
      expect(served(false)).toBeLessThan(0.6);
      expect(made.counted('api', 'shed')).toBeGreaterThan(500);
    }
  });

  test('deep in a chain knows how important the user’s request is: each hop says so to the next', async () => {
    const shed = { target: '5ms', interval: '50ms', stepDown: 0.2, levels: 4 } as const;
    const deep = service('deep', { instances: 1, fetch: fine, cost: { cpu: '1ms' }, shed });
    const modelled = service('modelled', { instances: 1, slots: 10_000, calls: [call(deep)] });
    const top = service('api', {
      instances: 1,
      env: { modelled },
      fetch: (_request, env) => env.modelled.fetch('/'),
    });
    const made = visit(top);
    const ids = await overload(made, 1_500, (i) => (i % 4 === 0 ? 0 : 3));
    await made.run(2_000_000);
    const late = ids.slice(1_500);
    const served = (urgent: boolean): number => {
      const own = late.filter((_, i) => (i % 4 === 0) === urgent);
      return own.filter((id) => made.status(id) === 200).length / own.length;
    };
    expect(served(true)).toBeGreaterThan(0.98);
    expect(served(false)).toBeLessThan(0.6);
    expect(made.counted('deep', 'shed')).toBeGreaterThan(300);
  });

  test('turns nobody away while there is no line', async () => {
    const made = visit(
      service('api', { instances: 1, fetch: fine, cost: { cpu: '100us' }, shed: {} }),
    );
    await overload(made, 300, (i) => i % 8);
    await made.run(100_000);
    expect(made.counted('api', 'shed')).toBe(0);
  });
});

test('an instance that finds out how much it bears keeps its line short', async () => {
  const waits = async (concurrency: object | undefined): Promise<number> => {
    const model = { instances: 1, cost: '4ms', slots: 2, openMax: 10_000 } as const;
    const made = visit(service('api', { ...model, ...(concurrency ? { concurrency } : {}) }));
    const ids = await overload(made, 1_500, () => 0);
    await made.run(20_000_000);
    const last = ids.filter((id) => made.status(id) === 200).at(-1)!;
    // From when it was sent: one is sent each half millisecond.
    return made.answeredAt(last)! - ids.indexOf(last) * 500;
  };
  const limited = await waits({ algorithm: 'vegas', window: '50ms', limitStart: 4, limitMin: 2 });
  expect(limited).toBeLessThan(100_000);
  expect(await waits(undefined)).toBeGreaterThan(1_000_000);
});

describe('a health check', () => {
  test('is answered by the instance, not by its handler, and says no while it drains', async () => {
    const asked: string[] = [];
    const api = service('api', {
      instances: 1,
      fetch: (request) => {
        asked.push(request.url);
        return new Response('late');
      },
      cost: { wait: '500ms' },
    });
    const made = visit(api);
    const ping = () => made.send({ method: 'OPTIONS', url: '*' });
    const before = ping();
    made.send();
    await made.run(10_000);
    made.world.inject({ atUs: 0, do: 'restart', target: { node: 'api/0' } });
    await made.run(10_000);
    const during = ping();
    await made.run(10_000);
    expect([before, during].map(made.status)).toEqual([200, 503]);
    expect(asked).toEqual([]);
  });
});

describe('on the path of a gateway', () => {
  const broken = service('api', { instances: 1, fetch: () => new Response('no', { status: 500 }) });

  test('an open breaker answers 503 at once and says when to come back', async () => {
    const policy = { breaker: { consecutive: 2, openFor: '7s' } } as const;
    const made = visit(gateway('edge', { routes: { '/': broken }, policy }));
    for (let i = 0; i < 2; i++) {
      made.send();
      await made.run(10_000);
    }
    const id = made.send();
    await made.run(10_000);
    expect(made.status(id)).toBe(503);
    const { headers } = made.reply(id)!;
    expect(headers[headers.indexOf('retry-after') + 1]).toBe('7');
    expect(made.counted('edge', 'breaker refused api')).toBe(1);
  });

  test('who asks for more than the pace of all instances gets 429 and when to come back', async () => {
    const api = service('api', { instances: 2, fetch: fine });
    const policy = { pace: { rate: '1/s', burst: 3 } } as const;
    const made = visit(gateway('edge', { routes: { '/': api }, policy }));
    const ids = Array.from({ length: 8 }, () => made.send());
    await made.run(10_000);
    expect(ids.map(made.status).sort()).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
    const { headers } = made.reply(ids.at(-1)!)!;
    expect(headers[headers.indexOf('retry-after') + 1]).toBe('1');
  });

  test('another service stands in for one that fails, of its own policy or the gateway’s', async () => {
    const backup = service('backup', { instances: 1, fetch: () => new Response('plain page') });
    const fallback = { staleMax: '0ms', service: backup } as const;
    const made = visit(gateway('edge', { routes: { '/': broken }, policy: { fallback } }));
    const id = made.send();
    await made.run(20_000);
    expect(await made.text(id)).toBe('plain page');

    const covered = service('covered', {
      instances: 1,
      fetch: () => new Response('no', { status: 500 }),
      policy: { fallback },
    });
    const front = service('front', {
      instances: 1,
      env: { covered },
      fetch: (_request, env) => env.covered.fetch('/'),
    });
    const inner = visit(front);
    const asked = inner.send({ url: 'http://front/' });
    await inner.run(20_000);
    expect(await inner.text(asked)).toBe('plain page');
  });

  test('a kill under load gives no error to what may be repeated, and what is unsafe fails once at most', async () => {
    const api = service('api', { instances: 3, fetch: fine, cost: { wait: '5ms' } });
    const policy = {
      timeout: '500ms',
      attemptTimeout: '100ms',
      retry: { attempts: 3, backoff: '1ms', reserve: 50 },
      breaker: {},
      outliers: {},
      bulkhead: { slots: 100 },
      health: { interval: '100ms', intervalUndecided: '50ms', timeout: '50ms' },
    } as const;
    for (let seed = 1; seed <= 5; seed++) {
      const made = visit(gateway('edge', { routes: { '/': api }, policy }), { seed });
      const gets: number[] = [];
      const posts: number[] = [];
      for (let i = 0; i < 150; i++) {
        if (i === 50) made.world.inject(kill('api/1'));
        gets.push(made.send());
        posts.push(made.send({ method: 'POST' }));
        await made.run(2_000);
      }
      await made.run(1_000_000);
      expect([...new Set(gets.map(made.status))]).toEqual([200]);
      // Those that were at the instance when it died: 5 ms of work at one of three, each 2 ms another.
      const failed = posts.filter((id) => made.status(id) !== 200);
      expect(failed.every((id) => made.status(id) === 502)).toBe(true);
      expect(failed.length).toBeLessThanOrEqual(4);
    }
  });

  test('weights share the load between instances', async () => {
    const api = service('api', { instances: 2, weights: [3, 1], fetch: fine });
    const policy = { balance: 'round-robin' } as const;
    const made = visit(gateway('edge', { routes: { '/': api }, policy }));
    for (let i = 0; i < 40; i++) made.send();
    await made.run(100_000);
    const requests = ['api/0', 'api/1'].map((node) => {
      const readings = made.world.meters.snapshot().filter((one) => one.node === node);
      return readings.find(({ counters }) => counters.requests)!.counters.requests;
    });
    expect(requests).toEqual([30, 10]);
  });
});

test('all that is wrong with these options is said at once', () => {
  const wrong = service('api', {
    weights: [1, 0],
    limit: { rate: '0/s', keysMax: 5 } as object,
    shed: { levels: 0 },
    concurrency: { limitMin: 0 },
    policy: {
      pace: { burst: 0 },
      breaker: { openFor: '0ms', trails: 3 } as object,
      hash: { key: 'colour' },
      fallback: { service: 'backup' as never },
    },
  });
  expect(wrong.problems.map(({ at }) => at).sort()).toEqual([
    'api.concurrency.limitMin',
    'api.limit.keysMax',
    'api.limit.rate',
    'api.policy.breaker.openFor',
    'api.policy.breaker.trails',
    'api.policy.fallback.service',
    'api.policy.hash',
    'api.policy.pace.burst',
    'api.shed.levels',
    'api.weights',
  ]);
});
