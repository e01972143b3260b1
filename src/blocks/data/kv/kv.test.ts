/** What the store promises under faults, how it fails, and what it refuses. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import { type Cluster, cluster } from '../../../../test/cluster.ts';
import { inTurn } from '../../../../test/turns.ts';
import type { Declaration } from '../../../host/declaration.ts';
import type { Message } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { decode, encode } from '../../../parts/codec.ts';
import { Ring } from '../../../parts/ring.ts';
import { judgeDurable, linearizability } from '../../../verify/index.ts';
import { kvBlock } from './block.ts';
import { complete } from './config.ts';
import { declare, type KvHandle, kv } from './index.ts';
import { type ReplicaConfig, replica } from './node.ts';
import type { KvApi } from './operation.ts';
import { kvAckCountedTwice, kvDiskLost, kvHintDropped, kvNoSync } from './testdata/planted.ts';
import { type FaultKind, storm } from './testdata/storm.ts';

const crashes: FaultKind[] = ['kill', 'power-off', 'restart'];
const network: FaultKind[] = ['cut', 'lose', 'duplicate', 'delay'];
const disks: FaultKind[] = ['fill-disk', 'fail-disk'];
const everything: FaultKind[] = [...crashes, ...network, ...disks, 'pause', 'slow', 'skew'];
/** Small, so that logs are compacted and tombstones collected in the middle of a storm. */
const small = { snapshot: '1kB', tombstoneTtl: '3s' } as const;

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function linear(links: Declaration<unknown>, options: Parameters<typeof storm>[1]): string {
  return linearizability(storm(links, options).history, { block: 'links' }).verdict;
}

describe('atomic', () => {
  test('is linearizable under every kind of fault at once, clients included', () => {
    for (const seed of inTurn(seeds(36))) {
      const options = { seed, faults: everything, hurtClients: true, forUs: 5_000_000 };
      expect(linear(kv('links', small), options), `seed ${seed}`).toBe('holds');
    }
  });

  test('is linearizable with more nodes than replicas, where stand-ins keep hints', () => {
    for (const seed of inTurn(seeds(15))) {
      const options = { seed, faults: everything, keys: 5, forUs: 6_000_000 };
      expect(linear(kv('links', { ...small, nodes: 5 }), options), `seed ${seed}`).toBe('holds');
    }
  });

  test('is linearizable when every replica crashes again and again', () => {
    for (const seed of inTurn(seeds(15))) {
      const options = { seed, faults: crashes, faultCount: 20, forUs: 6_000_000 };
      expect(linear(kv('links', small), options), `seed ${seed}`).toBe('holds');
    }
  });

  test('without faults every operation succeeds, in order', () => {
    const { history } = storm(kv('links'), { seed: 1, faults: [], forUs: 5_000_000 });
    expect(history.filter(({ phase }) => phase === 'fail' || phase === 'info')).toEqual([]);
    expect(linearizability(history, { block: 'links' }).verdict).toBe('holds');
  });
});

describe('quorum', () => {
  const survivable: FaultKind[] = [...crashes, 'cut', 'lose', 'duplicate', 'pause', 'fill-disk'];

  test('loses no acknowledged write when nodes crash', () => {
    for (const seed of inTurn(seeds(15))) {
      const links = kv('links', { ...small, consistency: 'quorum' });
      const options = { seed, faults: survivable, forUs: 5_000_000, writeOnce: true };
      const { history } = storm(links, options);
      expect(judgeDurable(history, 'links'), `seed ${seed}`).toMatchObject({ verdict: 'holds' });
    }
  });

  test('loses none either when stand-ins count, once everything is handed over', () => {
    for (const seed of inTurn(seeds(15))) {
      const links = kv('links', { ...small, consistency: 'quorum', nodes: 5, sloppy: true });
      const options = {
        seed,
        faults: survivable,
        faultCount: 20,
        forUs: 5_000_000,
        writeOnce: true,
      };
      const { history } = storm(links, options);
      expect(judgeDurable(history, 'links'), `seed ${seed}`).toMatchObject({ verdict: 'holds' });
    }
  });

  test('is not linearizable under faults, and the judge finds out', () => {
    const found = seeds(20).some((seed) => {
      const links = kv('links', { consistency: 'quorum' });
      return linear(links, { seed, faults: everything, forUs: 5_000_000 }) === 'violated';
    });
    expect(found).toBe(true);
  });
});

