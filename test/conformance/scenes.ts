/**
 * What every block promises its user, whatever world it runs in. Each scene has only HTTP to look
 * at the system, and throws when something is not as it should be.
 */
export interface OutsideWorld {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  sleep(ms: number): Promise<void>;
  connect(path: string): Promise<Talk>;
}

/** A web socket. */
export interface Talk {
  send(text: string): Promise<void>;
  receive(): Promise<string | undefined>;
  /** How it ended, once it has. */
  code(): number | undefined;
  close(code: number): Promise<void>;
}

export interface Scene {
  readonly title: string;
  play(world: OutsideWorld): Promise<void>;
}

function scene(title: string, play: (world: OutsideWorld) => Promise<void>): Scene {
  return { title, play };
}

function same(given: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(given), JSON.stringify(expected)];
  if (a !== b) throw new Error(`got ${a}, expected ${b}`);
}

async function ask<T>({ fetch }: OutsideWorld, method: string, path: string, body?: unknown) {
  const reply = await fetch(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as T;
}

async function eventually(world: OutsideWorld, check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await check().catch(() => false)) return;
    await world.sleep(100);
  }
  throw new Error('it never came to that');
}

type Held = { readonly value: unknown };
type Published = { readonly partition: number; readonly offset: number };
type Found = {
  readonly nodes: readonly string[];
  readonly aliases: readonly string[];
  readonly text?: string;
};
type Instance = { readonly instance: string; readonly visits: number };

const rich = { text: 'ä ☃', list: [1, 2.5, null, { deep: true }], empty: {} };

function ofStore(store: 'atomic' | 'quorum'): readonly Scene[] {
  return [
    scene(
      `${store}: a value is read as it was put, changed, and gone when deleted`,
      async (world) => {
        const path = `/kv/${store}/k`;
        same(await ask(world, 'GET', path), { value: null });
        same(await ask(world, 'PUT', path, rich), { value: rich });
        same(await ask(world, 'PUT', path, 'other'), { value: 'other' });
        same(await ask(world, 'DELETE', path), { value: null });
        same(await ask(world, 'DELETE', path), { value: null });
      },
    ),
    scene(`${store}: what is no value is refused, and changes nothing`, async (world) => {
      await ask(world, 'PUT', `/kv/${store}/kept`, 'kept');
      same(await ask(world, 'POST', `/kv/${store}/kept`), Array(5).fill('TypeError'));
      same(await ask(world, 'GET', `/kv/${store}/kept`), { value: 'kept' });
    }),
  ];
}

/** Codes seen by scenes before the kills: none may come again. */
const given = new Set<string>();
const instances = new Map<string, number>();

async function takeCodes(world: OutsideWorld): Promise<void> {
  for (let round = 0; round < 8; round++) {
    for (const code of await ask<string[]>(world, 'GET', '/codes')) {
      if (given.has(code)) throw new Error(`${code} was given out twice`);
      given.add(code);
    }
  }
}

/** Of tom, signed with the secret of the design, until the year 2100. */
const token =
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0b20iLCJleHAiOjQxMDI0NDQ4MDB9.EYeufjtn-lNltUHBgZ7kJXaS0jCcQOQm173D1h_ha_4';

/** Open while its instance is killed. */
let open: Talk | undefined;

