/** The origin: articles in a store, and pages made of them, each of which says how long it is good. */
import { Hono } from 'hono';
import { type Env, kv, purges } from 'loadpath';

export type Article = { readonly version: number; readonly text: string };

export const articleCount = 200;

export const blocks = {
  articles: kv<Article>('articles', { consistency: 'atomic', timeout: '1s' }),
  /** How an editor's correction reaches every edge, before the editor hears that it did. */
  pages: purges('pages', { lease: '3s' }),
};

/** Pages may be kept for a day, since a correction removes them; and stand in for an origin that is away. */
const kept = 'public, max-age=86400, stale-if-error=86400';
/** Lists change by themselves. */
const briefly = 'public, max-age=5, stale-while-revalidate=30, stale-if-error=3600';

export const newspaper = new Hono<{ Bindings: Env<typeof blocks> }>()
  .get('/articles/:id', async (c) => {
    const id = c.req.param('id');
    if (!isArticle(id)) return c.json({ error: 'no such article' }, 404);
    const article = (await c.env.articles.get(id)) ?? {
      version: 0,
      text: `This is article ${id}.`,
    };
    c.header('cache-control', kept);
    c.header('surrogate-key', `article-${id}`);
    return c.json(article);
  })
  .put('/articles/:id', async (c) => {
    const id = c.req.param('id');
    if (!isArticle(id)) return c.json({ error: 'no such article' }, 404);
    const { text }: { text?: unknown } = await c.req.json().catch(() => ({}));
    if (typeof text !== 'string') return c.json({ error: 'text must be text' }, 422);
    const before = await c.env.articles.get(id);
    const article: Article = { version: (before?.version ?? 0) + 1, text };
    await c.env.articles.put(id, article);
    await c.env.pages.purge({ tag: `article-${id}` });
    return c.json({ version: article.version });
  })
  .get('/latest', (c) => {
    c.header('cache-control', briefly);
    return c.json({ at: Date.now(), articles: [1, 2, 3, 4, 5] });
  })
  .get('/account', (c) => {
    c.header('cache-control', 'private, no-store');
    return c.json({ hello: c.req.header('x-reader') ?? 'stranger' });
  });

function isArticle(id: string): boolean {
  return /^\d+$/.test(id) && Number(id) < articleCount;
}
