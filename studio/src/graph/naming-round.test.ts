import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Known, NamingRound } from './naming-round.ts';
import type { Target } from './targets.ts';

const knownAs = (figures: unknown) => ({ design: {}, figures: () => figures }) as unknown as Known;
const targets = Array.from({ length: 40 }, (_none, index) => ({
  key: `node ${index}`,
})) as unknown as Target[];

const names = new Map<string, unknown>();
const round = () =>
  new NamingRound(({ key }, { figures }) => {
    names.set(key, figures());
  });
const namedAs = (figures: unknown) => [...names.values()].filter((name) => name === figures).length;

beforeEach(() => {
  names.clear();
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

test('what is new is named at once', () => {
  round().follow(targets, knownAs('first'));
  expect(namedAs('first')).toBe(40);
});

test('all are named after the last change, though no other follows; then it rests', () => {
  const naming = round();
  naming.follow(targets, knownAs('first'));
  naming.follow(targets, knownAs('last'));
  expect(namedAs('last')).toBe(0);
  vi.advanceTimersByTime(50);
  expect(namedAs('last')).toBe(6);
  vi.advanceTimersByTime(1_000);
  expect(namedAs('last')).toBe(40);
  expect(vi.getTimerCount()).toBe(0);
});

test('a change with every frame keeps no name back', () => {
  const naming = round();
  naming.follow(targets, knownAs(0));
  for (let frame = 1; frame <= 60; frame++) {
    naming.follow(targets, knownAs(frame));
    vi.advanceTimersByTime(16);
  }
  expect(namedAs(0)).toBe(0);
  naming.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('fewer things than before are named all the same, and none at all', () => {
  const naming = round();
  naming.follow(targets, knownAs('many'));
  vi.advanceTimersByTime(50);
  names.clear();
  naming.follow(targets.slice(0, 3), knownAs('few'));
  expect(namedAs('few')).toBe(3);
  naming.follow([], knownAs('none'));
  vi.advanceTimersByTime(1_000);
  expect(namedAs('none')).toBe(0);
});
