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

/**
 * Requests one after the other: mostly close together, now and then a pause, in thousandths of the
 * limiter's window; mostly of one unit.
 */
const requests = fc.array(
  fc.record({
    gap: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 700, max: 2_500 }),
    ),
    cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 5 })),
  }),
  { minLength: 1, maxLength: 150 },
);

function gapUs(limiter: Limiter, gap: number): Micros {
  return Math.floor((gap * limiter.windowUs) / 1_000);
}

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
          for (const { gap, cost } of asked) {
            now += gapUs(limiter, gap);
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
          for (const { gap, cost } of asked) {
            now += gapUs(limiter, gap);
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
          for (const { gap, cost } of asked) {
            now += gapUs(limiter, gap);
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
          // Looking is not without effect: the other is looked at once only, at the end.
          const twin = make();
          let now = start;
          for (const { gap, cost } of asked) {
            now += gapUs(limiter, gap);
            take(limiter, now, cost);
            take(twin, now, cost);
          }
          const resetUs = limiter.resetUs(now, 0);
          if (twin.remaining(now + resetUs, 0) !== limiter.limit) return false;
          if (resetUs === 0 || isJoint) return true;
          return limiter.remaining(now + resetUs - 1, 0) < limiter.limit;
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
            for (const [caller, pauseUs] of asked) {
              now += pauseUs;
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
          for (const { gap, cost } of asked) {
            now += gapUs(used, gap);
            take(used, now, cost);
          }
          used.clear(0);
          for (const { gap, cost } of asked) {
            now += gapUs(used, gap);
            if (take(used, now, cost) !== take(fresh, now, cost)) return false;
          }
          return true;
        }),
      );
    });
  });
}
