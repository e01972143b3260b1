import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure } from '../kit/config.ts';
import { type Beat, Standby, standbyKnobs } from './standby.ts';

const options = { heartbeat: '100ms', silence: '350ms' } as const;
const { config } = configure('pair', standbyKnobs, options);
const active = (term: number, rank: number): Beat => ({
  term,
  rank,
  isActive: true,
  isLeaving: false,
});
const ms = 1_000;

describe('one that stands by', () => {
  test('takes over when nothing is heard for `silence`, and not before', () => {
    const second = new Standby(config, { rank: 1, startsAt: 0 });
    second.heard(active(1, 0), 1_000 * ms);
    expect(second.wants(1_349 * ms)).toBe(false);
    expect(second.wants(1_350 * ms)).toBe(true);
    expect(second.take()).toEqual(active(2, 1));
  });

  test('takes over at once when the active one leaves', () => {
    const second = new Standby(config, { rank: 1, startsAt: 0 });
    second.heard(active(3, 0), 1_000 * ms);
    second.heard({ ...active(3, 0), isLeaving: true }, 1_001 * ms);
    expect(second.wants(1_001 * ms)).toBe(true);
  });

  test('lets the one before it go first', () => {
    const third = new Standby(config, { rank: 2, startsAt: 0 });
    third.heard(active(1, 0), 1_000 * ms);
    expect([third.wants(1_449 * ms), third.wants(1_450 * ms)]).toEqual([false, true]);
  });

  test('goes on standing by when it comes back, unless it is to return', () => {
    const back = new Standby(config, { rank: 0, startsAt: 10_000 * ms });
    back.heard(active(2, 1), 10_300 * ms);
    expect(back.wants(10_600 * ms)).toBe(false);
    const returns = configure('pair', standbyKnobs, { ...options, whenBack: 'active' }).config;
    const eager = new Standby(returns, { rank: 0, startsAt: 10_000 * ms });
    eager.heard(active(2, 1), 10_300 * ms);
    expect([eager.wants(10_349 * ms), eager.wants(10_350 * ms)]).toEqual([false, true]);
    expect(eager.take().term).toBe(3);
  });
});

describe('one that is active', () => {
  const taken = (rank: number): Standby => {
    const one = new Standby(config, { rank, startsAt: 0 });
    one.take();
    return one;
  };

  test('gives way to a higher term, and to a lower rank in its own', () => {
    expect(taken(0).heard(active(2, 1), 0)).toBe('yield');
    expect(taken(1).heard(active(1, 0), 0)).toBe('yield');
  });

  test('insists against the others', () => {
    const first = taken(0);
    expect(first.heard(active(1, 1), 0)).toBe('insist');
    expect(first.heard(active(0, 1), 0)).toBe('insist');
    expect(first.isActive).toBe(true);
  });

  test('does not want back what it leaves', () => {
    const first = taken(0);
    expect(first.leave().isLeaving).toBe(true);
    first.heard(active(2, 1), 0);
    expect(first.wants(10_000 * ms)).toBe(false);
  });
});

test('of those that hear each other one is active soon, whatever was lost before', () => {
  const trial = fc.property(
    fc.integer({ min: 2, max: 4 }),
    fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.boolean()), { maxLength: 60 }),
    (count, heardOrLost) => {
      const all = Array.from(
        { length: count },
        (_, rank) => new Standby(config, { rank, startsAt: 0 }),
      );
      let now = 0;
      const tick = (hears: (from: number, to: number) => boolean): void => {
        now += config.heartbeatUs;
        for (const one of all) if (one.wants(now)) one.take();
        for (const [from, one] of all.entries()) {
          for (const [to, other] of all.entries()) {
            if (from !== to && hears(from, to)) other.heard(one.beat, now);
          }
        }
      };
      for (const [from, to, isHeard] of heardOrLost) {
        tick((a, b) => (a === from && b === to ? isHeard : !isHeard));
      }
      for (let i = 0; i < 12; i++) tick(() => true);
      expect(all.filter(({ isActive }) => isActive)).toHaveLength(1);
      const [winner] = all.filter(({ isActive }) => isActive);
      for (let i = 0; i < 12; i++) tick(() => true);
      expect(winner!.isActive).toBe(true);
    },
  );
  fc.assert(trial, { numRuns: 200 });
});
