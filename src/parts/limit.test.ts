import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure } from '../kit/config.ts';
import type { Rate } from '../kit/units.ts';
import { limiterContract } from './limit/limiter.contract.ts';
import {
  FixedWindow,
  Gcra,
  JointLimiter,
  KeyedLimiter,
  LeakyQueue,
  limiterKnobs,
  limiterOf,
  rateLimitFields,
  SlidingBuckets,
  SlidingLog,
  SlidingWindow,
  take,
} from './limit.ts';

const second = 1_000_000;
const minute = 60 * second;

const windows = fc.record({
  limit: fc.integer({ min: 1, max: 12 }),
  windowUs: fc.constantFrom(1_000, 100_000, second, minute),
});
const rates = fc.record({
  count: fc.integer({ min: 1, max: 5_000 }),
  periodUs: fc.constantFrom(1_000, second, minute, 60 * minute),
});

limiterContract(
  'gcra',
  fc.record({ rate: rates, burst: fc.integer({ min: 1, max: 40 }) }).map((options) => ({
    make: () => new Gcra(options),
    most: (spanUs) =>
      options.burst + Math.floor((spanUs * options.rate.count) / options.rate.periodUs),
  })),
);

limiterContract(
  'a fixed window',
  windows.map((options) => ({
    make: () => new FixedWindow(options),
    most: (spanUs) => options.limit * (2 + Math.floor(spanUs / options.windowUs)),
  })),
);

limiterContract(
  'a sliding log',
  windows.map((options) => ({
    make: () => new SlidingLog(options),
    most: (spanUs) => options.limit * (1 + Math.floor(spanUs / options.windowUs)),
  })),
);

limiterContract(
  'a sliding window',
  windows.map((options) => ({
    make: () => new SlidingWindow(options),
    most: (spanUs) =>
      spanUs >= options.windowUs
        ? options.limit * (2 + Math.floor(spanUs / options.windowUs))
        : options.limit * (1 + spanUs / options.windowUs),
  })),
);

limiterContract(
  'sliding buckets',
  fc.record({ window: windows, parts: fc.constantFrom(1, 4, 10) }).map(({ window, parts }) => ({
    make: () => new SlidingBuckets({ ...window, parts }),
    most: (spanUs) => window.limit * (1 + Math.floor(spanUs / window.windowUs)),
  })),
);

limiterContract(
  'two limits at once',
  windows.map((options) => ({
    isJoint: true,
    make: () =>
      new JointLimiter([
        new SlidingLog(options),
        new SlidingLog({ limit: options.limit + 5, windowUs: 10 * options.windowUs }),
      ]),
    most: (spanUs) =>
      Math.min(
        options.limit * (1 + Math.floor(spanUs / options.windowUs)),
        (options.limit + 5) * (1 + Math.floor(spanUs / (10 * options.windowUs))),
      ),
  })),
);

/** A rate that no floating point number holds: what a bucket of 10 to 999,983 a day owes, as a fraction. */
class ExactMeter {
  readonly #rate: Rate;
  readonly #burst: bigint;
  /** In parts of which a unit has `periodUs`. */
  #water = 0n;
  #at = 0n;

  constructor(rate: Rate, burst: number) {
    this.#rate = rate;
    this.#burst = BigInt(burst) * BigInt(rate.periodUs);
  }

  take(now: number, cost: number): boolean {
    const drained = (BigInt(now) - this.#at) * BigInt(this.#rate.count);
    this.#at = BigInt(now);
    this.#water = this.#water > drained ? this.#water - drained : 0n;
    const risen = this.#water + BigInt(cost) * BigInt(this.#rate.periodUs);
    if (risen > this.#burst) return false;
    this.#water = risen;
    return true;
  }
}

describe('one law in three words', () => {
  const day = 86_400 * second;
  const asked = fc.array(
    fc.tuple(fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 3 * second }), fc.nat({ max: day }))),
    { maxLength: 120 },
  );

