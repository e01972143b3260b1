/** What a topic promises, under faults; what it refuses; and that its parts do what they say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cluster } from '../../../../test/cluster.ts';
import { sandbox } from '../../../../test/sandbox.ts';
import { inTurn } from '../../../../test/turns.ts';
import { everyFault, type FaultKind } from '../../../../test/weather.ts';
import type { Consumer } from '../../../host/declaration.ts';
import type { Handlers } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { decode, encode } from '../../../parts/codec.ts';
import { noLoss } from '../../../verify/index.ts';
import type { TopicApi } from './client.ts';
import type { TopicConfig } from './config.ts';
import { Cursor, Group } from './group.ts';
import { type Batch, topic } from './index.ts';
import type { TopicRequest } from './messages.ts';
import { broker } from './node.ts';
import { Producers } from './producers.ts';
import {
  ghosts,
  lost,
  mixedUp,
  outOfDeliveryOrder,
  outOfPublishOrder,
  wentBack,
} from './testdata/laws.ts';
import { topicCommittingFirst } from './testdata/planted.ts';
import { group, storm } from './testdata/storm.ts';

const second = 1_000_000;
const clicks = (options = {}) =>
  topic<string>('clicks', { partitions: 4, handling: '2s', segment: '1kB', ...options });
const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
/** A failed sync may leave a message behind that nobody was told of: then ids may stand twice. */
const soundDisks = everyFault.filter((kind) => kind !== 'fail-disk');

describe('under faults', () => {
  const judge = (seed: number, faults: readonly FaultKind[], more = {}) => {
    const seen = storm(clicks(), { seed, faults, ...more });
    const { history, steps } = seen;
    const at = `seed ${seed}`;
    expect(lost(history), at).toEqual([]);
    expect(noLoss(clicks()).check(history), at).toMatchObject({ verdict: 'holds' });
    expect(outOfPublishOrder(history), at).toEqual([]);
    expect(outOfDeliveryOrder(history), at).toEqual([]);
    expect(ghosts(history), at).toEqual([]);
    expect(wentBack(steps), at).toEqual([]);
    return seen;
  };

  test('nothing acknowledged is lost, order holds, and no retry stores twice', () => {
    let acknowledged = 0;
    const today = inTurn(seeds);
    for (const seed of today) {
      const { history } = judge(seed, soundDisks);
      expect(mixedUp(history), `seed ${seed}`).toEqual([]);
      acknowledged += history.filter(({ f, phase }) => f === 'publish' && phase === 'ok').length;
    }
    expect(acknowledged).toBeGreaterThan(50 * today.length);
  });

  test('failing disks lose nothing either', () => {
    for (const seed of seeds.slice(0, 8)) judge(seed, ['fail-disk', 'fill-disk', 'kill']);
  });

  test('handlers that never come back hold up nobody for ever', () => {
    for (const seed of seeds.slice(0, 6)) judge(seed, ['kill', 'pause'], { hanging: 0.05 });
  });

  test('a crash in the middle of a group commit loses only what was not acknowledged', () => {
    for (const seed of seeds.slice(0, 8)) judge(seed, ['kill', 'power-off'], { faultCount: 40 });
  });

  test('once all is healed, everything published works', () => {
    const { history, healedAt } = judge(3, everyFault);
    const late = history.filter(({ f, at }) => f === 'publish' && at > healedAt + 2 * second);
    expect(late.filter(({ phase }) => phase === 'fail' || phase === 'info')).toEqual([]);
  });

  test('offsets committed before processing lose messages, and the law finds it', () => {
    const isFound = seeds.some((seed) => {
      const planted = topicCommittingFirst<string>('clicks', { partitions: 4, handling: '2s' });
      return (
        lost(storm(planted, { seed, faults: ['kill', 'power-off', 'pause'] }).history).length > 0
      );
    });
    expect(isFound).toBe(true);
    const calm = topicCommittingFirst<string>('clicks', { partitions: 4 });
    expect(lost(storm(calm, { seed: 1, faults: [], failing: 0 }).history)).toEqual([]);
  });
});

