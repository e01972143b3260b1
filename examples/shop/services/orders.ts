/**
 * Orders. A checkout writes orders down and tells the stock; the customer has an answer then, and the rest goes
 * on without anybody waiting:
 *
 *   checkout ─▶ ledger, demand ─▶ stock ─▶ news: reserved ─▶ bank ─▶ ledger: paid       ─▶ news: ended
 *                                             └ sold out            └ declined ─▶ demand: return
 *
 * Each step may happen twice and counts once: an order and its end are each written under a name of their own,
 * and the bank knows a charge by the name of the order.
 */
import { Hono } from 'hono';
import { type Batch, type Env, type Fetcher, Unavailable } from 'loadpath';
import type { blocks, Cart, Checkout, News, Order, Outcome } from '../blocks.ts';

type Bindings = Env<Pick<typeof blocks, 'ledger' | 'demand' | 'news'>> & {
  readonly cart: Fetcher;
  readonly prices: Fetcher;
  readonly bank: Fetcher;
};

export const orders = new Hono<{ Bindings: Bindings }>()
  .post('/checkout', async (c) => {
    const user = c.req.header('x-user') ?? '';
    const key = c.req.header('idempotency-key') ?? '';
    if (!/^[\w-]{8,64}$/.test(key)) {
      return c.json({ error: 'send an idempotency-key: 8 to 64 letters, digits, _ and -' }, 400);
    }
    const name = `${user}.${key}`;
    const { ledger, demand } = c.env;
    const known = (await ledger.get(`checkout ${name}`)) as Checkout | undefined;
    const made = known?.orders ?? (await ordersFor(user, name, c.env));
    if (made.length === 0) return c.json({ error: 'the cart is empty' }, 409);
    const told = { orders: made.map(({ id, sku }) => ({ id, sku })) };
    if (known?.taken) return c.json(told, 202);
    if (!known) await ledger.put(`checkout ${name}`, { orders: made, taken: false });
    await Promise.all(
      made.map(async (order) => {
        await ledger.put(order.id, order);
        await demand.publish({ type: 'order', order });
      }),
    );
    await ledger.put(`checkout ${name}`, { orders: made, taken: true });
    // Should this fail, the cart shows what was bought: better than to lose what was not.
    await c.env.cart
      .fetch('/cart', { method: 'DELETE', headers: { 'x-user': user } })
      .catch(notEmptied);
    return c.json(told, 202);
  })
  .get('/orders/:id', async (c) => {
    const id = c.req.param('id');
    const order = (await c.env.ledger.get(id)) as Order | undefined;
    if (order?.user !== c.req.header('x-user')) return c.json({ error: 'no such order' }, 404);
    const outcome = (await c.env.ledger.get(`${id} ended`)) as Outcome | undefined;
    const { sku, count, cents } = order!;
    return c.json({ id, sku, count, cents, state: outcome?.state ?? 'placed' });
  });

async function ordersFor(user: string, name: string, env: Bindings): Promise<readonly Order[]> {
  const reply = await env.cart.fetch('/cart', { headers: { 'x-user': user } });
  const { lines } = (await reply.json()) as Cart;
  if (Object.keys(lines).length === 0) return [];
  const query = Object.entries(lines).map(([sku, count]) => `${sku}=${count}`);
  const quote = await env.prices.fetch(`/quote?${query.join('&')}`);
  const priced = (await quote.json()) as {
    readonly lines: readonly { sku: string; cents: number }[];
  };
  return priced.lines.map(({ sku, cents }) => ({
    id: `${name}.${sku}`,
    user,
    sku,
    count: lines[sku]!,
    cents,
    placedAt: Date.now(),
  }));
}

function notEmptied(failure: unknown): void {
  if (!(failure instanceof Unavailable)) throw failure;
}

/** What is reserved is paid; what fails is tried again, by the batch being delivered again. */
export async function settle(batch: Batch<News>, env: Bindings): Promise<void> {
  await Promise.all(
    batch.map(async ({ value }) => {
      if (value.type === 'reserved') await pay(value, env);
      else if (value.type === 'ended' && value.outcome.state === 'sold out') {
        await end(value.order, value.outcome, env);
      }
    }),
  );
}

async function pay({ order, pieces }: News & { type: 'reserved' }, env: Bindings): Promise<void> {
  const known = (await env.ledger.get(`${order.id} ended`)) as Outcome | undefined;
  const outcome = known ?? { state: await charge(order, env), pieces };
  if (!known) await end(order, outcome, env);
  if (outcome.state !== 'paid') await env.demand.publish({ type: 'return', order });
  await env.news.publish({ type: 'ended', about: order.id, order, outcome });
}

async function charge(order: Order, { bank }: Bindings): Promise<'paid' | 'declined'> {
  // A PUT under the name of the order: however often it is sent, it is one charge.
  const reply = await bank.fetch(`/charges/${order.id}`, {
    method: 'PUT',
    body: JSON.stringify({ cents: order.cents, of: order.user }),
  });
  if (reply.status === 201) return 'paid';
  if (reply.status === 402) return 'declined';
  throw new Unavailable('bank', 'charge', `status ${reply.status}`, false);
}

/** Nobody writes another end over the first one. */
async function end(order: Order, outcome: Outcome, { ledger }: Bindings): Promise<void> {
  if (await ledger.get(`${order.id} ended`)) return;
  await ledger.put(`${order.id} ended`, outcome);
}
