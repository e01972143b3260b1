/**
 * What customers do: most look around, some buy, a few write reviews, and a partner's shop asks for prices.
 * They complain when the shop is wrong: an order that it took must be found, and what is paid stays paid.
 */
import { Unavailable, type User } from 'loadpath';
import { byRank, type Product } from './data/products.ts';

export const partnerKey = 'a key that only the partner has';

const clients = ['web', 'web', 'ios', 'android'];
const queries = ['oak', 'lamp', 'velvet cushion', 'garden', 'stool', 'linen', 'bowl', 'walnut arm'];
const triesMax = 4;

export async function act(user: User): Promise<void> {
  const wish = user.random.next();
  if (wish < 0.65) await browse(user);
  else if (wish < 0.85) await buy(user);
  else if (wish < 0.9) await review(user);
  else await resell(user);
}

/** Live, instances are not all there when the first customer comes. */
export async function opened(user: User): Promise<void> {
  for (const { sku } of byRank.slice(0, 20)) await insist(user, `/products/${sku}`, {});
  for (const query of queries) await insist(user, `/search?q=${query.replace(' ', '+')}`, {});
}

async function browse(user: User): Promise<Product> {
  await user.fetch(`/search?q=${user.random.pick(queries).replace(' ', '+')}`);
  const headers = { 'x-client': clients[user.id % clients.length]! };
  for (let pages = user.random.between(0, 1); pages > 0; pages--) {
    await user.fetch(`/products/${popular(user).sku}`, { headers });
  }
  const chosen = popular(user);
  await user.fetch(`/products/${chosen.sku}`, { headers });
  return chosen;
}

async function buy(user: User): Promise<void> {
  const { sku } = await browse(user);
  const headers = await signedIn(user);
  if (!headers) return;
  const put = { method: 'PUT', headers, body: JSON.stringify({ count: 1 }) };
  if (!(await user.fetch(`/cart/${sku}`, put)).ok) return;
  const key = `k${user.random.below(2 ** 31).toString(36)}`.padEnd(8, '0');
  const reply = await insist(user, '/checkout', {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': key },
  });
  if (reply.status !== 202) return;
  const { orders } = (await reply.json()) as {
    readonly orders: readonly { readonly id: string }[];
  };
  for (const { id } of orders) await follow(user, id, headers);
}

/** Until it is known how the order ended, or the customer has something better to do. */
async function follow(user: User, id: string, headers: Headers): Promise<void> {
  for (let looks = 0; looks < 3; looks++) {
    await user.sleep(400 + 800 * looks);
    const reply = await user.fetch(`/orders/${id}`, { headers });
    if (reply.status === 404) user.complain(`order ${id} was taken, and nobody knows of it`);
    if (!reply.ok) continue;
    const { state } = (await reply.json()) as { readonly state: string };
    if (state === 'placed') continue;
    return;
  }
}

async function review(user: User): Promise<void> {
  const headers = await signedIn(user);
  if (!headers) return;
  const stars = Math.min(5, 2 + user.random.below(5));
  await user.fetch(`/reviews/${popular(user).sku}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ stars, text: stars > 3 ? 'As described.' : 'Smaller than I thought.' }),
  });
}

async function resell(user: User): Promise<void> {
  const headers = { 'x-api-key': partnerKey };
  for (let asked = 0; asked < 3; asked++) {
    await user.fetch(`/partners/products/${popular(user).sku}`, { headers });
  }
}

type Headers = { readonly authorization: string };

async function signedIn(user: User): Promise<Headers | undefined> {
  const body = JSON.stringify({ name: `customer-${user.id}`, password: `secret-${user.id}` });
  const reply = await user.fetch('/login', { method: 'POST', body });
  if (!reply.ok) return undefined;
  const { token } = (await reply.json()) as { readonly token: string };
  return { authorization: `Bearer ${token}` };
}

/** The popular ones get most of the looks. */
function popular(user: User): Product {
  return byRank[user.zipf(byRank.length)]!;
}

/** Asks again, where nothing was done or doing it again is the same. */
async function insist(user: User, path: string, init: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const reply = await user.fetch(path, init).catch((failure: unknown) => {
      if (tries === triesMax || !(failure instanceof Unavailable)) throw failure;
      return undefined;
    });
    if (reply && (reply.status < 500 || tries === triesMax)) return reply;
    await user.sleep(300 * tries);
  }
}
