/** What the door does with every request: where it sends it, and what it answers when it cannot. */
import { describe, expect, test } from 'vitest';
import { type Said, visit } from '../../../../test/visitor.ts';
import type { Fault } from '../../../host/fault.ts';
import { type Fetch, service } from '../../compute/service/index.ts';
import { type GatewayOptions, gateway, tokenBucket } from './index.ts';
import { KeyedLimit } from './limit.ts';
import { Router, splitUrl } from './router.ts';

const says =
  (text: string): Fetch<object> =>
  () =>
    new Response(text);

const named = (name: string, instances = 1) => service(name, { instances, fetch: says(name) });

async function ask(
  options: GatewayOptions,
  said: Said = {},
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const { send, run, status, text } = visit(gateway('edge', options));
  const id = send(said);
  await run(3_000_000);
  return { status: status(id), body: await text(id) };
}

describe('routing', () => {
  const routes = [
    { host: null, path: '/', service: 'all' },
    { host: null, path: '/api', service: 'api' },
    { host: null, path: '/api/orders', service: 'orders' },
    { host: 'shop.example.com', path: '/', service: 'shop' },
  ];
  test.each([
    ['http://edge/', 'all'],
    ['http://edge', 'all'],
    ['http://edge/api', 'api'],
    ['http://edge/api/', 'api'],
    ['http://edge/api?x=/api/orders', 'api'],
    ['http://edge/apis', 'all'],
    ['http://edge/api/orders', 'orders'],
    ['http://edge/api/orders/7#top', 'orders'],
    ['http://shop.example.com/api', 'shop'],
    ['http://SHOP.example.com:8080/', 'shop'],
    ['http://[::1]:8080/api', 'api'],
  ])('%s goes to %s: by host, then by the longest path', (url, to) => {
    expect(new Router(routes).match(url)?.service).toBe(to);
    expect(new Router([...routes].reverse()).match(url)?.service).toBe(to);
  });

  test('a URL is split as the platform splits it', () => {
    for (const url of [
      'http://a/b/c?d=e',
      'https://A.b:90/',
      'http://[::1]:9/x#y',
      'http://h/%20',
    ]) {
      const { hostname, pathname } = new URL(url);
      expect(splitUrl(url)).toEqual({ host: hostname, path: pathname });
    }
  });

  test('leads to the service behind the path, else to 404', async () => {
    const routes = { '/a': named('a'), '/b/': named('b') };
    expect(await ask({ routes }, { url: 'http://edge/a/1' })).toEqual({ status: 200, body: 'a' });
    expect(await ask({ routes }, { url: 'http://edge/b' })).toEqual({ status: 200, body: 'b' });
    expect(await ask({ routes }, { url: 'http://edge/c' })).toEqual({
      status: 404,
      body: 'no route',
    });
  });
});

test('the service sees the address of the user, whatever the user says it is', async () => {
  const api = service('api', {
    fetch: (request) => new Response(request.headers.get('x-forwarded-for')),
  });
  const headers = ['x-forwarded-for', '127.0.0.1', 'accept', 'text/plain'];
  expect((await ask({ routes: { '/': api } }, { ip: '20.0.0.7', headers })).body).toBe('20.0.0.7');
});

describe('a limit', () => {
  const limit = tokenBucket({ rate: '1/s', burst: 2, by: 'ip' });

  test('turns away who asks too much with 429 and says when to come back', async () => {
    const { send, run, reply, status } = visit(
      gateway('edge', { routes: { '/': named('api') }, limit }),
    );
    const first = [send(), send(), send()];
    await run(20_000);
    expect(first.map(status)).toEqual([200, 200, 429]);
    const headers = reply(first[2]!)!.headers;
    expect(headers[headers.indexOf('retry-after') + 1]).toBe('1');
    await run(1_000_000);
    const second = [send(), send()];
    await run(20_000);
    expect(second.map(status)).toEqual([200, 429]);
  });

  test('counts each address for itself, or all as one', async () => {
    for (const [by, expected] of [
      ['ip', [200, 200, 200]],
      ['all', [200, 429, 429]],
    ] as const) {
      const limited = {
        routes: { '/': named('api') },
        limit: tokenBucket({ rate: '1/s', burst: 1, by }),
      };
      const { send, run, status } = visit(gateway('edge', limited));
      const ids = ['20.0.0.1', '20.0.0.2', '20.0.0.3'].map((ip) => send({ ip }));
      await run(20_000);
      expect(ids.map(status)).toEqual(expected);
    }
  });

  test('remembers no more keys than it may, and forgets those first that it can afford to', () => {
    const keyed = new KeyedLimit({
      rate: { count: 1, periodUs: 1_000_000 },
      burst: 2,
      by: 'ip',
      keysMax: 10,
    });
    // Key 0 is over its limit; the others come once and would be full again after a second.
    for (let i = 0; i < 3; i++) keyed.take('0', 0);
    for (let key = 1; key < 10; key++) keyed.take(String(key), 0);
    keyed.take('new', 1_000_000);
    expect(keyed.take('0', 1_000_000).allowed).toBe(true);
    expect(keyed.take('0', 1_000_000).allowed).toBe(false);
  });
});

