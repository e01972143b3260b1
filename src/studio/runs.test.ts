import { expect, test } from 'vitest';
import { LoadpathError } from '../kit/errors.ts';
import { failureOf } from './runs.ts';

test('a worker that had no memory left is told as what to do', () => {
  const failure = failureOf(
    new Error('Worker terminated due to reaching memory limit: JS heap out of memory'),
  );
  expect(failure).toMatchObject({ code: 'out-of-memory' });
  expect(failure.message).toContain('shorter time');
});

test('a worker that was ended from outside is told as broken off', () => {
  expect(failureOf(new Error('a simulation worker ended with code 1'))).toMatchObject({
    code: 'broken-off',
  });
});

test('a mistake is told as it is', () => {
  expect(failureOf(new LoadpathError('bad-option', 'no such option'))).toMatchObject({
    code: 'bad-option',
    message: 'no such option',
  });
});
