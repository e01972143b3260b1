/** What README.md says of the shop: its pages and orders, and what happens when something goes wrong. */
import fc from 'fast-check';
import { type Report, simulate, system, type User, users } from 'loadpath';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Demand, Order } from './blocks.ts';
import { partnerKey } from './customers.ts';
import { bySku, products } from './data/products.ts';
import { edge, notifications } from './design.ts';
import { after, emptyShelf, freePieces, piecesOf } from './services/shelf.ts';

/** One customer tells a story; what it returns is what happened. */
async function told<T>(story: (user: User) => Promise<T>): Promise<T> {
  const ends: T[] = [];
  const setup = async (user: User): Promise<void> => {
    ends.push(await story(user));
  };
  const workload = users({ rate: '1/s', setup, act: () => {} });
  await simulate(system('shop-story', { entry: edge, blocks: [notifications], workload }), {
    for: '1s',
  });
  expect(ends).toHaveLength(1);
  return ends[0]!;
}

async function signedIn(user: User, name = 'customer-7'): Promise<Record<string, string>> {
  const body = JSON.stringify({ name, password: name.replace('customer', 'secret') });
  const reply = await user.fetch('/login', { method: 'POST', body });
  const { token } = (await reply.json()) as { readonly token: string };
  return { authorization: `Bearer ${token}` };
}

const json = async (reply: Response) => (await reply.json()) as Record<string, unknown>;

describe('a page', () => {
  test('is made of seven calls, and has the face that its client needs', async () => {
    const [web, phone, partner, stranger] = await told(async (user) => {
      const ask = async (path: string, headers: Record<string, string> = {}) =>
        user.fetch(path, { headers });
      return [
        await json(await ask('/products/p-017')),
        await json(await ask('/products/p-017', { 'x-client': 'ios' })),
        await json(await ask('/partners/products/p-017', { 'x-api-key': partnerKey })),
        (await ask('/partners/products/p-017')).status,
      ] as const;
    });
    const parts = ['product', 'price', 'stock', 'reviews', 'others', 'seller', 'delivery'];
    expect(Object.keys(web)).toEqual(parts);
    expect(Object.values(web)).not.toContain(null);
    const { name } = bySku.get('p-017')!;
    expect(phone).toMatchObject({ name, stars: null, left: bySku.get('p-017')!.pieces });
    expect(Number(partner.netCents)).toBeLessThan(Number(phone.cents));
    expect(stranger).toBe(401);
  });

  test('of a search has hits of both halves of the index', async () => {
    const page = await told(async (user) => json(await user.fetch('/search?q=lamp')));
    const names = (half: unknown) => (half as { name: string }[]).map(({ name }) => name);
    expect(names(page['A-N']).every((name) => name < 'O' && name.endsWith('Lamp'))).toBe(true);
    expect(names(page['O-Z']).every((name) => name >= 'O' && name.endsWith('Lamp'))).toBe(true);
  });
});

describe('an order', () => {
  test('is taken once however often it is sent, ends, and is nobody else’s business', async () => {
    const seen = await told(async (user) => {
      const mine = await signedIn(user);
      const body = JSON.stringify({ count: 2 });
      for (const sku of ['p-001', 'p-002']) {
        await user.fetch(`/cart/${sku}`, { method: 'PUT', headers: mine, body });
      }
      const headers = { ...mine, 'idempotency-key': 'once-and-again' };
      const first = await json(await user.fetch('/checkout', { method: 'POST', headers }));
      const again = await json(await user.fetch('/checkout', { method: 'POST', headers }));
      await user.sleep(5_000);
      const [{ id }] = first.orders as [{ readonly id: string }];
      const other = await signedIn(user, 'customer-8');
      return {
        first,
        again,
        own: await json(await user.fetch(`/orders/${id}`, { headers: mine })),
        others: (await user.fetch(`/orders/${id}`, { headers: other })).status,
        cart: await json(await user.fetch('/cart', { headers: mine })),
        page: await json(await user.fetch('/products/p-001')),
      };
    });
    expect(seen.again).toEqual(seen.first);
    expect(seen.first.orders).toHaveLength(2);
    expect(seen.own).toMatchObject({ sku: 'p-001', count: 2, state: 'paid' });
    expect(seen.others).toBe(404);
    expect(seen.cart).toEqual({ lines: {} });
    expect(seen.page.stock).toEqual({ left: bySku.get('p-001')!.pieces - 2 });
  });
});

