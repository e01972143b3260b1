import { describe, expect, test } from 'vitest';
import type { Fault } from '../host/fault.ts';
import type { Finding, HuntProgress } from './api.ts';
import type { Attempt, Attempted } from './attempt.ts';
import { type Hunting, hunt } from './hunt.ts';

const kill: Fault = { do: 'kill', target: { node: 'links/1' }, atUs: 1_000_000, forUs: 500_000 };
const surge: Fault = { do: 'surge', factor: 2, atUs: 3_000_000, forUs: 500_000 };
const drawn: readonly Fault[] = [kill, surge, { ...surge, atUs: 5_000_000 }];

/** A system that breaks what `breaks` says, given the seed and its faults. */
function hunting(
  breaks: (attempt: {
    readonly seed: number;
    readonly faults: readonly Fault[];
  }) => readonly string[],
  options: Partial<Hunting> = {},
): Hunting & { readonly asked: Attempt[] } {
  const asked: Attempt[] = [];
  return {
    asked,
    designPath: 'design.ts',
    seedFirst: 1,
    seedCount: 20,
    faultsMin: 3,
    findingsMax: 1,
    shrink: true,
    parallel: 1,
    clock: () => asked.length,
    stopped: () => false,
    attempt: async (attempt): Promise<Attempted> => {
      asked.push(attempt);
      const { seed, faults = drawn } = attempt;
      return {
        design: 'shop',
        seed,
        faults,
        violated: breaks({ seed, faults }).map((name) => ({
          name,
          detail: `${faults.length} faults`,
          counterexample: [],
        })),
        unknown: seed === 4 ? ['slow to judge'] : [],
        digest: `${seed} ${faults.length}`,
        simulatedSeconds: 20,
      };
    },
    ...options,
  };
}

const seventhWithKill = ({ seed, faults }: { seed: number; faults: readonly Fault[] }) =>
  seed === 7 && faults.some((fault) => fault.do === 'kill') ? ['no loss'] : [];

describe('a hunt', () => {
  test('tries seed after seed until one breaks something, and shrinks what it needed', async () => {
    const found: Finding[] = [];
    const report = await hunt(hunting(seventhWithKill, { onFinding: (one) => found.push(one) }));
    expect(report.seedsDone).toBe(7);
    expect(report.violatedSeeds).toEqual([{ seed: 7, invariants: ['no loss'] }]);
    expect(report.findings).toEqual(found);
    expect(found).toMatchObject([
      {
        seed: 7,
        invariant: 'no loss',
        faults: ['kill links/1 at 1s, restart after 500ms'],
        faultCountBefore: 3,
        // Of the run with what is left, so that a replay can be compared.
        detail: '1 faults',
        digest: '7 1',
      },
    ]);
  });

  test('says which seeds it could not judge', async () => {
    const report = await hunt(hunting(() => []));
    expect(report.seedsDone).toBe(20);
    expect(report.unknownCount).toBe(1);
    expect(report.unknownSeeds).toEqual([{ seed: 4, invariants: ['slow to judge'] }]);
    expect(report.simulatedSeconds).toBe(400);
  });

  test('leaves a schedule as it was drawn when it is not to shrink', async () => {
    const options = hunting(seventhWithKill, { shrink: false });
    const report = await hunt(options);
    expect(report.findings[0]?.faults.length).toBe(3);
    expect(options.asked.length).toBe(7);
  });

  test('tells each broken invariant once, and counts every seed that broke it', async () => {
    const both = ({ seed }: { seed: number }) =>
      seed % 2 === 0 ? ['even'] : seed === 9 ? ['nine'] : [];
    const report = await hunt(hunting(both, { findingsMax: 5, shrink: false }));
    expect(report.findings.map(({ invariant }) => invariant)).toEqual(['even', 'nine']);
    expect(report.violatedCount).toBe(11);
    expect(report.seedsDone).toBe(20);
  });

  test('ends when its time is over, or when it is told to', async () => {
    const late = await hunt(hunting(() => [], { wallMaxUs: 5_000 }));
    expect(late).toMatchObject({ seedsDone: 6, seedFirst: 1, seedCount: 20, ended: 'time' });
    let asked = 0;
    const stopped = await hunt(hunting(() => [], { stopped: () => ++asked > 3 }));
    expect(stopped).toMatchObject({ seedsDone: 3, ended: 'interrupt' });
  });

  test('says what ended it', async () => {
    expect(await hunt(hunting(() => []))).toMatchObject({ seedsDone: 20, ended: 'seeds' });
    expect(await hunt(hunting(seventhWithKill))).toMatchObject({ seedsDone: 7, ended: 'findings' });
  });

  test('says of a finding whether shrinking came to its end', async () => {
    const whole = await hunt(hunting(seventhWithKill));
    expect(whole.findings).toMatchObject([{ isShrunk: true }]);
    const drawnOnly = await hunt(hunting(seventhWithKill, { shrink: false }));
    expect(drawnOnly.findings).toMatchObject([{ isShrunk: false }]);
    const { asked, ...options } = hunting(seventhWithKill);
    const stopped = await hunt({ ...options, stopped: () => asked.length > 8 });
    expect(stopped.findings).toMatchObject([{ isShrunk: false, faultCountBefore: 3 }]);
  });

  test('finds the same whichever of several threads ends first', async () => {
    const both = ({ seed }: { seed: number }) =>
      seed === 3 ? ['three'] : seed > 3 ? ['more', 'three'] : [];
    for (const findingsMax of [1, 2]) {
      const { attempt, ...options } = hunting(both, { findingsMax, shrink: false, parallel: 4 });
      // Each later seed overtakes those before it.
      const overtaking = async (asked: Attempt): Promise<Attempted> => {
        for (let turns = 100 - 4 * asked.seed; turns > 0; turns--) await Promise.resolve();
        return attempt(asked);
      };
      const report = await hunt({ ...options, attempt: overtaking });
      expect(report.findings.map(({ seed, invariant }) => [seed, invariant])).toEqual(
        [
          [3, 'three'],
          [4, 'more'],
        ].slice(0, findingsMax),
      );
      expect(report.seedsDone).toBe(2 + findingsMax);
      expect(report.violatedSeeds.map(({ seed }) => seed)).toEqual([3, 4].slice(0, findingsMax));
    }
  });

  test('runs as many seeds at once as it may, each of them once', async () => {
    const options = hunting(() => [], { parallel: 4 });
    await hunt(options);
    expect(options.asked.map(({ seed }) => seed).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test('says how far it is, while it shrinks too', async () => {
    const told: HuntProgress[] = [];
    await hunt(hunting(seventhWithKill, { onProgress: (progress) => told.push(progress) }));
    expect(told.filter(({ shrinking }) => !shrinking).map(({ seedsDone }) => seedsDone)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(told.some(({ shrinking }) => shrinking?.seed === 7)).toBe(true);
  });
});