describe('a replica whose disk was lost', () => {
  test('leaves the store linearizable, whatever else happens', () => {
    for (const seed of inTurn(seeds(36))) {
      const faults: FaultKind[] = [...crashes, ...network, 'pause'];
      const options = { seed, faults, hurtClients: true, faultCount: 40, forUs: 6_000_000 };
      const five = { ...small, nodes: 5 };
      const links = kvDiskLost('links', 'links/1', seed % 3 === 0 ? five : small);
      expect(linear(links, options), `seed ${seed}`).toBe('holds');
    }
  });

  test('is filled by the others, and then they can lose theirs', async () => {
    const links = kvDiskLost<number>('links', 'links/1', { nodes: 6 });
    const { world, handle, settle, run, events } = cluster([links]);
    const store = handle(links);
    for (let i = 0; i < 300; i++) await settle(store.put(`k${i}`, i));
    for (let i = 0; i < 300; i += 10) await settle(store.delete(`k${i}`));
    world.inject({ do: 'kill', target: { node: 'links/1' }, atUs: 0, forUs: 1_000 });
    run(3_000_000);
    const notes = events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
    expect(notes).toContainEqual(expect.stringMatching(/filled again: 1\d\d keys/));
    world.inject({ do: 'kill', target: { node: 'links/2' }, atUs: 0 });
    for (let i = 0; i < 300; i++) {
      const expected = i % 10 === 0 ? undefined : i;
      expect(await settle(store.get(`k${i}`)), `k${i}`).toEqual({ ok: expected });
    }
  });

  test('answers no reader as long as it cannot know what it has acknowledged', async () => {
    const links = kvDiskLost<number>('links', 'links/1');
    const { world, handle, settle, run } = cluster([links]);
    const store = handle(links);
    world.inject({ do: 'kill', target: { node: 'links/0' }, atUs: 0, forUs: 20_000_000 });
    run(1_000);
    expect(await settle(store.put('k', 1))).toEqual({ ok: undefined });
    world.inject({ do: 'kill', target: { node: 'links/1' }, atUs: 0, forUs: 1_000 });
    run(2_000_000);
    const refused = await settle(store.get('k'));
    expect('error' in refused && String(refused.error)).toContain('(unfilled)');
    run(20_000_000);
    world.inject({ do: 'kill', target: { node: 'links/2' }, atUs: 0 });
    expect(await settle(store.get('k'))).toEqual({ ok: 1 });
  });

  test('is filled with what there is when all others were lost as well', async () => {
    const links = kv<number>('links');
    const { world, handle, settle, run } = cluster([links]);
    for (const node of ['links/0', 'links/1', 'links/2']) {
      world.inject({ do: 'kill', target: { node }, atUs: 0, forUs: 1_000 });
    }
    run(2_000_000);
    expect(await settle(handle(links).put('k', 1))).toEqual({ ok: undefined });
    expect(await settle(handle(links).get('k'))).toEqual({ ok: 1 });
  });
});

describe('a clock that jumps', () => {
  const hour = 3_600_000_000;

  test('far ahead does not win over all others for that time', async () => {
    const links = kv<number>('links', { consistency: 'quorum' });
    const { world, handle, settle, run } = cluster([links], { clients: 2 });
    const jump = { do: 'skew', byUs: hour, driftPpm: 0, atUs: 0, forUs: 1_000_000 } as const;
    world.inject({ ...jump, target: { node: 'driver/0' } });
    const refused = await settle(handle(links, 0).put('k', 1));
    expect(refused).toMatchObject({ error: { certain: true } });
    expect('error' in refused && String(refused.error)).toContain('(clock-ahead)');
    run(2_000_000);
    expect(await settle(handle(links, 1).put('k', 2))).toEqual({ ok: undefined });
    expect(await settle(handle(links, 0).get('k'))).toEqual({ ok: 2 });
  });

  test('a little ahead wins, and whoever lost to it is counted and does not lose again', async () => {
    const links = kv<number>('links', { consistency: 'quorum' });
    const { world, handle, settle } = cluster([links], { clients: 2 });
    const jump = { do: 'skew', byUs: 5_000_000, driftPpm: 0, atUs: 0 } as const;
    world.inject({ ...jump, target: { node: 'driver/0' } });
    await settle(handle(links, 0).put('k', 1));
    const lost = () => world.meters.snapshot().flatMap(({ counters }) => counters.superseded ?? []);
    await settle(handle(links, 1).put('k', 2));
    expect(await settle(handle(links, 0).get('k'))).toEqual({ ok: 1 });
    expect(lost()).toEqual([0, 1]);
    await settle(handle(links, 1).put('k', 3));
    expect(await settle(handle(links, 0).get('k'))).toEqual({ ok: 3 });
    expect(lost()).toEqual([0, 1]);
  });

  test('makes no stand-in forget what it keeps for others', async () => {
    const links = kv<number>('links', { consistency: 'quorum', sloppy: true, nodes: 5 });
    const { world, handle, settle, run } = cluster([links]);
    const nodes = Array.from({ length: 5 }, (_, i) => `links/${i}`);
    const members = nodes.map((id, i) => ({ id, zone: 'abc'[i % 3]! }));
    const owners = new Ring(members).owners('k', 3);
    for (const node of owners) world.inject({ do: 'kill', target: { node }, atUs: 0 });
    expect(await settle(handle(links).put('k', 1))).toEqual({ ok: undefined });
    const jump = { do: 'skew', byUs: 4 * hour, driftPpm: 0, atUs: 0, forUs: 1_000_000 } as const;
    for (const node of nodes) world.inject({ ...jump, target: { node } });
    run(3_000_000);
    world.healAll();
    run(20_000_000);
    expect(await settle(handle(links).get('k'))).toEqual({ ok: 1 });
  });
});