describe('a group', () => {
  const tick = 20_000;

  function readers(options: {
    readonly clients: number;
    readonly retention?: `${number}s`;
    readonly begin?: 'latest';
  }) {
    const declared = topic<string>('clicks', {
      partitions: 6,
      segment: '1kB',
      key: (value) => value,
      start: options.begin ?? 'earliest',
      ...(options.retention === undefined ? {} : { retention: options.retention }),
    });
    const made = cluster([declared], {
      seed: 5,
      clients: options.clients,
      groups: [{ topic: declared, group }],
      check: true,
      codec: { encode, decode },
    });
    const got: { readonly client: number; readonly partition: number; readonly offset: number }[] =
      [];
    const consumer = (client: number) => made.api('clicks.consumer', client) as Consumer;
    const start = (client: number) =>
      consumer(client).start((batch: Batch<string>, done) => {
        for (const { partition, offset } of batch) got.push({ client, partition, offset });
        done();
      });
    const publish = (count: number) => {
      for (let i = 0; i < count; i++) {
        (made.api('clicks', 0) as TopicApi).publish(`k${i}`, `v${i}`, {}, () => {});
        made.run(tick);
      }
    };
    return { ...made, declared, got, consumer, start, publish };
  }

  test('shares the partitions evenly and each is at one member', () => {
    const { got, start, publish, run } = readers({ clients: 3 });
    for (const client of [0, 1, 2]) start(client);
    run(second);
    publish(200);
    run(second);
    const owners = new Map<number, Set<number>>();
    for (const { client, partition } of got) {
      owners.set(partition, (owners.get(partition) ?? new Set()).add(client));
    }
    expect([...owners.values()].map((set) => set.size)).toEqual([1, 1, 1, 1, 1, 1]);
    const shares = [0, 1, 2].map(
      (client) => [...owners.values()].filter((set) => set.has(client)).length,
    );
    expect(shares).toEqual([2, 2, 2]);
    expect(got.length).toBe(200);
  });

  test('with linger, messages wait for others, and never longer than that', () => {
    const declared = topic<string>('clicks', {
      partitions: 1,
      nodes: 1,
      linger: '200ms',
      batch: 5,
    });
    const { api, run } = cluster([declared], { seed: 5, groups: [{ topic: declared, group }] });
    const sizes: number[] = [];
    (api('clicks.consumer') as Consumer).start((batch: Batch<string>, done) => {
      sizes.push(batch.length);
      done();
    });
    const publish = (count: number) => {
      for (let i = 0; i < count; i++) (api('clicks') as TopicApi).publish(null, 'v', {}, () => {});
    };
    run(second);
    publish(3);
    run(second / 10);
    expect(sizes).toEqual([]);
    run(second / 5);
    expect(sizes).toEqual([3]);
    publish(5);
    run(second / 10);
    expect(sizes).toEqual([3, 5]);
  });

  test('is given no more bytes at once than a batch may have, and one message at least', () => {
    const declared = topic<string>('clicks', { partitions: 1, nodes: 1, batchSize: '100kB' });
    const { api, run } = cluster([declared], { seed: 5, groups: [{ topic: declared, group }] });
    const kilobytes = [30, 30, 30, 30, 200, 1, 99];
    for (const size of kilobytes) {
      (api('clicks') as TopicApi).publish(null, 'x'.repeat(size * 1_000 - 10), {}, () => {});
      run(second / 10);
    }
    const got: number[][] = [];
    (api('clicks.consumer') as Consumer).start((batch: Batch<string>, done) => {
      got.push(batch.map(({ value }) => Math.ceil(value.length / 1_000)));
      done();
    });
    run(5 * second);
    expect(got).toEqual([[30, 30, 30], [30], [200], [1, 99]]);
  });

  test('gets again what was refused on its way to a member that is there', () => {
    const declared = topic<string>('clicks', { nodes: 1, partitions: 1 });
    const config = { ...(declared.config as TopicConfig), name: 'clicks', index: 0 };
    let refusedCount = 0;
    const world = sandbox({
      nodes: {
        'clicks/0': {
          topic: (host) => {
            const handlers = broker(host, config, undefined) as Handlers;
            const join: TopicRequest = { type: 'join', group, life: 1, working: [] };
            host.after(second, () => handlers.message({ node: 'reader', port: 'nobody' }, join));
            return handlers;
          },
        },
        reader: {
          clicks: (host) => {
            const to = { node: 'clicks/0', port: 'topic' };
            const sent = { id: 1, partition: 0, message: 'm1', key: null, value: 'v' };
            host.send(to, { type: 'publish', ...sent, life: 1, seq: 1, low: 1 });
            return { message() {} };
          },
        },
      },
      onTrace: ({ message, what }) => {
        if (message.type === 'deliver' && what === 'refused') refusedCount++;
      },
    });
    world.bootAll();
    world.run(3 * second);
    expect(refusedCount).toBeGreaterThan(2);
  });

  test('goes on without a member that stops, and delivers nothing twice for it', () => {
    const { got, start, publish, run, consumer } = readers({ clients: 2 });
    start(0);
    start(1);
    run(second);
    publish(30);
    let stopped = false;
    consumer(1).stop(() => {
      stopped = true;
    });
    run(second);
    const before = got.length;
    publish(30);
    run(second);
    expect(stopped).toBe(true);
    expect(got.slice(before).every(({ client }) => client === 0)).toBe(true);
    expect(got.length).toBe(60);
  });

  test('reads again from where a replay says', async () => {
    const { got, start, publish, run, handle, declared, settle } = readers({ clients: 1 });
    start(0);
    run(second);
    publish(60);
    run(second);
    expect(got.length).toBe(60);
    const partition = got[0]!.partition;
    const inIt = got.filter((one) => one.partition === partition).length;
    const replayed = await settle(handle(declared).replayFrom(group, partition, 1));
    expect(replayed).toEqual({ ok: 1 });
    run(second);
    expect(got.length).toBe(60 + inIt - 1);
    expect(await settle(handle(declared).replayFrom(group, partition, { at: 0 }))).toEqual({
      ok: 0,
    });
    run(second);
    expect(got.length).toBe(60 + inIt - 1 + inIt);
  });

  test('reads from where the last of two replays at once says', async () => {
    const { got, start, publish, run, handle, declared, settle } = readers({ clients: 1 });
    start(0);
    run(second);
    publish(60);
    run(second);
    const partition = got[0]!.partition;
    const offsets = () => got.filter((one) => one.partition === partition).map((one) => one.offset);
    const all = offsets();
    got.length = 0;
    const [late, early] = [all.length - 2, 1].map((offset) =>
      settle(handle(declared).replayFrom(group, partition, offset)),
    );
    expect([await late, await early]).toEqual([{ ok: all.length - 2 }, { ok: 1 }]);
    run(second);
    expect(offsets()).toEqual(all.slice(1));
  });

  test('that begins late reads from the earliest message, across segments', () => {
    const { got, start, publish, run } = readers({ clients: 1 });
    publish(300);
    start(0);
    run(5 * second);
    expect(got.length).toBe(300);
  });

  test('gets again soon what was lost on its way', () => {
    const { got, start, publish, run, world } = readers({ clients: 2 });
    start(1);
    run(second);
    const between = { from: { block: 'clicks' }, to: { node: 'driver/1' } } as const;
    world.inject({ do: 'lose', ...between, ratio: 1, atUs: 0, forUs: 200_000 });
    publish(1);
    run(200_000);
    expect(got).toEqual([]);
    // Two of its signs of life without the batch, long before the handler's time is up.
    run(3 * second);
    expect(got.length).toBe(1);
  });

  test('that starts at the latest message gets what comes after it joined, and all of that', () => {
    const { got, start, publish, run, world } = readers({ clients: 1, begin: 'latest' });
    publish(40);
    start(0);
    run(second);
    expect(got).toEqual([]);
    world.inject({ do: 'power-off', target: { block: 'clicks' }, atUs: 0 });
    run(second);
    world.healAll();
    publish(40);
    run(10 * second);
    expect(got.length).toBe(40);
  });

  test('misses what retention has removed, and the rest is whole', () => {
    const { got, start, publish, run, events, consumer } = readers({
      clients: 2,
      retention: '2s',
    });
    start(1);
    run(second);
    publish(30);
    consumer(1).stop(() => {});
    run(second);
    const read = got.length;
    publish(300);
    run(4 * second);
    start(0);
    run(2 * second);
    expect(read).toBe(30);
    expect(got.length).toBeLessThan(330);
    const texts = events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
    expect(texts.some((text) => text.includes('retention was faster'))).toBe(true);
    const late = got.slice(read);
    publish(20);
    run(second);
    late.push(...got.slice(read + late.length));
    for (let partition = 0; partition < 6; partition++) {
      const offsets = late.filter((one) => one.partition === partition).map(({ offset }) => offset);
      for (let i = 1; i < offsets.length; i++) expect(offsets[i]).toBe(offsets[i - 1]! + 1);
    }
  });
});

