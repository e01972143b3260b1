/** What the shortener promises to one who uses it, told in simulated runs of its own blocks. */
import { gateway, type Report, service, simulate, system, type User, users } from 'loadpath';
import { linearizable, uniqueIds } from 'loadpath/verify';
import { describe, expect, test } from 'vitest';
import { addressOf } from './addresses.ts';
import { api } from './api.ts';
import { blocks } from './blocks.ts';
import { countClicks } from './count-clicks.ts';

const web = service('api', { instances: 3, env: blocks, fetch: api.fetch });
const counter = service('counter', {
  instances: 2,
  env: { clicks: blocks.clicks, counts: blocks.counts },
  on: { clicks: countClicks },
});

const edge = gateway('edge', { routes: { '/': web } });

/** One user tells a story; what it returns is what happened. */
async function told<T>(story: (user: User) => Promise<T>): Promise<T> {
  const ends: T[] = [];
  const design = system('shortener-story', {
    entry: edge,
    blocks: [counter],
    workload: users({
      rate: '1/s',
      ip: addressOf,
      setup: async (user) => {
        ends.push(await story(user));
      },
      act: () => {},
    }),
  });
  await simulate(design, { for: '1s' });
  expect(ends).toHaveLength(1);
  return ends[0]!;
}

function post(user: User, body: object, owner?: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return user.fetch('/links', {
    method: 'POST',
    headers: owner === undefined ? headers : { ...headers, 'idempotency-key': owner },
    body: JSON.stringify(body),
  });
}

async function posted(user: User, body: object): Promise<string> {
  const reply = await post(user, body);
  expect(reply.status).toBe(201);
  return ((await reply.json()) as { readonly code: string }).code;
}

function brief({ status, headers }: Response): object {
  return {
    status,
    location: headers.get('location'),
    cache: headers.get('cache-control'),
  };
}

const url = 'https://example.com/somewhere';

describe('following a link', () => {
  test('leads where it was posted to, with 302, and is not to be kept', async () => {
    const { code, reply } = await told(async (user) => {
      const code = await posted(user, { url });
      return { code, reply: brief(await user.fetch(`/${code}`)) };
    });
    expect(code).toMatch(/^[0-9A-Za-z]{7}$/);
    expect(reply).toEqual({ status: 302, location: url, cache: 'private, no-store' });
  });

  test('posted as permanent is a 301 that may be kept for a day', async () => {
    const reply = await told(async (user) => {
      const code = await posted(user, { url, permanent: true });
      return brief(await user.fetch(`/${code}`));
    });
    expect(reply).toEqual({ status: 301, location: url, cache: 'public, max-age=86400' });
  });

  test('that expires is never a 301: a browser would keep it beyond its end', async () => {
    const reply = await told(async (user) => {
      const code = await posted(user, { url, permanent: true, expiresIn: 60 });
      return brief(await user.fetch(`/${code}`));
    });
    expect(reply).toMatchObject({ status: 302, cache: 'private, no-store' });
  });

  test('ends with its expiry, to the second, although the cache still has it', async () => {
    const statuses = await told(async (user) => {
      const code = await posted(user, { url, expiresIn: 60 });
      const seen: number[] = [];
      for (const ms of [0, 30_000, 29_000, 2_000, 300_000]) {
        await user.sleep(ms);
        seen.push((await user.fetch(`/${code}`)).status);
      }
      return seen;
    });
    expect(statuses).toEqual([302, 302, 302, 410, 410]);
  });

  test('that nobody posted is a 404', async () => {
    expect(await told(async (user) => (await user.fetch('/nothing')).status)).toBe(404);
  });
});

describe('posting a link', () => {
  test('refuses what is wrong, says why, and keeps nothing', async () => {
    const replies = await told(async (user) => {
      const wrong = [
        { url: 'http://0x7f.1/' },
        { url, expiresIn: 0 },
        { url, expiresIn: 1.5 },
        { url, alias: 'a' },
        { url, alias: 'links' },
        { url, alias: 'top' },
        { url, alias: 7 },
      ];
      return Promise.all(
        wrong.map(async (body) => {
          const reply = await post(user, body);
          return [reply.status, ((await reply.json()) as { readonly error: string }).error];
        }),
      );
    });
    expect(replies.map(([status]) => status)).toEqual(Array(7).fill(422));
    expect(replies[0]![1]).toBe('no private or local addresses');
    expect(replies[1]![1]).toBe('expiresIn must be seconds, 1 to 315360000');
  });

  test('what is no JSON is a 422, not a crash', async () => {
    const reply = await told((user) => user.fetch('/links', { method: 'POST', body: '{"url":' }));
    expect(reply.status).toBe(422);
  });

  test('under a name that is taken is a 409, unless it is its owner who asks again', async () => {
    const statuses = await told(async (user) => {
      const first = await post(user, { url, alias: 'mine' }, 'ann');
      const again = await post(user, { url, alias: 'mine' }, 'ann');
      const other = await post(user, { url, alias: 'mine' }, 'bob');
      return [first, again, other].map(({ status }) => status);
    });
    expect(statuses).toEqual([201, 201, 409]);
  });
});

