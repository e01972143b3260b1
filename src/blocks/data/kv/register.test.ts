import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions, isNewer, type Version } from '../../../parts/hlc.ts';
import type { Entry } from './messages.ts';
import { Reading, Tally } from './register.ts';

const version = (at: number, count = 0, by = 'api/0#1'): Version => ({ at, count, by });
const entry = (at: number, count = 0): Entry => ({
  version: version(at, count),
  value: new Uint8Array([at]),
});

describe('a tally', () => {
  test('counts each replica once, however often it answers', () => {
    const tally = new Tally(true);
    for (const index of [0, 2, 0, 0, 2]) tally.add(index);
    expect(tally.count).toBe(2);
    expect([0, 1, 2].map((index) => tally.has(index))).toEqual([true, false, true]);
  });
});

describe('a reading', () => {
  test('knows the newest and exactly those who have it', () => {
    const reading = new Reading(true);
    reading.add(0, entry(1), null);
    reading.add(1, entry(3), null);
    reading.add(2, entry(3), null);
    expect(reading.newest).toEqual(entry(3));
    expect(reading.holders.count).toBe(2);
    expect([0, 1, 2].map((index) => reading.isBehind(index, version(3)))).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('takes a replica that has nothing for behind, and a silent one for unknown', () => {
    const reading = new Reading(true);
    reading.add(0, null, null);
    expect(reading.newest).toBeNull();
    expect(reading.isBehind(0, version(1))).toBe(true);
    expect(reading.isBehind(1, version(1))).toBe(false);
  });

  test('agrees with sorting, whatever the order of answers', () => {
    const answer = fc.tuple(fc.nat(4), fc.option(fc.nat(6)), fc.option(fc.nat(6)));
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 20 }), (answers) => {
        const reading = new Reading(true);
        const best = new Map<number, number | null>();
        let floor = 0;
        for (const [index, at, floorAt] of answers) {
          reading.add(
            index,
            at === null ? null : entry(at),
            floorAt === null ? null : version(floorAt),
          );
          floor = Math.max(floor, floorAt ?? 0);
          best.set(index, Math.max(best.get(index) ?? -1, at ?? -1));
        }
        const newest = Math.max(-1, ...[...best.values()].map((at) => at ?? -1));
        expect(reading.newest?.version.at ?? -1).toBe(newest);
        expect(reading.heard.count).toBe(best.size);
        const holders = [...best.values()].filter((at) => at === newest).length;
        expect(reading.holders.count).toBe(newest === -1 ? 0 : holders);
        const next = reading.nextVersion(7, 'api/1#2');
        expect(next.at).toBeGreaterThan(Math.max(newest, floor));
      }),
    );
  });

  test('never makes the same version for two operations or two lives', () => {
    const reading = new Reading(true);
    reading.add(0, entry(4), null);
    const versions = [
      reading.nextVersion(1, 'api/0#1'),
      reading.nextVersion(2, 'api/0#1'),
      reading.nextVersion(1, 'api/0#2'),
      reading.nextVersion(1, 'api/1#1'),
    ];
    for (const [i, a] of versions.entries()) {
      expect(isNewer(a, version(4, 99))).toBe(true);
      for (const b of versions.slice(i + 1)) expect(compareVersions(a, b)).not.toBe(0);
    }
  });
});
