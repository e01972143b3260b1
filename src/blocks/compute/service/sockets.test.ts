/** Web sockets, from a handler through a gateway to a user and back. */

import { Hono } from 'hono';
import { upgradeWebSocket as honoUpgrade } from 'hono/cloudflare-workers';
import { expect, test } from 'vitest';
import { system } from '../../../design/system.ts';
import { upgradeWebSocket } from '../../../parts/web.ts';
import { simulate } from '../../../run/simulate.ts';
import { cdn } from '../../edge/cdn/index.ts';
import { type GatewayOptions, gateway, tokenBucket } from '../../edge/gateway/index.ts';
import { type User, type UserSocket, users } from '../../workload/users/index.ts';
import { type Fetch, type ServiceOptions, service } from './index.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One visit of one user, in a system of a gateway and a service, perhaps with another between them. */
async function visiting(
  fetch: Fetch<object>,
  act: (user: User) => Promise<void>,
  more: {
    readonly faults?: readonly string[];
    readonly edge?: Partial<GatewayOptions>;
    readonly api?: Partial<ServiceOptions<Record<never, never>>>;
    readonly seed?: number;
  } = {},
) {
  let isFirst = true;
  const api = service('api', { instances: 1, fetch, ...more.api });
  const report = await simulate(
    system('talking', {
      entry: gateway('edge', {
        routes: { '/': api, '/site': cdn('site', { origin: api }) },
        ...more.edge,
      }),
      workload: users({
        rate: '1/s',
        async act(user) {
          if (!isFirst) return;
          isFirst = false;
          await act(user);
        },
      }),
    }),
    { for: '200s', faults: [...(more.faults ?? [])] as never, seed: more.seed ?? 1 },
  );
  expect(isFirst).toBe(false);
  return report;
}

const echo: Fetch<object> = (request) => {
  const { socket, response } = upgradeWebSocket(request);
  socket.addEventListener('message', ({ data }) => socket.send(data));
  return response;
};

test('what is sent comes back as what it was, in order', async () => {
  const sent = ['', 'text', '\0ping', '\0', new Uint8Array([0, 1, 255]), new Uint8Array(0)];
  const back: unknown[] = [];
  let closed: unknown;
  await visiting(echo, async (user) => {
    const socket = await user.connect('/');
    for (const data of sent) await socket.send(data);
    for (const _ of sent) {
      const data = await socket.receive();
      back.push(typeof data === 'string' ? data : new Uint8Array(data!));
    }
    await socket.close(3001, 'enough');
    closed = socket.closed;
    expect(await socket.receive()).toBeUndefined();
  });
  expect(back).toEqual(sent);
  expect(closed).toEqual({ code: 3001, reason: 'enough' });
});

test('bytes go as they were when they were sent', async () => {
  const back: unknown[] = [];
  const twice: Fetch<object> = (request) => {
    const { socket, response } = upgradeWebSocket(request);
    socket.addEventListener('message', ({ data }) => {
      const bytes = new Uint8Array(data as ArrayBuffer);
      socket.send(bytes);
      bytes.fill(9);
    });
    return response;
  };
  await visiting(twice, async (user) => {
    const socket = await user.connect('/');
    const bytes = new Uint8Array([1, 2]);
    const sent = socket.send(bytes);
    bytes.fill(8);
    await sent;
    back.push(await socket.receive());
    await socket.close();
  });
  expect(back).toEqual([new Uint8Array([1, 2])]);
});

test.each(['/', '/site'])("Hono's helper for Workers serves unchanged, at %s", async (path) => {
  const app = new Hono().get(
    '*',
    honoUpgrade(() => ({
      onMessage: ({ data }, ws) => ws.send(`you said ${data}`),
    })),
  );
  const heard: unknown[] = [];
  await visiting(
    (request) => app.fetch(request as Request),
    async (user) => {
      const socket = await user.connect(path);
      await socket.send('hello');
      heard.push(await socket.receive());
      const plain = await user.fetch(path);
      heard.push(plain.status);
    },
  );
  expect(heard).toEqual(['you said hello', 404]);
});

test('a subprotocol is one of those offered, or the upgrade fails', async () => {
  const heard: unknown[] = [];
  await visiting(
    (request) => upgradeWebSocket(request, { protocol: 'chat.v2' }).response,
    async (user) => {
      heard.push((await user.connect('/', { protocols: ['chat.v1', 'chat.v2'] })).protocol);
      heard.push(await user.connect('/').catch((failure) => failure.message));
      heard.push((await user.fetch('/')).status);
    },
  );
  expect(heard).toEqual(['chat.v2', 'users.connect: status 500', 500]);
});

test('an answer that is no 101 is an answer, and the limit of a gateway counts upgrades', async () => {
  const heard: unknown[] = [];
  await visiting(
    (request) =>
      request.url.endsWith('/no') ? new Response('no', { status: 403 }) : echo(request, {}),
    async (user) => {
      for (const path of ['/no', '/', '/', '/']) {
        heard.push(
          await user.connect(path).then(
            () => 101,
            ({ message }: Error) => message.slice(-3),
          ),
        );
      }
    },
    { edge: { limit: tokenBucket({ rate: '1/min', burst: 3 }) } },
  );
  expect(heard).toEqual(['403', 101, 101, '429']);
});

