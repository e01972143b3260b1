import { expect, test } from 'vitest';
import { spread } from './placement.ts';

const zones = ['a', 'b', 'c'].map((name) => ({ name, region: 'home' }));

test('members go round the zones, so that no zone has two more than another', () => {
  expect(spread('links', 5, zones)).toEqual([
    { id: 'links/0', zone: 'a' },
    { id: 'links/1', zone: 'b' },
    { id: 'links/2', zone: 'c' },
    { id: 'links/3', zone: 'a' },
    { id: 'links/4', zone: 'b' },
  ]);
});

test('nobody is nowhere', () => {
  expect(spread('links', 0, zones)).toEqual([]);
});
