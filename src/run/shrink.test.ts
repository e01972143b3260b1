import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shrink } from './shrink.ts';

interface Entry {
  readonly id: number;
  readonly length: number;
}

function entries(count: number, length = 1): Entry[] {
  return Array.from({ length: count }, (_, id) => ({ id, length }));
}

function has(candidate: readonly Entry[], ids: readonly number[]): boolean {
  return ids.every((id) => candidate.some((entry) => entry.id === id));
}

describe('shrink', () => {
  it('leaves exactly the culprits, wherever they stand', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.nat(199), { minLength: 1, maxLength: 4 }),
        async (count, picks) => {
          const culprits = [...new Set(picks.map((pick) => pick % count))];
          const { schedule } = await shrink(entries(count), (candidate) =>
            has(candidate, culprits),
          );
          expect(schedule.map((entry) => entry.id)).toEqual([...culprits].sort((a, b) => a - b));
        },
      ),
    );
  });

  it('never answers with what does not fail, and nothing in the answer can go', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(29), { minLength: 1, maxLength: 3 }), {
          minLength: 1,
          maxLength: 3,
        }),
        async (reasons) => {
          // Fails for any of several reasons, each of which needs some entries together.
          const fails = (candidate: readonly Entry[]): boolean =>
            reasons.some((reason) => has(candidate, reason));
          const { schedule } = await shrink(entries(30), fails);
          expect(fails(schedule)).toBe(true);
          for (let i = 0; i < schedule.length; i++) {
            expect(fails(schedule.filter((_, at) => at !== i))).toBe(false);
          }
        },
      ),
    );
  });

  it('finds one or two culprits among a thousand in few attempts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.nat(999), async (one, other) => {
        const single = await shrink(entries(1_000), (candidate) => has(candidate, [one]));
        expect(single.schedule.length).toBe(1);
        expect(single.attempts).toBeLessThanOrEqual(40);
        const pair = await shrink(entries(1_000), (candidate) => has(candidate, [one, other]));
        expect(pair.schedule.length).toBe(one === other ? 1 : 2);
        expect(pair.attempts).toBeLessThanOrEqual(100);
      }),
      { numRuns: 200 },
    );
  });

  it('answers with nothing when it fails without any entry', async () => {
    expect((await shrink(entries(50), () => true)).schedule).toEqual([]);
  });

  it('makes each entry that is left as simple as it may be', async () => {
    const halves = (entry: Entry): Entry[] =>
      entry.length > 1
        ? [
            { ...entry, length: Math.floor(entry.length / 2) },
            { ...entry, length: entry.length - 1 },
          ]
        : [];
    const fails = (candidate: readonly Entry[]): boolean =>
      candidate.some((entry) => entry.id === 7 && entry.length >= 13) &&
      candidate.some((entry) => entry.id === 3);
    const { schedule } = await shrink(entries(40, 100), fails, halves);
    expect(schedule).toEqual([
      { id: 3, length: 1 },
      { id: 7, length: 13 },
    ]);
  });

  it('stops at the limit with the best so far, and tries nothing twice', async () => {
    const seen = new Set<string>();
    let calls = 0;
    const fails = (candidate: readonly Entry[]): boolean => {
      const name = candidate.map((entry) => entry.id).join(' ');
      expect(seen.has(name)).toBe(false);
      seen.add(name);
      calls++;
      return has(candidate, [1, 40, 41, 90]);
    };
    const { schedule, attempts } = await shrink(entries(100), fails, undefined, {
      attemptsMax: 10,
    });
    expect(attempts).toBe(10);
    expect(calls).toBe(10);
    expect(has(schedule, [1, 40, 41, 90])).toBe(true);
  });

  it('says how far it is after each attempt', async () => {
    const lengths: number[] = [];
    const { attempts } = await shrink(
      entries(64),
      async (candidate) => has(candidate, [5]),
      undefined,
      { onProgress: ({ length }) => lengths.push(length) },
    );
    expect(lengths.length).toBe(attempts);
    expect(lengths.at(-1)).toBe(1);
  });
});
