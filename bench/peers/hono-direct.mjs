/**
 * The handler of `designs/hono-store.ts` asked directly, the shortest way Node offers: its own `Request`
 * and `Response`, a Map behind two awaits, no network, no copies, no clock, nothing recorded.
 */
import { Hono } from 'hono';

const counts = new Map();
const store = {
  async get(key) {
    return counts.get(key);
  },
  async put(key, value) {
    counts.set(key, value);
  },
};

const app = new Hono();
app.get('/count/:key', async (c) => {
  const key = c.req.param('key');
  const before = await store.get(key);
  const count = (before?.count ?? 0) + 1;
  await store.put(key, { count });
  return c.json({ count });
});

/** Asks `requests` times, one after the other; returns how often it was answered. */
export async function askDirectly(requests) {
  let answered = 0;
  for (let nth = 0; nth < requests; nth++) {
    const request = new Request(`http://api.internal/count/${(nth * 7_919) % 10_000}`);
    const response = await app.fetch(request);
    const { count } = await response.json();
    if (count > 0) answered++;
  }
  return answered;
}
