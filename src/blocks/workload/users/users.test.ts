/** What the crowd does, and that its counts can be believed. */
import { describe, expect, test, vi } from 'vitest';
import { system } from '../../../design/system.ts';
import { simulateHere } from '../../../run/node/here.ts';
import type { Report } from '../../../run/report.ts';
import { type SimulateOptions, simulate } from '../../../run/simulate.ts';
import type { ServiceOptions } from '../../compute/service/index.ts';
import { service } from '../../compute/service/index.ts';
import { gateway, tokenBucket } from '../../edge/gateway/index.ts';
import { diurnal, ramp, spike, type UsersOptions, users } from './index.ts';
import { publicAddress } from './script.ts';

type Options<P> = UsersOptions<P> & { readonly api?: ServiceOptions<Record<never, never>> };

function design<P>({ api, ...options }: Options<P>) {
  const serving = service('api', { instances: 2, ...api });
  return system('crowd', {
    entry: gateway('edge', { routes: { '/': serving } }),
    workload: users(options),
  });
}

function run<P>(options: Options<P>, how: SimulateOptions = {}): Promise<Report> {
  return simulate(design(options), { for: '10s', ...how });
}

/** How each user saw it, in `act`. */
const echo: ServiceOptions<Record<never, never>> = {
  fetch: (request) =>
    Response.json({
      ip: request.headers.get('x-forwarded-for'),
      path: new URL(request.url).pathname,
    }),
};

describe('the crowd', () => {
  test('comes as often as it says, and every request is accounted for', async () => {
    const report = await run({ rate: '300/s', api: { cost: '5ms' } });
    expect(report.generated).toBeGreaterThan(2_700);
    expect(report.generated).toBeLessThan(3_300);
    expect(report.completed).toBe(report.generated);
    expect(report.invariants).toEqual([
      expect.objectContaining({ name: 'requests are conserved', verdict: 'holds' }),
    ]);
  });

  test('comes whether or not the system keeps up: what was late is in the latency', async () => {
    // Half of what comes can be served, for ever longer queues.
    const report = await run(
      {
        rate: '200/s',
        timeout: '1min',
        arrivals: 'even',
        api: { cost: { cpu: '20ms' }, openMax: 10_000 },
      },
      { for: '5s' },
    );
    expect(report.generated).toBe(999);
    expect(report.latencyMs.p99).toBeGreaterThan(500);
  });

  test('times requests from when they were due: its own pause is latency and not less load', async () => {
    const calm = await run({ rate: '100/s', arrivals: 'even', api: { cost: '5ms' } });
    const paused = await run(
      { rate: '100/s', arrivals: 'even', api: { cost: '5ms' } },
      { faults: ['pause users/0 at 4s for 2s'] },
    );
    expect(paused.generated).toBe(calm.generated);
    expect(calm.latencyMs.max).toBeLessThan(50);
    // One in five was due during the pause, and waited a second on average.
    expect(paused.latencyMs.max).toBeGreaterThan(1_900);
    expect(paused.latencyMs.p90).toBeGreaterThan(500);
    expect(paused.latencyMs.p50).toBeLessThan(50);
  });

  test('surges when it is told to', async () => {
    const report = await run({ rate: '100/s' }, { faults: ['surge 5x at 4s for 2s'] });
    const during = report.series.throughput[5]!;
    expect(during).toBeGreaterThan(400);
    expect(report.series.throughput[2]!).toBeLessThan(150);
    expect(report.series.throughput[8]!).toBeLessThan(150);
  });

  test.each([
    ['kill users/0 at 3s, restart after 1s'],
    ['cut users from edge at 3s for 2s'],
    ['lose 30% between users and edge at 2s for 5s'],
    ['kill edge at 3s, restart after 2s'],
    ['restart api at 3s'],
  ])('loses count of no request: %s', async (fault) => {
    const report = await run(
      { rate: '100/s', timeout: '1s', api: { cost: '20ms' } },
      { faults: [fault] },
    );
    expect(report.invariants).toEqual([
      expect.objectContaining({ name: 'requests are conserved', verdict: 'holds' }),
    ]);
  });

  test('gives up after its timeout, and says so', async () => {
    const report = await run({ rate: '20/s', timeout: '50ms', api: { cost: '80ms' } });
    expect(report.completed).toBe(0);
    expect(report.errors).toMatchObject({ timeout: expect.any(Number) });
  });

  test('has waited in vain then, which a promised percentile holds against the system', async () => {
    let asked = 0;
    const hangs = service('api', {
      fetch: () => (asked++ % 3 === 0 ? new Promise<Response>(() => {}) : new Response('')),
    });
    const report = await simulate(
      system('hanging', {
        entry: gateway('edge', { routes: { '/': hangs }, policy: { timeout: '1min' } }),
        workload: users({ rate: '50/s', timeout: '2s' }),
        objectives: { p50: '50ms', p99: '50ms' },
      }),
      { for: '10s' },
    );
    const [p50, p99] = report.objectives;
    expect(p50).toMatchObject({ holds: true });
    expect(p99).toMatchObject({ holds: false });
    expect(p99!.measured).toBeCloseTo(2_000, -2);
    // The percentiles of latency go on to be those of replies.
    expect(report.latencyMs.max).toBeLessThan(50);
    expect(report.notes).toContainEqual(
      expect.stringMatching(/^\d+ requests were waited for in vain, 2s on average/),
    );
  });

  test('counts what was turned away apart from what failed', async () => {
    const limit = tokenBucket({ rate: '10/s', burst: 1, by: 'all' });
    const api = service('api', {});
    const report = await simulate(
      system('limited', {
        entry: gateway('edge', { routes: { '/': api }, limit }),
        workload: users({ rate: '50/s' }),
      }),
      { for: '10s' },
    );
    expect(report.failed).toBe(0);
    expect(report.availability).toBe(1);
    expect(report.rejected).toBeGreaterThan(300);
    expect(report.completed).toBeLessThanOrEqual(101);
    expect(report.errors).toEqual({ 429: report.rejected });
  });
});

