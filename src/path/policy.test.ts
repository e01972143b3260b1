import { describe, expect, test } from 'vitest';
import { pathPolicy } from './policy.ts';

describe('the policy of a path', () => {
  test('tries once unless it is told to retry', () => {
    expect(pathPolicy('api.policy', {}).policy).toMatchObject({
      attempts: 1,
      timeoutUs: 1_000_000,
      attemptTimeoutUs: 1_000_000,
      balance: 'least-requests',
    });
    expect(pathPolicy('api.policy', { retry: {} }).policy).toMatchObject({
      attempts: 2,
      attemptTimeoutUs: 500_000,
    });
  });

  test('says everything that is wrong with it and its retries', () => {
    const wrong = { timeout: '0ms', balanse: 'random', retry: { attempts: 0, budgets: 1 } };
    expect(pathPolicy('api.policy', wrong as object).problems.map(({ at }) => at)).toEqual([
      'api.policy.balanse',
      'api.policy.timeout',
      'api.policy.retry.budgets',
      'api.policy.retry.attempts',
    ]);
  });

  test('refuses an attempt that may take longer than the whole', () => {
    const { problems } = pathPolicy('api.policy', { timeout: '1s', attemptTimeout: '2s' });
    expect(problems.map(({ at }) => at)).toEqual(['api.policy.attemptTimeout']);
  });
});
