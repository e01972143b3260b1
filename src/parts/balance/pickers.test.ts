import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure } from '../../kit/config.ts';
import { seeded } from '../../kit/random.ts';
import { Balancer } from '../balance.ts';
import { BoundedHash, boundedHashKnobs, SourceHash } from './hashed.ts';
import { Latency, LeastLatency, latencyKnobs } from './latency.ts';
import { StickyCookie, StickyTable } from './sticky.ts';
import type { NamedTarget, Picker } from './target.ts';
import {
  SmoothRoundRobin,
  type TurnTarget,
  WeightedLeastRequests,
  WeightedRandom,
  WeightedTwoChoices,
} from './weighted.ts';
import { slowStart, slowStartKnobs, type WarmingTarget } from './weights.ts';
import { ZoneAware, type ZonedTarget } from './zones.ts';

type Full = NamedTarget &
  TurnTarget &
  WarmingTarget &
  ZonedTarget & { readonly latency: Latency; readonly weight: number };

const latencyConfig = { by: 'peak', decayUs: 10_000_000 } as const;

function targetsOf(weights: readonly number[], zones = 'a'): Full[] {
  return weights.map((weight, i) => ({
    id: `t${i}`,
    open: 0,
    avoidUntil: 0,
    weight,
    credit: 0,
    cameAt: 0,
    zone: zones[i % zones.length]!,
    latency: new Latency(latencyConfig),
  }));
}

const bounded = configure('b', boundedHashKnobs, {}).config;
const inner = (seed: number) => new Balancer<Full>('round-robin', seeded(seed));
const zoneOptions = { zone: 'a', callers: { a: 1, b: 1, c: 1 }, targetsMin: 1 };

const pickers: Record<string, (seed: number) => Picker<Full>> = {
  SmoothRoundRobin: (seed) => new SmoothRoundRobin(seeded(seed)),
  WeightedLeastRequests: (seed) => new WeightedLeastRequests(seeded(seed)),
  WeightedRandom: (seed) => new WeightedRandom(seeded(seed)),
  WeightedTwoChoices: (seed) => new WeightedTwoChoices(seeded(seed)),
  SourceHash: (seed) => new SourceHash(seeded(seed)),
  BoundedHash: (seed) => new BoundedHash(bounded, seeded(seed)),
  LeastLatency: (seed) => new LeastLatency(seeded(seed)),
  ZoneAware: (seed) => new ZoneAware(zoneOptions, inner(seed), seeded(seed + 1)),
  StickyCookie: (seed) => new StickyCookie(inner(seed)),
  StickyTable: (seed) => new StickyTable(inner(seed), { keysMax: 10 }),
};

describe.each(Object.entries(pickers))('%s', (_, make) => {
  test('favours no index when all are equal', () => {
    const targets = targetsOf([1, 1, 1, 1, 1]);
    const picker = make(1);
    const counts = new Map(targets.map((target) => [target, 0]));
    for (let i = 0; i < 10_000; i++) {
      const picked = picker.pick(targets, 0, undefined, `key ${i}`)!;
      counts.set(picked, counts.get(picked)! + 1);
    }
    for (const share of counts.values()) {
      expect(share).toBeGreaterThan(1_500);
      expect(share).toBeLessThan(2_500);
    }
  });

  test('picks nobody from nobody, and the only one from one, even when it is to be avoided', () => {
    const picker = make(1);
    expect(picker.pick([], 0)).toBeUndefined();
    const [only] = targetsOf([1]);
    expect(picker.pick([only!], 0, only, 'k')).toBe(only);
    only!.avoidUntil = 900;
    expect(picker.pick([only!], 0, undefined, 'k')).toBe(only);
  });

  test('passes over what is to be avoided and what has just failed, while there is another', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 1_000 }),
        (count, avoided, failed, seed) => {
          const targets = targetsOf(Array.from({ length: count }, () => 1));
          targets.forEach((target, i) => {
            if (avoided[i]) target.avoidUntil = 500;
          });
          const except = targets[failed];
          const picked = make(seed).pick(targets, 499, except, `k${seed}`)!;
          const clean = targets.some((one) => one !== except && one.avoidUntil === 0);
          if (clean) return picked !== except && picked.avoidUntil === 0;
          return count === 1 || picked !== except;
        },
      ),
    );
  });

  test('the same seed picks the same', () => {
    const run = () => {
      const targets = targetsOf([1, 2, 3, 1], 'abc');
      const picker = make(7);
      return Array.from({ length: 50 }, (_, i) => {
        const picked = picker.pick(targets, i * 1_000, undefined, `k${i % 9}`)!;
        picked.open = i % 4;
        return picked.id;
      });
    };
    expect(run()).toEqual(run());
  });
});