describe('a warm-up', () => {
  /** Its first hundred requests are slow and fail: what a cold system does. */
  const cold = (): ServiceOptions<Record<never, never>> => {
    let served = 0;
    return {
      instances: 1,
      fetch: async () => {
        const isCold = served++ < 100;
        if (isCold) await new Promise((resolve) => setTimeout(resolve, 500));
        return new Response('', { status: isCold ? 503 : 200 });
      },
    };
  };

  test('comes before the load, and none of its requests counts', async () => {
    const load = { rate: '50/s', arrivals: 'even' } as const;
    const without = await run({ ...load, api: cold() });
    expect(without.failed).toBe(100);
    const warm = await run({ ...load, api: cold() }, { warmUp: '4s' });
    expect(warm.failed).toBe(0);
    expect(warm.generated).toBe(without.generated);
    expect(warm.latencyMs.max).toBeLessThan(100);
    expect(warm.notes).toEqual([
      'the load began after a warm-up of 4s, whose 200 requests do not count (100 failed)',
    ]);
    expect(warm.invariants[0]).toMatchObject({ verdict: 'holds' });
  });

  test('ends in the middle of things: what it left unanswered is nobody’s', async () => {
    const report = await run({ rate: '100/s', api: { cost: '900ms' } }, { warmUp: '2s' });
    expect(report.completed).toBe(report.generated);
    expect(report.latencyMs.p50).toBeGreaterThan(850);
    // As many come back in the first second as in any other: the pipe was full when it began.
    expect(report.blocks.api!.requestsPerSec).toBeGreaterThan(90);
  });

  test('is as the load is in its first instant, and what is timed is timed from the load', async () => {
    const report = await run(
      { rate: ramp({ from: '20/s', to: '100/s', over: '10s' }), arrivals: 'even' },
      { warmUp: '5s', faults: ['kill edge at 4s, restart after 1s'] },
    );
    expect(report.notes[0]).toContain('whose 100 requests');
    expect(report.series.throughput[0]).toBeLessThan(40);
    expect(report.series.throughput[9]).toBeGreaterThan(70);
    const began = report.events.find((event) => event.type === 'fault' && event.began);
    expect(began).toMatchObject({ at: 4_000_000 });
    const phases = report.events.flatMap((event) => (event.type === 'phase' ? event.phase : []));
    expect(phases).toEqual(['setup', 'warm-up', 'load', 'heal', 'drain', 'judge']);
  });

  test('does not double users who wait for their replies', async () => {
    const closed = { closed: { users: 10, think: '90ms' }, api: { cost: '8ms' } } as const;
    const report = await run(closed, { warmUp: '3s' });
    expect(report.throughputPerSec).toBeGreaterThan(90);
    expect(report.throughputPerSec).toBeLessThan(102);
  });

  test('forgives no wrong answer', async () => {
    const once = (warmUp: '0s' | '2s') => {
      let visits = 0;
      return run(
        {
          rate: '20/s',
          act: (user) => {
            if (visits++ === 3) user.complain('a page of somebody else');
          },
        },
        { warmUp },
      );
    };
    const complaint = expect.objectContaining({
      verdict: 'violated',
      detail: 'a page of somebody else (1)',
    });
    expect((await once('0s')).invariants).toContainEqual(complaint);
    expect((await once('2s')).invariants).toContainEqual(complaint);
  });

  test('repeats itself, and leaves a run without one as it was', async () => {
    const digests = await Promise.all(
      (['2s', '2s', '0s'] as const).map(
        async (warmUp) => (await run({ rate: '50/s' }, { warmUp })).digest,
      ),
    );
    expect(digests[0]).toBe(digests[1]);
    expect(digests[2]).toBe((await run({ rate: '50/s' })).digest);
    expect(digests[0]).not.toBe(digests[2]);
  });
});

