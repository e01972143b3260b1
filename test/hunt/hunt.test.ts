/**
 * The hunt, held to mistakes that we planted: each passes every run without faults, is found by
 * the profile that hunts everything else, and comes back as a schedule that a person can read.
 */
import { describe, expect, test } from 'vitest';
import { parseFaults } from '../../src/design/faults.ts';
import { namesIn } from '../../src/design/system.ts';
import { inTurn } from '../turns.ts';
import { attemptHere, huntHere } from './here.ts';
import { keepsakeWritesUs, planted, register, tickets } from './testdata/planted.ts';

/** Of load, each seed. */
const forUs = keepsakeWritesUs;
const calm = { forUs, faultsMin: 0, faultsMax: 0, faults: [] };

describe.each(inTurn(planted))('$name: $mistake', ({ broken, sound, breaks, seedsMax }) => {
  test('passes ten seeds without faults', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { violated, unknown } = await attemptHere(broken, { ...calm, seed });
      expect({ seed, violated, unknown }).toEqual({ seed, violated: [], unknown: [] });
    }
  });

  test(`is found within ${seedsMax} seeds, and five faults or fewer are enough`, async () => {
    const report = await huntHere(broken, { seeds: seedsMax, forUs });
    const finding = report.findings[0];
    expect(breaks).toContain(finding?.invariant);
    expect(finding!.faults.length).toBeGreaterThan(0);
    expect(finding!.faults.length).toBeLessThanOrEqual(5);

    // What was printed replays as it was found.
    const faults = parseFaults(finding!.faults, namesIn(broken));
    const again = await attemptHere(broken, { ...calm, seed: finding!.seed, faults });
    expect(again.violated.map(({ name }) => name)).toContain(finding!.invariant);
    expect(again.digest).toBe(finding!.digest);
  });

  test('is what the hunt finds: the sound block survives the same seeds', async () => {
    const report = await huntHere(sound, { seeds: Math.min(seedsMax, 40), forUs, shrink: false });
    expect(report.findings).toEqual([]);
    expect(report.unknownSeeds).toEqual([]);
  });
});

test('200 faults around one mistake shrink to five or fewer', async () => {
  const { broken, breaks } = planted.find(({ name }) => name === 'idsToldFirst')!;
  const report = await huntHere(broken, { seeds: 40, forUs: 20_000_000, faultsMin: 200 });
  const finding = report.findings[0];
  expect(breaks).toContain(finding?.invariant);
  expect(finding!.faultCountBefore).toBeGreaterThanOrEqual(200);
  expect(finding!.faults.length).toBeGreaterThan(0);
  expect(finding!.faults.length).toBeLessThanOrEqual(5);
});

test('a quorum is not an atomic register: the hunt shows a history that no order explains', async () => {
  const report = await huntHere(register(undefined, { consistency: 'quorum' }), {
    seeds: 100,
    forUs,
  });
  const finding = report.findings[0];
  expect(finding?.invariant).toBe('cells is linearizable');
  expect(finding!.faults.length).toBeLessThanOrEqual(5);
  expect(finding!.counterexample.join('\n')).toMatch(/put|get/);
  // The same as data: JSON, with the operation that nothing explains.
  const { evidence } = finding!;
  expect(evidence!.operations[evidence!.culprit]!.what).toMatch(/put|get|cas/);
  expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
});

test('a longer hunt of what is sound finds nothing, and decides everything', async () => {
  const report = await huntHere(tickets(), { seeds: 100, forUs, shrink: false });
  expect(report.seedsDone).toBe(100);
  expect(report.violatedSeeds).toEqual([]);
  expect(report.unknownSeeds).toEqual([]);
});
