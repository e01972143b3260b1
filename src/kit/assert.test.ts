import { expect, test } from 'vitest';
import { assert, BrokenInvariant, unreachable } from './assert.ts';

test('a claim that holds passes, one that does not throws its words', () => {
  assert(true, 'fine');
  expect(() => assert(0, 'nobody counts below one')).toThrow(BrokenInvariant);
  expect(() => assert(0, 'nobody counts below one')).toThrow(
    'broken invariant: nobody counts below one',
  );
});

test('a case that cannot be says which value it was', () => {
  expect(() => unreachable({ type: 'new' } as never)).toThrow('no case for {"type":"new"}');
});