describe('closed-loop users', () => {
  test('wait for their reply and think: their number bounds the load', async () => {
    const report = await run({
      closed: { users: 10, think: '90ms' },
      api: { cost: '8ms' },
    });
    // Little's law: 10 users, each once in about 100 ms.
    expect(report.throughputPerSec).toBeGreaterThan(90);
    expect(report.throughputPerSec).toBeLessThan(102);
  });

  test('are so many more in a surge, and as many as before when it is over', async () => {
    const closed = { users: 10, think: '90ms' } as const;
    const surge = { faults: ['surge 3x at 3s for 3s'] };
    const { series } = await run({ closed, api: { instances: 4, cost: '8ms' } }, surge);
    const [before, during, after] = [2, 5, 8].map((second) => series.throughput[second]!);
    expect(before).toBeGreaterThan(85);
    expect(during).toBeGreaterThan(2.6 * before!);
    expect(after).toBeLessThan(1.2 * before!);
  });

  test('slow down with the system', async () => {
    const report = await run({ closed: { users: 10, think: '90ms' }, api: { cost: '910ms' } });
    expect(report.throughputPerSec).toBeLessThan(10.5);
    expect(report.failed).toBe(0);
  });
});

describe('an overloaded system', () => {
  // One core, 100 ms each: ten a second, whatever is asked.
  const overloaded = system('crowd', {
    entry: service('api', { instances: 1, cost: { cpu: '100ms' }, openMax: 10_000 }),
    workload: users({ rate: '50/s', timeout: '1min' }),
  });

  test('has no throughput of what it works off when the load has ended', async () => {
    const report = await simulate(overloaded, { for: '10s' });
    expect(report.completed).toBeGreaterThan(15 * report.simulatedSeconds);
    expect(report.throughputPerSec).toBeGreaterThan(8);
    expect(report.throughputPerSec).toBeLessThanOrEqual(10);
    const perSecond = report.series.throughput.reduce((sum, count) => sum + count, 0);
    expect(perSecond).toBe(report.throughputPerSec * report.simulatedSeconds);
  });

  test('serves in the load what was asked in the warm-up', async () => {
    const { throughputPerSec } = await simulate(overloaded, { for: '10s', warmUp: '3s' });
    expect(throughputPerSec).toBeGreaterThan(8);
    expect(throughputPerSec).toBeLessThanOrEqual(10.5);
  });
});

