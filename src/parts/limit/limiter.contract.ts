/**
 * What every limiter keeps, whatever its algorithm. `most` is the law that the algorithm claims:
 * how many units may pass in any span of that length.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Micros } from '../../host/host.ts';
import { KeyedLimiter } from './keyed.ts';
import { type Limiter, take } from './limiter.ts';

export interface LimiterSetup {
  readonly make: () => Limiter;
  readonly most: (spanUs: Micros) => number;
  /** Several limits in one: the least may be whole again before all are. */
  readonly isJoint?: boolean;
}

/** Requests one after the other: mostly close together, now and then a pause; mostly of one unit. */
const requests = fc.array(
  fc.record({
    gapUs: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 0, max: 300_000 }),
      fc.integer({ min: 0, max: 10_000_000 }),
    ),
    cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 5 })),
  }),
  { minLength: 1, maxLength: 150 },
);

/** Some wall clock, and some clock of a node that has just booted. */
const starts = fc.constantFrom(0, 17, 1_700_000_000_123_457);

export function limiterContract(name: string, setups: fc.Arbitrary<LimiterSetup>): void {
  describe(name, () => {
    test('no span of time admits more than its law', () => {
      fc.assert(
        fc.property(setups, starts, requests, ({ make, most }, start, asked) => {
          const limiter = make();
          const admitted: { at: Micros; cost: number }[] = [];
          let now = start;
          for (const { gapUs, cost } of asked) {
            now += gapUs;
            if (take(limiter, now, cost) === 0) admitted.push({ at: now, cost });
          }
          for (let first = 0; first < admitted.length; first++) {
            let units = 0;
            for (let last = first; last < admitted.length; last++) {
              units += admitted[last]!.cost;
              if (units > most(admitted[last]!.at - admitted[first]!.at)) return false;
            }
          }
          return true;
        }),
      );
    });

    test('who waits as long as told is admitted, and a microsecond less is not enough', () => {
      fc.assert(
        fc.property(setups, starts, requests, ({ make }, start, asked) => {
          const limiter = make();
          let now = start;
          for (const { gapUs, cost } of asked) {
            now += gapUs;
            const waitUs = take(limiter, now, cost);
            if (waitUs === 0 || waitUs === Number.POSITIVE_INFINITY) continue;
            if (!Number.isInteger(waitUs)) return false;
            if (limiter.waitUs(now + waitUs - 1, cost, 0) !== 1) return false;
            now += waitUs;
            if (take(limiter, now, cost) !== 0) return false;
          }
          return true;
        }),
      );
    });

    test('what is said to remain may be spent at once, and not one more', () => {
      fc.assert(
        fc.property(setups, starts, requests, ({ make }, start, asked) => {
          const limiter = make();
          let now = start;
          for (const { gapUs, cost } of asked) {
            now += gapUs;
            take(limiter, now, cost);
            const remaining = limiter.remaining(now, 0);
            if (remaining < 0 || remaining > limiter.limit) return false;
            if (limiter.waitUs(now, remaining + 1, 0) === 0) return false;
            if (remaining > 0 && limiter.waitUs(now, remaining, 0) !== 0) return false;
          }
          return true;
        }),
      );
    });

    test('a whole limit is there when it is said to be, and not a microsecond before', () => {
      fc.assert(
        fc.property(setups, starts, requests, ({ make, isJoint }, start, asked) => {
          const limiter = make();
          let now = start;
          for (const { gapUs, cost } of asked) {
            now += gapUs;
            take(limiter, now, cost);
          }
          const resetUs = limiter.resetUs(now, 0);
          if (resetUs === 0) return limiter.remaining(now, 0) === limiter.limit;
          const before = limiter.remaining(now + resetUs - 1, 0);
          if (before === limiter.limit && !isJoint) return false;
          return limiter.remaining(now + resetUs, 0) === limiter.limit;
        }),
      );
    });

    test('what can never pass is told so and counts nothing', () => {
      fc.assert(
        fc.property(setups, ({ make }) => {
          const limiter = make();
          const beyond = limiter.limit + 1;
          expect(take(limiter, 5, beyond)).toBe(Number.POSITIVE_INFINITY);
          expect(limiter.remaining(5, 0)).toBe(limiter.limit);
          expect(limiter.resetUs(5, 0)).toBe(0);
        }),
      );
    });

    test('a clock that is set back admits nothing that was spent', () => {
      fc.assert(
        fc.property(setups, ({ make }) => {
          const limiter = make();
          const now = 900_000_000_000;
          expect(take(limiter, now, limiter.limit)).toBe(0);
          expect(take(limiter, now - 500_000, 1)).toBeGreaterThan(0);
          expect(take(limiter, now, 1)).toBeGreaterThan(0);
        }),
      );
    });

    test('keys side by side fare as each alone, also when their slots move and come back', () => {
      fc.assert(
        fc.property(
          setups,
          fc.array(fc.tuple(fc.integer({ min: 0, max: 29 }), fc.nat({ max: 90_000 })), {
            maxLength: 200,
          }),
          ({ make }, asked) => {
            const keyed = new KeyedLimiter(make(), { keysMax: 40 });
            const alone = new Map<string, Limiter>();
            let now = 0;
            for (const [caller, gapUs] of asked) {
              now += gapUs;
              const key = `k${caller}`;
              const own = alone.get(key) ?? make();
              alone.set(key, own);
              if (keyed.take(key, now) !== take(own, now)) return false;
              if (keyed.remaining(key, now) !== own.remaining(now, 0)) return false;
            }
            return true;
          },
        ),
      );
    });

    test('a slot that was cleared is as new', () => {
      fc.assert(
        fc.property(setups, requests, ({ make }, asked) => {
          const used = make();
          const fresh = make();
          let now = 0;
          for (const { gapUs, cost } of asked) {
            now += gapUs;
            take(used, now, cost);
          }
          used.clear(0);
          for (const { gapUs, cost } of asked) {
            now += gapUs;
            if (take(used, now, cost) !== take(fresh, now, cost)) return false;
          }
          return true;
        }),
      );
    });
  });
}
