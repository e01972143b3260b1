/** What it costs to bring a product, and when it is there. */
import { Hono } from 'hono';
import { bySku, sellers } from '../data/products.ts';

/** Cents up to a weight in grams; what is heavier comes on a pallet. */
const tariff = [
  [1_000, 390],
  [5_000, 590],
  [20_000, 1_190],
] as const;
const palletCents = 4_900;

export const delivery = new Hono().get('/delivery/:sku', (c) => {
  const product = bySku.get(c.req.param('sku'));
  const seller = sellers.find(({ id }) => id === product?.seller);
  if (!product || !seller) return c.json({ error: 'no such product' }, 404);
  const [, cents] = tariff.find(([grams]) => product.grams <= grams) ?? [0, palletCents];
  const days = 1 + Math.ceil(seller.packsIn / 24) + (cents === palletCents ? 3 : 0);
  return c.json({ cents, days });
});
