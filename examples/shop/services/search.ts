/**
 * Search over a share of the products: an index of the words in their names. Shares go by first letter, as the
 * drawers of a card index do, so that a share can grow by itself.
 */
import { Hono } from 'hono';
import { byRank, type Product } from '../data/products.ts';

const hitsMax = 10;

export function searching(first: string, last: string): Hono {
  const index = new Map<string, Set<Product>>();
  for (const product of byRank) {
    const letter = product.name[0]!;
    if (letter < first || letter > last) continue;
    for (const word of wordsOf(`${product.name} ${product.category}`)) {
      index.set(word, (index.get(word) ?? new Set()).add(product));
    }
  }

  /** Products that have a word beginning with `word`. */
  function found(word: string): ReadonlySet<Product> {
    const all = [...index]
      .filter(([known]) => known.startsWith(word))
      .flatMap(([, some]) => [...some]);
    return new Set(all);
  }

  return new Hono().get('/search', (c) => {
    const words = wordsOf(c.req.query('q') ?? '');
    if (words.length === 0) return c.json({ error: 'what are you looking for? ?q=oak+lamp' }, 400);
    const [most, ...others] = words.map(found);
    const hits = [...most!]
      .filter((product) => others.every((some) => some.has(product)))
      .sort((a, b) => a.rank - b.rank);
    const shown = hits.slice(0, hitsMax).map(({ sku, name, rank }) => ({ sku, name, rank }));
    return c.json({ total: hits.length, hits: shown });
  });
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}
