/** gRPC through a gateway: it passes as it is, and failures of the gateway are told in its own words. */
import { expect, test } from 'vitest';
import { system } from '../../../design/system.ts';
import { trailersOf, withTrailers } from '../../../parts/web.ts';
import { simulate } from '../../../run/simulate.ts';
import { service } from '../../compute/service/index.ts';
import { type User, users } from '../../workload/users/index.ts';
import { gateway, tokenBucket } from './index.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** As gRPC frames a message: not compressed, four bytes of length. */
const framed = (text: string) => new Uint8Array([0, 0, 0, 0, text.length, ...Buffer.from(text)]);

async function visiting(act: (user: User) => Promise<void>): Promise<void> {
  let isFirst = true;
  const greeter = service('greeter', {
    instances: 1,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const headers = { 'content-type': 'application/grpc+proto' };
      const fine = () => ({ 'grpc-status': '0', 'grpc-message': 'fine' });
      if (pathname === '/Slow') await sleep(500);
      if (pathname === '/Throws') throw new Error('a mistake');
      if (pathname === '/Empty') {
        return new Response(null, { headers: { ...headers, 'grpc-status': '5' } });
      }
      if (pathname !== '/Many') {
        const asked = new Uint8Array(await request.arrayBuffer());
        return withTrailers(new Response(asked, { headers }), fine);
      }
      let left = 3;
      const body = new ReadableStream({
        async pull(controller) {
          await sleep(10);
          if (left-- === 0) controller.close();
          else controller.enqueue(framed(`part ${left}`));
        },
      });
      return withTrailers(new Response(body, { headers }), async () => {
        await sleep(1);
        return { 'grpc-status': '0', 'grpc-message': `left ${left}` };
      });
    },
  });
  const text = service('text', { instances: 1, fetch: () => new Response('not gRPC') });
  await simulate(
    system('rpc', {
      entry: gateway('edge', {
        routes: [
          { path: '/', contentType: 'application/grpc', to: greeter },
          { path: '/', contentType: 'application/grpc+proto', to: greeter },
          { path: '/Text', to: text },
        ],
        limit: tokenBucket({ rate: '1/h', burst: 20 }),
        policy: { timeout: '300ms' },
        bodyMax: '1kB',
      }),
      workload: users({
        rate: '1/s',
        timeout: '5s',
        async act(user) {
          if (!isFirst) return;
          isFirst = false;
          await act(user);
        },
      }),
    }),
    { for: '5s' },
  );
  expect(isFirst).toBe(false);
}

async function call(user: User, path: string, more: Record<string, string> = {}) {
  const response = await user.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc', te: 'trailers', ...more },
    body: framed('hello'),
  });
  const body = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const trailers = await trailersOf(response);
  const status = response.headers.get('grpc-status') ?? trailers.get('grpc-status');
  return { http: response.status, status, message: trailers.get('grpc-message'), body };
}

test('a call, a stream of answers and an answer without a body pass with their trailers', async () => {
  const heard: unknown[] = [];
  await visiting(async (user) => {
    for (const path of ['/One', '/Many', '/Empty']) heard.push(await call(user, path));
  });
  const text = (parts: readonly string[]) =>
    Buffer.concat(parts.map((part) => framed(part))).toString('latin1');
  expect(heard).toEqual([
    { http: 200, status: '0', message: 'fine', body: text(['hello']) },
    { http: 200, status: '0', message: 'left -1', body: text(['part 2', 'part 1', 'part 0']) },
    { http: 200, status: '5', message: null, body: '' },
  ]);
});

test('what fails is told as a status of gRPC, and to others as ever', async () => {
  const heard: Record<string, unknown> = {};
  await visiting(async (user) => {
    const codeOf = async (path: string, more?: Record<string, string>) => {
      const { http, status, body } = await call(user, path, more);
      expect([http, body]).toEqual([200, '']);
      return Number(status);
    };
    heard.deadline = await codeOf('/Slow');
    const startedAt = Date.now();
    heard.ownDeadline = await codeOf('/Slow', { 'grpc-timeout': '50m' });
    heard.waitedMs = Math.round((Date.now() - startedAt) / 10) * 10;
    heard.thrown = await codeOf('/Throws');
    heard.plain = (await user.fetch('/Nowhere')).status;
    for (let i = 0; i < 30; i++) await user.fetch('/Text');
    heard.limited = await codeOf('/One');
    heard.plainLimited = (await user.fetch('/Text')).status;
  });
  expect(heard).toEqual({
    deadline: 4,
    ownDeadline: 4,
    waitedMs: 50,
    thrown: 2,
    plain: 404,
    limited: 8,
    plainLimited: 429,
  });
});
