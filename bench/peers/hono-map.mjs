/**
 * The same service as a newcomer would write it: Hono on Node's own HTTP server, links in a Map.
 * Nothing survives a crash, there is one copy, clicks are counted in memory.
 *
 *   node bench/peers/hono-map.mjs [port]        prints its port
 */
import { createServer } from 'node:http';
import { Hono } from 'hono';

const links = new Map();
const clicks = new Map();
let next = 0;

const app = new Hono();
app.post('/links', async (c) => {
  const { url, alias, expiresIn } = await c.req.json();
  if (!URL.canParse(url)) return c.json({ error: 'url must be absolute' }, 422);
  if (alias !== undefined && links.has(alias)) return c.json({ error: `${alias} is taken` }, 409);
  const code = alias ?? (next++).toString(36).padStart(7, '0');
  const expiresAt = expiresIn === undefined ? undefined : Date.now() + expiresIn * 1_000;
  links.set(code, { url: new URL(url).href, expiresAt });
  return c.json({ code, url }, 201);
});
app.get('/count/:key', (c) => {
  const key = c.req.param('key');
  const count = (clicks.get(key) ?? 0) + 1;
  clicks.set(key, count);
  return c.json({ count });
});
app.get('/:code', (c) => {
  const code = c.req.param('code');
  const link = links.get(code);
  if (!link) return c.json({ error: 'no such link' }, 404);
  if (link.expiresAt !== undefined && link.expiresAt <= Date.now()) {
    return c.json({ error: 'this link has expired' }, 410);
  }
  clicks.set(code, (clicks.get(code) ?? 0) + 1);
  return c.redirect(link.url, 302);
});

const server = createServer(async (incoming, outgoing) => {
  const pieces = [];
  for await (const piece of incoming) pieces.push(piece);
  const body = pieces.length > 0 ? Buffer.concat(pieces) : undefined;
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method,
    headers: incoming.headers,
    ...(body ? { body } : {}),
  });
  const response = await app.fetch(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(server.address().port);
});
process.on('SIGTERM', () => process.exit(0));