describe('a planted bug is found by a storm, and by nothing without one', () => {
  const calm = { seed: 1, faults: [], forUs: 2_000_000 };

  test('an answer that counts twice', () => {
    expect(linear(kvAckCountedTwice('links'), calm)).toBe('holds');
    const faults = everything;
    expect(
      seeds(20).some(
        (seed) =>
          linear(kvAckCountedTwice('links'), { seed, faults, hurtClients: true }) === 'violated',
      ),
    ).toBe(true);
  });

  test('an answer before the sync', () => {
    expect(linear(kvNoSync('links'), calm)).toBe('holds');
    expect(
      seeds(20).some((seed) => linear(kvNoSync('links'), { seed, faults: crashes }) === 'violated'),
    ).toBe(true);
  });

  test('a hint forgotten when it was sent', () => {
    const links = () => kvHintDropped('links', { consistency: 'quorum', nodes: 5, sloppy: true });
    const durable = (options: Parameters<typeof storm>[1]) =>
      judgeDurable(storm(links(), options).history, 'links').verdict;
    expect(durable({ ...calm, writeOnce: true })).toBe('holds');
    const faults: FaultKind[] = [...crashes, 'cut', 'lose'];
    expect(
      seeds(20).some(
        (seed) => durable({ seed, faults, faultCount: 30, writeOnce: true }) === 'violated',
      ),
    ).toBe(true);
  });
});

