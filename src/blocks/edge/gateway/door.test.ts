/** What the door checks of requests and adds to replies, whatever stands behind it. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Said, visit } from '../../../../test/visitor.ts';
import { service } from '../../compute/service/index.ts';
import { acceptedOf } from './compress.ts';
import { type GatewayOptions, gateway, secureHeaders, tokenBucket } from './index.ts';

const api = service('api', {
  instances: 1,
  fetch: ({ headers }) => {
    const said = JSON.stringify([...headers]);
    const vary = { vary: 'accept', 'x-frame-options': 'ALLOWALL', etag: '"1"' };
    return new Response(said, { headers: { 'content-type': 'application/json', ...vary } });
  },
});

async function ask(options: Partial<GatewayOptions>, said: Said) {
  const { send, run, reply } = visit(gateway('edge', { routes: { '/': api }, ...options }));
  const id = send(said);
  await run(50_000);
  const { status, headers, body } = reply(id)!;
  const fields: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) fields[headers[i]!] = headers[i + 1]!;
  const text = () =>
    typeof body === 'string' ? body : new TextDecoder().decode(body ?? undefined);
  /** As the service saw the request. */
  const seen = () => Object.fromEntries(JSON.parse(text()) as [string, string][]);
  return { status, fields, body, text, seen };
}