describe('weights', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

  test('smooth round robin gives each exactly its weight in every round', () => {
    fc.assert(
      fc.property(weights, fc.integer(), (given, seed) => {
        const targets = targetsOf(given);
        const picker = new SmoothRoundRobin<Full>(seeded(seed));
        const round = given.reduce((sum, weight) => sum + weight, 0);
        for (let rounds = 0; rounds < 3; rounds++) {
          const counts = targets.map(() => 0);
          for (let i = 0; i < round; i++) counts[targets.indexOf(picker.pick(targets, 0)!)]!++;
          if (counts.some((count, i) => count !== given[i])) return false;
          if (targets.some((target) => target.credit !== 0)) return false;
        }
        return true;
      }),
    );
  });

  test('smooth round robin spreads the heavy one out: never five times in a row of 5, 1, 1', () => {
    const targets = targetsOf([5, 1, 1]);
    const picker = new SmoothRoundRobin<Full>(seeded(3));
    let row = 0;
    let longest = 0;
    for (let i = 0; i < 70; i++) {
      row = picker.pick(targets, 0) === targets[0] ? row + 1 : 0;
      longest = Math.max(longest, row);
    }
    expect(longest).toBeLessThanOrEqual(4);
  });

  test('random picks by weight', () => {
    const targets = targetsOf([1, 3]);
    const picker = new WeightedRandom<Full>(seeded(1));
    let heavy = 0;
    for (let i = 0; i < 10_000; i++) if (picker.pick(targets, 0) === targets[1]) heavy++;
    expect(heavy).toBeGreaterThan(7_300);
    expect(heavy).toBeLessThan(7_700);
  });

  test('two choices share by weight, and pass over who is loaded', () => {
    const targets = targetsOf([1, 3]);
    const picker = new WeightedTwoChoices<Full>(seeded(1));
    let heavy = 0;
    for (let i = 0; i < 10_000; i++) {
      const picked = picker.pick(targets, 0)!;
      if (picked === targets[1]) heavy++;
      picked.open++;
      if (i % 2) for (const target of targets) target.open = 0;
    }
    expect(heavy).toBeGreaterThan(7_000);
    expect(heavy).toBeLessThan(8_500);
    targets[1]!.open = 100;
    const light = Array.from({ length: 1_000 }, () => picker.pick(targets, 0) === targets[0]);
    // Only where both draws hit the loaded one does it get another.
    expect(light.filter(Boolean).length).toBeGreaterThan(380);
  });

  test('least requests fills up in proportion to weights', () => {
    const targets = targetsOf([1, 2, 5]);
    const picker = new WeightedLeastRequests<Full>(seeded(1));
    for (let i = 0; i < 80; i++) picker.pick(targets, 0)!.open++;
    expect(targets.map((target) => target.open)).toEqual([10, 20, 50]);
  });

  test('least requests never favours the one behind a busy one', () => {
    const targets = targetsOf([1, 1, 1]);
    targets[1]!.open = 9;
    const picker = new WeightedLeastRequests<Full>(seeded(1));
    let first = 0;
    for (let i = 0; i < 10_000; i++) if (picker.pick(targets, 0) === targets[0]) first++;
    expect(first).toBeGreaterThan(4_700);
    expect(first).toBeLessThan(5_300);
  });

  test('who has just come gets little, and after the warm-up its share', () => {
    const { config } = configure('slow', slowStartKnobs, { warmup: '10s', shareMin: 0.1 });
    const targets = targetsOf([1, 1]).map((target, i) => ({
      ...target,
      cameAt: i === 0 ? -1e12 : 0,
    }));
    const picker = new SmoothRoundRobin<Full>(seeded(1), slowStart(config));
    const share = (now: number) => {
      let count = 0;
      for (let i = 0; i < 1_000; i++) if (picker.pick(targets, now) === targets[1]) count++;
      return count / 1_000;
    };
    expect(share(0)).toBeCloseTo(0.1 / 1.1, 2);
    expect(share(5_000_000)).toBeCloseTo(0.5 / 1.5, 2);
    expect(share(10_000_000)).toBeCloseTo(0.5, 2);
  });
});

