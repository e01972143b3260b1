/**
 * Ratings and reviews. A review is news: written down first, counted a moment later by the one instance that
 * reads its partition, and again only if it was not counted yet.
 */
import { Hono } from 'hono';
import type { Batch, Env } from 'loadpath';
import type { blocks, News, Ratings, Review } from '../blocks.ts';
import { bySku } from '../data/products.ts';

type Bindings = Env<Pick<typeof blocks, 'ratings' | 'hot' | 'news'>>;

const latestMax = 5;
const textMax = 500;

export const reviews = new Hono<{ Bindings: Bindings }>()
  .get('/reviews/:sku', async (c) => {
    const sku = c.req.param('sku');
    const found = await c.env.hot.through(sku, () => c.env.ratings.get(sku));
    const { count, sum, latest } = found ?? noneYet;
    const stars = count === 0 ? null : Math.round((10 * sum) / count) / 10;
    return c.json({ count, stars, latest });
  })
  .post('/reviews/:sku', async (c) => {
    const sku = c.req.param('sku');
    if (!bySku.has(sku)) return c.json({ error: 'no such product' }, 404);
    const body: Record<string, unknown> = await c.req.json().catch(() => ({}));
    const { stars, text } = body;
    if (!Number.isInteger(stars) || Number(stars) < 1 || Number(stars) > 5) {
      return c.json({ error: 'stars must be 1 to 5' }, 422);
    }
    if (typeof text !== 'string' || text.length > textMax) {
      return c.json({ error: `text must be text, ${textMax} letters at most` }, 422);
    }
    const review: Review = { user: c.req.header('x-user') ?? '', sku, stars: Number(stars), text };
    await c.env.news.publish({ type: 'reviewed', about: sku, review });
    return c.json({ thanks: true }, 202);
  });

const noneYet: Ratings = { count: 0, sum: 0, latest: [], offset: -1 };

export async function countReviews(batch: Batch<News>, env: Bindings): Promise<void> {
  for (const { value, offset } of batch) {
    if (value.type !== 'reviewed') continue;
    const { review } = value;
    const before = (await env.ratings.get(review.sku)) ?? noneYet;
    if (offset <= before.offset) continue;
    await env.ratings.put(review.sku, {
      count: before.count + 1,
      sum: before.sum + review.stars,
      latest: [review, ...before.latest].slice(0, latestMax),
      offset,
    });
    await env.hot.delete(review.sku);
  }
}
