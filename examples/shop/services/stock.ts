/**
 * Stock: reads the demand for products and says who gets which pieces.
 *
 *   demand ──one partition, one reader──▶ stock ──▶ news: reserved, or sold out
 *                                           └─▶ shelves: how far it is, and what pages show
 *
 * The log is the truth. What an instance knows is worked out from it; the store only spares reading all of it.
 */
import { Hono } from 'hono';
import type { Batch, Env } from 'loadpath';
import type { blocks, Demand, News, Shelf } from '../blocks.ts';
import { bySku } from '../data/products.ts';
import { after, emptyShelf, freePieces, piecesOf } from './shelf.ts';

type Bindings = Env<Pick<typeof blocks, 'shelves' | 'demand' | 'news'>>;

/** How many demands later the store is told: so many are read again when a partition moves. */
const keepEvery = 20;

/** What this instance has worked out, by partition; gone after a crash, and worked out again. */
const known = new Map<number, { shelf: Shelf; keptAt: number }>();

export async function sell(batch: Batch<Demand>, env: Bindings): Promise<void> {
  const { partition, offset: first } = batch[0]!;
  let mine = known.get(partition);
  if (!mine || mine.shelf.offset < first - 1) {
    const kept =
      ((await env.shelves.get(`partition ${partition}`)) as Shelf | undefined) ?? emptyShelf;
    mine = { shelf: kept, keptAt: kept.offset };
    known.set(partition, mine);
  }
  // Another instance has read what lies between: it is read again, from what is known for certain.
  if (mine.shelf.offset < first - 1) {
    await env.demand.replayFrom('stock', partition, mine.shelf.offset + 1);
    return;
  }
  for (const { value, offset } of batch) {
    if (offset > mine.shelf.offset) mine.shelf = after(mine.shelf, value, offset);
  }
  const { shelf } = mine;
  const touched = new Set(batch.map(({ value }) => value.order.sku));
  await Promise.all([
    ...batch.flatMap(({ value }) => (value.type === 'order' ? [tell(value, shelf, env)] : [])),
    ...[...touched].map((sku) => env.shelves.put(sku, { left: freePieces(shelf, sku).length })),
  ]);
  if (shelf.offset - mine.keptAt < keepEvery) return;
  await env.shelves.put(`partition ${partition}`, shelf);
  mine.keptAt = shelf.offset;
}

async function tell({ order }: Demand, shelf: Shelf, env: Bindings): Promise<void> {
  const pieces = piecesOf(shelf, order.sku, order.id);
  const news: News =
    pieces.length > 0
      ? { type: 'reserved', about: order.id, order, pieces }
      : { type: 'ended', about: order.id, order, outcome: { state: 'sold out', pieces: [] } };
  await env.news.publish(news);
}

export const stock = new Hono<{ Bindings: Bindings }>().get('/stock/:sku', async (c) => {
  const sku = c.req.param('sku');
  const product = bySku.get(sku);
  if (!product) return c.json({ error: 'no such product' }, 404);
  const shown = (await c.env.shelves.get(sku)) as { readonly left: number } | undefined;
  return c.json({ left: shown?.left ?? product.pieces });
});
