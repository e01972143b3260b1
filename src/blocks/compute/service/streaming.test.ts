/** Bodies that flow, from a handler through a gateway to a user and the other way round. */
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { expect, test } from 'vitest';
import { system } from '../../../design/system.ts';
import { simulate } from '../../../run/simulate.ts';
import { mesh } from '../../discovery/mesh/index.ts';
import { cdn } from '../../edge/cdn/index.ts';
import { gateway } from '../../edge/gateway/index.ts';
import { type User, users } from '../../workload/users/index.ts';
import { type Fetch, service } from './index.ts';

/** One visit of one user, in a system of a gateway and a service, perhaps with another behind it. */
async function visiting(
  fetch: Fetch<object>,
  act: (user: User) => Promise<void>,
  more: { readonly faults?: readonly string[]; readonly bodyMax?: '1MB' | '100kB' } = {},
) {
  const { faults = [], bodyMax = '1MB' } = more;
  let isFirst = true;
  const api = service('api', { instances: 1, fetch });
  const front = service('front', {
    instances: 1,
    env: { api },
    fetch: (request, env) => env.api.fetch(request),
  });
  const plane = mesh('plane');
  const back = service('back', { instances: 1, mesh: plane, fetch });
  const meshed = service('meshed', {
    instances: 1,
    mesh: plane,
    env: { back },
    fetch: (request, env) => env.back.fetch(request),
  });
  const report = await simulate(
    system('streaming', {
      entry: gateway('edge', {
        routes: {
          '/': api,
          '/front': front,
          '/site': cdn('site', { origin: api }),
          '/meshed': meshed,
        },
        bodyMax,
        policy: { timeout: '60s', attemptTimeout: '60s' },
      }),
      workload: users({
        rate: '1/s',
        timeout: '60s',
        async act(user) {
          if (!isFirst) return;
          isFirst = false;
          await act(user);
        },
      }),
    }),
    { for: '5s', faults: [...faults] as never },
  );
  expect(isFirst).toBe(false);
  return report;
}

const decoder = new TextDecoder();
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function read(
  response: Response,
  each: (text: string) => void | boolean | Promise<void>,
): Promise<void> {
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    if ((await each(decoder.decode(part))) === false) return;
  }
}

test('a body made in one buffer over and over comes as it was made, and is its reader’s', async () => {
  const one = new Uint8Array(1);
  let count = 0;
  const fetch = () =>
    new Response(
      new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            one[0] = ++count;
            controller.enqueue(one);
            if (count === 3) controller.close();
          },
        },
        { highWaterMark: 0 },
      ),
    );
  const got: number[] = [];
  await visiting(fetch, async (user) => {
    const { body } = await user.fetch('/');
    for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
      got.push(...part);
      part.fill(98);
    }
  });
  expect(got).toEqual([1, 2, 3]);
});

test.each(['/', '/front', '/site', '/meshed'])(
  'server-sent events come as they are sent, at %s',
  async (path) => {
    const app = new Hono().get('*', (c) =>
      streamSSE(c, async (events) => {
        for (let i = 0; i < 4; i++) {
          await events.writeSSE({ data: `tick ${i}`, id: String(i) });
          await events.sleep(100);
        }
      }),
    );
    const heard: { text: string; at: number }[] = [];
    let headAt = 0;
    await visiting(
      (request) => app.fetch(request as Request),
      async (user) => {
        const response = await user.fetch(path);
        headAt = Date.now();
        expect(response.headers.get('content-type')).toContain('text/event-stream');
        await read(response, (text) => void heard.push({ text, at: Date.now() - headAt }));
      },
    );
    expect(heard.map(({ text }) => text)).toEqual(
      [0, 1, 2, 3].map((i) => `data: tick ${i}\nid: ${i}\n\n`),
    );
    for (const [i, { at }] of heard.entries()) expect(Math.round(at / 100)).toBe(i);
  },
);

test('a download is made no faster than it is read', async () => {
  let made = 0;
  let madeWhenHalf = 0;
  const size = 50_000;
  await visiting(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            if (made === 100) return controller.close();
            made++;
            controller.enqueue(new Uint8Array(size).fill(made));
          },
        }),
      ),
    async (user) => {
      const response = await user.fetch('/');
      let bytes = 0;
      for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
        bytes += part.length;
        await sleep(10);
        if (bytes === 50 * size) madeWhenHalf = made;
      }
      expect(bytes).toBe(100 * size);
    },
  );
  // Two windows, from service to gateway and on to the user, and a chunk in each hand.
  expect(madeWhenHalf).toBeGreaterThan(50);
  expect(madeWhenHalf).toBeLessThan(50 + 2 * (262_144 / size) + 6);
});