describe.each([
  ['as messages go in a plain run', {}],
  ['as a codec leaves them', { check: true, codec: { encode, decode } }],
])('values %s', (_how, world) => {
  test('are stored as they were published, and come again as they came first', () => {
    const declared = topic<{ state: string }>('clicks', { partitions: 1, nodes: 1 });
    const { handle, api, run } = cluster([declared], {
      seed: 5,
      groups: [{ topic: declared, group }],
      ...world,
    });
    const got: string[] = [];
    (api('clicks.consumer') as Consumer).start((batch: { value: { state: string } }[], done) => {
      got.push(batch.map(({ value }) => value.state).join());
      for (const { value } of batch) value.state = 'seen';
      batch.length = 0;
      done(got.length < 3 ? new Error('not yet') : undefined);
    });
    const click = { state: 'new' };
    void handle(declared).publish(click);
    click.state = 'published';
    run(10 * second);
    expect(got).toEqual(['new', 'new', 'new']);
  });
});

describe('retention', () => {
  test('keeps as many bytes as it says, restarts or not, however large messages are', async () => {
    const sizes = { segment: '1kB', retentionSize: '100kB' } as const;
    const declared = topic<string>('clicks', { nodes: 1, partitions: 1, ...sizes });
    const { world, handle, settle, run } = cluster([declared], { seed: 2 });
    for (let life = 1; life <= 4; life++) {
      for (let i = 0; i < 6; i++) await settle(handle(declared).publish('x'.repeat(20_000)));
      world.inject({ do: 'restart', target: { node: 'clicks/0' }, atUs: 0 });
      run(5 * second);
    }
    const { diskBytes } = world.usage().find(({ node }) => node === 'clicks/0')!;
    expect(diskBytes).toBeLessThan(125_000);
  });
});

