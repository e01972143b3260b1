/**
 * The labs: what each one claims is measured again, in small; pages and pictures are what the
 * recorded runs make of them. `npm run rewrite` makes the pages anew, `loadpath lab run all --record`
 * the records.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LabRecord } from '../src/run/labs/lab.ts';
import {
  allPages,
  listLabs,
  loadLab,
  pagesFolder,
  recordText,
  writePages,
} from '../src/run/node/labs.ts';
import { exists, read } from './checkout.ts';
import { inTurn } from './turns.ts';

const labs = listLabs();
const rewriting = process.env.REWRITE === '1';

describe('every lab', () => {
  test('has been recorded', () => {
    expect(labs.length).toBeGreaterThan(0);
    expect(labs.filter(({ record }) => !record).map(({ id }) => id)).toEqual([]);
  });

  test('settles claims that no other one settles', () => {
    const claims = labs.flatMap(({ record }) => record!.claims);
    expect(claims.filter((claim, index) => claims.indexOf(claim) !== index)).toEqual([]);
  });

  // Those in which chance plays no part take no time. `npm run prove` runs all of them in full.
  const long = labs.filter(({ record }) => record!.seedCount > 0);
  const today = [...labs.filter((lab) => !long.includes(lab)), ...inTurn(long)];

  test.each(today.map(({ id, path, record }) => [id, path, record!] as const))(
    '%s comes to its recorded verdict again',
    async (id, path, record) => {
      const lab = await loadLab(path);
      expect(lab.id).toBe(id);
      const again = await lab.run(false);
      expect(again.verdict, again.why).toBe(record.verdict);
      // Without chance it is the same to the last digit.
      if (lab.isExact) expect(recordText(again)).toBe(recordText(record));
    },
    180_000,
  );
});

describe('docs/labs', () => {
  test('holds the pages and pictures that the recorded runs make, and no other', () => {
    if (rewriting) writePages();
    const pages = allPages();
    const stale = pages.filter(({ name, text }) => {
      const path = `docs/labs/${name}`;
      return !exists(path) || read(path) !== text;
    });
    expect(
      stale.map(({ name }) => name),
      'run `npm run rewrite`',
    ).toEqual([]);
    expect(readdirSync(pagesFolder).sort()).toEqual(pages.map(({ name }) => name).sort());
  });

  test('has a measured number in the reason of every verdict', () => {
    const records = labs.map(({ record }) => record!) as readonly LabRecord[];
    expect(records.filter(({ why }) => !/\d/.test(why)).map(({ id }) => id)).toEqual([]);
  });
});