describe('failing', () => {
  const links = kv<number>('links');
  const replicas = ['links/0', 'links/1', 'links/2'];

  function begin(): Cluster & { readonly store: KvHandle<number> } {
    const made = cluster([links]);
    return { ...made, store: made.handle(links) };
  }

  test('one replica down is nobody’s business', async () => {
    const { world, store, settle } = begin();
    world.inject({ do: 'power-off', target: { node: 'links/1' }, atUs: 0 });
    expect(await settle(store.put('a', 1))).toEqual({ ok: undefined });
    expect(await settle(store.get('a'))).toEqual({ ok: 1 });
    expect(await settle(store.delete('a'))).toEqual({ ok: undefined });
    expect(await settle(store.get('a'))).toEqual({ ok: undefined });
  });

  test('too few replicas: certain when nothing was stored, and the history says so', async () => {
    const { world, store, settle, history } = begin();
    for (const node of replicas) world.inject({ do: 'kill', target: { node }, atUs: 0 });
    const outcome = await settle(store.put('a', 1));
    expect(outcome).toMatchObject({ error: { name: 'Unavailable', certain: true } });
    expect('error' in outcome && outcome.error).toBeInstanceOf(Unavailable);
    expect(history.map(({ phase }) => phase)).toEqual(['invoke', 'fail']);
  });

  test('too few replicas after the store was sent: nobody knows', async () => {
    const { world, store, settle, history } = begin();
    const write = store.put('a', 1);
    // The question is answered, and the answers to the store never come back.
    world.run(world.now + 1_500);
    const back = { atUs: 0, do: 'cut', oneWay: true } as const;
    for (const node of replicas) {
      world.inject({ ...back, from: { node }, to: { node: 'driver/0' } });
    }
    expect(await settle(write)).toMatchObject({ error: { certain: false } });
    expect(history.at(-1)).toMatchObject({ phase: 'info', f: 'put', key: 'a' });
    world.healAll();
    expect(await settle(store.get('a'))).toEqual({ ok: 1 });
  });

  test('full disks take nothing, certainly, and serve what they have', async () => {
    const { world, store, settle } = begin();
    await settle(store.put('a', 1));
    for (const node of replicas) world.inject({ do: 'fill-disk', target: { node }, atUs: 0 });
    expect(await settle(store.put('a', 2))).toMatchObject({ error: { certain: true } });
    expect(await settle(store.get('a'))).toEqual({ ok: 1 });
    world.healAll();
    expect(await settle(store.put('a', 3))).toEqual({ ok: undefined });
    expect(await settle(store.get('a'))).toEqual({ ok: 3 });
  });

  test('a disk that fails leaves a write in doubt', async () => {
    const { world, store, settle } = begin();
    for (const node of replicas) world.inject({ do: 'fail-disk', target: { node }, atUs: 0 });
    expect(await settle(store.put('a', 1))).toMatchObject({ error: { certain: false } });
  });

  test('lost messages are sent again within the time', async () => {
    const { world, store, settle } = begin();
    world.inject({ do: 'lose', from: { all: true }, to: { all: true }, ratio: 0.2, atUs: 0 });
    let failed = 0;
    for (let i = 0; i < 100; i++) if ('error' in (await settle(store.put('a', i)))) failed++;
    expect(failed).toBeLessThan(10);
  });

  test('a full node refuses new keys, certainly, and goes on with those it has', async () => {
    const tiny = kv<number>('tiny', { keysMax: 2 });
    const { handle, settle } = cluster([tiny]);
    const store = handle(tiny);
    await settle(store.put('a', 1));
    await settle(store.put('b', 1));
    expect(await settle(store.put('c', 1))).toMatchObject({ error: { certain: true } });
    expect(await settle(store.put('a', 2))).toEqual({ ok: undefined });
  });

  test('a call without time left is not made', async () => {
    const { api, history } = begin();
    const { start } = api('links') as { start: (...given: unknown[]) => void };
    const outcomes: unknown[] = [];
    start('put', 'a', encode(1), { deadlineAt: 0 }, (outcome: unknown) => outcomes.push(outcome));
    expect(outcomes).toMatchObject([{ ok: false, certain: true }]);
    expect(history.map(({ phase }) => phase)).toEqual(['invoke', 'fail']);
  });
});

