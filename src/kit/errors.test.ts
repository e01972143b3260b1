import { describe, expect, test } from 'vitest';
import { LoadpathError, refuse, Unavailable } from './errors.ts';

describe('a refusal', () => {
  test('tells all mistakes at once, and carries them as data', () => {
    const problems = [
      { at: 'links.replicas', what: 'must be a whole number from 1 to 9, got 10' },
      { at: 'edge.port', what: 'no such option' },
    ];
    let thrown: unknown;
    try {
      refuse('bad-design', 'shop', problems);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(LoadpathError);
    expect(thrown).toMatchObject({ name: 'LoadpathError', code: 'bad-design', problems });
    expect((thrown as Error).message).toBe(
      'shop has 2 mistakes:\n  links.replicas: must be a whole number from 1 to 9, got 10\n  edge.port: no such option',
    );
  });

  test('counts one mistake as one', () => {
    expect(() => refuse('bad-option', 'simulate', [{ at: 'seed', what: 'is odd' }])).toThrow(
      'simulate has one mistake:\n  seed: is odd',
    );
  });
});

describe('an unavailable block', () => {
  test('says what it could not do, why, and whether it may have happened', () => {
    expect(new Unavailable('links', 'put', 'no quorum', true).message).toBe('links.put: no quorum');
    expect(new Unavailable('links', 'put', 'timeout', false).message).toBe(
      'links.put: timeout (it may have happened)',
    );
  });

  test('is made without a stack, and leaves stacks of others alone', () => {
    const limit = Error.stackTraceLimit;
    expect(new Unavailable('links', 'get', 'timeout', false).stack).not.toContain('\n    at ');
    expect(Error.stackTraceLimit).toBe(limit);
    expect(new Error('other').stack).toContain('\n    at ');
  });

  test('answers 503, and when to come back, for a service that lets it pass', async () => {
    const response = new Unavailable('links', 'get', 'timeout', false).getResponse();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.text()).toBe('links.get: timeout (it may have happened)');
  });
});