  test('gcra admits what a leaky bucket with fractions admits, also beyond 2^53 parts', () => {
    fc.assert(
      fc.property(
        fc.record({
          count: fc.constantFrom(1, 7, 1_000, 999_983, 4_000_037),
          periodUs: fc.constantFrom(second, minute, day),
        }),
        fc.constantFrom(1, 3, 1_000, 999_983),
        asked,
        fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 120, maxLength: 120 }),
        (rate, burst, gaps, costs) => {
          const limiter = new Gcra({ rate, burst });
          const twin = new ExactMeter(rate, burst);
          let now = 1_700_000_000_000_000;
          return gaps.every(([gapUs], i) => {
            now += gapUs;
            const cost = i % 3 === 0 ? Math.min(costs[i]!, burst) : 1;
            return (take(limiter, now, cost) === 0) === twin.take(now, cost);
          });
        },
      ),
    );
  });
});

describe('around the edge of a window', () => {
  const tenAMinute = { limit: 10, windowUs: minute };
  const admitted = (limiter: FixedWindow | SlidingWindow | SlidingBuckets | SlidingLog) => {
    let count = 0;
    for (const at of [59.5 * second, 60.5 * second]) {
      for (let i = 0; i < 10; i++) if (take(limiter, at) === 0) count++;
    }
    return count;
  };

  test('a fixed window lets twenty of ten through, the others ten', () => {
    expect(admitted(new FixedWindow(tenAMinute))).toBe(20);
    expect(admitted(new SlidingWindow(tenAMinute))).toBe(10);
    expect(admitted(new SlidingBuckets({ ...tenAMinute, parts: 60 }))).toBe(10);
    expect(admitted(new SlidingLog(tenAMinute))).toBe(10);
  });
});

describe('a leaky queue', () => {
  const queues = fc.record({
    rate: rates,
    queueMax: fc.integer({ min: 0, max: 20 }),
    burst: fc.integer({ min: 1, max: 5 }),
  });
  const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 2 * second })), { maxLength: 200 });

  test('lets requests leave in order, never faster than its rate after the burst', () => {
    fc.assert(
      fc.property(queues, gaps, (options, pauses) => {
        const queue = new LeakyQueue(options);
        const leftAt: number[] = [];
        let now = 0;
        for (const gap of pauses) {
          now += gap;
          const delayUs = queue.enter(now);
          if (delayUs !== Number.POSITIVE_INFINITY) leftAt.push(now + delayUs);
        }
        return leftAt.every((at, last) => {
          if (last > 0 && at < leftAt[last - 1]!) return false;
          const first = Math.max(0, last - 30);
          const { count, periodUs } = options.rate;
          // A departure between two microseconds is told as the later one.
          const most = options.burst + ((at + 1 - leftAt[first]!) * count) / periodUs;
          return last - first + 1 <= most;
        });
      }),
    );
  });

  test('holds at most its length, refuses only when it is full, and knows how many wait', () => {
    fc.assert(
      fc.property(queues, gaps, (options, pauses) => {
        const queue = new LeakyQueue(options);
        const leavesAt: number[] = [];
        let now = 0;
        for (const gap of pauses) {
          now += gap;
          const waiting = leavesAt.filter((at) => at > now).length;
          if (waiting > options.queueMax || queue.waiting(now) !== waiting) return false;
          const delayUs = queue.enter(now);
          if (delayUs === Number.POSITIVE_INFINITY) {
            if (waiting < options.queueMax) return false;
          } else leavesAt.push(now + delayUs);
        }
        return true;
      }),
    );
  });
});

