/** What there is to know of a product that hardly ever changes. */
import { Hono } from 'hono';
import { byRank, bySku, sellers } from '../data/products.ts';

export const catalogue = new Hono().get('/products/:sku', (c) => {
  const product = bySku.get(c.req.param('sku'));
  if (!product) return c.json({ error: 'no such product' }, 404);
  const { sku, name, category, material, grams } = product;
  return c.json({ sku, name, category, material, grams });
});

/** Others of its kind, those that are asked for most first. */
export const recommendations = new Hono().get('/recommendations/:sku', (c) => {
  const product = bySku.get(c.req.param('sku'));
  if (!product) return c.json({ error: 'no such product' }, 404);
  const like = byRank.filter(
    ({ sku, category, material }) =>
      sku !== product.sku && (category === product.category || material === product.material),
  );
  return c.json({ items: like.slice(0, 4).map(({ sku, name }) => ({ sku, name })) });
});

export const merchants = new Hono().get('/sellers/of/:sku', (c) => {
  const product = bySku.get(c.req.param('sku'));
  const seller = sellers.find(({ id }) => id === product?.seller);
  return seller ? c.json(seller) : c.json({ error: 'no such product' }, 404);
});
