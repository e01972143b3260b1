/** What somebody is about to buy. */
import { Hono } from 'hono';
import type { Env } from 'loadpath';
import type { blocks } from '../blocks.ts';
import { bySku } from '../data/products.ts';

const linesMax = 20;
const countMax = 5;

export const cart = new Hono<{ Bindings: Env<Pick<typeof blocks, 'carts'>> }>()
  .get('/cart', async (c) => {
    return c.json((await c.env.carts.get(owner(c.req))) ?? { lines: {} });
  })
  .put('/cart/:sku', async (c) => {
    const sku = c.req.param('sku');
    if (!bySku.has(sku)) return c.json({ error: 'no such product' }, 404);
    const { count }: { count?: unknown } = await c.req.json().catch(() => ({}));
    if (!Number.isInteger(count) || Number(count) < 1 || Number(count) > countMax) {
      return c.json({ error: `count must be 1 to ${countMax}` }, 422);
    }
    const before = (await c.env.carts.get(owner(c.req))) ?? { lines: {} };
    const lines = { ...before.lines, [sku]: Number(count) };
    if (Object.keys(lines).length > linesMax) {
      return c.json({ error: `${linesMax} different products at most` }, 422);
    }
    await c.env.carts.put(owner(c.req), { lines });
    return c.json({ lines });
  })
  .delete('/cart', async (c) => {
    await c.env.carts.delete(owner(c.req));
    return c.body(null, 204);
  });

/** The gateway says who asks, and lets nobody else say it. */
function owner(request: { header(name: string): string | undefined }): string {
  return request.header('x-user') ?? 'nobody';
}
