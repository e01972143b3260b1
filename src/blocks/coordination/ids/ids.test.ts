/** What `ids` promises, under faults; what it refuses; and that its parts do what they say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cluster } from '../../../../test/cluster.ts';
import { sandbox } from '../../../../test/sandbox.ts';
import { inTurn } from '../../../../test/turns.ts';
import { everyFault } from '../../../../test/weather.ts';
import type { RunEvent } from '../../../host/events.ts';
import type { Handlers } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { base62 } from '../../../parts/base62.ts';
import { uniqueIds } from '../../../verify/index.ts';
import type { IdsConfig } from './config.ts';
import { ids } from './index.ts';
import { describe as describeMessage, type IdsMessage, type IdsRequest } from './messages.ts';
import { allocator } from './node.ts';
import { Series } from './ranges.ts';
import { Supply } from './supply.ts';
import { idsToldFirst } from './testdata/planted.ts';
import { clashes, storm } from './testdata/storm.ts';

const second = 1_000_000;
const secret = 'a secret of this test alone';
const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

describe('under faults', () => {
  test.each([
    ['one allocator', { width: 3, block: 3 }],
    ['two allocators, scrambled', { width: 3, block: 5, nodes: 2, scramble: true, secret }],
  ])('no code is given twice, no name to two, and no name is a code: %s', (_, options) => {
    let given = 0;
    let granted = 0;
    const today = inTurn(seeds);
    for (const seed of today) {
      const history = storm(ids('codes', options), { seed, faults: everyFault });
      expect(clashes(history), `seed ${seed}`).toEqual([]);
      const codes = ids('codes', options);
      expect(uniqueIds(codes).check(history), `seed ${seed}`).toMatchObject({ verdict: 'holds' });
      given += history.filter(({ f, phase }) => f === 'next' && phase === 'ok').length;
      granted += history.filter(({ f, value }) => f === 'claim' && value === true).length;
    }
    expect(given).toBeGreaterThan(250 * today.length);
    expect(granted).toBeGreaterThan(50 * today.length);
  });

  test('names that look like codes are granted only where the range is still to come', () => {
    const options = { width: 2, block: 7 };
    const history = storm(ids('codes', options), { seed: 4, faults: ['kill', 'power-off'] });
    expect(clashes(history)).toEqual([]);
    const claims = history.filter(({ f, phase, key }) => {
      return f === 'claim' && phase !== 'invoke' && key!.length === 2;
    });
    const reasons = claims.map(({ reason }) => reason);
    expect(reasons).toContain('may be a generated code');
    expect(claims.map(({ value }) => value)).toContain(true);
  });

  test('a range handed out before it is stored comes out twice, and the law finds it', () => {
    const planted = () => idsToldFirst('codes', { width: 3, block: 3 });
    const isFound = seeds.some((seed) => {
      const faults = ['kill', 'power-off'] as const;
      return clashes(storm(planted(), { seed, faults, faultCount: 40 })).length > 0;
    });
    expect(isFound).toBe(true);
    expect(clashes(storm(planted(), { seed: 1, faults: [] }))).toEqual([]);
  });
});

describe('codes', () => {
  test('go on while the allocator is down, from what is in hand', async () => {
    const codes = ids('codes', { block: 100 });
    const { world, handle, settle } = cluster([codes], { seed: 3 });
    expect(await settle(handle(codes).next())).toEqual({ ok: '0000000' });
    world.inject({ do: 'kill', target: { node: 'codes/0' }, atUs: 0 });
    for (let i = 1; i < 100; i++) {
      expect(await settle(handle(codes).next())).toEqual({ ok: base62(i, 7) });
    }
    const outcome = await settle(handle(codes).next());
    expect(outcome).toMatchObject({ error: { certain: true } });
    expect((outcome as { error: unknown }).error).toBeInstanceOf(Unavailable);
    world.healAll();
    expect(await settle(handle(codes).next())).toMatchObject({ ok: base62(100, 7) });
  });

  test('are never waited for in a steady state: the next range is there before it is needed', async () => {
    const codes = ids('codes', { block: 50 });
    const { world, handle, settle, run } = cluster([codes], { seed: 3 });
    await settle(handle(codes).next());
    for (let i = 0; i < 500; i++) {
      run(2_000);
      const before = world.now;
      await settle(handle(codes).next());
      expect(world.now).toBe(before);
    }
  });

  test('run out with a clear error, after each has been given once', async () => {
    const codes = ids('codes', { width: 1, block: 5 });
    const { handle, settle } = cluster([codes], { seed: 3 });
    const given = new Set<string>();
    for (let i = 0; i < 62; i++) {
      given.add(((await settle(handle(codes).next())) as { ok: string }).ok);
    }
    expect(given.size).toBe(62);
    expect(await settle(handle(codes).next())).toMatchObject({
      error: { certain: true, why: expect.stringContaining('every code of this width') },
    });
  });

  test('come from another allocator when one is down', async () => {
    const codes = ids('codes', { nodes: 2, block: 10 });
    const { world, handle, settle } = cluster([codes], { seed: 3 });
    world.inject({ do: 'kill', target: { node: 'codes/0' }, atUs: 0 });
    for (let i = 0; i < 30; i++) expect(await settle(handle(codes).next())).toHaveProperty('ok');
    world.healAll();
    world.inject({ do: 'kill', target: { node: 'codes/1' }, atUs: 0 });
    for (let i = 0; i < 30; i++) expect(await settle(handle(codes).next())).toHaveProperty('ok');
  });

  test('are given out no more by an allocator that lost its journal, once a caller shows it', () => {
    const declaration = ids('codes', { block: 10 });
    const config = { ...(declaration.config as IdsConfig), name: 'codes', index: 0 };
    const answers: string[] = [];
    const to = { node: 'codes/0', port: 'ids' };
    const take = { type: 'take', life: 1, finished: 0 } as const;
    const asked: readonly IdsRequest[] = [
      { ...take, id: 1, ticket: 1, given: 0 },
      { ...take, id: 2, ticket: 2, given: 10 },
      { ...take, id: 3, ticket: 3, given: 20 },
      { type: 'claim', id: 4, name: 'name', owner: 'ann' },
    ];
    const world = sandbox({
      nodes: {
        'codes/0': {
          ids: (host) => {
            if (host.life === 3) host.disk.remove('ids/journal');
            const code = { declaration, open: new Map(), run: () => {} };
            return allocator(host, config, code) as Handlers;
          },
        },
        caller: {
          codes: (host) => {
            asked.forEach((question, index) => {
              host.after((2 * index + 1) * second, () => host.send(to, question));
            });
            return {
              message: (_from, answer) =>
                answers.push(describeMessage(answer as unknown as IdsMessage)),
            };
          },
        },
      },
    });
    world.bootAll();
    for (let life = 2; life <= 3; life++) {
      world.run(world.now + 2 * second);
      world.inject({ do: 'restart', target: { node: 'codes/0' }, atUs: 0 });
    }
    world.run(8 * second);
    expect(answers).toEqual([
      'range 0 to 9',
      'range 10 to 19',
      'refused: codes/0 has lost what it gave out',
      'refused: codes/0 has lost what it gave out',
    ]);
  });

  test('of another shape are refused by an allocator that has given some out', () => {
    const shapes = [
      ids('codes', { block: 10 }),
      ids('codes', { block: 20 }),
      ids('codes', { block: 10, scramble: true, secret }),
      ids('codes', { block: 10 }),
    ];
    const events: RunEvent[] = [];
    const world = sandbox({
      nodes: {
        'codes/0': {
          ids: (host) => {
            const declaration = shapes[Math.min(host.life, shapes.length) - 1]!;
            const config = { ...(declaration.config as IdsConfig), name: 'codes', index: 0 };
            const run = () => {};
            return allocator(host, config, { declaration, open: new Map(), run }) as Handlers;
          },
        },
        caller: {
          codes: (host) => {
            const take = {
              type: 'take',
              id: 1,
              life: 1,
              ticket: 1,
              finished: 0,
              given: 0,
            } as const;
            host.after(second, () => host.send({ node: 'codes/0', port: 'ids' }, take));
            return { message() {} };
          },
        },
      },
      onEvent: (event) => events.push(event),
    });
    world.bootAll();
    world.run(2 * second);
    for (let life = 2; life <= shapes.length; life++) {
      world.inject({ do: 'kill', target: { node: 'codes/0' }, atUs: 0 });
      world.run(world.now + second);
      world.healAll();
      world.run(world.now + second);
    }
    const refusals = events.filter(
      (event) => event.type === 'crash' && event.why.includes('Codes would come out twice'),
    );
    expect(refusals.length).toBe(2);
    expect(world.isAlive('codes/0')).toBe(true);
  });

  test('that cannot be are refused by name, all at once', () => {
    const place = (options: object) => ids('codes', options).problems.map(({ at }) => at);
    expect(place({ scramble: true })).toEqual(['codes.secret']);
    expect(place({ scramble: true, secret: 'short' })).toEqual(['codes.secret']);
    expect(place({ width: 2, block: 2_000, nodes: 2 })).toEqual(['codes.block']);
    expect(place({ width: 9, blok: 1 })).toEqual(['codes.blok', 'codes.width']);
  });

  test('keep their secret out of the plan', () => {
    const codes = ids('codes', { scramble: true, secret });
    expect(JSON.stringify(codes.config)).not.toContain(secret);
  });
});

describe('a claim', () => {
  const names = ids('names', { width: 4, timeout: '1s' });

  test('goes to the first, again and again to the same owner, and to nobody else', async () => {
    const { handle, settle } = cluster([names], { seed: 3, clients: 2 });
    const claim = (client: number, name: string, owner?: string) =>
      settle(handle(names, client).claim(name, { owner }));
    expect(await claim(0, 'summer sale', 'alice')).toEqual({ ok: true });
    expect(await claim(1, 'summer sale', 'bob')).toEqual({ ok: false });
    expect(await claim(1, 'summer sale', 'alice')).toEqual({ ok: true });
    expect(await claim(0, 'summer sale')).toEqual({ ok: false });
  });

  test('outlives a crash, and fails while its allocator is down', async () => {
    const { world, handle, settle } = cluster([names], { seed: 3 });
    expect(await settle(handle(names).claim('mine', { owner: 'alice' }))).toEqual({ ok: true });
    world.inject({ do: 'power-off', target: { node: 'names/0' }, atUs: 0 });
    expect(await settle(handle(names).claim('other'))).toMatchObject({
      error: { operation: 'claim' },
    });
    world.healAll();
    world.run(world.now + second);
    expect(await settle(handle(names).claim('mine', { owner: 'bob' }))).toEqual({ ok: false });
    expect(await settle(handle(names).claim('mine', { owner: 'alice' }))).toEqual({ ok: true });
  });

  test('of a code still to come takes that code out of its range', async () => {
    const codes = ids('codes', { width: 2, block: 4 });
    const { handle, settle } = cluster([codes], { seed: 3 });
    expect(await settle(handle(codes).claim(base62(5, 2)))).toEqual({ ok: true });
    const given: string[] = [];
    for (let i = 0; i < 9; i++) {
      given.push(((await settle(handle(codes).next())) as { ok: string }).ok);
    }
    expect(given).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9].map((number) => base62(number, 2)));
    expect(await settle(handle(codes).claim(base62(11, 2)))).toEqual({ ok: false });
  });

  test('on a full disk certainly did not happen, and may be made again', async () => {
    const { world, handle, settle } = cluster([names], { seed: 3 });
    world.inject({ do: 'fill-disk', target: { node: 'names/0' }, atUs: 0 });
    expect(await settle(handle(names).claim('mine'))).toMatchObject({
      error: { certain: true, why: 'disk full' },
    });
    world.healAll();
    expect(await settle(handle(names).claim('mine'))).toEqual({ ok: true });
  });

  test('is never decided anew because a journal is damaged: what may not be done is said', async () => {
    const { handle, settle, world, events, run } = cluster([names], { seed: 3 });
    for (let i = 0; i < 10; i++) await settle(handle(names).claim(`name ${i}`));
    world.inject({ do: 'rot', target: { block: 'names' }, bits: 5, atUs: 0 });
    world.inject({ do: 'restart', target: { block: 'names' }, atUs: 0 });
    run(100_000);
    const texts = events.flatMap((event) => (event.type === 'crash' ? [event.why] : []));
    expect(texts).toContainEqual(
      expect.stringMatching(/damaged at byte \d+.*Neither remove it nor put an older copy back/),
    );
  });

  test('is refused as a mistake when the name is empty or endless, or a half of a pair is in it', async () => {
    const { handle, settle } = cluster([names], { seed: 3 });
    for (const name of ['', 'x'.repeat(513), 7 as unknown as string, 'x\ud800']) {
      expect(await settle(handle(names).claim(name))).toMatchObject({
        error: { name: 'TypeError' },
      });
    }
    expect(await settle(handle(names).claim('x', { owner: '\udc00' }))).toMatchObject({
      error: { name: 'TypeError' },
    });
  });
});

describe('ranges', () => {
  test('of all allocators together give each number once, less those claimed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 120 }),
        fc.array(fc.tuple(fc.nat(119), fc.nat(20))),
        (nodes, block, count, claims) => {
          const series = Array.from(
            { length: nodes },
            (_, index) => new Series({ index, nodes, block, count }),
          );
          const supplies = series.map(() => new Supply());
          const given: number[] = [];
          const claimed = new Set<number>();
          let step = 0;
          const claimUpTo = () => {
            for (const [number, when] of claims) {
              if (when !== step || number >= count) continue;
              const holder = series[Series.holderOf(number, block, nodes)]!;
              if (holder.leaveOut(number)) claimed.add(number);
            }
            step++;
          };
          for (let ended = 0; ended < nodes; ) {
            ended = 0;
            for (const [index, supply] of supplies.entries()) {
              claimUpTo();
              if (supply.low) {
                const range = series[index]!.take();
                if (range) supply.add(range);
              }
              const number = supply.take();
              if (number === undefined && !series[index]!.take()) ended++;
              if (number !== undefined) given.push(number);
            }
          }
          expect(new Set(given).size).toBe(given.length);
          expect(given.filter((number) => claimed.has(number))).toEqual([]);
        },
      ),
    );
  });

  test('once marked as handed out stay out after recovery, with all before them', () => {
    const series = new Series({ index: 1, nodes: 3, block: 10, count: 1_000 });
    series.markHanded(4);
    expect(series.leaveOut(10 * (3 * 4 + 1))).toBe(false);
    expect(series.take()).toMatchObject({ place: 5, from: 160, to: 170 });
  });
});