describe('values', () => {
  test('come back as they went in, and are nobody else’s', async () => {
    const links = kv<{ tags: string[]; raw: Uint8Array; big: bigint }>('links');
    const { handle, settle } = cluster([links]);
    const store = handle(links);
    const value = { tags: ['a', 'ü'], raw: new Uint8Array([1, 2]), big: 2n ** 80n };
    await settle(store.put('k', value));
    value.tags.push('changed by the caller');
    const first = await settle(store.get('k'));
    expect(first).toEqual({
      ok: { tags: ['a', 'ü'], raw: new Uint8Array([1, 2]), big: 2n ** 80n },
    });
    if ('ok' in first) first.ok!.tags.push('changed by a reader');
    expect(await settle(store.get('k'))).toMatchObject({ ok: { tags: ['a', 'ü'] } });
  });

  test.each([
    [3, /damaged at byte \d+.*Remove the log.*the others fill it/],
    [1, /damaged at byte \d+.*There is no other copy/],
  ])('a damaged log of %i is refused with what is true of it', async (replicas, advice) => {
    const links = kv('links', { replicas });
    const { world, handle, settle, events, run } = cluster([links], { seed: 4 });
    for (let i = 0; i < 10; i++) await settle(handle(links).put(`k${i}`, 'v'));
    world.inject({ do: 'rot', target: { node: 'links/0' }, bits: 5, atUs: 0 });
    world.inject({ do: 'restart', target: { node: 'links/0' }, atUs: 0 });
    run(100_000);
    const texts = events.flatMap((event) => (event.type === 'crash' ? [event.why] : []));
    expect(texts).toContainEqual(expect.stringMatching(advice));
  });

  test('null is a value, absent is not', async () => {
    const links = kv('links');
    const { handle, settle } = cluster([links]);
    await settle(handle(links).put('k', null));
    expect(await settle(handle(links).get('k'))).toEqual({ ok: null });
    expect(await settle(handle(links).get('other'))).toEqual({ ok: undefined });
  });

  test('what is not a value is refused before anything is sent', async () => {
    const links = kv('links');
    const { handle, settle, history } = cluster([links]);
    const store = handle(links) as unknown as { put(key: unknown, value: unknown): Promise<void> };
    const refused = async (key: unknown, value: unknown, text: RegExp) => {
      const outcome = await settle(store.put(key, value));
      expect(outcome).toMatchObject({ error: { name: 'TypeError' } });
      expect('error' in outcome && String(outcome.error)).toMatch(text);
    };
    await refused('a\ud800', 1, /half of a surrogate pair/);
    await refused('k', new Map(), /links\.put\('k'\).*Map/);
    await refused('k', { at: new Date(0) }, /at: a Date/);
    await refused('k', undefined, /undefined/);
    await refused('', 1, /key is text of 1 to 1024 characters/);
    await refused(7, 1, /got number/);
    expect(history).toEqual([]);
  });

  test('are typed from the declaration to the handle', () => {
    interface Link {
      readonly url: string;
      readonly tags?: readonly string[];
    }
    type HandleOf<D> = D extends Declaration<infer H> ? H : never;
    const links = kv<Link>('links');
    expectTypeOf<HandleOf<typeof links>>().toEqualTypeOf<KvHandle<Link>>();
    const dates = kv<{ at: Date }>('dates');
    expectTypeOf<HandleOf<typeof dates>>().toEqualTypeOf<KvHandle<never>>();
  });
});

describe('options', () => {
  const wrong = (options: Parameters<typeof kv>[1]) =>
    kv('links', options).problems.map(({ at, what }) => `${at} ${what}`);

  test('have defaults that agree with each other', () => {
    expect(wrong({})).toEqual([]);
    expect(kv('links').config).toMatchObject({ nodes: 3, replicas: 3, read: 2, write: 2 });
    expect(kv('links', { replicas: 5 }).config).toMatchObject({ nodes: 5, read: 3, write: 3 });
  });

  test('that contradict each other are refused, with both values', () => {
    expect(wrong({ nodes: 2 })).toEqual([
      'links.replicas must be at most nodes, got replicas 3 and nodes 2',
    ]);
    expect(wrong({ consistency: 'quorum', read: 4, write: 5 })).toEqual([
      'links.read must be at most replicas, got read 4 and replicas 3',
      'links.write must be at most replicas, got write 5 and replicas 3',
    ]);
    expect(wrong({ read: 1 })[0]).toMatch(/links.read means nothing with consistency 'atomic'/);
    expect(wrong({ tombstoneTtl: '500ms' })[0]).toMatch(/got tombstoneTtl 500ms and timeout 250ms/);
    expect(wrong({ consistency: 'quorum', read: 1, write: 1 })).toEqual([]);
  });

  test('spread the copies of a key over zones', () => {
    const { world } = cluster([kv('links', { nodes: 6 })]);
    expect(world.usage().filter(({ block }) => block === 'links')).toHaveLength(6);
  });
});