describe('a shelf', () => {
  const demands = fc.array(
    fc.record({ sku: fc.constantFrom('p-001', 'p-002'), who: fc.nat(9), isReturn: fc.boolean() }),
    { maxLength: 60 },
  );
  const demandOf = (one: { sku: string; who: number; isReturn: boolean }): Demand => {
    const order: Order = {
      id: `o${one.who}.${one.sku}`,
      user: 'u',
      sku: one.sku,
      count: 1 + (one.who % 3),
      cents: 1,
      placedAt: 0,
    };
    return { type: one.isReturn ? 'return' : 'order', order };
  };

  test('gives each piece to one order, all that was asked for or nothing, and none is lost', () => {
    fc.assert(
      fc.property(demands, (list) => {
        let shelf = emptyShelf;
        list.map(demandOf).forEach((demand, offset) => {
          shelf = after(shelf, demand, offset);
          const { id, sku, count } = demand.order;
          const got = piecesOf(shelf, sku, id).length;
          expect(demand.type === 'return' ? got === 0 : got === 0 || got === count).toBe(true);
        });
        for (const sku of ['p-001', 'p-002']) {
          const sold = Object.keys(shelf.sold[sku] ?? {}).length;
          expect(sold + freePieces(shelf, sku).length).toBe(bySku.get(sku)!.pieces);
        }
      }),
    );
  });
});

test('products have names, prices and ranks of their own', () => {
  expect(new Set(products.map(({ name }) => name)).size).toBe(240);
  expect(new Set(products.map(({ rank }) => rank)).size).toBe(240);
  expect(products.every(({ listCents, pieces }) => listCents >= 900 && pieces >= 4)).toBe(true);
});

/** One run with all that README.md tells, one after the other, each with time to get over it. */
describe('when something goes wrong', () => {
  let report: Report;
  beforeAll(async () => {
    report = await simulate(new URL('./design.ts', import.meta.url), {
      for: '64s',
      rate: '10/s',
      faults: [
        'kill reviews/0 at 6s, restart after 6s',
        'kill reviews/1 at 6s, restart after 6s',
        'slow calls to bank by 3s at 18s for 6s',
        'cut zone c from zone a at 30s for 5s',
        'cut zone c from zone b at 30s for 5s',
        'kill stock/0 at 40s, restart after 4s',
        'kill names at 40s, restart after 4s',
        'surge 3x at 50s for 6s',
      ],
    });
  }, 120_000);

  const between = (from: number, to: number) => ({
    failed: sum(report.series.errors.slice(from, to)),
    served: sum(report.series.throughput.slice(from, to)),
    p99: Math.max(...report.series.p99Ms.slice(from, to)),
  });

  test('no order is lost, no piece is sold twice, whatever it is', () => {
    expect(report.invariants.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect(report.blocks.demand?.meters.published).toBeGreaterThan(50);
  });

  test('reviews die: pages come with those of a minute ago, or without; only writing one fails', () => {
    const { failed, served } = between(6, 13);
    expect(failed).toBeLessThan(0.05 * served);
    expect(report.blocks.edge?.meters['stale answers reviews']).toBeGreaterThan(0);
  });

  test('payment is slow: nobody who looks or orders notices, and the breaker spares the bank', () => {
    expect(between(18, 28)).toMatchObject({ failed: 0 });
    expect(between(18, 28).p99).toBeLessThan(100);
    expect(report.blocks.bank?.meters['breaker refused bank']).toBeGreaterThan(0);
  });

  test('a zone without a gateway is cut off: nobody notices', () => {
    expect(between(30, 40)).toMatchObject({ failed: 0 });
    expect(between(30, 40).p99).toBeLessThan(400);
  });

  test('an instance of the stock and the registry die: nobody notices', () => {
    expect(between(40, 50)).toMatchObject({ failed: 0 });
  });

  test('three times the load is served', () => {
    expect(between(50, 60)).toMatchObject({ failed: 0 });
    expect(between(51, 56).served).toBeGreaterThan(2 * between(0, 5).served);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
