import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Headers, Request, Response, toReplyParts } from '../web.ts';
import { readableOf } from './flow.ts';
import { Native } from './native.ts';

const light = { Headers, Request, Response };
type BodyInit = NonNullable<ConstructorParameters<typeof globalThis.Response>[0]>;

describe('Hono', () => {
  beforeAll(() => void Object.assign(globalThis, light));
  afterAll(() => void Object.assign(globalThis, Native));

  const app = new Hono<{ Bindings: { tag: string }; Variables: { user: string } }>()
    .use(async (c, next) => {
      c.header('x-before', '1');
      await next();
      c.header('x-after', '2');
      c.header('set-cookie', 'a=1', { append: true });
      c.header('set-cookie', 'b=2', { append: true });
    })
    .use('/private/*', async (c, next) => {
      if (c.req.header('authorization') !== 'me') throw new HTTPException(401, { message: 'who?' });
      c.set('user', 'me');
      await next();
    })
    .get('/private/me', (c) => c.text(c.get('user')))
    .get('/json/:id', (c) =>
      c.json({ id: c.req.param('id'), q: c.req.query('q'), tag: c.env.tag }, 201),
    )
    .get('/text', (c) => c.text('plain'))
    .get('/html', (c) => c.html('<p>hi</p>'))
    .get('/redirect', (c) => c.redirect('/elsewhere', 301))
    .get('/empty', (c) => c.body(null, 204))
    .post('/echo', async (c) => c.json(await c.req.json()))
    .post('/form', async (c) => {
      const body = await c.req.parseBody();
      return c.json(
        Object.fromEntries(
          Object.entries(body).map(([k, v]) => [k, v instanceof File ? v.name : v]),
        ),
      );
    })
    .post('/twice', async (c) => c.text((await c.req.text()) + (await c.req.text())))
    .get('/stream', (c) =>
      streamText(c, async (out) => {
        await out.write('one ');
        await out.writeln('two');
      }),
    )
    .get('/bytes', (c) =>
      stream(c, async (out) => {
        await out.pipe(new Response('piped').body!);
      }),
    )
    .get('/sse', (c) =>
      streamSSE(c, async (out) => {
        await out.writeSSE({ data: 'tick', event: 'e', id: '1' });
      }),
    )
    .get(
      '/replace',
      async (c, next) => {
        await next();
        c.res = new Response('replaced', c.res);
      },
      (c) => c.text('first', 202),
    )
    .get('/native', () => new Native.Response('native', { headers: { 'x-native': 'yes' } }))
    .get('/boom', () => {
      throw new Error('boom');
    })
    .onError((error, c) =>
      error instanceof HTTPException ? error.getResponse() : c.json({ error: error.message }, 500),
    );

  const form = new FormData();
  form.append('a', '1');
  form.append('f', new File(['x'], 'n.txt'));
  const asks: { path: string; init?: RequestInit }[] = [
    { path: '/json/7?q=a%20b' },
    { path: '/text' },
    { path: '/html' },
    { path: '/redirect' },
    { path: '/empty' },
    { path: '/missing' },
    { path: '/private/me' },
    { path: '/private/me', init: { headers: { Authorization: 'me' } } },
    { path: '/echo', init: { method: 'POST', body: '{"a":1}' } },
    { path: '/twice', init: { method: 'POST', body: 'ab' } },
    { path: '/form', init: { method: 'POST', body: new URLSearchParams({ a: '1', b: 'c d' }) } },
    { path: '/form', init: { method: 'POST', body: form } },
    { path: '/stream' },
    { path: '/bytes' },
    { path: '/sse' },
    { path: '/replace' },
    { path: '/native' },
    { path: '/boom' },
    { path: '/text', init: { method: 'HEAD' } },
  ];

  test.each(asks)('answers $path as on the platform’s objects', async ({ path, init }) => {
    const ask = async (classes: typeof light | typeof Native) => {
      Object.assign(globalThis, classes);
      try {
        const request = new classes.Request(`http://host${path}`, init);
        const parts = await toReplyParts(
          await app.fetch(request as globalThis.Request, { tag: 'bound' }),
        );
        // A body that flows is the same text, once it is read.
        const body = parts.inlet ? readableOf(parts.inlet) : (parts.body as BodyInit | null);
        const reply = new Native.Response(body, {
          status: parts.status === 204 ? 200 : parts.status,
        });
        const pairs: string[] = [];
        for (let i = 0; i < parts.headers.length; i += 2)
          pairs.push(`${parts.headers[i]}: ${parts.headers[i + 1]}`);
        return [parts.status, pairs.sort(), await reply.text()];
      } finally {
        Object.assign(globalThis, light);
      }
    };
    expect(await ask(light)).toEqual(await ask(Native));
  });
});