describe('a visit', () => {
  test('is what act does: several requests, the first timed from the arrival', async () => {
    const report = await run({
      rate: '20/s',
      api: { cost: '10ms' },
      act: async (user) => {
        await user.fetch('/a');
        await user.sleep(1_000);
        await user.fetch('/b');
      },
    });
    expect(report.generated).toBeGreaterThan(300);
    // Thinking time is nobody's latency.
    expect(report.latencyMs.max).toBeLessThan(100);
  });

  test('is made by one of the population, who keeps the same address', async () => {
    const seen = new Map<number, Set<string>>();
    await run({
      rate: '100/s',
      population: 5,
      api: echo,
      act: async (user) => {
        const { ip } = (await (await user.fetch('/')).json()) as { ip: string };
        seen.set(user.id, (seen.get(user.id) ?? new Set()).add(ip).add(user.ip));
      },
    });
    expect([...seen.keys()].sort()).toEqual([0, 1, 2, 3, 4]);
    expect([...seen.values()].map((ips) => ips.size)).toEqual([1, 1, 1, 1, 1]);
    expect(new Set([...seen.values()].flatMap((ips) => [...ips])).size).toBe(5);
  });

  test('gets what setup prepared, and chance that repeats itself', async () => {
    const drawn: number[][] = [];
    const once = () => {
      const mine: number[] = [];
      drawn.push(mine);
      return run(
        {
          rate: '20/s',
          setup: async (user) => {
            await user.fetch('/setup');
            return { limit: 10 };
          },
          act: async (user, prepared) => {
            mine.push(user.random.below(prepared.limit), user.zipf(100));
            await user.fetch('/');
          },
        },
        { for: '2s' },
      );
    };
    const [first, second] = [await once(), await once()];
    expect(drawn[0]!.length).toBeGreaterThan(40);
    expect(drawn[0]).toEqual(drawn[1]);
    expect(first.digest).toBe(second.digest);
    // What setup asked is no load.
    expect(first.generated).toBe(drawn[0]!.length / 2);
  });

  test('whose own mistake ends the users ends the promise, too: hardly anybody came', async () => {
    let visits = 0;
    const act = () => {
      if (visits++ === 20) setTimeout(() => JSON.parse('{'), 1);
    };
    const report = await run({ rate: '50/s', act });
    expect(report.invariants).toContainEqual({
      name: 'the load is sent to its end',
      verdict: 'violated',
      detail: expect.stringMatching(/^users\/0 went down after 0\.\d+ s .*SyntaxError/),
    });
  });

  test('that complains turns the verdict bad, with its reason and how often', async () => {
    const report = await run({
      rate: '20/s',
      act: async (user) => {
        await user.fetch('/');
        if (user.id % 2 === 0) user.complain('the price was wrong');
      },
    });
    expect(report.invariants).toContainEqual(
      expect.objectContaining({
        verdict: 'violated',
        detail: expect.stringMatching(/^the price was wrong \(\d+\)$/),
      }),
    );
  });

  test('that throws complains too; one that gets no answer does not', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const thrown = await run({
      rate: '5/s',
      act: async (user) => {
        const { nothing } = (await (await user.fetch('/')).json().catch(() => ({}))) as {
          nothing?: { price: number };
        };
        user.complain(String(nothing!.price));
      },
    });
    log.mockRestore();
    expect(thrown.invariants[0]).toMatchObject({ verdict: 'violated' });
    const unanswered = await run(
      {
        rate: '5/s',
        timeout: '100ms',
        act: async (user) => {
          await user.fetch('/');
        },
      },
      { faults: ['kill edge at 2s'] },
    );
    expect(unanswered.failed).toBeGreaterThan(0);
    expect(unanswered.invariants.map(({ verdict }) => verdict)).toEqual(['holds']);
  });

  test('cannot begin when setup fails, and the run says why', async () => {
    const setup = () => {
      throw new Error('no such shop');
    };
    await expect(run({ rate: '5/s', setup })).rejects.toThrow(
      "the workload's setup failed: no such shop",
    );
  });
});