describe('a request is answered whatever becomes of the service', () => {
  const now = { atUs: 0 } as const;
  const slow = service('api', {
    instances: 1,
    fetch: async () => {
      await new Promise(() => {});
      return new Response('never');
    },
  });
  const route = { routes: { '/': slow } };

  test('413 when its body is too large', async () => {
    const options = { routes: { '/': named('api') }, bodyMax: '1kB' } as const;
    expect((await ask(options, { method: 'POST', body: 'x'.repeat(1_001) })).status).toBe(413);
    expect((await ask(options, { method: 'POST', body: 'x'.repeat(1_000) })).status).toBe(200);
  });

  test('bodies are measured in bytes, not in letters', async () => {
    const options = { routes: { '/': named('api') }, bodyMax: '1kB' } as const;
    expect((await ask(options, { method: 'POST', body: '€'.repeat(400) })).status).toBe(413);
  });

  test('504 when the service does not answer in time', async () => {
    expect((await ask({ ...route, policy: { timeout: '100ms' } })).status).toBe(504);
  });

  test('504 no later than the user waits, when that is less than the policy allows', async () => {
    const { send, run, status } = visit(gateway('edge', route));
    const id = send({ timeoutUs: 50_000 });
    await run(60_000);
    expect(status(id)).toBe(504);
  });

  const dies = (fault: Pick<Fault, 'do'>['do'], atUs: number) =>
    ({ atUs, do: fault, target: { node: 'api/0' } }) as Fault;

  test('502 when the service breaks off', async () => {
    const { world, send, run, status } = visit(gateway('edge', route));
    world.applyFaults([dies('kill', 20_000)], world.now);
    const id = send({ method: 'POST' });
    await run(500_000);
    expect(status(id)).toBe(502);
  });

  test('503 when no instance can be reached', async () => {
    const { world, send, run, status } = visit(gateway('edge', route));
    world.inject(dies('kill', 0));
    await run(10_000);
    const id = send();
    await run(1_000_000);
    expect(status(id)).toBe(503);
  });

  test('503 at once when it holds as much as it may', async () => {
    const { send, run, status } = visit(gateway('edge', { ...route, openMax: 2 }));
    const ids = [send(), send(), send()];
    await run(10_000);
    expect(ids.map(status)).toEqual([undefined, undefined, 503]);
    await run(1_500_000);
    expect(ids.map(status)).toEqual([504, 504, 503]);
  });

  test('what was begun is finished when it is told to stop', async () => {
    const api = service('api', { instances: 1, cost: { wait: '300ms' }, fetch: says('late') });
    const { world, send, run, status } = visit(gateway('edge', { routes: { '/': api } }));
    const id = send();
    await run(10_000);
    world.inject({ ...now, do: 'restart', target: { node: 'edge/0' } });
    await run(1_000_000);
    expect(status(id)).toBe(200);
  });

  test('none is lost on the way when one of two instances dies: retries go to the other', async () => {
    const api = service('api', { instances: 2, cost: { wait: '5ms' }, fetch: says('fine') });
    const policy = { retry: { attempts: 2, backoff: '1ms' } } as const;
    const { world, send, run, status } = visit(gateway('edge', { routes: { '/': api }, policy }));
    world.applyFaults([dies('kill', 50_000)], world.now);
    const ids: number[] = [];
    for (let i = 0; i < 50; i++) {
      ids.push(send());
      await run(2_000);
    }
    await run(2_000_000);
    expect([...new Set(ids.map(status))]).toEqual([200]);
  });
});

describe('a gateway that cannot be', () => {
  const wrong = (options: object) =>
    gateway('edge', options as GatewayOptions).problems.map(({ at, what }) => `${at}: ${what}`);
  const api = named('api');

  test('says all that is wrong at once', () => {
    expect(
      wrong({
        routes: { api, '/x': undefined },
        nodes: 0,
        ports: 80,
        limit: tokenBucket({ rate: '0/s', burst: 0 }),
        policy: { timeout: 'soon' },
      }).map((line) => line.split(':')[0]),
    ).toEqual([
      'edge.ports',
      'edge.nodes',
      'edge.policy.timeout',
      'edge.limit.rate',
      'edge.limit.burst',
      "edge.routes['api']",
      "edge.routes['/x']",
    ]);
  });

  test('has no route', () => {
    expect(wrong({ routes: {} })).toEqual(['edge.routes: must have at least one route']);
  });

  test('leads to what serves no requests', () => {
    const inner = gateway('inner', { routes: { '/': api } });
    expect(wrong({ routes: { '/': inner } })).toEqual([
      "edge.routes['/']: must lead to a service, got gateway",
    ]);
  });

  test('leads to two services of one name', () => {
    expect(wrong({ routes: { '/': api, '/b': named('api') } })).toEqual([
      "edge.routes['/b']: two services are called api",
    ]);
  });
});

describe('a user who goes away', () => {
  test('is not worked for any more: the service hears of it at once', async () => {
    const heard: string[] = [];
    const slow = service('slow', {
      instances: 1,
      fetch: (request) =>
        new Promise((resolve) => {
          request.signal.addEventListener('abort', () => {
            heard.push('gave up');
            resolve(new Response(null, { status: 204 }));
          });
        }),
    });
    const { send, cancel, run, counted } = visit(gateway('edge', { routes: { '/': slow } }));
    const id = send({ timeoutUs: 10_000_000 });
    await run(20_000);
    cancel(id);
    await run(20_000);
    expect(heard).toEqual(['gave up']);
    expect(counted('edge', 'abandoned')).toBe(1);
  });
});

describe('a network that brings messages twice', () => {
  test('does not make a service run a request twice', async () => {
    let runs = 0;
    const once = service('once', {
      instances: 1,
      fetch: () => {
        runs++;
        return new Response(null, { status: 201 });
      },
    });
    const { world, send, run, status } = visit(gateway('edge', { routes: { '/': once } }));
    world.inject({ do: 'duplicate', from: { all: true }, to: { all: true }, ratio: 1, atUs: 0 });
    const ids = Array.from({ length: 20 }, () => send({ method: 'POST' }));
    await run(2_000_000);
    expect(ids.map(status)).toEqual(ids.map(() => 201));
    expect(runs).toBe(20);
  });
});