test('an upload is read as it comes, and its answer may be longer than memory likes', async () => {
  const sums: number[] = [];
  let answer = '';
  await visiting(
    async (request) => {
      let sum = 0;
      for await (const part of request.body as unknown as AsyncIterable<Uint8Array>) {
        sum += part.length;
        sums.push(sum);
      }
      return new Response(`got ${sum}`);
    },
    async (user) => {
      let left = 8;
      const body = new ReadableStream({
        async pull(controller) {
          await sleep(20);
          if (left-- === 0) controller.close();
          else controller.enqueue(new Uint8Array(100_000));
        },
      });
      const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
      answer = await (await user.fetch('/', init)).text();
    },
  );
  expect(sums).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => n * 100_000));
  expect(answer).toBe('got 800000');
});

test('an upload above the limit is refused when that shows', async () => {
  let status = 0;
  let isBroken = false;
  await visiting(
    async (request) => {
      await request.arrayBuffer().catch(() => {
        isBroken = true;
      });
      return new Response('too late');
    },
    async (user) => {
      let left = 5;
      const body = new ReadableStream({
        pull(controller) {
          if (left-- === 0) controller.close();
          else controller.enqueue(new Uint8Array(40_000));
        },
      });
      const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
      status = (await user.fetch('/', init)).status;
    },
    { bodyMax: '100kB' },
  );
  expect(status).toBe(413);
  expect(isBroken).toBe(true);
});

test('a user who stops reading stops the handler', async () => {
  const heard: string[] = [];
  await visiting(
    (request) => {
      request.signal.addEventListener('abort', () => heard.push('signal'));
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await sleep(10);
            controller.enqueue(new Uint8Array([1]));
          },
          cancel: () => void heard.push('cancel'),
        }),
      );
    },
    async (user) => {
      const response = await user.fetch('/front');
      let parts = 0;
      await read(response, () => ++parts < 3);
    },
  );
  expect(heard.sort()).toEqual(['cancel', 'signal']);
});

test('a fetch that is aborted before its answer is given up all the way', async () => {
  const heard: string[] = [];
  const report = await visiting(
    async (request) => {
      request.signal.addEventListener('abort', () => heard.push('signal'));
      await sleep(500);
      return new Response('nobody reads this');
    },
    async (user) => {
      const aborter = new AbortController();
      setTimeout(() => aborter.abort(), 50);
      await user.fetch('/', { signal: aborter.signal }).catch((failure) => {
        heard.push(failure.name);
      });
    },
  );
  expect(heard).toEqual(['AbortError', 'signal']);
  expect(report.failed).toBe(1);
});

test('a reader sees that the body broke off when a node on the way dies', async () => {
  for (const node of ['api/0', 'edge/0']) {
    let end = '';
    let parts = 0;
    await visiting(
      () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              await sleep(100);
              controller.enqueue(new Uint8Array([1]));
            },
          }),
        ),
      async (user) => {
        const response = await user.fetch('/');
        await read(response, () => void parts++).catch((failure) => {
          end = failure.message;
        });
      },
      { faults: [`kill ${node} at 3s, restart after 1s`] },
    );
    expect(end).toContain('reset');
    expect(parts).toBeGreaterThan(5);
  }
});

test('a request whose body flows is not copied to a shadow, and served all the same', async () => {
  const heard: string[] = [];
  const hear = (release: string) => async (request: Request) => {
    heard.push(`${release} ${(await request.arrayBuffer()).byteLength}`);
    return new Response('done');
  };
  const api = service('api', {
    instances: 2,
    releases: { v1: { fetch: hear('v1') }, v2: { fetch: hear('v2') } },
    traffic: { v1: 1, v2: 0 },
  });
  let isFirst = true;
  await simulate(
    system('shadowed', {
      entry: gateway('edge', {
        routes: { '/': api },
        policy: { shadow: { release: 'v2', share: 1 } },
      }),
      workload: users({
        rate: '1/s',
        async act(user) {
          if (!isFirst) return;
          isFirst = false;
          await user.fetch('/', { method: 'POST', body: 'whole' });
          const body = new ReadableStream({
            start(controller) {
              controller.enqueue(new Uint8Array(9));
              controller.close();
            },
          });
          await user.fetch('/', { method: 'POST', body, duplex: 'half' } as RequestInit);
        },
      }),
    }),
    { for: '3s', check: true },
  );
  expect([...new Set(heard)].sort()).toEqual(['v1 5', 'v1 9', 'v2 5']);
});
