/** What each way to keep counts promises, under faults; and that its parts do what they say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cluster } from '../../../../test/cluster.ts';
import { everyFault, type FaultKind } from '../../../../test/weather.ts';
import type { LimitAnswer } from '../../../host/limits.ts';
import { take } from '../../../parts/limit/limiter.ts';
import { SlidingBuckets } from '../../../parts/limit/sliding-buckets.ts';
import type { LimiterApi } from './client.ts';
import { type LimiterOptions, limiter } from './index.ts';
import { ranked } from './locked.ts';
import { Locks } from './locks.ts';
import { spansOf, Tally, waitUs } from './tally.ts';
import { type Admitted, mostWithin, storm, threeRegions } from './testdata/storm.ts';

const second = 1_000_000;
const limit = 20;
const strict: LimiterOptions = {
  limit: `${limit}/s`,
  whenUnreachable: 'refuse',
  lease: '1s',
};
const seeds = [1, 2, 3, 4, 5, 6];

/** All but clocks that jump: windows are those of the wall clock. */
const clockless = everyFault.filter((kind): kind is FaultKind => kind !== 'skew');

describe('never more than the limit in any window', () => {
  test.each([
    ['central', { mode: 'central', durable: true }, clockless],
    ['sticky', { mode: 'sticky', durable: true }, clockless],
    ['lock', { mode: 'lock', durable: true }, clockless],
    [
      'lock without disks',
      { mode: 'lock' },
      ['pause', 'slow', 'cut', 'lose', 'duplicate', 'delay'],
    ],
    ['two limits at once', { mode: 'central', durable: true, also: ['30/min'] }, clockless],
  ] as const)('%s, whatever happens to its nodes', (_, options, faults) => {
    let full = 0;
    for (const seed of seeds) {
      const { admitted } = storm(limiter('limits', { ...strict, ...options } as LimiterOptions), {
        seed,
        faults,
      });
      const most = mostWithin(admitted, second);
      expect(most, `seed ${seed}`).toBeLessThanOrEqual(limit);
      if ('also' in options) {
        expect(mostWithin(admitted, 60 * second), `seed ${seed}`).toBeLessThanOrEqual(30);
      }
      if (most === limit) full++;
    }
    // Not by refusing everybody.
    expect(full).toBeGreaterThan(seeds.length / 2);
  });

  test('a killed node that keeps no disk forgives once, and the law finds it', () => {
    const isOver = seeds.some((seed) => {
      const forgetful = limiter('limits', { ...strict, mode: 'central' });
      return mostWithin(storm(forgetful, { seed, faults: ['kill'] }).admitted, second) > limit;
    });
    expect(isOver).toBe(true);
  });
});

/** One way between regions, with room for the tail of its delays, and the wait for the next gossip. */
const toldWithinUs = 100_000 + 90_000;

/** What others had let through that could not be known where the last unit of a window was decided. */
function overBound(admitted: readonly Admitted[], spanUs: number): boolean {
  return ['ann', 'bob'].some((key) => {
    const own = admitted.filter((one) => one.key === key);
    return own.some(({ askedAt: from }) => {
      const inside = own.filter((one) => one.askedAt >= from && one.answeredAt < from + spanUs);
      const last = inside.reduce((a, b) => (b.answeredAt > a.answeredAt ? b : a), inside[0]!);
      if (!last) return false;
      const unknown = inside.filter(
        (one) => one.client !== last.client && one.answeredAt > last.askedAt - toldWithinUs,
      );
      return inside.length > limit + unknown.length;
    });
  });
}

describe('replicated', () => {
  const options = { ...strict, mode: 'replicated' } as const;

  test('admits the limit and at most what others admitted within one delay', () => {
    let overCount = 0;
    for (const seed of seeds) {
      const { admitted } = storm(limiter('limits', options), { seed, faults: [], gapMaxUs: 6_000 });
      expect(overBound(admitted, second), `seed ${seed}`).toBe(false);
      if (mostWithin(admitted, second) > limit) overCount++;
    }
    expect(overCount).toBeGreaterThan(0);
  });

  test('admits the limit once for each region at most, however long they are cut apart', () => {
    for (const seed of seeds) {
      const { admitted } = storm(limiter('limits', { ...options, durable: true }), {
        seed,
        faults: clockless,
        faultCount: 25,
      });
      expect(mostWithin(admitted, second)).toBeLessThanOrEqual(limit * threeRegions.length);
    }
  });

  test('agrees once the network is whole again: nothing is lost and nothing counted twice', () => {
    const limits = limiter('limits', { mode: 'replicated', limit: '100/min' });
    const { world, api } = cluster([limits], { seed: 3, clients: 3, zones: threeRegions });
    world.applyFaults(
      [
        {
          do: 'lose',
          from: { all: true },
          to: { all: true },
          ratio: 0.4,
          atUs: 0,
          forUs: 5 * second,
        },
      ],
      0,
    );
    let taken = 0;
    for (let i = 0; i < 60; i++) {
      (api('limits', i % 3) as LimiterApi).take('ann', 1, undefined, ({ by }) => {
        if (by === 'limiter') taken++;
      });
      world.run(world.now + 50_000);
    }
    world.healAll();
    world.run(world.now + 3 * second);
    const left: number[] = [];
    for (let client = 0; client < 3; client++) {
      const answered = ({ remaining }: LimitAnswer) => left.push(remaining);
      (api('limits', client) as LimiterApi).take('ann', 1, undefined, answered);
      world.run(world.now + 2 * second);
    }
    // Lost questions were not counted, lost answers were: at least what was told.
    expect(left[0]! + taken).toBeLessThanOrEqual(99);
    expect(left).toEqual([left[0], left[0]! - 1, left[0]! - 2]);
  });
});

