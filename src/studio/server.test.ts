import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LoadpathError } from '../kit/errors.ts';
import { EventLog } from './event-log.ts';
import { streamLog } from './event-stream.ts';
import type { Refusal } from './protocol.ts';
import type { Routes } from './routes.ts';
import { type StudioServer, startServer } from './server.ts';

const token = 'a-token-of-the-test';
const told: unknown[] = [];
let log = new EventLog<{ tick: number; last: number }>({ tick: { last: 5_000 }, last: 'latest' });

const routes: Routes = {
  'GET /api/hello': () => ({ version: '1' }),
  'POST /api/tell': ({ body }) => {
    told.push(body);
    return {};
  },
  'GET /api/runs/:id/requests/:index': ({ parts }) => parts,
  'GET /api/mistake': () => {
    throw new LoadpathError('bad-option', 'no', {
      problems: [{ at: 'rate', what: 'must be more' }],
    });
  },
  'GET /api/stream': ({ request, response }) => {
    streamLog(log, request, response, { stallMs: 300 });
  },
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

let server: StudioServer;
beforeAll(async () => {
  server = await startServer(routes, { token });
});
afterAll(() => server.close());

function ask(
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: {
    method?: string;
    headers?: OutgoingHttpHeaders;
    body?: string | Buffer;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: server.port, path, method, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

const own = { authorization: `Bearer ${token}` };
const json = { ...own, 'content-type': 'application/json' };
const codeOf = ({ text }: Answer) => (JSON.parse(text) as Refusal).code;

describe('who may call', () => {
  test('the page with its token may read and tell', async () => {
    expect((await ask('/api/hello', { headers: own })).text).toBe('{"version":"1"}');
    const answer = await ask('/api/tell', { method: 'POST', headers: json, body: '{"a":1}' });
    expect(answer.status).toBe(200);
    expect(told.at(-1)).toEqual({ a: 1 });
  });

  test('an event stream carries its token in the address', async () => {
    expect((await ask(`/api/hello?token=${token}`)).status).toBe(200);
  });

  test.each([
    ['no token', {}, 401, 'bad-token'],
    ['another token', { authorization: 'Bearer guessed' }, 401, 'bad-token'],
    ['a token with a beginning like ours', { authorization: `Bearer ${token}x` }, 401, 'bad-token'],
    ['a name that was bent to 127.0.0.1', { ...own, host: 'evil.example' }, 403, 'foreign-host'],
    ['the port of another server', { ...own, host: '127.0.0.1:1' }, 403, 'foreign-host'],
    ['a page from elsewhere', { ...own, origin: 'https://evil.example' }, 403, 'foreign-origin'],
    ['a page without an origin', { ...own, origin: 'null' }, 403, 'foreign-origin'],
    [
      'another port of this machine',
      { ...own, 'sec-fetch-site': 'same-site' },
      403,
      'foreign-origin',
    ],
    ['a page across sites', { ...own, 'sec-fetch-site': 'cross-site' }, 403, 'foreign-origin'],
  ])('%s is refused, reading and telling', async (_who, headers, status, code) => {
    const count = told.length;
    const type = { 'content-type': 'application/json' };
    for (const asked of [
      await ask('/api/hello', { headers }),
      await ask('/api/tell', { method: 'POST', headers: { ...headers, ...type }, body: '{}' }),
    ]) {
      expect([asked.status, codeOf(asked)]).toEqual([status, code]);
      expect(asked.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(told.length).toBe(count);
  });

  test('what a form of another page can send is refused by its type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const headers = { ...own, 'content-type': type };
      const answer = await ask('/api/tell', { method: 'POST', headers, body: '{}' });
      expect([answer.status, codeOf(answer)]).toEqual([415, 'bad-type']);
    }
  });

  test('a preflight gets no permission', async () => {
    const answer = await ask('/api/tell', {
      method: 'OPTIONS',
      headers: { origin: 'https://a.b' },
    });
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual(
      [],
    );
  });

  test('a foreign name does not even get the page', async () => {
    expect((await ask('/', { headers: { host: 'evil.example' } })).status).toBe(403);
  });

  test('a browser that comes by the address bar gets the page, and so does localhost', async () => {
    for (const host of [`localhost:${server.port}`, `127.0.0.1:${server.port}`]) {
      const answer = await ask('/', { headers: { host, 'sec-fetch-site': 'none' } });
      expect([200, 404]).toContain(answer.status);
      expect(answer.headers['content-security-policy']).toContain("default-src 'self'");
      expect(answer.headers['x-frame-options']).toBe('DENY');
      expect(answer.headers['referrer-policy']).toBe('no-referrer');
    }
  });
});

describe('what is asked', () => {
  test('unknown paths and methods are said to be so', async () => {
    expect((await ask('/api/none', { headers: own })).status).toBe(404);
    expect((await ask('/api/tell', { headers: own })).status).toBe(405);
    expect((await ask('/../package.json', { headers: own })).status).toBe(404);
    expect((await ask('/assets/..%2f..%2fpackage.json')).status).toBe(404);
  });

  test('parts of the path come by name', async () => {
    const answer = await ask('/api/runs/r7/requests/12', { headers: own });
    expect(JSON.parse(answer.text)).toEqual({ id: 'r7', index: '12' });
  });

  test('a mistake is told with its problems', async () => {
    const answer = await ask('/api/mistake', { headers: own });
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.text)).toMatchObject({
      problems: [{ at: 'rate', what: 'must be more' }],
    });
  });

  test('a body that is no JSON, or too large, is refused', async () => {
    const bad = await ask('/api/tell', { method: 'POST', headers: json, body: '{' });
    expect([bad.status, codeOf(bad)]).toEqual([400, 'bad-json']);
    const large = await ask('/api/tell', {
      method: 'POST',
      headers: json,
      body: Buffer.alloc(2_000_000, 32),
    });
    expect([large.status, codeOf(large)]).toEqual([413, 'too-large']);
  });
});

describe('a stream', () => {
  const idsIn = (text: string) =>
    [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));

  test('gives everything so far, and goes on from the last id', async () => {
    log = new EventLog({ tick: { last: 5_000 }, last: 'latest' });
    for (let at = 1; at <= 5; at++) log.add('tick', at);
    log.end();
    const whole = await ask('/api/stream', { headers: own });
    expect(whole.headers['content-type']).toContain('text/event-stream');
    expect(idsIn(whole.text)).toEqual([1, 2, 3, 4, 5]);
    const rest = await ask('/api/stream', { headers: { ...own, 'last-event-id': '3' } });
    expect(idsIn(rest.text)).toEqual([4, 5]);
    // 204 keeps a browser from asking again.
    const over = await ask('/api/stream', { headers: { ...own, 'last-event-id': '5' } });
    expect(over.status).toBe(204);
  });

  test('who does not read is hung up on, and comes back to where it was', async () => {
    log = new EventLog({ tick: { last: 5_000 }, last: 'latest' });
    // More than two sockets hold between them.
    const large = 'x'.repeat(10_000);
    for (let at = 1; at <= 3_000; at++) log.add('tick', { at, large } as unknown as number);
    log.end();
    let text = '';
    await new Promise<void>((resolve) => {
      const asked = request(
        { host: '127.0.0.1', port: server.port, path: '/api/stream', headers: own },
        (response) => {
          response.setEncoding('utf8');
          // Long enough for the server to lose its patience.
          setTimeout(() => {
            response.on('data', (piece) => {
              text += piece;
            });
          }, 1_000);
          response.on('error', () => {});
          response.on('close', () => resolve());
        },
      );
      asked.on('error', () => resolve());
      asked.end();
    });
    const seen = idsIn(text).at(-1) ?? 0;
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThan(3_000);
    const rest = await ask('/api/stream', { headers: { ...own, 'last-event-id': String(seen) } });
    expect(idsIn(rest.text)).toEqual(
      Array.from({ length: 3_000 - seen }, (_, at) => seen + 1 + at),
    );
  });
});
