import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, HybridClock, isNewer, type Version } from './hlc.ts';

test('versions of one clock grow, whatever the wall clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), (walls) => {
      const clock = new HybridClock('api/0#1');
      let last: Version | undefined;
      for (const wall of walls) {
        const version = clock.next(wall);
        expect(isNewer(version, last)).toBe(true);
        last = version;
      }
    }),
  );
});

test('what follows an observed version is above it, even on a clock that is behind', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.nat(5), (ahead, behind, count) => {
      const seen = { at: ahead, count, by: 'b#1' };
      const clock = new HybridClock('a#1');
      clock.observe(seen);
      expect(isNewer(clock.next(behind), seen)).toBe(true);
    }),
  );
});

test('time stays that of the wall clock while nobody is ahead', () => {
  const clock = new HybridClock('a#1');
  expect(clock.next(10)).toEqual({ at: 10, count: 0, by: 'a#1' });
  expect(clock.next(10)).toEqual({ at: 10, count: 1, by: 'a#1' });
  expect(clock.next(11)).toEqual({ at: 11, count: 0, by: 'a#1' });
});

test('the order is total: two lives of one writer never make equal versions', () => {
  const first = new HybridClock('a#1').next(5);
  const second = new HybridClock('a#2').next(5);
  expect(compareVersions(first, second)).toBeLessThan(0);
  expect(compareVersions(second, first)).toBeGreaterThan(0);
  expect(compareVersions(first, { ...first })).toBe(0);
  expect(isNewer(first, undefined)).toBe(true);
});
