/** What limits at the gateway promise: to each key, jointly, and in words that clients can read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Said, visit } from '../../../../test/visitor.ts';
import { Atlas, networkOf, readNetwork } from '../../../parts/networks.ts';
import { service } from '../../compute/service/index.ts';
import { limiter } from '../../resilience/limiter/index.ts';
import {
  type GatewayOptions,
  gateway,
  type LimitsOptions,
  type NamedLimitOptions,
} from './index.ts';

const second = 1_000_000;
const api = service('api', { instances: 1, fetch: () => new Response('fine') });

const limited = (limits: LimitsOptions, more: Partial<GatewayOptions> = {}) =>
  visit(gateway('edge', { routes: { '/': api }, limits, ...more }));

/** Sends all at once and gives their statuses. */
async function statuses(
  limits: LimitsOptions,
  said: readonly Said[],
  more: Partial<GatewayOptions> = {},
): Promise<readonly (number | undefined)[]> {
  const { send, run, status } = limited(limits, more);
  const ids = said.map((one) => send(one));
  await run(20_000);
  return ids.map(status);
}

const from = (...ips: readonly string[]) => ips.map((ip) => ({ ip }));

describe('a limit counts apart', () => {
  const one = (options: LimitsOptions[string]) => ({
    one: { algorithm: 'sliding-log', rate: '1/min', ...options } as const,
  });

  test('addresses, or their networks', async () => {
    const ips = from('20.0.0.1', '20.0.0.2', '20.0.1.1');
    expect(await statuses(one({ by: 'ip' }), ips)).toEqual([200, 200, 200]);
    expect(await statuses(one({ by: 'network' }), ips)).toEqual([200, 429, 200]);
    const six = from('2001:db8:0:1::1', '2001:DB8::1:ffff:0:0:1', '2001:db8:0:2::1');
    expect(await statuses(one({ by: 'network' }), six)).toEqual([200, 429, 200]);
  });

  test('locations, and favours one of them', async () => {
    const locations = { eu: ['20.0.0.0/8', '2001:db8::/32'], us: ['20.1.0.0/16'] };
    const ips = from('20.0.0.1', '20.9.0.1', '20.1.0.1', '2001:db8::7', '9.9.9.9', '8.8.8.8');
    expect(await statuses(one({ by: 'location' }), ips, { locations })).toEqual([
      200, 429, 200, 429, 200, 429,
    ]);
    const favoured = one({ by: 'location', except: ['eu'] });
    expect(await statuses(favoured, ips, { locations })).toEqual([200, 200, 200, 200, 200, 429]);
    const only = one({ by: 'location', only: ['us'] });
    expect(await statuses(only, [...ips, ...from('20.1.9.9')], { locations })).toEqual([
      200, 200, 200, 200, 200, 200, 429,
    ]);
  });

  test('the values of a header', async () => {
    const said = ['a', 'b', 'a'].map((value) => ({ headers: ['x-tenant', value] }));
    expect(await statuses(one({ by: 'header', header: 'x-tenant' }), said)).toEqual([
      200, 200, 429,
    ]);
  });

  test('routes, services, or nothing: all is one', async () => {
    const routes = [
      { path: '/a', to: api },
      { path: '/b', to: api },
    ];
    const said = ['/a/1', '/b/1', '/a/2'].map((path) => ({ url: `http://edge${path}` }));
    expect(await statuses(one({ by: 'route' }), said, { routes })).toEqual([200, 200, 429]);
    expect(await statuses(one({ by: 'service' }), said, { routes })).toEqual([200, 429, 429]);
    expect(await statuses(one({ by: 'all' }), said, { routes })).toEqual([200, 429, 429]);
  });

  test('a route besides what holds for all routes', async () => {
    const routes = [
      { path: '/a', to: api, limits: { own: { algorithm: 'sliding-log', rate: '1/h' } } },
      { path: '/b', to: api },
    ] as const;
    const said = ['/a', '/b', '/b', '/a'].map((path) => ({ url: `http://edge${path}` }));
    const limits = { all: { algorithm: 'sliding-log', rate: '3/min' } } as const;
    expect(await statuses(limits, said, { routes })).toEqual([200, 200, 200, 429]);
    expect(await statuses(limits, [said[0]!, said[3]!], { routes })).toEqual([200, 429]);
  });
});