describe('publishing', () => {
  test('fails with certainty while the broker is down, and says so', async () => {
    const declared = topic<string>('clicks', { timeout: '1s', key: (value) => value });
    const { world, handle, settle } = cluster([declared], { seed: 2 });
    world.run(second);
    world.inject({ do: 'kill', target: { block: 'clicks' }, atUs: 0 });
    world.run(world.now + second);
    const outcome = await settle(handle(declared).publish('a'));
    expect(outcome).toMatchObject({ error: { certain: true, block: 'clicks' } });
    expect((outcome as { error: unknown }).error).toBeInstanceOf(Unavailable);
    world.healAll();
    expect(await settle(handle(declared).publish('a'))).toMatchObject({ ok: { offset: 0 } });
  });

  test('fails with certainty on a full disk, and works again when there is room', async () => {
    const declared = topic<string>('clicks', { nodes: 1, partitions: 1, timeout: '1s' });
    const { world, handle, settle } = cluster([declared], { seed: 2 });
    await settle(handle(declared).publish('a'));
    world.inject({ do: 'fill-disk', target: { node: 'clicks/0' }, atUs: 0 });
    expect(await settle(handle(declared).publish('b'))).toMatchObject({
      error: { certain: true, why: 'disk full' },
    });
    world.healAll();
    expect(await settle(handle(declared).publish('c'))).toEqual({
      ok: { partition: 0, offset: 1 },
    });
  });

  test('refused with certainty stays refused, even when a copy of it comes late', () => {
    const declared = topic<string>('clicks', { nodes: 1, partitions: 1 });
    const config = { ...(declared.config as TopicConfig), name: 'clicks', index: 0 };
    const replies: string[] = [];
    const to = { node: 'clicks/0', port: 'topic' };
    const publish = (id: number, seq: number) =>
      ({
        type: 'publish',
        id,
        partition: 0,
        message: `m${seq}`,
        key: null,
        value: 'v',
        life: 1,
        seq,
        low: 1,
      }) as const;
    const world = sandbox({
      nodes: {
        'clicks/0': { topic: (host) => broker(host, config, undefined) as Handlers },
        caller: {
          clicks: (host) => {
            for (const [at, message] of [
              [1, publish(1, 1)],
              [3, publish(2, 1)],
              [4, publish(3, 2)],
            ] as const) {
              host.after(at * second, () => host.send(to, message));
            }
            return { message: (_from, { type, id }) => replies.push(`${type} ${String(id)}`) };
          },
        },
      },
    });
    world.bootAll();
    world.inject({ do: 'fill-disk', target: { node: 'clicks/0' }, atUs: 0, forUs: 2 * second });
    world.run(6 * second);
    expect(replies).toEqual(['refusal 1', 'refusal 2', 'published 3']);
  });

  test('by a node that takes up a former life again is refused with the reason, not left to wait', () => {
    const declared = topic<string>('clicks', { nodes: 1, partitions: 1 });
    const config = { ...(declared.config as TopicConfig), name: 'clicks', index: 0 };
    const replies: string[] = [];
    const to = { node: 'clicks/0', port: 'topic' };
    const parts = { type: 'publish', partition: 0, key: null, value: 'v', seq: 1, low: 1 } as const;
    const world = sandbox({
      nodes: {
        'clicks/0': { topic: (host) => broker(host, config, undefined) as Handlers },
        caller: {
          clicks: (host) => {
            host.send(to, { ...parts, id: 1, message: 'late', life: 4 });
            host.after(second, () => host.send(to, { ...parts, id: 2, message: 'lost', life: 1 }));
            return {
              message: (_from, { type, why, certain }) =>
                replies.push([type, why, certain].map(String).join(' ')),
            };
          },
        },
      },
    });
    world.bootAll();
    world.run(3 * second);
    expect(replies).toEqual([
      'published undefined undefined',
      'refusal caller says that this is its life 1, and was in life 4 before false',
    ]);
  });

  test('much at once takes little more on the disk than what was published', async () => {
    const segment = '64kB';
    const declared = topic<string>('clicks', { nodes: 1, partitions: 1, segment });
    const { world, handle, settle } = cluster([declared], { seed: 1 });
    const all = Array.from({ length: 1_500 }, () => handle(declared).publish('x'.repeat(100)));
    expect(await settle(Promise.all(all))).toMatchObject({ ok: expect.any(Array) });
    const { diskBytes } = world.usage().find(({ node }) => node === 'clicks/0')!;
    expect(diskBytes / all.length).toBeLessThan(200);
  });

  test('a segment that its header fills takes a message all the same', async () => {
    const declared = topic<string>('clicks', { nodes: 1, partitions: 1, segment: '1kB' });
    const { handle, settle } = cluster([declared], { seed: 1 });
    const all = Array.from({ length: 400 }, (_, index) => handle(declared).publish(`${index}`));
    expect(await settle(Promise.all(all))).toMatchObject({ ok: expect.any(Array) });
  });

  test('refuses what is no value, and a key that is no text', async () => {
    const bad = { made: new Date(0) } as unknown as string;
    const declared = topic<string>('clicks', {
      key: (value) => (value === 'x' ? 'k' : value === 'half' ? '\ud83d' : (7 as never)),
    });
    const { handle, settle } = cluster([declared], { seed: 2 });
    expect(await settle(handle(declared).publish(bad))).toMatchObject({
      error: { name: 'TypeError' },
    });
    expect(await settle(handle(declared).publish('y'))).toMatchObject({
      error: { name: 'TypeError' },
    });
    expect(await settle(handle(declared).publish('half'))).toMatchObject({
      error: { name: 'TypeError' },
    });
    expect(await settle(handle(declared).publish('x'))).toMatchObject({ ok: {} });
  });

  test('refuses more bytes than a message may have, key and all', async () => {
    const declared = topic<string>('clicks', { messageMax: '1kB', key: () => 'k'.repeat(500) });
    const { handle, settle } = cluster([declared], { seed: 2 });
    expect(await settle(handle(declared).publish('x'.repeat(400)))).toMatchObject({ ok: {} });
    expect(await settle(handle(declared).publish('x'.repeat(500)))).toMatchObject({
      error: { message: 'clicks.publish: a message of 1006 bytes is more than messageMax, 1000' },
    });
  });
});

