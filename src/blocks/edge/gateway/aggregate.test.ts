/** One page out of seven services: as slow as the slowest, whole or marked, in the shape that each client wants. */
import { describe, expect, test } from 'vitest';
import { type Visit, visit } from '../../../../test/visitor.ts';
import { service } from '../../compute/service/index.ts';
import { type AggregateOptions, aggregate, type GatewayOptions, gateway } from './index.ts';

const names = ['product', 'price', 'stock', 'ratings', 'reviews', 'similar', 'delivery'] as const;

/** Each takes 10 ms, and tells what it was asked. */
const shop = names.map((name) =>
  service(name, {
    instances: 1,
    cost: { wait: '10ms' },
    fetch: ({ url, headers }) => {
      const { pathname, search } = new URL(url);
      return Response.json({ name, pathname, search, user: headers.get('x-forwarded-for') });
    },
  }),
);

const page = (options: Partial<AggregateOptions> = {}, other: Record<string, object> = {}) =>
  aggregate({
    parts: Object.fromEntries(
      shop.map((from) => [from.name, { from, path: `/${from.name}/:id`, ...other[from.name] }]),
    ),
    ...options,
  });

const door = (to: ReturnType<typeof aggregate>, more: Partial<GatewayOptions> = {}) =>
  visit(gateway('edge', { routes: [{ path: '/page/:id', to }], ...more }));

async function read(at: Visit, url = 'http://edge/page/7?lang=en') {
  const id = at.send({ url });
  const sentAt = at.world.now;
  await at.run(2_000_000);
  const text = await at.text(id);
  const isJson = at.reply(id)!.headers.includes('application/json');
  return {
    status: at.status(id),
    tookUs: at.answeredAt(id)! - sentAt,
    body: (isJson ? JSON.parse(text) : text) as Record<string, unknown>,
    headers: at.reply(id)!.headers,
  };
}

/** A service that fails in its way. */
const failing = (name: string, how: 'slow' | 'broken' | 'missing' | 'garbled') =>
  service(name, {
    instances: 1,
    cost: { wait: how === 'slow' ? '900ms' : '1ms' },
    fetch: () => {
      if (how === 'broken') return new Response('', { status: 500 });
      if (how === 'missing') return new Response('', { status: 404 });
      return new Response(how === 'garbled' ? '{' : '{}');
    },
  });

