/** The service that users talk to: post a link, follow it, see what is popular. */
import { Hono } from 'hono';
import { type Env, Unavailable } from 'loadpath';
import { countryOf } from './addresses.ts';
import { type blocks, type Link, partitions } from './blocks.ts';
import { checkUrl } from './check-url.ts';

const aliasPattern = /^[a-z0-9][a-z0-9_-]{2,31}$/i;
const expiryMaxSeconds = 10 * 365 * 86_400;

export const api = new Hono<{ Bindings: Env<typeof blocks> }>();

api.post('/links', async (c) => {
  const body: Record<string, unknown> = await c.req.json().catch(() => ({}));
  const { url, alias, expiresIn, permanent } = body;
  const checked = checkUrl(url);
  if (!checked.ok) return c.json({ error: checked.why }, 422);
  if (expiresIn !== undefined && !isSeconds(expiresIn)) {
    return c.json({ error: `expiresIn must be seconds, 1 to ${expiryMaxSeconds}` }, 422);
  }
  let code: string;
  if (alias === undefined) {
    code = await c.env.codes.next();
  } else {
    if (
      typeof alias !== 'string' ||
      !aliasPattern.test(alias) ||
      alias === 'links' ||
      alias === 'top'
    ) {
      return c.json({ error: 'alias must be 3 to 32 letters, digits, - or _' }, 422);
    }
    // The poster's own key makes a retry safe: the same owner gets the same answer.
    const owner = c.req.header('idempotency-key') ?? checked.url;
    if (!(await c.env.codes.claim(alias, { owner }))) {
      return c.json({ error: `${alias} is taken` }, 409);
    }
    code = alias;
  }
  const link: Link = {
    url: checked.url,
    permanent: permanent === true && expiresIn === undefined,
    ...(isSeconds(expiresIn) ? { expiresAt: Date.now() + expiresIn * 1_000 } : {}),
  };
  await c.env.links.put(code, link);
  return c.json({ code, url: link.url }, 201);
});

api.get('/top', async (c) => {
  const lists = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => c.env.counts.get(`top ${partition}`)),
  );
  const top = lists.flatMap((list) => list?.top ?? []).sort((a, b) => b.clicks - a.clicks);
  return c.json({ top: top.slice(0, 10) });
});

api.get('/:code', async (c) => {
  const code = c.req.param('code');
  const link = await c.env.hot.through(code, () => c.env.links.get(code));
  if (!link) return c.json({ error: 'no such link' }, 404);
  if (link.expiresAt !== undefined && link.expiresAt <= Date.now()) {
    return c.json({ error: 'this link has expired' }, 410);
  }
  const click = { code, at: Date.now(), country: countryOf(c.req.header('x-forwarded-for') ?? '') };
  // Not waited for: a count is not worth a millisecond of everybody's redirect. What the topic has
  // acknowledged is never lost; a click whose service dies right here may be.
  c.env.clicks.publish(click).catch(countLost);
  // 302, since a browser keeps a 301 for ever: the next click would not reach us, so it could be
  // neither counted nor expire. Whoever posts a link as permanent gives that up.
  c.header('cache-control', link.permanent ? 'public, max-age=86400' : 'private, no-store');
  return c.redirect(link.url, link.permanent ? 301 : 302);
});

api.get('/:code/clicks', async (c) => {
  const count = await c.env.counts.get(`code ${c.req.param('code')}`);
  return c.json({ clicks: count?.clicks ?? 0, countries: count?.countries ?? {} });
});

function countLost(failure: unknown): void {
  if (!(failure instanceof Unavailable)) console.error(failure);
}

function isSeconds(value: unknown): value is number {
  return (
    typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= expiryMaxSeconds
  );
}