describe('what the options may be', () => {
  test('more brokers than partitions, and less to keep than one segment, are refused by name', () => {
    const places = (options: object) => topic('t', options).problems.map(({ at }) => at);
    expect(places({ nodes: 3, partitions: 2 })).toEqual(['t.nodes']);
    expect(places({ retentionSize: '1MB' })).toEqual(['t.retentionSize']);
    expect(places({ partitons: 2, batch: 0 })).toEqual(['t.partitons', 't.batch']);
    expect(places({ key: 'code' })).toEqual(['t.key']);
  });
});

describe('the table of publishers', () => {
  test('says of each message what a table that forgets nothing would, or stale', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(12), fc.nat(12))), (sends) => {
        const table = new Producers();
        const stored = new Map<string, number>();
        const floors = new Map<number, number>();
        let life = 0;
        let end = 0;
        for (const [lifeStep, seq, low] of sends) {
          const older = lifeStep === 2 && life > 0;
          if (lifeStep === 1) life++;
          const sent = { node: 'a', life: older ? life - 1 : life, seq, low };
          const seen = table.look(sent);
          if (older) {
            expect(seen).toEqual({ state: 'over', life });
            continue;
          }
          floors.set(life, Math.max(floors.get(life) ?? 0, low));
          const before = stored.get(`${life} ${seq}`);
          if (seq < floors.get(life)!) expect(seen.state).toBe('stale');
          else if (before !== undefined) expect(seen).toEqual({ state: 'stored', offset: before });
          else {
            expect(seen.state).toBe('new');
            table.begin(sent, 1);
            stored.set(`${life} ${seq}`, end);
            table.stored(sent, end++);
          }
        }
        const again = new Producers();
        again.restore(decode(encode(table.snapshot())));
        expect(again.snapshot()).toEqual(table.snapshot());
      }),
    );
  });
});

describe('the shares of a group', () => {
  test('differ by one partition at most, whatever the order of joining', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        (members, partitions) => {
          const one = new Group('g');
          const two = new Group('g');
          const member = (id: number) => ({ node: `n/${id}`, port: 'p', life: 1, heardAt: 0 });
          for (const id of members) one.add(member(id));
          for (const id of [...members].reverse()) two.add(member(id));
          const counts = new Map<string, number>(members.map((id) => [`n/${id}`, 0]));
          for (let partition = 0; partition < partitions; partition++) {
            const owner = one.ownerOf(new Cursor(partition, 0))!.node;
            expect(two.ownerOf(new Cursor(partition, 0))!.node).toBe(owner);
            counts.set(owner, counts.get(owner)! + 1);
          }
          expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThan(2);
        },
      ),
    );
  });
});
