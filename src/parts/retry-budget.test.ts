import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

describe('a retry budget', () => {
  test('when everything fails, retries add at most the ratio and the reserve', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 2_000 }),
        (percent, reserve, callCount) => {
          const budget = new RetryBudget({ ratio: percent / 100, reserve });
          let retryCount = 0;
          for (let call = 0; call < callCount; call++) {
            budget.earn();
            if (budget.spend()) retryCount++;
          }
          return retryCount <= reserve + (callCount * percent) / 100;
        },
      ),
    );
  });

  test('earns exactly the ratio: ten calls at a tenth pay for one retry', () => {
    const budget = new RetryBudget({ ratio: 0.1, reserve: 1 });
    expect(budget.spend()).toBe(true);
    for (let call = 0; call < 9; call++) budget.earn();
    expect(budget.spend()).toBe(false);
    budget.earn();
    expect(budget.spend()).toBe(true);
  });

  test('a caller with little traffic may retry as often as the reserve before it earned any', () => {
    const budget = new RetryBudget({ ratio: 0, reserve: 3 });
    expect([1, 2, 3, 4].map(() => budget.spend())).toEqual([true, true, true, false]);
  });

  test('saves up no more than the reserve, however long all went well', () => {
    const budget = new RetryBudget({ ratio: 1, reserve: 2 });
    for (let call = 0; call < 1_000; call++) budget.earn();
    expect([1, 2, 3].map(() => budget.spend())).toEqual([true, true, false]);
  });
});