describe('by key', () => {
  const keys = Array.from({ length: 5_000 }, (_, i) => `user ${i}`);
  const homes = (picker: Picker<Full>, targets: readonly Full[]) =>
    keys.map((key) => picker.pick(targets, 0, undefined, key)!.id);

  test.each(['SourceHash', 'BoundedHash'])('%s: who leaves moves only its own keys', (name) => {
    const picker = pickers[name]!(1);
    const targets = targetsOf([1, 1, 1, 1, 1, 1]);
    const before = homes(picker, targets);
    const after = homes(
      picker,
      targets.filter((target) => target.id !== 't3'),
    );
    keys.forEach((_, i) => {
      if (before[i] !== 't3') expect(after[i]).toBe(before[i]);
    });
    expect(homes(pickers[name]!(99), targets)).toEqual(before);
  });

  test('a bounded hash loads nobody beyond its bound, however hot one key is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 50 })), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.1, 0.25, 1),
        (asked, overload) => {
          const targets = targetsOf([1, 1, 1, 1, 1]);
          const picker = new BoundedHash<Full>({ overload, tokens: 64 }, seeded(1));
          asked.forEach((key, i) => {
            picker.pick(targets, 0, undefined, `k${key}`)!.open++;
            const openMax = Math.ceil(((1 + overload) * (i + 1)) / 5);
            for (const target of targets) expect(target.open).toBeLessThanOrEqual(openMax);
          });
        },
      ),
    );
  });

  test('a bounded hash keeps keys at home while load is even', () => {
    const targets = targetsOf([1, 1, 1]);
    const picker = new BoundedHash<Full>(bounded, seeded(1));
    const home = picker.pick(targets, 0, undefined, 'k')!;
    for (const target of targets) target.open = 20;
    expect(picker.pick(targets, 0, undefined, 'k')).toBe(home);
  });
});

describe('by latency', () => {
  const slowAmong = (by: 'peak' | 'mean', now: number, told: readonly [number, number][]) => {
    const latency = new Latency({ by, decayUs: 1_000_000 });
    for (const [at, tookUs] of told) latency.observe(at, tookUs);
    return latency.at(now);
  };

  test('a peak is believed at once and forgotten slowly; a mean moves halfway', () => {
    const told: [number, number][] = [
      [0, 1_000],
      [693_147, 9_000],
    ];
    expect(slowAmong('peak', 693_147, told)).toBe(9_000);
    expect(slowAmong('mean', 693_147, told)).toBeCloseTo(5_000, -1);
    const calm: [number, number][] = [...told, [1_386_294, 1_000]];
    expect(slowAmong('peak', 1_386_294, calm)).toBeCloseTo(5_000, -1);
  });

  test('a slow target gets little, and is tried again when nothing was heard for long', () => {
    const targets = targetsOf([1, 1, 1, 1]);
    const picker = new LeastLatency<Full>(seeded(1));
    for (const target of targets) target.latency.observe(0, target === targets[2] ? 90_000 : 5_000);
    let slow = 0;
    for (let i = 0; i < 1_000; i++) if (picker.pick(targets, 0) === targets[2]) slow++;
    expect(slow).toBe(0);
    for (const target of targets)
      if (target !== targets[2]) target.latency.observe(60_000_000, 5_000);
    for (let i = 0; i < 1_000; i++) if (picker.pick(targets, 60_000_000) === targets[2]) slow++;
    expect(slow).toBeGreaterThan(300);
  });

  test('what never answered gets one request at a time', () => {
    const targets = targetsOf([1, 1]);
    targets[0]!.latency.observe(0, 5_000);
    targets[1]!.open = 1;
    const picker = new LeastLatency<Full>(seeded(1));
    for (let i = 0; i < 50; i++) expect(picker.pick(targets, 0)).toBe(targets[0]);
  });

  test('its knobs are what it takes', () => {
    expect(configure('l', latencyKnobs, { by: 'mean' }).config).toEqual({
      by: 'mean',
      decayUs: 10_000_000,
    });
  });
});

