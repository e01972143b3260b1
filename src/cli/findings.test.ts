import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../run/api.ts';
import { FindingFiles, findingIn } from './findings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'findings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const finding: Finding = {
  design: 'shop',
  designPath: 'shop.ts',
  seed: 7,
  forUs: 20_000_000,
  invariant: 'links is linearizable',
  detail: 'nobody wrote that',
  counterexample: [],
  faults: ['kill links/1 at 1s, restart after 500ms', 'surge 2x at 3s for 1s'],
  faultCountBefore: 2,
  isShrunk: false,
  digest: null,
};

describe('files of findings', () => {
  test('two invariants of one seed are two files', () => {
    const files = new FindingFiles(folder);
    const paths = [files.save(finding), files.save({ ...finding, invariant: 'no loss' })];
    expect(paths).toEqual([
      join(folder, 'shop-7-links-is-linearizable.json'),
      join(folder, 'shop-7-no-loss.json'),
    ]);
    expect(paths.map((path) => findingIn(path)?.invariant)).toEqual([
      'links is linearizable',
      'no loss',
    ]);
  });

  test('what was shrunk takes the place of what was drawn', () => {
    const files = new FindingFiles(folder);
    const path = files.save(finding);
    const shrunk = { ...finding, faults: finding.faults.slice(0, 1), isShrunk: true };
    expect(files.save(shrunk)).toBe(path);
    expect(readdirSync(folder)).toHaveLength(1);
    expect(findingIn(files.pathOf(shrunk)!)).toMatchObject({ isShrunk: true });
  });

  test('a later hunt overwrites what it finds again, and nothing else', () => {
    const shrunk = { ...finding, faults: finding.faults.slice(0, 1), isShrunk: true };
    const hunt = (other: Partial<Finding>) => {
      const files = new FindingFiles(folder);
      files.save({ ...finding, ...other });
      return files.save({ ...shrunk, ...other });
    };
    const first = hunt({});
    const before = readFileSync(first, 'utf8');
    expect(hunt({})).toBe(first);
    expect(hunt({ forUs: 5_000_000 })).toBe(join(folder, 'shop-7-links-is-linearizable-2.json'));
    expect(hunt({ set: { 'links.replicas': 5 } })).toContain('-3.json');
    expect(readFileSync(first, 'utf8')).toBe(before);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  test('a folder that is none is a mistake before anything runs', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => new FindingFiles(file)).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringContaining(file) }),
    );
  });
});

describe('a finding that is read', () => {
  function written(value: unknown): string {
    const path = join(folder, 'found.json');
    writeFileSync(path, JSON.stringify(value));
    return path;
  }

  test('finds its design from any folder', () => {
    const designPath = join(folder, 'shop.ts');
    writeFileSync(designPath, '');
    const path = new FindingFiles(join(folder, 'deep/down')).save({ ...finding, designPath });
    expect(JSON.parse(readFileSync(path, 'utf8')).designPath).toBe('../../shop.ts');
    expect(findingIn(path)?.designPath).toBe(designPath);
  });

  test('may be a design of data, which is none', () => {
    expect(findingIn(written({ blocks: [], entry: 'api' }))).toBeUndefined();
    expect(findingIn('design.ts')).toBeUndefined();
  });

  test('is told every mistake in it', () => {
    const path = written({ ...finding, seed: 1.5, forUs: -5, faults: [1], set: [], ratePerSec: 0 });
    expect(() => findingIn(path)).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        problems: [
          { at: 'seed', what: 'must be a whole number, at least 0; got 1.5' },
          { at: 'forUs', what: 'must be a whole number of microseconds, at least 1; got -5' },
          expect.objectContaining({ at: 'ratePerSec' }),
          expect.objectContaining({ at: 'set' }),
          expect.objectContaining({ at: 'faults' }),
        ],
      }),
    );
    expect(() => findingIn(written([]))).toThrow(/designPath: must be .*; it is missing/);
  });
});