test('gateway and service hold as many sockets as they may, and go on once one is closed', async () => {
  const heard: unknown[] = [];
  for (const more of [{ edge: { sockets: { max: 2 } } }, { api: { sockets: { max: 2 } } }]) {
    await visiting(
      echo,
      async (user) => {
        const sockets: UserSocket[] = [];
        for (let i = 0; i < 3; i++) {
          await user.connect('/').then(
            (socket) => sockets.push(socket),
            ({ message }: Error) => heard.push(message.slice(-3)),
          );
        }
        await sockets[0]!.close();
        await sleep(10);
        await (await user.connect('/')).close();
        heard.push(sockets.length);
      },
      more,
    );
  }
  expect(heard).toEqual(['503', 2, '503', 2]);
});

test('a message that is too long, a listener that throws and a client that does not read end a socket', async () => {
  const codes: unknown[] = [];
  const fetch: Fetch<object> = (request) => {
    const { socket, response } = upgradeWebSocket(request);
    socket.addEventListener('message', ({ data }) => {
      if (data === 'throw') throw new Error('a mistake of the handler');
      if (data !== 'flood') return;
      for (let i = 0; i < 40; i++) socket.send(new Uint8Array(50_000));
    });
    return response;
  };
  await visiting(fetch, async (user) => {
    for (const data of [new Uint8Array(1_000_001), 'throw', 'flood']) {
      const socket = await user.connect('/');
      await socket.send(data);
      if (data === 'flood') await sleep(100);
      while ((await socket.receive()) !== undefined);
      codes.push(socket.closed?.code);
    }
  });
  expect(codes).toEqual([1009, 1011, 1008]);
});

test('a sender is held up by a reader who does not read, end to end', async () => {
  let sent = 0;
  let sentWhenAsleep = 0;
  let got = 0;
  const fetch: Fetch<object> = (request) => {
    const { socket, response } = upgradeWebSocket(request);
    socket.addEventListener('message', async () => {
      await sleep(100);
      got++;
      if (got === 1) sentWhenAsleep = sent;
    });
    return response;
  };
  await visiting(fetch, async (user) => {
    const socket = await user.connect('/');
    for (; sent < 100; sent++) await socket.send(new Uint8Array(20_000));
    await socket.close();
  });
  // Two windows at most, from user to gateway and from there to the service.
  expect(sentWhenAsleep).toBeLessThan(30);
  expect(got).toBe(100);
});

test('when an instance is killed its clients see 1006, and the next attempt is served', async () => {
  const heard: unknown[] = [];
  await visiting(
    echo,
    async (user) => {
      const socket = await user.connect('/');
      while ((await socket.receive()) !== undefined);
      heard.push(socket.closed);
      await sleep(3_000);
      const again = await user.connect('/');
      await again.send('back');
      heard.push(await again.receive());
    },
    { faults: ['kill api/0 at 10s, restart after 1s'] },
  );
  expect(heard).toEqual([{ code: 1006, reason: '' }, 'back']);
});

test.each([
  ['users/0', 1006, 1006],
  ['api/0', 1006, 1006],
])('both ends notice that the way from the gateway to %s is cut', async (node, near, far) => {
  let client: unknown;
  let server: unknown;
  const fetch: Fetch<object> = (request) => {
    const { socket, response } = upgradeWebSocket(request);
    socket.addEventListener('close', ({ code }) => {
      server = code;
    });
    return response;
  };
  await visiting(
    fetch,
    async (user) => {
      const socket = await user.connect('/');
      while ((await socket.receive()) !== undefined);
      client = socket.closed?.code;
    },
    { faults: [`cut edge/0 from ${node} at 10s for 170s`] },
  );
  expect([client, server]).toEqual([near, far]);
});

test('a quiet socket stays open while pings are answered, and is closed with 1001 where none come', async () => {
  const heard: unknown[] = [];
  const act = async (user: User): Promise<void> => {
    const socket = await user.connect('/');
    await sleep(90_000);
    heard.push(socket.closed?.code ?? 'open');
  };
  await visiting(echo, act);
  await visiting(echo, act, {
    api: { sockets: { ping: '10min' } },
    edge: { sockets: { idleTimeout: '15s' } },
  });
  expect(heard).toEqual(['open', 1001]);
});

test.each(['edge/0', 'api/0'])(
  'when %s is stopped it says so to both sides, with 1001',
  async (node) => {
    let client: unknown;
    let server: unknown;
    const fetch: Fetch<object> = (request) => {
      const { socket, response } = upgradeWebSocket(request);
      socket.addEventListener('close', ({ code, wasClean }) => {
        server = [code, wasClean];
      });
      return response;
    };
    await visiting(
      fetch,
      async (user) => {
        const socket = await user.connect('/');
        while ((await socket.receive()) !== undefined);
        client = socket.closed?.code;
      },
      { faults: [`restart ${node} at 10s`] },
    );
    expect([client, server]).toEqual([1001, [1001, true]]);
  },
);