describe('several limits at once', () => {
  const both = {
    minute: { algorithm: 'sliding-log', rate: '10/min' },
    hour: { algorithm: 'sliding-log', rate: '25/h' },
  } as const;

  test('admit what all admit, and what one refuses costs nothing at the others', async () => {
    const { send, run, status } = limited(both);
    const admitted: number[] = [];
    for (let minute = 0; minute < 4; minute++) {
      // Three times what a minute allows: refused by one, so the hour must not be charged for it.
      const ids = Array.from({ length: 30 }, () => send());
      await run(61 * second);
      admitted.push(ids.filter((id) => status(id) === 200).length);
    }
    expect(admitted).toEqual([10, 10, 5, 0]);
  });

  test('no span of time admits more than each of them allows, whatever comes when', async () => {
    const arrivals = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 1 })),
      { minLength: 30, maxLength: 60 },
    );
    const limits = {
      short: { algorithm: 'sliding-log', rate: '3/s' },
      long: { algorithm: 'sliding-log', rate: '10/min' },
      together: { algorithm: 'token-bucket', rate: '5/s', burst: 5, by: 'all' },
    } as const;
    await fc.assert(
      fc.asyncProperty(arrivals, async (gaps) => {
        const { send, run, status } = limited(limits);
        const said: { at: number; ip: string; id: number }[] = [];
        let at = 0;
        for (const [gap, who] of gaps) {
          await run(gap * 50_000);
          at += gap * 50_000;
          const ip = `20.0.0.${who}`;
          said.push({ at, ip, id: send({ ip }) });
        }
        await run(10_000);
        const admitted = said.filter(({ id }) => status(id) === 200);
        const inSpan = (span: number, first: (typeof said)[number], ip?: string) =>
          admitted.filter(
            (one) => one.at >= first.at && one.at < first.at + span && (ip ?? one.ip) === one.ip,
          ).length;
        for (const first of admitted) {
          expect(inSpan(second, first, first.ip)).toBeLessThanOrEqual(3);
          expect(inSpan(60 * second, first, first.ip)).toBeLessThanOrEqual(10);
          expect(inSpan(second, first)).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('a refusal', () => {
  const fieldsOf = (headers: readonly string[]) => {
    const fields: Record<string, string> = {};
    for (let i = 0; i < headers.length; i += 2) fields[headers[i]!] = headers[i + 1]!;
    return fields;
  };

  test('says when to come back, and who comes then is admitted', async () => {
    const limits = { minute: { algorithm: 'sliding-log', rate: '2/min' } } as const;
    const { send, run, reply, status } = limited(limits);
    const ids = [send(), send(), send()];
    await run(10_000);
    expect(fieldsOf(reply(ids[0]!)!.headers)).toMatchObject({
      'ratelimit-policy': '"minute";q=2;w=60',
      ratelimit: '"minute";r=1;t=60',
    });
    const refusal = reply(ids[2]!)!;
    expect(refusal.status).toBe(429);
    const fields = fieldsOf(refusal.headers);
    expect(fields).toMatchObject({ ratelimit: '"minute";r=0;t=60', 'retry-after': '60' });
    await run(Number(fields['retry-after']) * second);
    const again = send();
    await run(10_000);
    expect(status(again)).toBe(200);
  });
});

describe('a limit that delays', () => {
  test('drips, holds as many as its queue, and refuses the rest', async () => {
    const limits = { drip: { algorithm: 'leaky-queue', rate: '10/s', queueMax: 2 } } as const;
    const { send, run, status, answeredAt } = limited(limits);
    const ids = [send(), send(), send(), send()];
    await run(second);
    expect(ids.map(status)).toEqual([200, 200, 200, 429]);
    const [first, next, last] = ids.map((id) => answeredAt(id)!);
    expect(next! - first!).toBe(100_000);
    expect(last! - next!).toBe(100_000);
  });

  test('as a token bucket lets a burst pass first: a shaper', async () => {
    const limits = {
      shape: { algorithm: 'token-bucket', rate: '10/s', burst: 3, over: 'delay', queueMax: 9 },
    } as const;
    const { send, run, answeredAt } = limited(limits);
    const ids = Array.from({ length: 5 }, () => send());
    await run(second);
    const at = ids.map((id) => answeredAt(id)! - answeredAt(ids[0]!)!);
    expect(at.slice(0, 3).every((us) => us < 1_000)).toBe(true);
    expect(at.slice(3).map((us) => Math.round(us / 100_000))).toEqual([1, 2]);
  });

  test('forgets who went away meanwhile, and lets nobody wait in vain', async () => {
    const limits = { drip: { algorithm: 'leaky-queue', rate: '1/s', queueMax: 5 } } as const;
    const { send, cancel, run, status, counted } = limited(limits);
    const ids = [send(), send(), send({ timeoutUs: second })];
    await run(10_000);
    expect(status(ids[2]!)).toBe(429);
    cancel(ids[1]!);
    await run(3 * second);
    expect(status(ids[1]!)).toBeUndefined();
    expect(counted('edge', 'abandoned')).toBe(1);
    expect(counted('api', 'requests')).toBe(1);
  });
});

describe('a limit on what is open', () => {
  const slow = service('api', {
    instances: 1,
    cost: { wait: '50ms' },
    fetch: () => new Response(''),
  });
  const limits = { open: { algorithm: 'concurrency', openMax: 2 } } as const;

  test('admits as many at once as it may, and each that leaves makes room', async () => {
    const { send, cancel, run, status } = visit(gateway('edge', { routes: { '/': slow }, limits }));
    const ids = [send(), send(), send(), send({ ip: '20.0.0.2' })];
    await run(10_000);
    cancel(ids[0]!);
    const next = send();
    await run(100_000);
    expect([...ids, next].map(status)).toEqual([undefined, 200, 429, 200, 200]);
    const later = [send(), send()];
    await run(100_000);
    expect(later.map(status)).toEqual([200, 200]);
  });
});

test('a request that costs more than there ever is of a limit is refused with the design', () => {
  const of = (limit: NamedLimitOptions) =>
    gateway('edge', { routes: { '/': api }, limits: { reports: limit } }).problems.map(
      ({ at, what }) => `${at} ${what}`,
    );
  const wrong = (of: string, most: number) => [
    `edge.limits.reports.cost must not be above ${of} (${most}), or none passes; got 5`,
  ];
  expect(of({ cost: 5, burst: 3 })).toEqual(wrong('`burst`', 3));
  expect(of({ cost: 5, burst: 5 })).toEqual([]);
  const window = { algorithm: 'sliding-log', rate: '4/min', burst: 9 } as const;
  expect(of({ ...window, cost: 5 })).toEqual(wrong('what `rate` allows a window', 4));
  expect(of({ ...window, cost: 4 })).toEqual([]);
  const counts = limiter('counts', { limit: '10/min', also: ['3/s'] });
  expect(of({ backend: counts, cost: 5 })).toEqual(wrong('a limit of counts', 3));
  expect(of({ backend: counts, cost: 3 })).toEqual([]);
});

describe('networks', () => {
  test('are read as they are written, and nothing else is', () => {
    for (const good of [
      '1.2.3.4',
      '10.0.0.0/8',
      '::',
      '::1/128',
      '2001:db8::/32',
      '::ffff:1.2.3.4',
    ]) {
      expect(readNetwork(good), good).toBeDefined();
    }
    for (const bad of [
      '',
      '1.2.3',
      '1.2.3.256',
      '1.2.3.4/33',
      ':::',
      '1::2::3',
      '12345::',
      'x',
      '::/129',
    ]) {
      expect(readNetwork(bad), bad).toBeUndefined();
    }
  });

  test('an address of any kind has one, and the longest that covers it names its place', () => {
    expect(networkOf('::ffff:20.0.0.9')).toBe('20.0.0');
    expect(networkOf('unknown')).toBe('unknown');
    const atlas = new Atlas([
      { network: '0.0.0.0/0', name: 'world' },
      { network: '20.0.0.0/8', name: 'wide' },
      { network: '20.0.0.4', name: 'one' },
    ]);
    const places = ['20.0.0.4', '::ffff:20.0.0.5', '9.9.9.9', '::1', ''];
    expect(places.map((ip) => atlas.locationOf(ip))).toEqual([
      'one',
      'wide',
      'world',
      'elsewhere',
      'elsewhere',
    ]);
  });
});