describe('room', () => {
  test('deleted keys are forgotten in the end, by all', async () => {
    const links = kv<number>('links', { tombstoneTtl: '1s' });
    const { world, handle, settle, run } = cluster([links]);
    const store = handle(links);
    for (let i = 0; i < 20; i++) await settle(store.put(`k${i}`, i));
    for (let i = 0; i < 20; i++) await settle(store.delete(`k${i}`));
    const kept = () =>
      world.meters
        .snapshot()
        .flatMap(({ gauges }) => ('keys' in gauges ? [gauges.keys!.last] : []));
    expect(kept()).toEqual([20, 20, 20]);
    run(5_000_000);
    expect(kept()).toEqual([0, 0, 0]);
    expect(await settle(store.put('k0', 7))).toEqual({ ok: undefined });
    expect(await settle(store.get('k0'))).toEqual({ ok: 7 });
  });

  test('thousands that are deleted at once are forgotten as soon as one is', () => {
    const links = kv('links', { tombstoneTtl: '1s' });
    const { world, api, run } = cluster([links]);
    const { start } = api('links') as KvApi;
    for (let i = 0; i < 3_000; i++) start('delete', `k${i}`, null, {}, () => {});
    run(1_000_000);
    const kept = () => world.meters.snapshot().flatMap(({ gauges }) => gauges.keys?.last ?? []);
    expect(kept()).toEqual([3_000, 3_000, 3_000]);
    run(2_500_000);
    expect(kept()).toEqual([0, 0, 0]);
  });

  test('no tombstone is forgotten while an owner is away', async () => {
    const links = kv<number>('links', { tombstoneTtl: '1s' });
    const { world, handle, settle, run } = cluster([links]);
    const store = handle(links);
    await settle(store.put('k', 1));
    world.inject({ do: 'kill', target: { node: 'links/1' }, atUs: 0 });
    await settle(store.delete('k'));
    run(30_000_000);
    world.healAll();
    // The one that was away has the old value and answers first; the others remember better.
    expect(await settle(store.get('k'))).toEqual({ ok: undefined });
  });

  test('the log is written anew when it is mostly history', async () => {
    const links = kv<string>('links', { snapshot: '1kB' });
    const { world, handle, settle } = cluster([links]);
    const store = handle(links);
    for (let i = 0; i < 500; i++) await settle(store.put('k', `value ${i}`));
    const bytes = world
      .usage()
      .flatMap(({ block, diskBytes }) => (block === 'links' ? [diskBytes] : []));
    expect(Math.max(...bytes)).toBeLessThan(4_000);
    for (const node of ['links/0', 'links/1', 'links/2']) {
      world.inject({ do: 'kill', target: { node }, atUs: 0, forUs: 1_000 });
    }
    expect(await settle(store.get('k'))).toMatchObject({ error: {} });
    expect(await settle(store.get('k'))).toEqual({ ok: 'value 499' });
  });
});

describe('a log that is written anew', () => {
  const nodes = ['links/0', 'links/1', 'links/2'];

  test('is so on one replica after the other, though all have the same data', async () => {
    const links = kv<string>('links', { snapshot: '10kB' });
    const { world, handle, settle, run } = cluster([links]);
    const sizes = () =>
      nodes.map((node) => world.usage().find((each) => each.node === node)!.diskBytes);
    const shrunkAt = new Map<string, number>();
    for (let i = 0; shrunkAt.size < nodes.length && i < 500; i++) {
      const before = sizes();
      await settle(handle(links).put(`k${i % 20}`, 'x'.repeat(50)));
      run(50_000);
      const after = sizes();
      nodes.forEach((node, n) => {
        if (after[n]! < before[n]! && !shrunkAt.has(node)) shrunkAt.set(node, i);
      });
    }
    expect(new Set(shrunkAt.values()).size).toBe(nodes.length);
  });

  test('costs a node time, in slices between which everybody is answered', async () => {
    const keyCount = 5_000;
    const links = kv<string>('links', { replicas: 1, snapshot: '1kB' });
    let messageCount = 0;
    const { world, handle, settle } = cluster([links], {
      onTrace: ({ to }) => {
        if (to.node === 'links/0') messageCount++;
      },
    });
    const store = handle(links);
    const used = () => world.usage().find(({ node }) => node === 'links/0')!;
    let slowestUs = 0;
    let isAnew = false;
    for (let i = 0; !isAnew; i++) {
      const { diskBytes } = used();
      const askedAt = world.now;
      await settle(store.put(`k${i % keyCount}`, 'x'.repeat(100)));
      slowestUs = Math.max(slowestUs, world.now - askedAt);
      isAnew = i > keyCount && used().diskBytes < diskBytes;
    }
    const upkeepUs = used().busyUs - 10 * messageCount;
    expect(upkeepUs).toBeGreaterThan(2 * keyCount);
    expect(slowestUs).toBeLessThan(upkeepUs / 3);
  });
});

test('what is sent again while a slow disk is at it is written once, and answered each time', async () => {
  const links = kv<string>('links', { consistency: 'quorum', replicas: 1, timeout: '300ms' });
  const answers: Message[] = [];
  const { world, handle, settle, run } = cluster([links], {
    syncCost: { kind: 'constant', value: 350_000 },
    onTrace: ({ message }) => {
      if (message.type === 'stored') answers.push(message);
    },
  });
  const value = 'x'.repeat(1_000);
  expect(await settle(handle(links).put('k', value))).toMatchObject({ error: { certain: false } });
  run(2_000_000);
  expect(answers).toMatchObject([{ attempt: 0 }, { attempt: 1 }, { attempt: 2 }]);
  expect(world.usage().find(({ node }) => node === 'links/0')!.diskBytes).toBeLessThan(1_500);
});