export const before: readonly Scene[] = [
  ...ofStore('atomic'),
  ...ofStore('quorum'),
  scene('cache: a value lives until it is deleted or its time is over', async (world) => {
    same(await ask(world, 'GET', '/cache/c'), { value: null });
    same(await ask<Held>(world, 'PUT', '/cache/c', 'v'), { value: '"v"' });
    same(await ask(world, 'DELETE', '/cache/c'), { value: null });
    await ask(world, 'PUT', '/cache/brief?ttl=short', 'v');
    await world.sleep(300);
    same(await ask(world, 'GET', '/cache/brief'), { value: null });
  }),
  scene(
    'cache: who looks for one thing at once shares one load, and finding nothing is no value',
    async (world) => {
      await ask(world, 'PUT', '/kv/atomic/source', 'found');
      same(await ask(world, 'GET', '/through/x'), { loads: 1, got: Array(8).fill('found') });
      same(await ask(world, 'GET', '/through/x'), { loads: 0, got: Array(8).fill('found') });
      await ask(world, 'DELETE', '/kv/atomic/source');
      same(await ask(world, 'GET', '/through/y'), { loads: 1, got: Array(8).fill(null) });
    },
  ),
  scene('ids: no code comes twice, from no instance', takeCodes),
  scene('ids: a name is one owner’s', async (world) => {
    same(await ask(world, 'GET', '/claims/name/anna'), true);
    same(await ask(world, 'GET', '/claims/name/bert'), false);
    same(await ask(world, 'GET', '/claims/name/anna'), true);
  }),
  scene('limiter: a key gets what every limit allows, and not one more', async (world) => {
    same(await ask(world, 'GET', '/take/ann/2'), [true, 1, 'limiter']);
    same(await ask(world, 'GET', '/take/ann/2'), [false, 1, 'limiter']);
    same(await ask(world, 'GET', '/take/ann/1'), [true, 0, 'limiter']);
    same(await ask(world, 'GET', '/take/ann/1'), [false, 0, 'limiter']);
    same(await ask(world, 'GET', '/take/bob/1'), [true, 2, 'limiter']);
  }),
  scene('topic: what is published is delivered, in order within its key', async (world) => {
    const placed: Published[] = [];
    for (const value of ['a', 'b', 'c']) {
      placed.push(await ask<Published>(world, 'GET', `/publish/in-order/${value}`));
    }
    same(new Set(placed.map(({ partition }) => partition)).size, 1);
    same(
      placed.every(({ offset }, i) => i === 0 || offset > placed[i - 1]!.offset),
      true,
    );
    await eventually(world, async () => {
      const values = await ask<string[]>(world, 'GET', '/seen/in-order');
      return values.join() === 'a,b,c';
    });
  }),
  scene('topic: what a handler failed at is delivered again, then committed', async (world) => {
    await ask(world, 'GET', '/publish/retried/poison');
    await eventually(world, async () => {
      const values = await ask<string[]>(world, 'GET', '/seen/retried');
      return values.length >= 2 && values.every((value) => value === 'poison');
    });
  }),
  scene('topic: a replay delivers again from where it is told', async (world) => {
    const { partition } = await ask<Published>(world, 'GET', '/publish/again/once');
    await eventually(
      world,
      async () => (await ask<string[]>(world, 'GET', '/seen/again')).length === 1,
    );
    same(await ask(world, 'GET', `/replay/${partition}`), 0);
    await eventually(
      world,
      async () => (await ask<string[]>(world, 'GET', '/seen/again')).length === 2,
    );
  }),
  scene(
    'service: releases share traffic as they should, and a binding is a fetcher',
    async (world) => {
      const counts: Record<string, number> = {};
      for (let i = 0; i < 100; i++) {
        const reply = await world.fetch('/inner');
        const text = await reply.text();
        counts[text] = (counts[text] ?? 0) + 1;
      }
      same(Object.keys(counts).sort(), ['v1 /asked', 'v2']);
      // Five standard deviations around 20 of 100.
      same(counts.v2! > 0 && counts.v2! < 40, true);
    },
  ),
  scene(
    'service: what a handler throws is a 500, without its text, and the instance lives on',
    async (world) => {
      const reply = await world.fetch('/throws');
      same(reply.status, 500);
      same((await reply.text()).includes('mistake in the handler'), false);
      same((await world.fetch('/nowhere')).status, 404);
    },
  ),
  scene(
    'service: an error that nobody catches ends the instance, and another begins anew',
    async (world) => {
      for (const way of ['rejects', 'ticks', 'microtasks']) {
        await eventually(world, async () => (await ask(world, 'GET', '/frail/count')) === 1);
        same(await ask(world, 'GET', '/frail/count'), 2);
        await world.fetch(`/frail/${way}`);
      }
      await eventually(world, async () => (await ask(world, 'GET', '/frail/count')) === 1);
    },
  ),
  scene('cdn: what may be kept is made once for all edges, until it is purged', async (world) => {
    const read = async (path: string) => (await world.fetch(`/site/${path}`)).text();
    const first = await read('a');
    for (let i = 0; i < 9; i++) same(await read('a'), first);
    const own = await Promise.all(Array.from({ length: 6 }, () => read('own/a')));
    same(new Set(own).size, 6);
    for (const how of ['tag/made', 'prefix/a']) {
      const before = await read('a');
      await ask(world, 'GET', `/purge/${how}`);
      const after = await read('a');
      same(Number(after) > Number(before), true);
      for (let i = 0; i < 9; i++) same(await read('a'), after);
    }
  }),
  scene(
    'forwardProxy: sites are asked for its callers, once for all, and not those that are blocked',
    async (world) => {
      const through = (path: string) =>
        ask<[status: number, text: string, via: string | null]>(world, 'GET', `/egress/${path}`);
      const first = await through('origin.test/a');
      same([first[0], first[2]], [200, '1.1 egress']);
      for (let i = 0; i < 3; i++) same(await through('origin.test/a'), first);
      same((await through('x.blocked.test/a'))[0], 403);
      same((await through('nowhere.test/a'))[0], 502);
    },
  ),
  scene('gateway: who may, is let in, as often as the quota says', async ({ fetch }) => {
    const statusOf = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(path, { headers, redirect: 'manual' })).status;
    const key = { 'x-api-key': 'key of ann' };
    same([await statusOf('/mine'), await statusOf('/mine', { 'x-api-key': 'x' })], [401, 401]);
    const said = [await statusOf('/mine', key), await statusOf('/mine', key)];
    same([...said, await statusOf('/mine', key)], [200, 200, 429]);
    same(await statusOf('/mine', { authorization: `Bearer ${token}` }), 200);
    const forged = `${token.slice(0, -3)}abc`;
    same(await statusOf('/mine', { authorization: `Bearer ${forged}` }), 401);
    same(await statusOf("/codes?q=' or '1'='1"), 403);
    const moved = await fetch('/moved/codes', { redirect: 'manual' });
    same([moved.status, moved.headers.get('location')], [308, '/codes']);
  }),
  scene('gateway: a page is made of its parts, and says what is missing', async (world) => {
    const page = await ask<{ of: unknown[]; first: unknown; missing: object }>(
      world,
      'GET',
      '/page',
    );
    same([typeof page.first, page.of[1], page.missing], ['string', null, { text: 'not JSON' }]);
  }),
  scene(
    'dns: a name leads to nodes, over aliases, or to a text; another to nothing',
    async (world) => {
      const found = async (name: string) => {
        const { nodes, aliases, text } = await ask<Found>(world, 'GET', `/name/${name}`);
        return [nodes.toSorted(), aliases, text];
      };
      same(await found('inner.test'), [['inner/0', 'inner/1'], [], undefined]);
      same(await found('WWW.inner.test'), [['inner/0', 'inner/1'], ['inner.test'], undefined]);
      same(await found('note.test'), [[], [], 'a note']);
      same(await found('other.test'), [[], [], undefined]);
    },
  ),
  scene('service: each instance has its own modules', async (world) => {
    for (let i = 0; i < 30; i++) {
      const { instance, visits } = await ask<Instance>(world, 'GET', '/instance');
      same(visits, (instances.get(instance) ?? 0) + 1);
      instances.set(instance, visits);
    }
    same(instances.size, 2);
  }),
  scene(
    'service: a web socket carries messages both ways, until one side says so',
    async (world) => {
      const talk = await world.connect('/talk');
      for (const text of ['one', 'two', '']) await talk.send(text);
      same([await talk.receive(), await talk.receive(), await talk.receive()], ['ONE', 'TWO', '']);
      await talk.close(3001);
      same([talk.code(), await talk.receive()], [3001, undefined]);
      const other = await world.connect('/talk');
      await other.send('bye');
      same([await other.receive(), other.code()], [undefined, 3002]);
      open = await world.connect('/talk');
    },
  ),
  scene(
    'registry, fleet: who serves is listed, and more start when more is asked',
    async (world) => {
      await eventually(world, async () => {
        await Promise.all(Array.from({ length: 10 }, () => world.fetch('/kept')));
        return (await ask<string[]>(world, 'GET', '/who/kept')).length === 2;
      });
      await allListed(world);
    },
  ),
  scene('mesh: traffic goes where it is told, in a while, and back', async (world) => {
    const onlyV2 = async () => {
      const texts = await Promise.all(
        Array.from({ length: 30 }, async () => (await world.fetch('/inner')).text()),
      );
      return texts.every((text) => text === 'v2');
    };
    same(await ask(world, 'GET', '/mesh/shift/v2'), 1);
    await eventually(world, onlyV2);
    same(await ask(world, 'GET', '/mesh/back'), 2);
    await eventually(world, async () => !(await onlyV2()));
  }),
  scene('all: something is left for after the crash', async (world) => {
    for (const store of ['atomic', 'quorum']) {
      for (let i = 0; i < 20; i++) await ask(world, 'PUT', `/kv/${store}/durable-${i}`, i);
      await ask(world, 'PUT', `/kv/${store}/deleted`, 'once');
      await ask(world, 'DELETE', `/kv/${store}/deleted`);
    }
    await ask(world, 'GET', '/publish/kept/before');
  }),
];

