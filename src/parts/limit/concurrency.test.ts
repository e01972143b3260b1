import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConcurrencyLimiter } from './concurrency.ts';

test('never more open than may be, by a key and together, and none is lost', () => {
  const actions = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 6 })), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(actions, (steps) => {
      const limiter = new ConcurrencyLimiter({ openMax: 7, openPerKeyMax: 3, keysMax: 4 });
      const twin = new Map<string, number>();
      const total = () => [...twin.values()].reduce((sum, open) => sum + open, 0);
      for (const [enters, caller] of steps) {
        const key = `k${caller}`;
        const open = twin.get(key) ?? 0;
        if (enters) {
          const busyKeys = [...twin.values()].filter((count) => count > 0).length;
          const fits = total() < 7 && open < 3 && (open > 0 || busyKeys < 4);
          if (limiter.enter(key) !== fits) return false;
          if (fits) twin.set(key, open + 1);
        } else if (open > 0) {
          limiter.leave(key);
          twin.set(key, open - 1);
        }
        if (limiter.openCount !== total() || limiter.openBy(key) !== (twin.get(key) ?? 0)) {
          return false;
        }
      }
      return true;
    }),
  );
});

test('what never entered cannot leave', () => {
  const limiter = new ConcurrencyLimiter({ openMax: 1, openPerKeyMax: 1, keysMax: 1 });
  expect(() => limiter.leave('x')).toThrow(/only what entered leaves/);
});