describe('by zone', () => {
  test('every target gets its fair share, and no more crosses than must', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
        fc.integer({ min: 1, max: 1_000 }),
        (callersIn, targetsIn, seed) => {
          const zones = ['a', 'b', 'c'];
          const layout = targetsIn.map((count, i) => zones[i]!.repeat(count)).join('');
          const targets = targetsOf(
            Array.from(layout, () => 1),
            layout,
          );
          const callers = Object.fromEntries(zones.map((zone, i) => [zone, callersIn[i]!]));
          const counts = new Map(targets.map((target) => [target, 0]));
          const each = 1_500;
          let crossed = 0;
          let total = 0;
          for (const [z, zone] of zones.entries()) {
            for (let caller = 0; caller < callersIn[z]!; caller++) {
              const picker = new ZoneAware<Full>(
                { zone, callers, targetsMin: 1 },
                inner(seed + caller),
                seeded(seed + 10 * z + caller),
              );
              for (let i = 0; i < each; i++) {
                const picked = picker.pick(targets, 0)!;
                counts.set(picked, counts.get(picked)! + 1);
                total++;
                if (picked.zone !== zone) crossed++;
              }
            }
          }
          const fair = total / targets.length;
          for (const count of counts.values()) {
            expect(Math.abs(count - fair) / fair).toBeLessThan(0.2);
          }
          const callerCount = callersIn.reduce((sum, count) => sum + count, 0);
          const surplus = zones.reduce(
            (sum, _, z) =>
              sum + Math.max(0, callersIn[z]! / callerCount - targetsIn[z]! / targets.length),
            0,
          );
          expect(Math.abs(crossed / total - surplus)).toBeLessThan(0.03);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('a zone without a usable target sends everything to the others', () => {
    const targets = targetsOf([1, 1, 1], 'abc');
    targets[0]!.avoidUntil = 100;
    const picker = pickers.ZoneAware!(1);
    const picked = new Set(Array.from({ length: 50 }, () => picker.pick(targets, 0)!.zone));
    expect([...picked].sort()).toEqual(['b', 'c']);
  });

  test('with few targets zones do not matter', () => {
    const targets = targetsOf([1, 1], 'ab');
    const picker = new ZoneAware<Full>({ ...zoneOptions, targetsMin: 6 }, inner(1), seeded(2));
    const picked = new Set(Array.from({ length: 50 }, () => picker.pick(targets, 0)!.zone));
    expect(picked.size).toBe(2);
  });
});

describe('sticky', () => {
  test('a table keeps a key where it was until that target is gone, then somewhere else', () => {
    const targets = targetsOf([1, 1, 1, 1]);
    const picker = new StickyTable(inner(1), { keysMax: 100 });
    const home = picker.pick(targets, 0, undefined, 'alice')!;
    for (let i = 0; i < 20; i++) {
      picker.pick(targets, 0, undefined, `other ${i}`);
      expect(picker.pick(targets, 0, undefined, 'alice')).toBe(home);
    }
    const rest = targets.filter((target) => target !== home);
    const next = picker.pick(rest, 0, undefined, 'alice')!;
    expect(rest).toContain(next);
    expect(picker.pick(targets, 0, undefined, 'alice')).toBe(next);
  });

  test('a cookie that names nobody is served by anybody', () => {
    const targets = targetsOf([1, 1]);
    expect(targets).toContain(pickers.StickyCookie!(1).pick(targets, 0, undefined, 'gone'));
  });
});
