import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Finding, HuntReport } from '../run/api.ts';
import { goingOn, huntExitCode } from './commands/hunt.ts';
import { renderHunt } from './render-hunt.ts';

const quiet: HuntReport = {
  version: '0.1.0',
  design: 'shop',
  seedFirst: 1,
  seedCount: 20,
  seedsDone: 20,
  violatedCount: 0,
  unknownCount: 0,
  violatedSeeds: [],
  unknownSeeds: [],
  simulatedSeconds: 400,
  wallSeconds: 2,
  ended: 'seeds',
  findings: [],
};

const finding: Finding = {
  design: 'shop',
  designPath: 'shop.ts',
  seed: 7,
  forUs: 20_000_000,
  invariant: 'no loss',
  detail: 'one is missing',
  counterexample: [],
  faults: ['kill links/1 at 1s, restart after 500ms'],
  faultCountBefore: 3,
  isShrunk: true,
  digest: null,
};

describe('a hunt in words', () => {
  test('holds when every seed was looked at', () => {
    expect(renderHunt(quiet)).toContain('HOLDS: no seed broke anything');
    expect(huntExitCode(quiet)).toBe(0);
  });

  test('does not claim to hold when it was interrupted', () => {
    const cut: HuntReport = { ...quiet, seedsDone: 6, ended: 'interrupt' };
    expect(renderHunt(cut)).not.toContain('HOLDS');
    expect(renderHunt(cut)).toContain('Stopped after 6 of 20 seeds: it was interrupted');
    expect(huntExitCode(cut)).toBe(3);
  });

  test('says how far it came in the time that it was given', () => {
    const late: HuntReport = { ...quiet, seedsDone: 6, ended: 'time' };
    expect(renderHunt(late)).not.toContain('HOLDS');
    expect(renderHunt(late)).toContain('Stopped after 6 of 20 seeds: the minutes were over');
    expect(huntExitCode(late)).toBe(0);
    expect(huntExitCode({ ...late, seedsDone: 0 })).toBe(3);
  });

  test('says of a schedule whether fewer faults may do', () => {
    const found = (some: Partial<Finding>) =>
      renderHunt({ ...quiet, violatedCount: 1, findings: [{ ...finding, ...some }] });
    expect(found({})).toContain('1 of 3 faults are enough:');
    expect(found({ isShrunk: false })).toContain('not shrunk to the end: fewer may do:');
  });
});

test('the command that goes on takes the seeds that are left, and everything else as it was', async () => {
  const command = new Command('hunt')
    .argument('<design>')
    .option('--seed <n>', '', '1')
    .option('--seeds <n>', '', '1000')
    .option('--set <option>', '', (one: string, all: string[] = []) => [...all, one])
    .option('--no-shrink')
    .option('--rps <rate>', '', '50');
  await command.parseAsync(
    ['the shop.ts', '--seed', '5', '--no-shrink', '--set', 'a.b=1', '--set', 'c.d=two words'],
    { from: 'user' },
  );
  expect(goingOn('the shop.ts', command, { seedFirst: 5, seedCount: 1_000, seedsDone: 10 })).toBe(
    "loadpath hunt 'the shop.ts' --seed 15 --seeds 990 --set a.b=1 --set 'c.d=two words' --no-shrink",
  );
});
