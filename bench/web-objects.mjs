/**
 * What a request costs through a Hono route when its objects are the light ones, beside the
 * platform's own: make a Request, route it, read a header, answer JSON, take the reply apart.
 *
 *   node bench/web-objects.mjs        (built first: npm run build)
 *
 * Both run in turn in one process; the figure is the median of the rounds, in requests a second.
 */
import { Hono } from 'hono';
import * as light from '../dist/parts/web.js';
import { Bench, isQuick, median } from './kit.mjs';

const native = {
  Headers: globalThis.Headers,
  Request: globalThis.Request,
  Response: globalThis.Response,
};
const requestCount = 20_000;
const rounds = isQuick ? 3 : 7;

function makeApp() {
  const app = new Hono();
  app.get('/links/:code', (c) =>
    c.json({ code: c.req.param('code'), agent: c.req.header('user-agent'), url: 'https://a.b/c' }),
  );
  app.post('/links', async (c) => c.json({ ...(await c.req.json()), code: 'abc' }, 201));
  // Middleware that adds a header afterwards wraps the response anew.
  app.use('/wrapped/*', async (c, next) => {
    await next();
    c.header('x-served-by', 'bench');
  });
  app.get('/wrapped/:id', (c) => c.json({ id: c.req.param('id') }));
  for (let i = 0; i < 8; i++) app.get(`/other/${i}/:id`, (c) => c.text(c.req.param('id')));
  return app;
}

const headers = { 'user-agent': 'bench', accept: 'application/json', host: 'edge' };
const flat = Object.entries(headers).flat();
const body = '{"url":"https://example.com/a/long/path"}';

const kinds = {
  native: {
    classes: native,
    get: (i) => new native.Request(`http://edge/links/${i}`, { headers }),
    wrap: (i) => new native.Request(`http://edge/wrapped/${i}`, { headers }),
    post: () => new native.Request('http://edge/links', { method: 'POST', headers, body }),
    async take(response) {
      return {
        status: response.status,
        headers: [...response.headers],
        body: await response.text(),
      };
    },
  },
  light: {
    classes: { Headers: light.Headers, Request: light.Request, Response: light.Response },
    get: (i) =>
      light.fromWebRequest({
        method: 'GET',
        url: `http://edge/links/${i}`,
        headers: flat,
        body: null,
      }),
    wrap: (i) =>
      light.fromWebRequest({
        method: 'GET',
        url: `http://edge/wrapped/${i}`,
        headers: flat,
        body: null,
      }),
    post: () =>
      light.fromWebRequest({ method: 'POST', url: 'http://edge/links', headers: flat, body }),
    take: (response) => light.toReplyParts(response),
  },
};

async function perSec(kind, make) {
  const { classes, take } = kinds[kind];
  Object.assign(globalThis, classes);
  const app = makeApp();
  const from = process.hrtime.bigint();
  for (let i = 0; i < requestCount; i++) await take(await app.fetch(kinds[kind][make](i)));
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  Object.assign(globalThis, native);
  return requestCount / seconds;
}

const bench = new Bench('web-objects', 'Request and Response through a Hono route');
for (const make of ['get', 'post', 'wrap']) {
  const rates = { native: [], light: [] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of Object.keys(rates)) rates[kind].push(await perSec(kind, make));
  }
  bench.figure({
    id: `web-${make}`,
    what:
      make === 'wrap'
        ? 'get, with middleware that adds a header'
        : `${make} through a Hono route, light objects`,
    unit: 'requests a second',
    value: median(rates.light),
    peer: 'the objects of the platform',
    peerValue: median(rates.native),
  });
}
bench.end();