describe('a request', () => {
  const requests = {
    urlMax: '128B',
    headersMax: 5,
    headerBytesMax: '1kB',
    hosts: ['edge', '*.example.com'],
  } as const;
  const status = async (said: Said) => (await ask({ requests }, said)).status;

  test.each<readonly [number, Said]>([
    [200, { headers: ['host', 'edge'] }],
    [200, { url: 'http://a.example.com:80/', headers: ['host', 'A.example.com:80'] }],
    [200, { url: 'http://edge./', headers: ['host', 'edge.'] }],
    [200, { url: 'http://a.example.com./', headers: ['host', 'a.example.com.'] }],
    [400, { headers: ['host', 'other'] }],
    [421, { url: 'http://other/', headers: ['host', 'other'] }],
    [421, { url: 'http://example.com/' }],
    [414, { url: `http://edge/${'x'.repeat(128)}` }],
    [431, { headers: Array.from({ length: 12 }, (_, i) => `h${i}`) }],
    [431, { headers: ['x', 'y'.repeat(1_000)] }],
    [400, { headers: ['content-length', '1', 'content-length', '1'] }],
    [400, { headers: ['host', 'edge', 'host', 'edge'] }],
    [400, { headers: ['authorization', 'a', 'authorization', 'b'] }],
    [400, { headers: ['x', 'a\r\nx-admin: 1'] }],
    [400, { headers: ['x', 'a\0'] }],
    [400, { headers: ['x y', 'a'] }],
    [200, { headers: ['accept', 'a', 'accept', 'b'] }],
  ])('gets %i when it is %j', async (expected, said) => {
    expect(await status(said)).toBe(expected);
  });

  test('brings no word of its own on where it comes from', async () => {
    const headers = [
      'x-real-ip',
      '1.1.1.1',
      'forwarded',
      'for=1.1.1.1',
      'x-forwarded-proto',
      'https',
    ];
    const { seen } = await ask({}, { ip: '20.0.0.9', headers });
    expect(seen()).toEqual({ 'x-forwarded-for': '20.0.0.9' });
  });

  test('has a number and a place in a trace, its own or new ones', async () => {
    const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    const own = ['x-request-id', 'mine', 'traceparent', given, 'tracestate', 'a=b'];
    const trusted = await ask({ trace: { trust: true } }, { headers: own });
    expect(trusted.fields['x-request-id']).toBe('mine');
    expect(trusted.seen()).toMatchObject({ 'x-request-id': 'mine', tracestate: 'a=b' });
    const { traceparent } = trusted.seen() as { traceparent: string };
    expect(traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-00$/);
    expect(traceparent).not.toBe(given);

    const zeros = `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`;
    const odd = ['x-request-id', 'mine', 'traceparent', zeros, 'tracestate', 'a=b'];
    const fresh = await ask({ trace: {} }, { headers: odd });
    expect(fresh.fields['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(fresh.seen()).not.toHaveProperty('tracestate');
    expect(fresh.seen().traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

test('a reply has the headers that all should have, whatever the service says, refusals too', async () => {
  const replyHeaders = { ...secureHeaders, Server: 'edge' };
  const { fields } = await ask({ replyHeaders }, {});
  expect(fields).toMatchObject({ ...secureHeaders, server: 'edge' });
  const refused = await ask({ replyHeaders, requests: { hosts: ['other'] } }, {});
  expect(refused.status).toBe(421);
  expect(refused.fields).toMatchObject(secureHeaders);
});

describe('another site', () => {
  const cors = {
    origins: ['https://shop.example.com'],
    methods: ['PUT'],
    headers: ['x-a'],
    exposed: ['x-b'],
    credentials: true,
  };
  const from = (origin: string, more: readonly string[] = []): Said => ({
    headers: ['origin', origin, ...more],
  });

  test('that is named may read, and is told so beforehand without the service', async () => {
    const preflight = ['access-control-request-method', 'PUT'];
    const asked = await ask({ cors }, { ...from(cors.origins[0]!, preflight), method: 'OPTIONS' });
    expect(asked).toMatchObject({
      status: 204,
      fields: {
        'access-control-allow-origin': cors.origins[0],
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'PUT',
        'access-control-allow-headers': 'x-a',
        'access-control-max-age': '600',
        vary: 'origin',
      },
    });
    const { fields } = await ask({ cors }, from(cors.origins[0]!));
    expect(fields).toMatchObject({
      'access-control-allow-origin': cors.origins[0],
      'access-control-expose-headers': 'x-b',
      vary: 'accept, origin',
    });
  });

  const preflight = {
    ...from(cors.origins[0]!, ['access-control-request-method', 'PUT']),
    method: 'OPTIONS',
  };
  const origin = from(cors.origins[0]!);
  /** The statuses of requests, one after the other, all of which the other site can read. */
  async function readable(options: Partial<GatewayOptions>, requests: readonly Said[]) {
    const at = visit(gateway('edge', { routes: { '/': api }, cors, ...options }));
    const statuses: number[] = [];
    for (const said of requests) {
      const id = at.send(said);
      await at.run(50_000);
      const { status, headers } = at.reply(id)!;
      expect(headers.join(), String(status)).toContain(
        `access-control-allow-origin,${cors.origins[0]}`,
      );
      statuses.push(status);
    }
    return statuses;
  }

  test('pays nothing for asking beforehand, and reads that it is over a limit', async () => {
    const limit = tokenBucket({ rate: '1/h', burst: 1 });
    const asked = [preflight, preflight, origin, origin, preflight];
    expect(await readable({ limit }, asked)).toEqual([204, 204, 200, 429, 204]);
  });

  test('reads that its request is no good, and that it is shut out', async () => {
    const requests = { hosts: ['other'] };
    const flood = { strikes: 1, within: '1min', ban: '1min' } as const;
    expect(await readable({ requests, flood }, [origin, origin, origin])).toEqual([421, 421, 403]);
  });

  test('that is not named is told nothing', async () => {
    const { fields } = await ask({ cors }, from('https://evil.example.com'));
    expect(Object.keys(fields).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(fields.vary).toBe('accept, origin');
  });

  test('any may read what is for all', async () => {
    const { fields } = await ask({ cors: { origins: ['*'] } }, from('https://any.example.com'));
    expect(fields).toMatchObject({ 'access-control-allow-origin': '*', vary: 'accept' });
  });
});

describe('compression', () => {
  const compress = { min: '1B' } as const;
  const accept = (value: string): Said => ({
    headers: ['accept-encoding', value, 'x-long', 'la'.repeat(200)],
  });

  test('is what the client likes best, and what it gets is the same', async () => {
    const gzip = await ask({ compress }, accept('br;q=0.5, gzip'));
    expect(gzip.fields).toMatchObject({
      'content-encoding': 'gzip',
      vary: 'accept, accept-encoding',
      etag: 'W/"1"',
    });
    expect(gunzipSync(gzip.body as Uint8Array).toString()).toContain('lalala');
    const br = await ask({ compress }, accept('gzip, br'));
    expect(br.fields['content-encoding']).toBe('br');
    expect(brotliDecompressSync(br.body as Uint8Array).toString()).toContain('lalala');
  });

  test('is left where it is not wanted, but caches are told', async () => {
    const { fields, text } = await ask({ compress }, accept('identity'));
    expect(fields).not.toHaveProperty('content-encoding');
    expect(fields.vary).toBe('accept, accept-encoding');
    expect(text()).toContain('lalala');
    const small = await ask({ compress: {} }, accept('gzip'));
    expect(small.fields).not.toHaveProperty('content-encoding');
  });

  /** A reply to HEAD or a 304, of a service that names its pages strongly. */
  const toldOf = async (said: Said, type: string, more: Partial<GatewayOptions> = {}) => {
    const pages = service('pages', {
      instances: 1,
      fetch: ({ method, headers }) =>
        method === 'HEAD'
          ? new Response(null, {
              headers: { 'content-type': type, 'content-length': '999', etag: '"1"' },
            })
          : new Response(null, {
              status: headers.has('if-none-match') ? 304 : 200,
              headers: { vary: 'accept', etag: '"1"' },
            }),
    });
    const { fields } = await ask({ compress, routes: { '/': pages }, ...more }, said);
    return { vary: fields.vary, etag: fields.etag, length: fields['content-length'] };
  };
  const held = (tags: string, coding: string): Said => ({
    headers: ['if-none-match', tags, 'accept-encoding', coding],
  });

  test('is told of in a 304 as in the reply that it stands for, so that a cache keeps the two apart', async () => {
    const vary = 'accept, accept-encoding';
    expect(await toldOf(held('W/"1"', 'gzip'), '')).toEqual({ vary, etag: 'W/"1"' });
    expect(await toldOf(held('W/"1", "1"', 'gzip'), '')).toEqual({ vary, etag: 'W/"1"' });
    expect(await toldOf(held('"1"', 'identity'), '')).toEqual({ vary, etag: '"1"' });
    // Whoever takes gzip and has it plain has what is no text.
    expect(await toldOf(held('"1"', 'gzip'), '')).toEqual({ vary: 'accept', etag: '"1"' });
    const cors = { origins: ['https://a.example'] };
    const both = await toldOf(held('W/"1"', 'gzip'), '', { cors });
    expect(both.vary).toBe('accept, origin, accept-encoding');
  });

  test('is told of to who asks for the head alone', async () => {
    const head = (coding: string): Said => ({ ...accept(coding), method: 'HEAD' });
    const vary = 'accept-encoding';
    expect(await toldOf(head('gzip'), 'text/html')).toEqual({ vary, etag: 'W/"1"' });
    const plain = { etag: '"1"', length: '999' };
    expect(await toldOf(head('identity'), 'text/html')).toEqual({ vary, ...plain });
    expect(await toldOf(head('gzip'), 'image/png')).toEqual(plain);
    const small = { compress: { min: '1kB' } } as const;
    expect(await toldOf(head('gzip'), 'text/html', small)).toEqual(plain);
  });

  test.each([
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['GZIP;Q=1', 'gzip'],
    ['br, gzip', 'br'],
    ['br;q=0, gzip;q=0.1', 'gzip'],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['gzip;q=x', undefined],
    ['identity, gzip;q=0.5', undefined],
    ['zstd, deflate', undefined],
  ])('%j means %s', (value, method) => {
    expect(acceptedOf(value)).toBe(method);
  });
});

test('what cannot be at the door is told all at once', () => {
  const options = {
    routes: { '/': api },
    requests: { urlMax: '1B', hosts: ['a b'] },
    cors: { origins: ['*'], credentials: true, methods: ['put'], maxage: 1 },
    compress: { min: '0B' },
    trace: { idHeader: 'X' },
    replyHeaders: { 'a b': 'x', c: 'x\r\ny' },
  };
  expect(
    gateway('edge', options as unknown as GatewayOptions).problems.map(({ at }) => at),
  ).toEqual([
    'edge.requests.urlMax',
    'edge.cors.maxage',
    'edge.cors.origins',
    'edge.replyHeaders',
    'edge.replyHeaders.c',
    'edge.requests.hosts',
    'edge.cors.methods',
    'edge.compress.min',
    'edge.trace.idHeader',
  ]);
});
