/** What `loadpath new` writes is used as a newcomer would: it compiles, and it holds. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { templateFiles } from '../src/cli/templates.ts';
import { type System, simulate } from '../src/index.ts';
import { root } from './checkout.ts';

const folder = join(root, '.cache', `template-${process.pid}`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the template', () => {
  test('keeps its promises while a replica is away', async () => {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'design.ts');
    writeFileSync(path, templateFiles('shop', '*')['design.ts']!);
    const loaded: { default: System } = await import(pathToFileURL(path).href);
    const report = await simulate(loaded.default, {
      seed: 1,
      for: '10s',
      faults: ['kill notes/1 at 3s, restart after 2s'],
    });
    expect(report.design).toBe('shop');
    expect(report.completed).toBeGreaterThan(1_000);
    expect(report.invariants.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect(report.availability).toBeGreaterThan(0.99);
  });
});
