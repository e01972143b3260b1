import { gateway, registry, service, system } from 'loadpath';
import { describe, expect, test } from 'vitest';
import { planted } from '../../test/hunt/testdata/planted.ts';
import { formatFault, parseFaults } from '../design/faults.ts';
import { namesIn, planOf, type System } from '../design/system.ts';
import type { Fault } from '../host/fault.ts';
import { seeded } from '../kit/random.ts';
import { drawSchedule, simpler } from './schedule.ts';

const forUs = 20_000_000;
const designs = planted.map(({ sound }) => sound);
const seeds = Array.from({ length: 300 }, (_, index) => index + 1);

function schedule(design: System, seed: number, faultsMin = 3, faultsMax = 10): readonly Fault[] {
  const random = seeded(seed).fork('schedule');
  return drawSchedule(planOf(design), random, { forUs, faultsMin, faultsMax });
}

/** All schedules of a design, one a seed. */
function schedules(design: System): readonly (readonly Fault[])[] {
  return seeds.map((seed) => schedule(design, seed));
}

describe('a drawn schedule', () => {
  test('is the same for the same seed, and another for another', () => {
    const design = designs[0]!;
    for (const seed of seeds) expect(schedule(design, seed)).toEqual(schedule(design, seed));
    const all = new Set(schedules(design).map((faults) => JSON.stringify(faults)));
    expect(all.size).toBe(seeds.length);
  });

  test('has as many faults as asked for, in the order of their times', () => {
    for (const faults of designs.flatMap(schedules)) {
      expect(faults.length).toBeGreaterThanOrEqual(3);
      expect(faults.length).toBeLessThanOrEqual(10);
      const times = faults.map(({ atUs }) => atUs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  test('asks nothing that a design does not claim to survive: no bit rots, no release shifts', () => {
    const kinds = new Set(
      designs.flatMap(schedules).flatMap((faults) => faults.map((one) => one.do)),
    );
    expect([...kinds].sort()).toEqual([
      'cut',
      'delay',
      'duplicate',
      'fail-disk',
      'fill-disk',
      'kill',
      'lose',
      'pause',
      'power-off',
      'restart',
      'skew',
      'slow',
      'surge',
    ]);
  });

  test('begins within the load, and every fault ends by itself', () => {
    for (const fault of designs.flatMap(schedules).flat()) {
      expect(fault.atUs).toBeGreaterThanOrEqual(0);
      expect(fault.atUs).toBeLessThan(forUs);
      if (fault.do === 'restart') continue;
      expect(fault.forUs).toBeGreaterThanOrEqual(500_000);
      expect(fault.forUs).toBeLessThanOrEqual(forUs / 3);
    }
  });

  test('never ends the processes of users', () => {
    for (const fault of designs.flatMap(schedules).flat()) {
      if ('target' in fault && 'node' in fault.target)
        expect(fault.target.node).not.toMatch(/^users/);
      if ('target' in fault && 'block' in fault.target)
        expect(fault.target.block).not.toBe('users');
    }
  });

  test('hurts disks of nodes that keep something', () => {
    for (const fault of designs.flatMap(schedules).flat()) {
      if (fault.do !== 'fill-disk' && fault.do !== 'fail-disk') continue;
      expect('node' in fault.target && fault.target.node).toMatch(/^(cells|parcels|numbers)\//);
    }
  });

  test('swarms: a seed leaves out most kinds, and no kind is in all seeds', () => {
    const kindsOf = schedules(designs[0]!).map(
      (faults) => new Set(faults.map((fault) => fault.do)),
    );
    const mean = kindsOf.reduce((sum, { size }) => sum + size, 0) / kindsOf.length;
    expect(mean).toBeLessThan(6);
    for (const kind of new Set(kindsOf.flatMap((kinds) => [...kinds]))) {
      const share = kindsOf.filter((kinds) => kinds.has(kind)).length / kindsOf.length;
      expect(share).toBeGreaterThan(0.05);
      expect(share).toBeLessThan(0.7);
    }
  });

  test('never multiplies without bound: two surges at once, two slow faults, even among 200', () => {
    for (const seed of seeds) {
      const faults = schedule(designs[0]!, seed, 200, 207);
      expect(faults.length).toBeGreaterThanOrEqual(200);
      for (const kind of ['surge', 'slow']) {
        const some = faults.filter((fault) => fault.do === kind);
        for (const { atUs } of some) {
          const inForce = some.filter(
            (other) => other.atUs <= atUs && other.atUs + other.forUs! > atUs,
          );
          expect(inForce.length).toBeLessThanOrEqual(2);
        }
      }
    }
  });

  test('keeps its faults when one more is asked for', () => {
    for (const seed of seeds.slice(0, 50)) {
      const few = steady(schedule(designs[0]!, seed, 6, 6));
      const more = steady(schedule(designs[0]!, seed, 7, 7));
      expect(more.filter((fault) => few.includes(fault))).toEqual(few);
    }
  });

  /** Without those that may stand in for another. */
  function steady(faults: readonly Fault[]): readonly string[] {
    return faults
      .filter((fault) => fault.do !== 'surge' && fault.do !== 'slow' && fault.do !== 'kill')
      .map(formatFault);
  }

  test('lets instances come and go where a registry tells of them, and always leaves one', () => {
    const names = registry('names');
    const api = service('api', { instances: 3, discovery: names, fetch: () => new Response() });
    const fixed = service('fixed', { instances: 3, fetch: () => new Response() });
    const design = system('moving', {
      entry: gateway('edge', { routes: { '/': api, '/f': fixed } }),
    });
    const faults = seeds.flatMap((seed) => {
      const random = seeded(seed).fork('schedule');
      const options = { forUs, faultsMin: 3, faultsMax: 10, moving: ['api'] };
      return drawSchedule(planOf(design), random, options);
    });
    const started = faults.flatMap((fault) => (fault.do === 'start' ? [fault.block] : []));
    const stopped = faults.flatMap((fault) =>
      fault.do === 'stop' && 'node' in fault.target ? [fault.target.node] : [],
    );
    expect(new Set(started)).toEqual(new Set(['api']));
    expect(new Set(stopped)).toEqual(new Set(['api/1', 'api/2']));
  });

  test('reads as sentences that mean the same faults', () => {
    for (const design of designs) {
      const names = namesIn(design);
      for (const faults of schedules(design).slice(0, 60)) {
        expect(parseFaults(faults.map(formatFault), names)).toEqual(faults);
      }
    }
  });
});

test('what the shrinker tries instead of a fault is simpler: it begins no later, ends no later', () => {
  for (const fault of designs.flatMap(schedules).flat()) {
    for (const form of simpler(fault)) {
      expect(form).not.toEqual(fault);
      expect(form.atUs).toBeLessThanOrEqual(fault.atUs);
      expect(form.forUs ?? 0).toBeLessThanOrEqual(fault.forUs ?? 0);
      expect(form.do).toBe(fault.do);
    }
  }
});