describe('an alias', () => {
  test('is claimed by exactly one of all who want it at once, while its node dies and returns', async () => {
    const owners = new Map<string, Set<number>>();
    const design = system('shortener-claims', {
      entry: edge,
      blocks: [counter],
      workload: users({
        rate: '60/s',
        population: 40,
        async act(user) {
          const alias = `name-${user.random.below(60)}`;
          const reply = await post(user, { url, alias }, `user ${user.id}`);
          if (reply.status !== 201) return;
          owners.set(alias, (owners.get(alias) ?? new Set()).add(user.id));
        },
      }),
      invariants: [linearizable(blocks.links), uniqueIds(blocks.codes)],
    });
    const report = await simulate(design, {
      for: '12s',
      faults: [
        'kill codes/0 at 3s, restart after 2s',
        'lose 2% between api and codes at 6s for 3s',
      ],
    });
    expect(owners.size).toBeGreaterThan(50);
    expect([...owners].filter(([, ids]) => ids.size !== 1)).toEqual([]);
    expect(report.invariants.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  });
});

describe('counting clicks', () => {
  test('counts each one, by country, and ranks links by it', async () => {
    const seen = await told(async (user) => {
      const often = await posted(user, { url, alias: 'often' });
      const seldom = await posted(user, { url, alias: 'seldom' });
      for (let i = 0; i < 60; i++) await user.fetch(`/${often}`);
      for (let i = 0; i < 7; i++) await user.fetch(`/${seldom}`);
      // Counters read in batches.
      await user.sleep(5_000);
      const countOf = async (code: string) => (await user.fetch(`/${code}/clicks`)).json();
      const { top } = (await (await user.fetch('/top')).json()) as { readonly top: object[] };
      return { often: await countOf(often), seldom: await countOf(seldom), top };
    });
    expect(seen.often).toEqual({ clicks: 60, countries: { US: 60 } });
    expect(seen.seldom).toEqual({ clicks: 7, countries: { US: 7 } });
    expect(seen.top).toEqual([
      { code: 'often', clicks: 60 },
      { code: 'seldom', clicks: 7 },
    ]);
  });

  test('loses none that was acknowledged and delivers every one, while brokers and counters die', async () => {
    const report: Report = await simulate(new URL('./design.ts', import.meta.url), {
      for: '10s',
      rate: '200/s',
      faults: [
        'kill clicks/0 at 2s, restart after 1s',
        'kill counter/1 at 4s, restart after 2s',
        'power off counts/2 at 5s for 3s',
      ],
    });
    expect(report.blocks.clicks?.meters.published).toBeGreaterThan(1_000);
    expect(report.invariants.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  });
});

describe('the stories of README.md', () => {
  const file = new URL('./design.ts', import.meta.url);
  const quick = { for: '12s', rate: '200/s' } as const;
  const broken = (report: Report) => report.invariants.filter((it) => it.verdict !== 'holds');

  test('nobody notices that one copy of three died', async () => {
    const report = await simulate(file, {
      ...quick,
      faults: ['kill links/1 at 4s, restart after 3s'],
    });
    expect(report.failed).toBe(0);
    expect(broken(report)).toEqual([]);
  });

  test('two zones that cannot see one another cost time, and little else', async () => {
    const report = await simulate(file, {
      ...quick,
      faults: ['cut zone a from zone b at 4s for 4s'],
    });
    expect(report.availability).toBeGreaterThan(0.98);
    expect(report.latencyMs.p999).toBeGreaterThan(100);
    expect(broken(report)).toEqual([]);
  });

  test('a lost cache is misses, not errors', async () => {
    const report = await simulate(file, {
      ...quick,
      faults: ['kill hot/0 at 4s, restart after 2s', 'kill hot/1 at 4s, restart after 2s'],
    });
    expect(report.failed).toBe(0);
    expect(broken(report)).toEqual([]);
  });

  test('three times the load is carried', async () => {
    const report = await simulate(file, { ...quick, faults: ['surge 3x at 4s for 4s'] });
    expect(report.failed).toBe(0);
    expect(report.objectives.every(({ holds }) => holds)).toBe(true);
  });
});