describe('a keyed limiter', () => {
  const once = { rate: { count: 1, periodUs: minute }, burst: 1 };

  test('remembers as many keys as it may, and forgets the one seen longest ago', () => {
    const limiter = new KeyedLimiter(new Gcra(once), { keysMax: 3 });
    for (const key of ['a', 'b', 'c', 'a']) limiter.take(key, 0);
    expect(limiter.take('d', 0)).toBe(0);
    expect(limiter.size).toBe(3);
    expect(limiter.take('a', 0)).toBe(minute);
    expect(limiter.take('c', 0)).toBe(minute);
    expect(limiter.take('b', 0)).toBe(0);
  });

  test('grows to a hundred thousand keys and keeps them apart', () => {
    const limiter = new KeyedLimiter(new Gcra(once), { keysMax: 100_000 });
    for (let i = 0; i < 100_000; i++) expect(limiter.take(`u${i}`, i)).toBe(0);
    for (let i = 0; i < 100_000; i += 997) expect(limiter.take(`u${i}`, i)).toBe(minute);
    expect(limiter.size).toBe(100_000);
  });

  test('tells of a key never seen that all is there, without remembering it', () => {
    const limiter = new KeyedLimiter(new Gcra(once), { keysMax: 3 });
    expect([limiter.remaining('x', 0), limiter.resetUs('x', 0), limiter.size]).toEqual([1, 0, 0]);
  });
});

describe('several limits at once', () => {
  test('what one refuses costs nothing at the other', () => {
    const perMinute = new FixedWindow({ limit: 10, windowUs: minute });
    const perHour = new FixedWindow({ limit: 100, windowUs: 60 * minute });
    const both = new JointLimiter([perMinute, perHour]);
    for (let i = 0; i < 50; i++) take(both, 0);
    expect(perHour.remaining(0, 0)).toBe(90);
    expect(both.remaining(0, 0)).toBe(0);
  });
});

describe('what clients are told', () => {
  const perMinute = new FixedWindow({ limit: 10, windowUs: minute });
  const burst = new Gcra({ rate: { count: 10, periodUs: second }, burst: 50 });

  test('names each policy, what is left of it, and when it is whole again', () => {
    take(perMinute, 0, 10);
    take(burst, 0, 10);
    const policies = [
      { name: 'minute', limiter: perMinute, slot: 0 },
      { name: 'the "burst"', limiter: burst, slot: 0 },
    ];
    expect(rateLimitFields(policies, 0, 0)).toEqual({
      'ratelimit-policy': '"minute";q=10;w=60, "the \\"burst\\"";q=50;w=5',
      ratelimit: '"minute";r=0;t=60, "the \\"burst\\"";r=40;t=1',
    });
    expect(rateLimitFields(policies, 500_000, 59_500_000)['retry-after']).toBe('60');
  });

  test('who comes back when told is admitted, although seconds are coarse', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 20 }), (rate, most) => {
        const limiter = new Gcra({ rate, burst: most });
        take(limiter, 123_456, most);
        const waitUs = take(limiter, 123_456);
        const policies = [{ name: 'p', limiter, slot: 0 }];
        const fields = rateLimitFields(policies, 123_456, waitUs);
        const seconds = Number(fields['retry-after']);
        expect(fields.ratelimit).toBe(`"p";r=0;t=${seconds}`);
        expect(take(limiter, 123_456 + seconds * second)).toBe(0);
      }),
    );
  });

  test('what can never pass is not asked to come back', () => {
    const fields = rateLimitFields([], 0, Number.POSITIVE_INFINITY);
    expect(fields).not.toHaveProperty('retry-after');
  });
});

describe('the knobs of a limiter', () => {
  test('make the algorithm that is asked for', () => {
    const made = limiterKnobs.algorithm.choices!.map((algorithm) => {
      const { config, problems } = configure('limit', limiterKnobs, { algorithm, rate: '10/min' });
      expect(problems).toEqual([]);
      return limiterOf(config).constructor;
    });
    expect(made).toEqual([
      Gcra,
      Gcra,
      Gcra,
      FixedWindow,
      SlidingWindow,
      SlidingBuckets,
      SlidingLog,
    ]);
  });
});