describe('a caller', () => {
  const one = (options: LimiterOptions, run: (c: ReturnType<typeof cluster>) => void) => {
    const limits = limiter('limits', options);
    const made = cluster([limits], { seed: 5, clients: 3, zones: threeRegions });
    run(made);
    return made;
  };
  const ask = (made: ReturnType<typeof cluster>, key: string, client = 0) => {
    let got: LimitAnswer | undefined;
    const askedAt = made.world.now;
    let answeredAt = 0;
    (made.api('limits', client) as LimiterApi).take(key, 1, undefined, (answer) => {
      got = answer;
      answeredAt = made.world.now;
    });
    made.world.run(made.world.now + 3 * second);
    return { ...got!, tookUs: answeredAt - askedAt };
  };

  test('is told of a key that is none, or would be one with another on its way', async () => {
    const limits = limiter('limits', { limit: '5/s' });
    const { handle, settle } = cluster([limits], { seed: 5 });
    for (const key of ['', 'x'.repeat(513), 'ann\ud800']) {
      expect(await settle(handle(limits).take(key))).toMatchObject({
        error: { name: 'TypeError' },
      });
    }
  });

  test.each(['allow', 'refuse'] as const)(
    'without a limiter gets what the policy says: %s',
    (word) => {
      const made = one({ mode: 'central', whenUnreachable: word }, ({ world }) =>
        world.inject({ do: 'kill', target: { node: 'limits/0' }, atUs: 0 }),
      );
      expect(ask(made, 'ann')).toMatchObject({ allowed: word === 'allow', by: 'policy' });
    },
  );

  test('is answered within the timeout when the limiter is cut off', () => {
    const made = one({ mode: 'central', timeout: '300ms' }, ({ world }) =>
      world.inject({
        do: 'cut',
        from: { node: 'limits/0' },
        to: { all: true },
        oneWay: false,
        atUs: 0,
      }),
    );
    const { by, tookUs } = ask(made, 'ann', 1);
    expect(by).toBe('policy');
    expect(tookUs).toBeLessThanOrEqual(301_000);
  });

  test('with sticky finds every key at one home, and a dead home moves only where that is asked for', () => {
    const stays = one({ mode: 'sticky', limit: '1/min', whenUnreachable: 'refuse' }, () => {});
    const { id } = (stays.api('limits', 0) as LimiterApi).home('ann');
    for (const client of [1, 2]) {
      expect((stays.api('limits', client) as LimiterApi).home('ann').id).toBe(id);
    }
    expect(ask(stays, 'ann', 0)).toMatchObject({ allowed: true, by: 'limiter' });
    expect(ask(stays, 'ann', 1)).toMatchObject({ allowed: false, by: 'limiter' });
    stays.world.inject({ do: 'kill', target: { node: id }, atUs: 0 });
    expect(ask(stays, 'ann', 2)).toMatchObject({ allowed: false, by: 'policy' });
    const moves = one({ mode: 'sticky', limit: '1/min', whenLost: 'move' }, () => {});
    expect(ask(moves, 'ann')).toMatchObject({ allowed: true, by: 'limiter' });
    moves.world.inject({ do: 'kill', target: { node: id }, atUs: 0 });
    // A question that is under way when it dies is in doubt, and nobody else's.
    moves.world.run(moves.world.now + second);
    // The price: its limit once more.
    expect(ask(moves, 'ann')).toMatchObject({ allowed: true, by: 'limiter' });
    expect(ask(moves, 'ann')).toMatchObject({ allowed: false, by: 'limiter' });
  });

  test('waits two trips between regions for a lock, one for a home far away, none for its own region', () => {
    const took = (mode: LimiterOptions['mode']) => {
      const made = one({ mode, limit: '100/min' }, () => {});
      return Array.from({ length: 12 }, (_, i) => ask(made, `user ${i}`, 1).tookUs);
    };
    const most = (times: readonly number[]) => Math.max(...times);
    expect(most(took('replicated'))).toBeLessThan(5_000);
    expect(most(took('central'))).toBeGreaterThan(70_000);
    expect(most(took('central'))).toBeLessThan(130_000);
    expect(Math.min(...took('lock'))).toBeGreaterThan(70_000);
    expect(most(took('lock'))).toBeGreaterThan(140_000);
  });
});

