/**
 * One suite over HTTP for our own gateway and for the proxies that are configured by what `loadpath export`
 * writes: what a user notices is the same.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, ask, type Door, doors, seenIn } from './doors.ts';
import { Origins } from './origins.ts';

const limit = 60_000;

describe.each(Object.entries(doors))('%s', (_name, open) => {
  let origins: Origins;
  let door: Door;

  beforeAll(async () => {
    origins = await Origins.start(['web', 'api']);
    door = await open(origins);
  }, limit);

  afterAll(async () => {
    door?.kill();
    await origins?.stop();
  });

  /** `web /x`: who was asked for what; or the status. */
  async function went(path: string, asked?: Asked): Promise<string> {
    const answer = await ask(door, path, asked);
    if (answer.status !== 200) return String(answer.status);
    const { service, url } = seenIn(answer);
    return `${service} ${url}`;
  }

  test('a path goes to its longest match, by whole parts, and may be rewritten', async () => {
    expect(await went('/web')).toBe('web /web');
    expect(await went('/web/x?a=1&b=%20')).toBe('web /web/x?a=1&b=%20');
    expect(await went('/webs')).toBe('404');
    expect(await went('/api')).toBe('api /');
    expect(await went('/api/x/y?a=1')).toBe('api /x/y?a=1');
    expect(await went('/api/v2/x')).toBe('web /api/v2/x');
    expect(await went('/api/v2x')).toBe('api /v2x');
    expect(await went('/api/exact')).toBe('web /api/exact');
    expect(await went('/api/exact/x')).toBe('api /exact/x');
    expect(await went('/users/7?a=1')).toBe('api /people/7?a=1');
    expect(await went('/users/me')).toBe('web /users/me');
    expect(await went('/users/7/x')).toBe('404');
  });

  test('a path that climbs is taken for where it arrives', async () => {
    expect(await went('/web/../api/x')).toBe('api /x');
    expect(await went('/web/%2e%2e/users/7')).toBe('api /people/7');
  });

  test('a host goes before a path, and the rest falls to routes for any host', async () => {
    expect(await went('/anything', { host: 'shop.example.com' })).toBe('api /anything');
    expect(await went('/anything', { host: 'SHOP.example.com:8080' })).toBe('api /anything');
    expect(await went('/below/x', { host: 'a.b.example.com' })).toBe('api /below/x');
    expect(await went('/web', { host: 'a.b.example.com' })).toBe('web /web');
    expect(await went('/below/x', { host: 'example.org' })).toBe('404');
  });

  test('method, header, cookie and query decide; another method is 405, no route 404', async () => {
    expect(await went('/write', { method: 'POST', body: 'x' })).toBe('api /write');
    expect(await went('/write')).toBe('405');
    expect(await went('/beta', { headers: { 'x-beta': 'yes, please' } })).toBe('api /beta');
    expect(await went('/beta', { headers: { 'x-beta': 'no' } })).toBe('404');
    const cookie = { headers: { cookie: 'a=b; who=me' } };
    expect(await went('/beta?u=1&v=2', cookie)).toBe('web /beta?u=1&v=2');
    expect(await went('/beta?v=22', cookie)).toBe('404');
    expect(await went('/beta?v=2')).toBe('404');
  });

  test('a redirect keeps rest and query, and never leaves the site', async () => {
    const there = async (path: string) => {
      const { status, headers } = await ask(door, path);
      return `${status} ${headers.location}`;
    };
    expect(await there('/old/a/b?x=1')).toBe('308 /a/b?x=1');
    expect(await there('/old//evil.example')).toBe('308 /evil.example');
  });

  test('what a client says of where it comes from does not reach the service', async () => {
    const headers = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil',
      'x-forwarded-proto': 'https',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      te: 'trailers',
      'keep-alive': 'timeout=5',
      'x-own': 'stays',
    };
    const seen = seenIn(await ask(door, '/web', { headers })).headers;
    const names = seen.filter((_, i) => i % 2 === 0);
    for (const name of [
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-real-ip',
      'forwarded',
      'te',
      'keep-alive',
    ]) {
      expect(names).not.toContain(name);
    }
    expect(seen[seen.indexOf('x-own') + 1]).toBe('stays');
    expect(names.filter((name) => name === 'x-forwarded-for')).toHaveLength(1);
    expect(seen[seen.indexOf('x-forwarded-for') + 1]).toMatch(/^[\d.]+$/);
  });

  test('the host that was asked for goes along, or the one that the design puts in its place', async () => {
    const hostSeen = async (path: string, host: string) => {
      const seen = seenIn(await ask(door, path, { host })).headers;
      const of = (name: string) => (seen.includes(name) ? seen[seen.indexOf(name) + 1] : undefined);
      return [of('host'), of('x-forwarded-host')];
    };
    expect(await hostSeen('/web', 'example.org')).toEqual(['example.org', undefined]);
    expect(await hostSeen('/below', 'a.example.com')).toEqual([
      'inner.example.org',
      'a.example.com',
    ]);
  });

  test('a burst passes, then 429 says when to come back', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await ask(door, '/limited')).status);
    const refused = await ask(door, '/limited');
    expect([...statuses, refused.status]).toEqual([200, 200, 200, 200, 200, 429]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await ask(door, '/web')).status).toBe(200);
  });

  test('a body goes through whole, and one too large is 413', async () => {
    const answer = await ask(door, '/web', { method: 'POST', body: 'x'.repeat(9_000) });
    expect(seenIn(answer).bodySize).toBe(9_000);
    const large = { method: 'POST', body: 'x'.repeat(20_000) };
    expect((await ask(door, '/web/large', large)).status).toBe(413);
    expect(origins.hits.get('/web/large')).toBeUndefined();
  });

  test('a GET that broke off is tried again, a POST that may have arrived is not', async () => {
    expect((await ask(door, '/web/break/get')).status).toBe(200);
    expect(origins.hits.get('/web/break/get')).toBe(2);
    const post = await ask(door, '/api/break/post', { method: 'POST', body: 'x' });
    expect(post.status).toBe(502);
    expect(origins.hits.get('/break/post')).toBe(1);
  });

  test('who does not answer in time is given up with 504; nobody there is 502 or 503', async () => {
    expect((await ask(door, '/slow/wait/20000')).status).toBe(504);
    expect([502, 503]).toContain((await ask(door, '/nobody')).status);
  });

  test('replies carry what the gateway adds, and a number of the request', async () => {
    const { headers, body } = await ask(door, '/web');
    expect(headers['x-frame-options']).toBe('DENY');
    const seen = (JSON.parse(body) as { headers: readonly string[] }).headers;
    expect(headers['x-request-id']).toMatch(/^[\w-]{16,}$/);
    expect(seen[seen.indexOf('x-request-id') + 1]).toBe(headers['x-request-id']);
  });

  test('another site is told that it may read, when it may, and asks beforehand with success', async () => {
    const from = async (origin: string) =>
      (await ask(door, '/web', { headers: { origin } })).headers;
    const ours = await from('https://shop.example');
    expect(ours['access-control-allow-origin']).toBe('https://shop.example');
    expect(ours['access-control-allow-credentials']).toBe('true');
    expect(ours.vary?.toLowerCase()).toContain('origin');
    expect((await from('https://shopxexample'))['access-control-allow-origin']).toBeUndefined();
    const headers = { origin: 'https://shop.example', 'access-control-request-method': 'PUT' };
    const asked = await ask(door, '/web/asked', { method: 'OPTIONS', headers });
    expect([asked.status, asked.headers['access-control-allow-methods']]).toEqual([
      204,
      'GET, PUT',
    ]);
    expect(origins.hits.get('/web/asked')).toBeUndefined();
  });

  test('text that is long enough comes compressed to who takes it', async () => {
    const headers = { 'accept-encoding': 'gzip', 'x-pad': 'x'.repeat(2_000) };
    expect((await ask(door, '/web', { headers })).headers['content-encoding']).toBe('gzip');
    const plain = await ask(door, '/web', { headers: { 'x-pad': 'x'.repeat(2_000) } });
    expect(plain.headers['content-encoding']).toBeUndefined();
  });

  test('HEAD, 204 and 304 have no body', async () => {
    const head = await ask(door, '/web', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
    for (const status of [204, 304]) {
      const answer = await ask(door, `/web/status/${status}`);
      expect([answer.status, answer.body, answer.headers.etag]).toEqual([status, '', '"1"']);
    }
  });

  test('it goes when it is told to, and answers first', async () => {
    const open = ask(door, '/web/wait/300');
    while (!origins.hits.get('/web/wait/300'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const gone = door.stop();
    expect((await open).status).toBe(200);
    await gone;
  });
});
