import { describe, expect, test } from 'vitest';
import { seeded } from '../kit/random.ts';
import { Balancer, type Balancing, balancings, type Target } from './balance.ts';

interface Named extends Target {
  readonly name: string;
}

function targetsOf(count: number): Named[] {
  return Array.from({ length: count }, (_, i) => ({ name: `t${i}`, open: 0, avoidUntil: 0 }));
}

function picks(by: Balancing, targets: readonly Named[], count: number, seed = 1): number[] {
  const balancer = new Balancer<Named>(by, seeded(seed));
  const counts = targets.map(() => 0);
  for (let i = 0; i < count; i++) counts[targets.indexOf(balancer.pick(targets, 0)!)]!++;
  return counts;
}

describe.each(balancings)('%s', (by) => {
  test('favours no index when all are equal', () => {
    for (const share of picks(by, targetsOf(5), 10_000)) {
      expect(share).toBeGreaterThan(1_800);
      expect(share).toBeLessThan(2_200);
    }
  });

  test('callers who start together do not all start at the same target', () => {
    const firsts = new Set(
      Array.from({ length: 40 }, (_, seed) => picks(by, targetsOf(4), 1, seed + 1).indexOf(1)),
    );
    expect(firsts.size).toBe(4);
  });

  test('picks nobody from nobody, and the only one from one', () => {
    const balancer = new Balancer<Named>(by, seeded(1));
    expect(balancer.pick([], 0)).toBeUndefined();
    const [only] = targetsOf(1);
    expect(balancer.pick([only!], 0)).toBe(only);
  });

  test('passes over a target to be avoided until its time has come', () => {
    const targets = targetsOf(3);
    targets[1]!.avoidUntil = 500;
    const balancer = new Balancer<Named>(by, seeded(1));
    const during = new Set(Array.from({ length: 60 }, () => balancer.pick(targets, 499)!.name));
    expect([...during].sort()).toEqual(['t0', 't2']);
    const after = new Set(Array.from({ length: 60 }, () => balancer.pick(targets, 500)!.name));
    expect([...after].sort()).toEqual(['t0', 't1', 't2']);
  });

  test('a retry goes elsewhere while there is an elsewhere', () => {
    const targets = targetsOf(3);
    const [failed, other] = targets;
    const balancer = new Balancer<Named>(by, seeded(1));
    for (let i = 0; i < 60; i++) expect(balancer.pick(targets, 0, failed)).not.toBe(failed);
    expect(balancer.pick([failed!], 0, failed)).toBe(failed);
    // The other one has just refused: it may be back, the one that failed has had its chance.
    other!.avoidUntil = 500;
    for (let i = 0; i < 20; i++) expect(balancer.pick([failed!, other!], 0, failed)).toBe(other);
  });

  test('asks one that just failed when all have', () => {
    const targets = targetsOf(2);
    for (const target of targets) target.avoidUntil = 500;
    expect(new Balancer<Named>(by, seeded(1)).pick(targets, 0)).toBeDefined();
  });
});

describe('by load', () => {
  test('least-requests always takes the emptiest', () => {
    const targets = targetsOf(4);
    targets.forEach((target, i) => {
      target.open = i === 2 ? 0 : 1 + i;
    });
    expect(picks('least-requests', targets, 50)).toEqual([0, 0, 50, 0]);
  });

  test('two choices never take the fullest, whatever they draw', () => {
    const targets = targetsOf(4);
    targets[3]!.open = 9;
    expect(picks('two-choices', targets, 2_000)[3]).toBe(0);
  });

  test('two choices leave a far shorter longest queue than one random choice', () => {
    const longest = (by: Balancing) => {
      const targets = targetsOf(20);
      const random = seeded(3);
      const balancer = new Balancer<Named>(by, random.fork('pick'));
      const service = random.fork('service');
      let max = 0;
      for (let i = 0; i < 20_000; i++) {
        const target = balancer.pick(targets, 0)!;
        max = Math.max(max, ++target.open);
        // As many leave as come, from wherever there is somebody: a load just below capacity.
        const leaving = targets[service.below(targets.length)]!;
        if (leaving.open > 0) leaving.open--;
      }
      return max;
    };
    expect(longest('two-choices') * 2).toBeLessThan(longest('random'));
  });
});
