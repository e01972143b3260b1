/** `loadpath` as somebody uses it in tests of their own: a design in, a report out. */
import { Hono } from 'hono';
import {
  type Env,
  gateway,
  kv,
  LoadpathError,
  type System,
  service,
  simulate,
  system,
  topic,
  users,
} from 'loadpath';
import { linearizable, noLoss } from 'loadpath/verify';
import { describe, expect, test } from 'vitest';

type Order = { readonly item: string; readonly count: number };

function shop() {
  const orders = kv<Order>('orders', { replicas: 3 });
  const placed = topic<{ readonly id: string }>('placed', { partitions: 2 });
  const env = { orders, placed };
  const app = new Hono<{ Bindings: Env<typeof env> }>()
    .put('/orders/:id', async (c) => {
      const id = c.req.param('id');
      await c.env.orders.put(id, await c.req.json<Order>());
      await c.env.placed.publish({ id });
      return c.json({ id }, 201);
    })
    .get('/orders/:id', async (c) => {
      const order = await c.env.orders.get(c.req.param('id'));
      return order ? c.json(order) : c.notFound();
    });
  const counted = kv<number>('counted', { replicas: 1 });
  return system('shop', {
    entry: gateway('edge', {
      routes: { '/': service('api', { env, fetch: app.fetch }) },
      policy: { timeout: '1s', retry: { attempts: 2 } },
    }),
    blocks: [
      service('counter', {
        env: { placed, counted },
        on: {
          placed: async (batch, { counted: counts }) => {
            for (const { value } of batch) await counts.put(value.id, 1);
          },
        },
      }),
    ],
    workload: users({
      rate: '50/s',
      act: async (user) => {
        const path = `/orders/${user.id}`;
        const body = JSON.stringify({ item: 'tea', count: user.random.between(1, 9) });
        const put = await user.fetch(path, { method: 'PUT', body });
        if (!put.ok) return;
        const reply = await user.fetch(path);
        if (reply.status === 404) user.complain('an order that was placed is gone');
      },
    }),
    objectives: { p99: '500ms', availability: 0.99 },
    invariants: [linearizable(orders), noLoss(placed)],
  });
}

describe('simulate', () => {
  test('runs a design and says whether it keeps its promises', async () => {
    const report = await simulate(shop(), { for: '5s' });
    expect(report).toMatchObject({ design: 'shop', world: 'simulated', seed: 1 });
    expect(report.objectives.map(({ name, holds }) => [name, holds])).toEqual([
      ['p99', true],
      ['availability', true],
    ]);
    expect(report.invariants.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'holds']);
    expect(report.blocks.counted!.requestsPerSec).toBeGreaterThan(0);
    expect(report.notes).toEqual([]);
  });

  test('does not hold where user code goes on without the real world, and says where', async () => {
    const fetching = async () => {
      try {
        return await fetch('http://example.com/rates');
      } catch {
        return new Response('a fallback that live is not needed');
      }
    };
    const api = service('api', { instances: 1, fetch: fetching });
    const design = system('shop', {
      entry: api,
      workload: users({ rate: '10/s' }),
      objectives: { availability: 0.99 },
    });
    const report = await simulate(design, { for: '1s' });
    expect(report).toMatchObject({ failed: 0, availability: 1 });
    const unknown = report.invariants.filter(({ verdict }) => verdict === 'unknown');
    expect(unknown).toHaveLength(1);
    expect(unknown[0]!.detail).toContain("api/0: fetch('http://example.com/rates')");
    expect(unknown[0]!.detail).toContain(`${report.generated} times`);
  });

  test('names intervals that requests leave behind, when it checks', async () => {
    const fetching = () => {
      setInterval(() => {}, 100);
      return new Response();
    };
    const api = service('api', { instances: 1, fetch: fetching });
    const design = system('shop', { entry: api, workload: users({ rate: '10/s' }) });
    const asked = { for: '1s', check: true } as const;
    const { generated, notes } = await simulate(design, asked);
    expect(notes).toEqual([
      `api/0: setInterval of 100ms begun and never cleared, ${generated} times`,
    ]);
  });

  test('is the same each time for a seed, and not for another', async () => {
    const [one, again, other] = [
      await simulate(shop(), { for: '2s', seed: 7 }),
      await simulate(shop(), { for: '2s', seed: 7 }),
      await simulate(shop(), { for: '2s', seed: 8 }),
    ];
    expect({ ...again, wallSeconds: 0 }).toEqual({ ...one, wallSeconds: 0 });
    expect(other.digest).not.toBe(one.digest);
  });

  test('two at once do not disturb one another', async () => {
    const alone = await simulate(shop(), { for: '1s' });
    const both = await Promise.all([
      simulate(shop(), { for: '1s' }),
      simulate(shop(), { for: '1s' }),
    ]);
    expect(both.map(({ digest }) => digest)).toEqual([alone.digest, alone.digest]);
  });

  test('makes things go wrong when asked, and tells when they did', async () => {
    const faults = ['kill orders/1 at 1s, restart after 1s', 'cut zone a from zone b at 2s for 1s'];
    const report = await simulate(shop(), { for: '4s', faults });
    expect(report.invariants.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'holds']);
    const told = report.events.filter(({ type }) => type === 'fault');
    expect(told.map(({ at }) => at)).toEqual([1_000_000, 2_000_000, 2_000_000, 3_000_000]);
    expect(report.blocks.orders!.nodes.map(({ boots }) => boots)).toEqual([1, 2, 1]);
  });

  test('checks what is sent as well, with the same figures', async () => {
    const plain = await simulate(shop(), { for: '1s' });
    const checked = await simulate(shop(), { for: '1s', check: true });
    expect(checked.generated).toBe(plain.generated);
    expect(checked.latencyMs).toEqual(plain.latencyMs);
  });

  test('takes another rate, and counts a load of part of a second as that', async () => {
    const report = await simulate(shop(), { for: '500ms', rate: '200/s' });
    expect(report.simulatedSeconds).toBe(0.5);
    // Two requests a visit.
    expect(report.throughputPerSec).toBeGreaterThan(250);
  });

  test('leaves the platform as it was', async () => {
    const before = { ...Object.getOwnPropertyDescriptors(globalThis) };
    await simulate(shop(), { for: '200ms' });
    const after = Object.getOwnPropertyDescriptors(globalThis);
    for (const name of ['fetch', 'Request', 'setTimeout', 'Date', 'crypto', 'console'] as const) {
      expect(after[name]?.value, name).toBe(before[name]?.value);
    }
  });

  test('refuses options that are none, all at once', async () => {
    const asked = { seed: -1, for: 'long', rate: 'often', fault: [] } as object;
    const failure: unknown = await simulate(shop(), asked).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LoadpathError);
    expect((failure as LoadpathError).problems.map(({ at }) => at)).toEqual([
      'fault',
      'seed',
      'for',
      'rate',
    ]);
  });

  test('refuses what is no design, and says of a module that it is one', async () => {
    const given = { default: shop() } as unknown as System;
    await expect(simulate(given)).rejects.toThrow('it is a module, give its default export');
    await expect(simulate({} as unknown as System)).rejects.toThrow("must be a system('name'");
  });

  test('refuses a file that is not there, and one that exports no design', async () => {
    await expect(simulate('test/no-such-design.ts')).rejects.toMatchObject({
      code: 'design-not-found',
    });
    await expect(simulate(new URL('./checkout.ts', import.meta.url))).rejects.toMatchObject({
      name: 'LoadpathError',
    });
  });
});