describe('a small disk', () => {
  test('takes two fifths of itself in data', async () => {
    const links = kv<string>('links', { snapshot: '10kB' });
    const { handle, settle } = cluster([links], { diskSizeBytes: 200_000 });
    for (let i = 0; i < 80; i++) {
      const outcome = await settle(handle(links).put(`k${i}`, 'x'.repeat(1_000)));
      expect(outcome, `put ${i}`).toEqual({ ok: undefined });
    }
  });

  test.each([10, 100, 1_000, 10_000])(
    'full of values of %i bytes takes changes and deletes all the same',
    async (size) => {
      const links = kv<string>('links', { snapshot: '10kB', tombstoneTtl: '1s' });
      const diskSizeBytes = size < 1_000 ? 50_000 : 200_000;
      const { world, handle, settle, run } = cluster([links], { diskSizeBytes });
      const store = handle(links);
      const put = async (key: number, text: string) =>
        settle(store.put(`k${key}`, text.repeat(size)));
      let count = 0;
      while ('ok' in (await put(count, 'x'))) count++;
      for (let i = 0; i < 3 * count; i++) {
        expect(await put(i % count, 'y'), `change ${i}`).toEqual({ ok: undefined });
        run(20_000);
      }
      for (let i = 0; i < count; i++) {
        expect(await settle(store.delete(`k${i}`)), `delete ${i}`).toEqual({ ok: undefined });
      }
      run(30_000_000);
      for (const node of ['links/0', 'links/1', 'links/2']) {
        world.inject({ do: 'kill', target: { node }, atUs: 0, forUs: 1_000 });
      }
      run(5_000_000);
      for (let i = 0; i < count / 2; i++) expect(await put(i, 'z')).toEqual({ ok: undefined });
    },
  );
});

describe('a store that has data', () => {
  /** As `before` in the first life of each replica, then as `changed` says. */
  async function restartedAs(before: object, changed: object): Promise<string[]> {
    const config = (given: ReplicaConfig, life: number): ReplicaConfig =>
      life === 1 ? given : { ...given, ...complete({ ...given, ...changed }) };
    const links = declare<number>('links', before, {
      ...kvBlock,
      programs: {
        replica: (host, given: ReplicaConfig) => replica(host, config(given, host.life)),
      },
    });
    const { world, handle, settle, run, events } = cluster([links]);
    for (let i = 0; i < 40; i++) await settle(handle(links).put(`k${i}`, i));
    world.inject({ do: 'restart', target: { node: 'links/1' }, atUs: 0 });
    run(5_000_000);
    return events.flatMap((event) =>
      event.type === 'crash' && event.why !== 'stopped' ? [event.why] : [],
    );
  }

  test('refuses to start when its keys would be looked for elsewhere, and names both values', async () => {
    const [why] = await restartedAs({}, { nodes: 7 });
    expect(why).toContain('links/1 keeps keys as one of a store with nodes 3, replicas 3;');
    expect(why).toContain('the design now says nodes 7, replicas 3, tokens 128, zones a b c');
    expect(await restartedAs({ nodes: 5 }, { tokens: 64 })).not.toEqual([]);
    expect(await restartedAs({ snapshot: '1kB' }, { nodes: 4 })).not.toEqual([]);
  });

  test('starts with other options when all of its nodes own all keys, or owners stay who they are', async () => {
    expect(await restartedAs({}, { tokens: 64, timeoutUs: 500_000 })).toEqual([]);
    expect(await restartedAs({ nodes: 5 }, { keysMax: 7 })).toEqual([]);
  });
});

test('every message survives the codec', () => {
  const seen = new Map<string, unknown>();
  const links = kv('links', { ...small, consistency: 'quorum', nodes: 4 });
  const { history } = storm(links, {
    seed: 3,
    faults: everything,
    onMessage: (message) => seen.set(message.type, message),
  });
  expect(history.length).toBeGreaterThan(0);
  for (const message of seen.values()) expect(decode(encode(message as never))).toEqual(message);
  expect([...seen.keys()].sort()).toEqual(
    expect.arrayContaining(['ask', 'denied', 'entry', 'hint', 'store', 'stored']),
  );
});