test('a log is sent again as it was: times, addresses, methods and paths', async () => {
  const seen: unknown[] = [];
  const shop = design({
    api: {
      fetch: (request) => {
        seen.push([
          request.method,
          new URL(request.url).pathname,
          request.headers.get('x-forwarded-for'),
        ]);
        return new Response();
      },
    },
  });
  const visits = [
    { atUs: 0, ip: '20.0.0.1', method: 'GET', path: '/a' },
    { atUs: 500_000, ip: '20.0.0.2', method: 'POST', path: '/b?c=d' },
    { atUs: 500_000, ip: '20.0.0.1', method: 'DELETE', path: '/c' },
    { atUs: 2_100_000, ip: '20.0.0.3', method: 'GET', path: '/late' },
  ];
  const { report } = await simulateHere(() => ({
    design: shop,
    seed: 1,
    forUs: 3_000_000,
    faults: [],
    load: { visits },
  }));
  expect(seen).toHaveLength(4);
  expect(seen[0]).toEqual(['GET', '/a', '20.0.0.1']);
  expect(seen).toContainEqual(['POST', '/b', '20.0.0.2']);
  expect(seen).toContainEqual(['DELETE', '/c', '20.0.0.1']);
  expect(report.series.throughput).toEqual([3, 0, 1]);
});

test('addresses are public, and different for different users', () => {
  const ips = Array.from({ length: 5_000 }, (_, id) => publicAddress(id));
  expect(new Set(ips).size).toBe(5_000);
  for (const ip of ips) {
    const parts = ip.split('.').map(Number);
    expect(parts.every((part) => part >= 0 && part <= 255)).toBe(true);
    expect(parts[0]! >= 20 && parts[0]! < 100).toBe(true);
  }
});

describe('users who cannot be', () => {
  const wrong = (options: object) => {
    try {
      design(options as UsersOptions<undefined>);
      return [];
    } catch (error) {
      const { problems } = error as { problems: { at: string; what: string }[] };
      return problems.map(({ at, what }) => `${at}: ${what}`);
    }
  };

  test('say all that is wrong at once', () => {
    expect(wrong({ rate: 'often', population: 0, timout: '1s' })).toEqual([
      'users.timout: no such option; did you mean timeout?',
      'users.population: must be a whole number at least 1, got 0',
      "users.rate: must be a rate like '500/s', got 'often'",
    ]);
    expect(wrong({ rate: '5/s', closed: { users: 0, think: 'long' } })).toEqual([
      'users: give rate (open loop) or closed, not both',
      "users.closed.think: must be a duration or a distribution, got 'long'",
      'users.closed.users: must be a whole number at least 1, got 0',
    ]);
  });

  test('come in a shape that is none', () => {
    expect(wrong({ rate: {} })).toEqual(['users.rate: must be a rate or a shape, got {}']);
    expect(wrong({ rate: ramp({ from: '1/s', to: '2/s', over: '0s' }) })).toHaveLength(1);
    expect(wrong({ rate: spike({ base: '1/s', peak: '2/s', at: '0s', for: '0s' }) })).toHaveLength(
      1,
    );
    expect(wrong({ rate: diurnal({ mean: '1/s', swing: 2 }) })).toEqual([
      'users.rate: swing must be from 0 to 1, got 2',
    ]);
    expect(wrong({ rate: diurnal({ mean: '1/s', period: '0s' }) })).toHaveLength(1);
    expect(() => ramp({ from: 'soon' as '1/s', to: '2/s', over: '1s' })).toThrow(
      'from must be a rate',
    );
  });

  test('are not spoilt by the mistake of one run', async () => {
    const shop = design({ rate: '20/s' });
    await expect(simulate(shop, { rate: 'often' as '1/s' })).rejects.toThrow(
      'rate: must be a rate',
    );
    expect((await simulate(shop, { for: '1s' })).failed).toBe(0);
  });
});
