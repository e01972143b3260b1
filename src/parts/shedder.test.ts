import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { seeded } from '../kit/random.ts';
import { Shedder, shedderKnobs } from './shedder.ts';

function shedderOf(options: OptionsOf<typeof shedderKnobs>): Shedder {
  const { config, problems } = configure('shed', shedderKnobs, options);
  expect(problems).toEqual([]);
  return new Shedder(config);
}

/** One server that does a request a millisecond, offered `load` times that, levels in equal parts. */
function serve(shedder: Shedder, load: number, forUs: number, from = 0) {
  const random = seeded(7);
  const queue: number[] = [];
  const admitted = [0, 0, 0, 0];
  const arrived = [0, 0, 0, 0];
  const waits: number[] = [];
  let owed = 0;
  for (let now = from; now < from + forUs; now += 1_000) {
    for (owed += load; owed >= 1; owed--) {
      const level = random.below(4);
      const isAdmitted = shedder.admit(now, level, random.next());
      if (isAdmitted) queue.push(now);
      if (now - from < forUs / 2) continue;
      arrived[level]!++;
      if (isAdmitted) admitted[level]!++;
    }
    const next = queue.shift();
    if (next === undefined) continue;
    shedder.started(now, now - next);
    if (now - from >= forUs / 2) waits.push(now - next);
  }
  waits.sort((a, b) => a - b);
  const shares = admitted.map((count, level) => count / arrived[level]!);
  return { shares, medianWaitUs: waits[waits.length >> 1]!, doneCount: waits.length };
}

describe('a shedder', () => {
  test('admits everything while nobody waits for long', () => {
    const { shares } = serve(shedderOf({}), 0.9, 20_000_000);
    expect(shares).toEqual([1, 1, 1, 1]);
  });

  test('at twice what can be done refuses the least important half, and answers stay quick', () => {
    const { shares, medianWaitUs, doneCount } = serve(shedderOf({}), 2, 60_000_000);
    expect(shares[0]).toBe(1);
    expect(shares[1]).toBeGreaterThan(0.75);
    expect(shares[2]).toBeLessThan(0.25);
    expect(shares[3]).toBe(0);
    expect(medianWaitUs).toBeLessThan(200_000);
    // Nothing that could be done is left undone for long.
    expect(doneCount).toBeGreaterThan(0.95 * 30_000);
  });

  test('without it the same load waits for seconds', () => {
    const open = shedderOf({ target: '1000s' });
    expect(serve(open, 2, 60_000_000).medianWaitUs).toBeGreaterThan(10_000_000);
  });

  test('lets everybody in again when the load is gone', () => {
    const shedder = shedderOf({});
    serve(shedder, 3, 30_000_000);
    expect(shedder.threshold).toBeLessThan(2);
    serve(shedder, 0.5, 60_000_000, 30_000_000);
    expect(shedder.threshold).toBe(4);
  });

  test('forgets while nobody comes: after a quiet night everybody is let in', () => {
    const shedder = shedderOf({});
    serve(shedder, 3, 30_000_000);
    shedder.admit(40_000_000, 3, 0.5);
    expect(shedder.threshold).toBeLessThan(4);
    expect(shedder.admit(3_600_000_000, 3, 0.99)).toBe(true);
  });

  test('a user is either served or not: ranks below the threshold pass, always', () => {
    const shedder = shedderOf({ levels: 1 });
    for (let now = 0; now < 3_000_000; now += 1_000) {
      shedder.admit(now, 0, (now / 1_000 / 128) % 1);
      shedder.started(now, 90_000);
    }
    const at = 3_000_000;
    const served = Array.from({ length: 100 }, (_, i) => shedder.admit(at, 0, i / 100));
    expect(served.indexOf(false)).toBe(served.lastIndexOf(true) + 1);
    expect(served[0]).toBe(true);
    expect(served[99]).toBe(false);
  });

  test('a line that stands still is one that is too long, although nobody reports a wait', () => {
    const shedder = shedderOf({ levels: 1 });
    for (let now = 0; now < 2_000_000; now += 1_000) shedder.admit(now, 0, (now / 7_000) % 1);
    expect(shedder.threshold).toBeLessThan(0.8);
  });
});
