/** What a product costs now, and to whom. */
import { Hono } from 'hono';
import { bySku, type Product } from '../data/products.ts';

const onSale = ['textiles', 'kitchen', 'lighting', 'garden', 'seating'];
const hourMs = 3_600_000;

/** Each hour another category is 15 % off; partners buy without the shop's share. */
export function priceOf(product: Product, now: number, tier: string | undefined) {
  const isOnSale = onSale[Math.floor(now / hourMs) % onSale.length] === product.category;
  const share = (isOnSale ? 0.85 : 1) * (tier === 'partner' ? 0.8 : 1);
  const cents = Math.round(product.listCents * share);
  return { cents, ...(isOnSale ? { insteadOf: product.listCents } : {}) };
}

export const prices = new Hono()
  .get('/prices/:sku', (c) => {
    const product = bySku.get(c.req.param('sku'));
    if (!product) return c.json({ error: 'no such product' }, 404);
    return c.json(priceOf(product, Date.now(), c.req.header('x-user-tier')));
  })
  /** For a checkout: `?p-001=2&p-017=1`. */
  .get('/quote', (c) => {
    const lines = Object.entries(c.req.query()).flatMap(([sku, count]) => {
      const product = bySku.get(sku);
      return product
        ? [{ sku, cents: Number(count) * priceOf(product, Date.now(), undefined).cents }]
        : [];
    });
    return c.json({ lines });
  });
