/** What the door does with every request: where it sends it, and what it answers when it cannot. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Said, visit } from '../../../../test/visitor.ts';
import type { Fault } from '../../../host/fault.ts';
import { normalPath } from '../../../kit/url.ts';
import { type Fetch, service } from '../../compute/service/index.ts';
import { type GatewayOptions, gateway, type RouteOptions, tokenBucket } from './index.ts';
import { Router, type Sought } from './router.ts';
import { readRoutes } from './routes.ts';
import { splitUrl } from './url.ts';

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
  const table = (routes: readonly RouteOptions[]) =>
    new Router(readRoutes('edge', routes, {}).routes);
  const to = (router: Router, url: string, said: Partial<Sought> = {}) => {
    const found = router.match({ url, method: 'GET', headers: [], ...said })?.route.to;
    return found?.type === 'service' ? found.service : found?.type;
  };
  const route = (service: string, options: RouteOptions = {}) => ({
    ...options,
    to: named(service),
  });

  const routes = [
    route('all'),
    route('api', { path: '/api' }),
    route('orders', { path: '/api/orders' }),
    route('shop', { host: 'shop.example.com' }),
    route('shops', { host: '*.example.com' }),
    route('north', { host: '*.north.example.com' }),
    route('south', { host: 'south.example.org.' }),
    route('user', { path: '/api/:kind/:id' }),
    route('order', { path: '/api/orders/:id' }),
    route('files', { path: '/files/*' }),
    route('health', { path: '/health', exact: true }),
  ];
  test.each([
    ['http://edge/', 'all'],
    ['http://edge', 'all'],
    ['http://edge?x=/api', 'all'],
    ['http://edge/api', 'api'],
    ['http://edge/api/', 'api'],
    ['http://edge/api?x=/api/orders', 'api'],
    ['http://edge/apis', 'all'],
    ['http://edge/api/orders', 'orders'],
    ['http://edge/api/orders/7#top', 'order'],
    ['http://edge/api/orders/7/lines', 'orders'],
    ['http://edge/api/users/7', 'user'],
    ['http://edge/api/users/7/posts', 'api'],
    ['http://edge/files', 'files'],
    ['http://edge/files/a/b', 'files'],
    ['http://edge/health', 'health'],
    ['http://edge/health/deep', 'all'],
    ['http://shop.example.com/api', 'shop'],
    ['http://SHOP.example.com:8080/', 'shop'],
    ['http://other.example.com/api', 'shops'],
    ['http://shop.example.com./', 'shop'],
    ['http://other.example.com.:8080/api', 'shops'],
    ['http://South.Example.org/', 'south'],
    ['http://a.north.example.com/', 'north'],
    ['http://example.com/api', 'api'],
    ['http://[::1]:8080/api', 'api'],
    ['http://edge/open/../api', 'api'],
    ['http://edge/open/%2e%2E/%61pi', 'api'],
    ['http://edge/open\\..\\api', 'api'],
    ['http://edge/api/../..', 'all'],
  ])('%s goes to %s: by host, then by the most telling path', (url, service) => {
    expect(to(table(routes), url)).toBe(service);
    expect(to(table([...routes].reverse()), url)).toBe(service);
  });

  test.each<readonly [RouteOptions, Partial<Sought>, Partial<Sought>]>([
    [{ methods: ['POST'] }, { method: 'POST' }, { method: 'GET' }],
    [{ methods: ['GET'] }, { method: 'HEAD' }, { method: 'DELETE' }],
    [
      { headers: { 'X-Version': '2' } },
      { headers: ['x-version', '2'] },
      { headers: ['x-version', '3'] },
    ],
    [{ headers: { 'x-version': '2*' } }, { headers: ['x-version', '2.1'] }, {}],
    [{ headers: { debug: true } }, { headers: ['debug', ''] }, {}],
    [{ headers: { debug: false } }, {}, { headers: ['debug', '1'] }],
    [
      { cookies: { beta: 'on' } },
      { headers: ['cookie', 'a=b; beta=on'] },
      { headers: ['cookie', 'xbeta=on'] },
    ],
    [{ query: { v: '2' } }, { url: 'http://edge/?a=1&v=%32' }, { url: 'http://edge/?v=1' }],
    [
      { contentType: 'application/json' },
      { headers: ['content-type', 'Application/JSON; charset=utf-8'] },
      { headers: ['content-type', 'text/json'] },
    ],
    [{ contentType: 'image/*' }, { headers: ['content-type', 'image/png'] }, {}],
  ])('%o takes a request that is so, and comes before a route for all', (options, so, other) => {
    const router = table([route('all'), route('special', options)]);
    const ask = ({ url = 'http://edge/', ...said }: Partial<Sought>) => to(router, url, said);
    expect(ask(so)).toBe('special');
    expect(ask(other)).toBe('all');
  });

  test('a URL is split as the platform splits it', () => {
    for (const url of [
      'http://a/b/c?d=e',
      'https://A.b:90/',
      'http://[::1]:9/x#y?z',
      'http://h/%20',
      'http://h/a/./b/../c/%2e%2e/d/..',
      'http://h/..//x\\y?q=\\..',
      'http://h?x#y',
    ]) {
      const { hostname, pathname, search } = new URL(url);
      const { host, path, search: own } = splitUrl(url);
      expect([host, path, own]).toEqual([hostname, pathname, search.replaceAll('%5C', '\\')]);
    }
  });

  test('what is read of any path is normal: it stays as it is when it is read again', () => {
    const part = fc.constantFrom('..', '.', '%2e', '%2E.', 'a', '%61', '%2F', '\\', 'b%20', '');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const path = normalPath(`/${parts.join('/')}`);
        expect(normalPath(path)).toBe(path);
        expect(path.split('/')).not.toContain('..');
        expect(new URL(`http://h${path}`).pathname).toBe(path);
      }),
    );
  });

  test('leads elsewhere with another path, host or prefix, and the old host beside it', async () => {
    const echo = service('echo', {
      fetch: (request) =>
        new Response(`${request.url} ${request.headers.get('x-forwarded-host') ?? '-'}`),
    });
    const routes: RouteOptions[] = [
      { path: '/api', to: echo, rewrite: { strip: '/api' } },
      { path: '/users/:id/*', to: echo, rewrite: { path: '/v2/:id/of/*' } },
      { path: '/old', to: echo, rewrite: { host: 'inner' } },
    ];
    const see = async (url: string) =>
      (await ask({ routes }, { url, headers: ['host', 'edge', 'x-forwarded-host', 'forged'] }))
        .body;
    expect(await see('http://edge/api/users?x=1')).toBe('http://edge/users?x=1 -');
    expect(await see('http://edge/api')).toBe('http://edge/ -');
    expect(await see('http://edge/users/7/posts/8')).toBe('http://edge/v2/7/of/posts/8 -');
    expect(await see('http://edge/old/x')).toBe('http://inner/old/x edge');
  });

  test('sends the client elsewhere with what its path held, and never to a host of its choice', async () => {
    const routes: RouteOptions[] = [
      { path: '/old/*', redirect: { to: '/*', status: 301 } },
      { path: '/blog/:year', redirect: 'https://blog.example.com/:year' },
      { path: '/', to: named('api') },
    ];
    const { send, run, reply } = visit(gateway('edge', { routes }));
    const ids = ['/old/a?b=c', '/old//evil.example.com', '/blog/2026'].map((path) =>
      send({ url: `http://edge${path}` }),
    );
    await run(20_000);
    const told = ids.map((id) => {
      const { status, headers } = reply(id)!;
      return [status, headers[headers.indexOf('location') + 1]];
    });
    expect(told).toEqual([
      [301, '/a?b=c'],
      [301, '/evil.example.com'],
      [308, 'https://blog.example.com/2026'],
    ]);
  });

  test('405 with what would do, when only the method is wrong', async () => {
    const routes = [{ path: '/a', methods: ['PUT', 'GET'], to: named('a') }];
    const { send, run, reply } = visit(gateway('edge', { routes }));
    const id = send({ url: 'http://edge/a', method: 'POST' });
    await run(10_000);
    expect(reply(id)).toMatchObject({ status: 405 });
    expect(reply(id)!.headers).toContain('PUT, GET');
  });

  test('a route has a policy and a body of its own', async () => {
    const slow = service('slow', { cost: { wait: '100ms' }, fetch: says('late') });
    const routes: RouteOptions[] = [
      { path: '/a', to: slow, policy: { timeout: '50ms' }, bodyMax: '2kB' },
      { path: '/b', to: slow },
    ];
    const body = 'x'.repeat(1_500);
    const options = { routes, bodyMax: '1kB' } as const;
    expect((await ask(options, { url: 'http://edge/a', method: 'PUT', body })).status).toBe(504);
    expect((await ask(options, { url: 'http://edge/b', method: 'PUT', body })).status).toBe(413);
    expect((await ask(options, { url: 'http://edge/b' })).status).toBe(200);
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
      'edge.limit.rate',
      'edge.limit.burst',
      'edge.policy.timeout',
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

  test('has routes that cannot be', () => {
    const routes: readonly object[] = [
      { path: 'x', to: api },
      { path: '/a*', to: api },
      { path: '/:a-b', to: api },
      { path: '/a?b', to: api },
      { host: 'a b', to: api },
      { methods: ['get'], to: api },
      { headers: { a: 1 }, to: api },
      { to: api, redirect: '/x' },
      { redirect: 'x' },
      { redirect: { to: '/:id', status: 300 } },
      { path: '/a', to: api, rewrite: { strip: '/b' } },
      { path: '/a', to: api, rewrite: { path: '/:b' } },
      { to: api, policy: { timeout: '-1s' } },
      { to: api, bodyMax: 'big' },
      { to: api, metods: [] },
      {},
    ];
    expect(wrong({ routes }).map((line) => line.split(': ')[0])).toEqual([
      'edge.routes[0]',
      'edge.routes[1]',
      'edge.routes[2]',
      'edge.routes[3]',
      'edge.routes[4].host',
      'edge.routes[5].methods',
      'edge.routes[6].headers.a',
      'edge.routes[7]',
      'edge.routes[8].redirect',
      'edge.routes[9].redirect.status',
      'edge.routes[9].redirect',
      'edge.routes[10].rewrite.strip',
      'edge.routes[11].rewrite.path',
      'edge.routes[12].policy.timeout',
      'edge.routes[13].bodyMax',
      'edge.routes[14].metods',
      'edge.routes[15]',
    ]);
  });

  test('has limits that cannot be', () => {
    const limits = {
      a: { algorithm: 'fixed-window', over: 'delay' },
      b: { by: 'header' },
      c: { algorithm: 'concurrency', cost: 2 },
      d: { rate: 'fast', onyl: [] },
      é: {},
    };
    const locations = { eu: ['20.0.0.0/33', '1.2.3'] };
    expect(
      wrong({ routes: { '/': api }, limits, locations }).map((line) => line.split(': ')[0]),
    ).toEqual([
      'edge.limits.a.over',
      'edge.limits.b.header',
      'edge.limits.c.cost',
      'edge.limits.d.onyl',
      'edge.limits.d.rate',
      'edge.limits.é',
      'edge.locations.eu',
      'edge.locations.eu',
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