describe('a page of seven parts', () => {
  test('takes as long as one of them, and is one reply for the client', async () => {
    const at = door(page());
    const { status, tookUs, body } = await read(at);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual([...names]);
    expect(body.stock).toEqual({
      name: 'stock',
      pathname: '/stock/7',
      search: '?lang=en',
      user: '20.0.0.1',
    });
    // One by one they would take seven times 10 ms.
    expect(tookUs).toBeLessThan(15_000);
    expect(tookUs).toBeGreaterThan(10_000);
    expect(at.counted('edge', 'requests')).toBe(1);
  });

  test('comes without what is late or broken, in time, and says what is missing', async () => {
    const parts = {
      product: { from: shop[0]!, path: '/product/:id', required: true },
      late: { from: failing('late', 'slow'), path: '/late', timeout: '50ms' },
      broken: { from: failing('broken', 'broken'), path: '/b' },
      gone: { from: failing('gone', 'missing'), path: '/g' },
      garbled: { from: failing('garbled', 'garbled'), path: '/x' },
    } as const;
    const { status, tookUs, body, headers } = await read(door(aggregate({ parts })));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      product: { name: 'product' },
      late: null,
      missing: { late: 'timeout', broken: 'status 500', gone: 'status 404', garbled: 'not JSON' },
    });
    expect(headers).toContain('late, broken, gone, garbled');
    expect(headers).toContain('no-store');
    expect(tookUs).toBeLessThan(60_000);
  });

  test('comes without a part whose breaker is open, which is answered before it is asked', async () => {
    const parts = {
      broken: { from: failing('broken', 'broken'), path: '/b' },
      product: { from: shop[0]!, path: '/product/:id' },
    };
    const policy = { breaker: { per: 'service', volumeMin: 1 } } as const;
    const at = door(aggregate({ parts }), { policy });
    await read(at);
    const { status, body } = await read(at);
    expect(status).toBe(200);
    expect(body).toMatchObject({ broken: null, product: { name: 'product' } });
    expect(body.missing).not.toEqual({ broken: 'status 500' });
  });

  test.each([
    ['slow', 504],
    ['broken', 502],
    ['missing', 404],
    ['garbled', 502],
  ] as const)('is none without a required part that is %s: %i', async (how, expected) => {
    const required = {
      from: failing('main', how),
      path: '/',
      required: true,
      timeout: '50ms',
    } as const;
    const other = { from: shop[0]!, path: '/p' };
    const { status } = await read(door(aggregate({ parts: { required, other } })));
    expect(status).toBe(expected);
  });

  test('has the shape that a client wants: one face for each, from the same services', async () => {
    const items = service('items', {
      instances: 1,
      fetch: () => Response.json({ total: 2, list: [{ stars: 5, text: 'good' }, { stars: 1 }] }),
    });
    const parts = { product: { from: shop[0]!, path: '/p' }, items: { from: items, path: '/i' } };
    const mobile = aggregate({
      parts,
      shape: { title: '$product.name', stars: '$items.list.*.stars' },
    });
    const web = aggregate({
      parts,
      shape: {
        kind: 'page',
        reviews: ['$items.list.0.text', '$items.list.*.text'],
        none: '$items.a.b',
      },
    });
    const routes = [
      { path: '/', to: web },
      { path: '/', headers: { 'x-client': 'mobile' }, to: mobile },
    ];
    const at = visit(gateway('edge', { routes }));
    const ids = [at.send({ headers: ['x-client', 'mobile'] }), at.send()];
    await at.run(50_000);
    const [small, large] = await Promise.all(
      ids.map(async (id) => JSON.parse(await at.text(id)) as object),
    );
    expect(small).toEqual({ title: 'product', stars: [5, 1] });
    expect(large).toEqual({ kind: 'page', reviews: ['good', ['good', null]], none: null });
  });

  test('is only read, and of modelled services too', async () => {
    const modelled = service('modelled', { instances: 1, cost: '1ms' });
    const at = door(aggregate({ parts: { modelled: { from: modelled, path: '/' } } }));
    expect((await read(at)).body).toEqual({ modelled: null });
    const post = at.send({ method: 'POST', url: 'http://edge/page/7' });
    await at.run(10_000);
    expect(at.status(post)).toBe(405);
  });

  test('that nobody waits for any more is not worked on: every part hears of it', async () => {
    const slow = service('slow', {
      instances: 1,
      cost: { wait: '500ms' },
      fetch: () => new Response(),
    });
    const parts = { a: { from: slow, path: '/a' }, b: { from: slow, path: '/b' } };
    const at = door(aggregate({ parts }), { policy: { timeout: '2s' } });
    const id = at.send({ url: 'http://edge/page/7' });
    await at.run(20_000);
    at.cancel(id);
    await at.run(1_000_000);
    expect(at.status(id)).toBeUndefined();
    expect(at.counted('edge', 'abandoned')).toBe(1);
    expect(at.counted('slow', 'abandoned')).toBe(2);
  });
});

test('an aggregate that cannot be is told all at once', () => {
  const to = aggregate({
    parts: {
      'a-b': { from: shop[0]!, path: '/x/:other', timeout: '0ms' },
      c: { from: undefined as never, path: 'x' },
    },
    shape: { a: '$nothing.x' },
  });
  const { problems } = gateway('edge', { routes: [{ path: '/page/:id', to }] });
  expect(problems.map(({ at }) => at)).toEqual([
    'edge.routes[0].to.parts.a-b.timeout',
    'edge.routes[0].to.parts.a-b',
    'edge.routes[0].to.parts.c.path',
    'edge.routes[0].to.parts.c.from',
    'edge.routes[0].to.shape',
    'edge.routes[0].to.parts.a-b',
  ]);
  expect(
    gateway('edge', { routes: { '/': aggregate({ parts: {} }) } }).problems.map(({ at }) => at),
  ).toEqual(["edge.routes['/'].to.parts"]);
});