describe('a lock', () => {
  test('whose holder slept past its lease admits nothing more', () => {
    const limits = limiter('limits', {
      mode: 'lock',
      limit: '1/min',
      lease: '200ms',
      timeout: '5s',
      whenUnreachable: 'refuse',
    });
    const { world, api } = cluster([limits], { seed: 2, clients: 3, zones: threeRegions });
    const members = [0, 1, 2].map((index) => ({ id: `limits/${index}`, region: '' }));
    const key = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].find(
      (one) => ranked(members, one)[0]!.id === 'limits/0',
    )!;
    // It falls asleep with its question under way, and wakes up with a grant that is long over.
    const sleep = {
      do: 'pause',
      target: { node: 'limits/1' },
      atUs: 20_000,
      forUs: second,
    } as const;
    world.applyFaults([sleep], 0);
    const answers: LimitAnswer[] = [];
    const take = (client: number) =>
      (api('limits', client) as LimiterApi).take(key, 1, undefined, (answer) => {
        answers.push(answer);
      });
    take(1);
    world.run(400_000);
    take(2);
    world.run(10 * second);
    expect(answers).toHaveLength(2);
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(1);
  });
});

describe('limiter', () => {
  test('tells all its mistakes at once', () => {
    const { problems } = limiter('limits', {
      mode: 'anywhere' as never,
      also: ['often' as never],
      timeout: '0ms',
    });
    expect(problems.map(({ at }) => at)).toEqual([
      'limits.mode',
      'limits.timeout',
      'limits.also[0]',
    ]);
  });

  test('has a node in each region, a central one in the first', () => {
    const nodes = (options: LimiterOptions) =>
      cluster([limiter('limits', options)], { zones: threeRegions })
        .world.usage()
        .map(({ node }) => node)
        .filter((node) => node.startsWith('limits/'));
    expect(nodes({ mode: 'central' })).toEqual(['limits/0']);
    expect(nodes({ mode: 'lock' })).toEqual(['limits/0', 'limits/1', 'limits/2']);
    expect(nodes({ mode: 'replicated', nodes: 2 })).toHaveLength(6);
  });
});

describe('counts', () => {
  const config = { limits: [{ count: 10, periodUs: 6_000 }], window: 'sliding', parts: 6 } as const;
  const spans = spansOf(config);
  const times = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 3 })),
    {
      maxLength: 120,
    },
  );

  test('of one counter admit what the sliding buckets of parts/limit do', () => {
    fc.assert(
      fc.property(times, (asked) => {
        const tally = new Tally(spans);
        const twin = new SlidingBuckets({ limit: 10, windowUs: 6_000, parts: 6 });
        let now = 50_000;
        for (const [gap, cost] of asked) {
          now += gap;
          const wait = waitUs(spans, [tally], now, cost);
          if (wait === 0) tally.add(now, cost);
          if (wait !== take(twin, now, cost)) return false;
        }
        return true;
      }),
    );
  });

  test('merge to the same, in whatever order and however often they come', () => {
    fc.assert(
      fc.property(times, fc.array(fc.nat(), { maxLength: 20 }), (asked, order) => {
        const source = new Tally(spans);
        const copies: (readonly number[])[] = [];
        let now = 0;
        for (const [gap, cost] of asked) {
          now += gap;
          source.add(now, cost);
          copies.push(source.toData());
        }
        const target = new Tally(spans);
        if (copies.length > 0)
          for (const pick of order) target.merge(copies[pick % copies.length]!);
        target.merge(source.toData());
        target.merge(source.toData());
        return JSON.stringify(target.toData()) === JSON.stringify(source.toData());
      }),
    );
  });

  test('what comes without their shape changes nothing', () => {
    const tally = new Tally(spans);
    tally.add(10_000, 4);
    tally.merge([1]);
    tally.merge([]);
    expect(tally.sum(0, 10_000)).toBe(4);
  });
});

describe('locks', () => {
  test('have one holder at a time, first come first served, and tokens that only grow', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('ask', 'free', 'wait'), fc.nat(3)), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(steps, (acts) => {
        const locks = new Locks<number>({ leaseUs: 100, life: 1, now: 0 });
        let now = 0;
        let asked = 0;
        let served = 0;
        let held: { token: number; until: number } | undefined;
        let greatest = 0;
        for (const [act, amount] of acts) {
          if (act === 'ask') locks.ask('k', asked++);
          if (act === 'wait') now += amount * 40;
          if (act === 'free' && held) {
            locks.release('k', held.token);
            held = undefined;
          }
          const next = locks.next('k', now);
          if (typeof next !== 'object') continue;
          if (held && held.until > now) return false;
          if (next.who !== served++ || next.token <= greatest) return false;
          greatest = next.token;
          held = { token: next.token, until: now + 100 };
        }
        return true;
      }),
    );
  });

  test('are not given out before those of a former life are over', () => {
    const locks = new Locks<string>({ leaseUs: 100, life: 2, now: 1_000 });
    locks.ask('k', 'ann');
    expect(locks.next('k', 1_000)).toBe(100);
    expect(locks.next('k', 1_100)).toMatchObject({ who: 'ann' });
  });
});
