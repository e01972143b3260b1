/** What a cache promises, under faults; what it refuses; and that its parts do what they say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cluster } from '../../../../test/cluster.ts';
import { sandbox } from '../../../../test/sandbox.ts';
import { inTurn } from '../../../../test/turns.ts';
import { everyFault } from '../../../../test/weather.ts';
import type { Handlers } from '../../../host/host.ts';
import { decode, encode } from '../../../parts/codec.ts';
import { Ring } from '../../../parts/ring.ts';
import type { CacheApi } from './client.ts';
import type { CacheConfig } from './config.ts';
import { handle as cacheHandle } from './handle.ts';
import { type CacheOptions, cache } from './index.ts';
import { Leases } from './leases.ts';
import type { CacheRequest } from './messages.ts';
import { node } from './node.ts';
import { Shelf } from './shelf.ts';
import { storm } from './testdata/storm.ts';

const second = 1_000_000;
const seeds = Array.from({ length: 25 }, (_, index) => index + 1);

describe('under faults', () => {
  test('nothing older than a confirmed deletion comes back, and every lookup is answered', () => {
    let confirmed = 0;
    let saved = 0;
    const today = inTurn(seeds);
    for (const seed of today) {
      const hot = cache<{ version: number; load: number }>('hot', { whenLost: 'load' });
      // A lookup may be shared that began before the deletion: it lasts for timeout and wait.
      const seen = storm(hot, { seed, faults: everyFault, staleMaxUs: 41_000 });
      expect(seen.stale, `seed ${seed}`).toEqual([]);
      expect(seen.answered, `seed ${seed}`).toBe(seen.asked);
      expect(seen.failed).toBe(0);
      confirmed += seen.confirmed;
      saved += seen.asked - seen.loads;
    }
    expect(confirmed).toBeGreaterThan(40 * today.length);
    expect(saved).toBeGreaterThan(40 * today.length);
  });

  test('with stand-ins, a value is at most as old as they may keep one', () => {
    for (const seed of inTurn(seeds.slice(0, 12))) {
      const hot = cache<{ version: number; load: number }>('hot', {
        nodes: 3,
        standInTtl: '300ms',
        retryAfter: '100ms',
      });
      // A slow message and a load come on top of what a stand-in keeps.
      const seen = storm(hot, { seed, faults: everyFault, staleMaxUs: 1_000_000 });
      expect(seen.stale, `seed ${seed}`).toEqual([]);
      expect(seen.answered, `seed ${seed}`).toBe(seen.asked);
    }
  });
});

function made(options: CacheOptions, clients = 1) {
  const hot = cache<string>('hot', options);
  const all = cluster([hot], { seed: 4, clients, check: true, codec: { encode, decode } });
  const counter = (name: string) => {
    let sum = 0;
    for (const { counters } of all.world.meters.snapshot()) sum += counters[name] ?? 0;
    return sum;
  };
  return { ...all, hot, counter };
}

describe.each([
  ['as messages go in a plain run', {}],
  ['as a codec leaves them', { check: true, codec: { encode, decode } }],
])('values %s', (_how, world) => {
  const lists = cache<number[]>('lists', { nodes: 1 });

  test('are of those who have them: no change of theirs reaches the cache or another', async () => {
    const { handle, settle } = cluster([lists], { seed: 4, clients: 2, ...world });
    const given = [1];
    const isSet = settle(handle(lists).set('key', given));
    given.push(2);
    expect(await isSet).toEqual({ ok: true });
    for (const client of [0, 1, 0]) {
      const got = await settle(handle(lists, client).get('key'));
      expect(got).toEqual({ ok: [1] });
      (got as { ok: number[] }).ok.push(3);
    }
  });

  test('that were loaded for several are not one and the same to them', async () => {
    const { handle, settle } = cluster([lists], { seed: 4, clients: 2, ...world });
    const loaded = [1];
    const look = (client: number) => handle(lists, client).through('key', () => loaded);
    const all = settle(
      Promise.all(
        [look(0), look(0), look(1)].map(async (one) => [...(await one)!, (await one)!.push(2)]),
      ),
    );
    expect(await all).toEqual({
      ok: [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
    });
    expect(loaded).toEqual([1]);
    expect(await settle(handle(lists, 1).get('key'))).toEqual({ ok: [1] });
  });
});

describe('through', () => {
  test('loads once for all who look at the same time, on one node and on many', async () => {
    const { handle, hot, settle } = made({ wait: '500ms' }, 4);
    let loads = 0;
    const all = Array.from({ length: 40 }, (_, index) =>
      handle(hot, index % 4).through('key', async () => {
        loads++;
        return 'value';
      }),
    );
    const outcome = await settle(Promise.all(all));
    expect(outcome).toEqual({ ok: Array(40).fill('value') });
    expect(loads).toBe(1);
    expect(await settle(handle(hot, 2).get('key'))).toEqual({ ok: 'value' });
  });

  test('counts each lookup once: found, loaded, or waited for another’s load', async () => {
    const { handle, hot, settle, counter } = made({ wait: '500ms' }, 3);
    const look = (client: number) => handle(hot, client).through('key', () => 'value');
    await settle(Promise.all([look(0), look(0), look(1), look(2)]));
    await settle(look(1));
    await settle(handle(hot, 2).get('other'));
    const [hits, misses, waits, loads] = ['hits', 'misses', 'waits', 'loads'].map(counter);
    expect([hits! + misses! + waits!, misses, loads]).toEqual([6, 2, 1]);
    expect(waits).toBeGreaterThan(0);
  });

  test('fails only if the load does, and passes the turn to load on', async () => {
    const { handle, hot, settle } = made({ wait: '500ms' }, 2);
    const failure = new Error('no database');
    const broken = handle(hot, 0).through('key', () => Promise.reject(failure));
    const works = handle(hot, 1).through('key', () => 'value');
    const first = await settle(broken);
    const other = await settle(works);
    expect([first, other]).toEqual([{ error: failure }, { ok: 'value' }]);
  });

  test('waits for no load longer than its lease, be it shared from the start or not', async () => {
    const { handle, hot, settle, run } = made({ lease: '1s' });
    let loads = 0;
    const hangs = () => new Promise<string>(() => void loads++);
    void handle(hot).through('key', hangs);
    const sharer = handle(hot).through('key', () => 'of the sharer');
    run(900_000);
    const another = handle(hot).through('key', () => 'of another');
    expect(await settle(Promise.all([sharer, another]), second)).toEqual({
      ok: ['of the sharer', 'of the sharer'],
    });
    void handle(hot).through('alone', hangs);
    run(2 * second);
    expect(
      await settle(
        handle(hot).through('alone', () => 'late'),
        second,
      ),
    ).toEqual({ ok: 'late' });
    expect(loads).toBe(2);
  });

  test('does not fail for those who share a load because its caller had no time left', async () => {
    const { handle, hot, settle, world, api } = made({});
    const hurried = cacheHandle(
      api('hot') as CacheApi,
      { deadlineAt: world.now + 100 },
      hot,
    ).through('key', () => Promise.reject(new Error('no time left')));
    let loads = 0;
    const others = [1, 2, 3].map(() => handle(hot).through('key', () => `load ${++loads}`));
    const outcome = settle(Promise.all(others));
    expect(await settle(hurried)).toMatchObject({ error: { message: 'no time left' } });
    expect(await outcome).toEqual({ ok: ['load 1', 'load 1', 'load 1'] });
    // A mistake of a load is everybody's.
    const broken = handle(hot).through('other', () => Promise.reject(new Error('broken')));
    const sharer = handle(hot).through('other', () => 'works');
    void sharer.catch(() => {});
    expect(await settle(broken)).toMatchObject({ error: { message: 'broken' } });
    expect(await settle(sharer)).toMatchObject({ error: { message: 'broken' } });
  });

  test('goes on without any cache node, and without waiting for long', async () => {
    const { handle, hot, settle, world } = made({});
    world.inject({ do: 'power-off', target: { block: 'hot' }, atUs: 0 });
    const before = world.now;
    for (let i = 0; i < 50; i++) {
      expect(await settle(handle(hot).through(`k${i}`, () => `v${i}`))).toEqual({ ok: `v${i}` });
    }
    // Three timeouts a node (20 ms to answer and 20 ms to wait), then they are left alone.
    expect(world.now - before).toBeLessThan(second);
    expect(await settle(handle(hot).get('k1'))).toEqual({ ok: undefined });
    expect(await settle(handle(hot).set('k1', 'v'))).toEqual({ ok: false });
    expect(await settle(handle(hot).delete('k1'))).toEqual({ ok: false });
  });

  test('remembers that there is nothing only when told to, and not for long', async () => {
    for (const [options, expected] of [
      [{}, 3],
      [{ negativeTtl: '1s' }, 2],
    ] as const) {
      const { handle, hot, settle, run } = made(options);
      let loads = 0;
      const look = () =>
        settle(
          handle(hot).through('key', () => {
            loads++;
            return undefined;
          }),
        );
      expect(await look()).toEqual({ ok: undefined });
      run(10_000);
      expect(await look()).toEqual({ ok: undefined });
      run(2 * second);
      await look();
      expect(loads).toBe(expected);
    }
  });

  test('never shares a load that began before this node deleted the entry', async () => {
    const { handle, hot, settle, run } = made({});
    let finish: (value: string) => void = () => {};
    const old = handle(hot).through(
      'key',
      () => new Promise<string>((resolve) => (finish = resolve)),
    );
    run(5_000);
    await settle(handle(hot).delete('key'));
    const fresh = await settle(handle(hot).through('key', () => 'new'));
    finish('old');
    expect(await settle(old)).toEqual({ ok: 'old' });
    run(second);
    expect(fresh).toEqual({ ok: 'new' });
    expect(await settle(handle(hot).get('key'))).toEqual({ ok: 'new' });
  });
});

describe('a cache', () => {
  test('forgets what is too old, by its own ttl or the entry’s', async () => {
    const { handle, hot, settle, run } = made({ ttl: '1s' });
    await settle(handle(hot).set('short', 'value', { ttl: '100ms' }));
    await settle(handle(hot).set('long', 'value'));
    run(200_000);
    expect(await settle(handle(hot).get('short'))).toEqual({ ok: undefined });
    expect(await settle(handle(hot).get('long'))).toEqual({ ok: 'value' });
    run(second);
    expect(await settle(handle(hot).get('long'))).toEqual({ ok: undefined });
  });

  test('keeps the most recently used when it is full, or the newest when told fifo', async () => {
    for (const [policy, kept] of [
      ['lru', ['a', undefined, 'c']],
      ['fifo', [undefined, 'b', 'c']],
    ] as const) {
      const { handle, hot, settle } = made({ nodes: 1, capacity: 2, policy });
      await settle(handle(hot).set('a', 'a'));
      await settle(handle(hot).set('b', 'b'));
      await settle(handle(hot).get('a'));
      await settle(handle(hot).set('c', 'c'));
      const found = [];
      for (const key of ['a', 'b', 'c']) {
        found.push(((await settle(handle(hot).get(key))) as { ok: unknown }).ok);
      }
      expect(found).toEqual(kept);
    }
  });

  test('that loses a node loses its share only, and stand-ins take it over', () => {
    const { api, world, run } = made({ nodes: 3, capacity: 10_000 });
    const door = api('hot') as CacheApi;
    const keys = Array.from({ length: 600 }, (_, index) => `key ${index}`);
    let loads = 0;
    const pass = () => {
      const before = loads;
      for (const key of keys) {
        const load: Parameters<CacheApi['through']>[2] = (done) => {
          loads++;
          done({ ok: true, value: key });
        };
        door.through(key, undefined, load, () => {});
        run(2_000);
      }
      return loads - before;
    };
    const ring = new Ring(['hot/0', 'hot/1', 'hot/2'].map((id, i) => ({ id, zone: 'abc'[i]! })));
    const share = keys.filter((key) => ring.walk(key)[0] === 'hot/1').length;
    expect(pass()).toBe(600);
    expect(pass()).toBe(0);
    world.inject({ do: 'kill', target: { node: 'hot/1' }, atUs: 0 });
    expect(pass()).toBe(share);
    expect(share).toBeLessThan(300);
    // Now and then one lookup tries the lost node, misses and loads.
    expect(pass()).toBeLessThan(5);
  });

  test('refuses keys, values and times that are none, as a mistake', async () => {
    const { handle, hot, settle } = made({});
    const mistakes = [
      () => handle(hot).get(7 as unknown as string),
      () => handle(hot).get('\ud800'),
      () => handle(hot).set('a\udc00', 'b'),
      () => handle(hot).through('\udc00\ud800', () => 'b'),
      () => handle(hot).set('a', undefined as unknown as string),
      () => handle(hot).set('a', new Map() as unknown as string),
      () => handle(hot).set('a', 'b', { ttl: '5 eggs' as '5s' }),
      () => handle(hot).through('a', () => (() => 1) as unknown as string),
    ];
    for (const mistake of mistakes) {
      expect(await settle<unknown>(mistake())).toMatchObject({ error: { name: 'TypeError' } });
    }
  });

  test('whose options cannot be is refused by name, all at once', () => {
    expect(cache('hot', { nodes: 0, ttl: '1 week' as '7d' }).problems.map(({ at }) => at)).toEqual([
      'hot.nodes',
      'hot.ttl',
    ]);
    expect(cache('hot', { lease: '10ms' }).problems.map(({ at }) => at)).toEqual(['hot.lease']);
  });
});

describe('leases', () => {
  test('of a cache node’s former life let nobody store', () => {
    const config = cache('hot').config as CacheConfig;
    const replies: string[] = [];
    const to = { node: 'hot/0', port: 'cache' };
    const world = sandbox({
      nodes: {
        'hot/0': { cache: (host) => node(host, config, undefined) as Handlers },
        caller: {
          hot: (host) => {
            let former = 0;
            const ask = (id: number) =>
              host.send(to, { type: 'get', id, key: 'k', lease: true } as CacheRequest);
            const set = { type: 'set', id: 9, key: 'k', value: 'old', ttlUs: second };
            host.after(second, () => ask(1));
            host.after(4 * second, () => ask(2));
            host.after(5 * second, () => host.send(to, { ...set, lease: former } as CacheRequest));
            return {
              message(_from, { type, lease, stored }) {
                replies.push(`${type} ${String(stored ?? '')}`);
                former ||= Number(lease ?? 0);
              },
            };
          },
        },
      },
    });
    world.bootAll();
    world.run(2 * second);
    world.inject({ do: 'kill', target: { node: 'hot/0' }, atUs: 0, forUs: second });
    world.run(8 * second);
    expect(replies).toEqual(['miss ', 'miss ', 'stored false']);
  });

  test('are held by one at a time, and none that ended lets anybody store', () => {
    const step = fc.tuple(fc.constantFrom('ask', 'settle', 'pass'), fc.nat(2), fc.nat(30));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const leases = new Leases<number>({ leaseUs: 40, leasesMax: 10 }, 1);
        const ended: { readonly key: string; readonly token: number }[] = [];
        const held = new Map<string, { token: number; until: number }>();
        let now = 0;
        for (const [what, name, passes] of steps) {
          now += passes;
          const key = `k${name}`;
          const holder = held.get(key);
          const end = () => {
            if (holder) ended.push({ key, token: holder.token });
            held.delete(key);
          };
          if (what === 'ask') {
            const asked = leases.ask(key, now);
            if (asked.may === 'wait') expect(holder && now < holder.until).toBe(true);
            if (asked.may !== 'load') continue;
            expect(holder === undefined || now >= holder.until).toBe(true);
            end();
            held.set(key, { token: asked.token, until: now + 40 });
          } else {
            end();
            if (what === 'settle') leases.settle(key);
            else expect(leases.pass(key, now)).toBeUndefined();
          }
          for (const one of ended) expect(leases.holds(one.key, one.token)).toBe(false);
        }
      }),
    );
  });

  test('pass to who waits longest when the holder gives up', () => {
    const leases = new Leases<string>({ leaseUs: 40, leasesMax: 10 }, 1);
    leases.ask('k', 0);
    for (const name of ['first', 'second']) leases.wait('k', name);
    leases.leave('k', 'nobody');
    expect(leases.pass('k', 1)).toMatchObject({ heir: 'first' });
    expect(leases.settle('k')).toEqual(['second']);
  });
});

test('an entry is there until its time is over, and is counted when it is found gone', () => {
  let expired = 0;
  const shelf = new Shelf({
    capacity: 10,
    policy: 'lru',
    onEvict: () => {},
    onExpire: () => expired++,
  });
  shelf.set('a', 1, 100, 0);
  expect(shelf.get('a', 99)).toMatchObject({ value: 1 });
  expect(shelf.get('a', 100)).toBeUndefined();
  expect([expired, shelf.size]).toEqual([1, 0]);
});