/** The registry is told by the instances, also after it forgot them all. */
async function allListed(world: OutsideWorld): Promise<void> {
  await eventually(world, async () => {
    same(await ask(world, 'GET', '/who/inner'), ['v1 up', 'v2 up']);
    same(await ask(world, 'GET', '/who/kept'), ['current up', 'current up']);
    return true;
  });
}

/** After every node but the edge was killed and came back. */
export const after: readonly Scene[] = [
  scene(
    'a web socket to a service that was killed broke off, and another is taken',
    async (world) => {
      same([await open?.receive(), open?.code()], [undefined, 1006]);
      const talk = await world.connect('/talk');
      await talk.send('again');
      same(await talk.receive(), 'AGAIN');
      await talk.close(1000);
    },
  ),
  scene('stores keep over a crash of all nodes what they acknowledged', async (world) => {
    for (const store of ['atomic', 'quorum']) {
      for (let i = 0; i < 20; i++) {
        same(await ask(world, 'GET', `/kv/${store}/durable-${i}`), { value: i });
      }
      same(await ask(world, 'GET', `/kv/${store}/deleted`), { value: null });
    }
  }),
  scene('ids give no code again and names stay whose they were', async (world) => {
    await takeCodes(world);
    same(await ask(world, 'GET', '/claims/name/bert'), false);
    same(await ask(world, 'GET', '/claims/name/anna'), true);
  }),
  scene('a limit on disk holds over a crash: nobody gets more than before', async (world) => {
    same(await ask(world, 'GET', '/take/ann/1'), [false, 0, 'limiter']);
    same(await ask(world, 'GET', '/take/bob/2'), [true, 0, 'limiter']);
  }),
  scene('registry, fleet: everybody is listed again', (world) => allListed(world)),
  scene('mesh: the control plane knows what held, and callers are let in', async (world) => {
    same(await ask(world, 'GET', '/mesh/state'), 2);
    await eventually(world, async () => (await world.fetch('/inner')).status === 200);
  }),
  scene('the topic goes on where it was committed', async (world) => {
    await ask(world, 'GET', '/publish/kept/after');
    await eventually(world, async () => {
      const values = await ask<string[]>(world, 'GET', '/seen/kept');
      return values.includes('before') && values.at(-1) === 'after';
    });
    same((await ask<string[]>(world, 'GET', '/seen/in-order')).slice(0, 3), ['a', 'b', 'c']);
  }),
  scene('the state of a module is gone with its process', async (world) => {
    const now = new Map<string, number>();
    for (let i = 0; i < 20; i++) {
      const { instance, visits } = await ask<Instance>(world, 'GET', '/instance');
      same(instances.has(instance), false);
      same(visits, (now.get(instance) ?? 0) + 1);
      now.set(instance, visits);
    }
    same(now.size, 2);
  }),
  scene('a cache is empty after a crash, and fills again', async (world) => {
    await ask(world, 'PUT', '/kv/atomic/source', 'found later');
    same(await ask(world, 'GET', '/through/x'), { loads: 1, got: Array(8).fill('found later') });
  }),
];
