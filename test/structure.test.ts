/** Lint, explain and estimate on a real design: what they read from it is what it says. */
import { describe, expect, test } from 'vitest';
import design from '../examples/shortener/design.ts';
import { inputOf } from '../src/design/estimate.ts';
import { explain } from '../src/design/explain.ts';
import { lint } from '../src/design/lint.ts';
import { structureOf } from '../src/design/structure.ts';
import { gateway, service, system } from '../src/index.ts';

const view = structureOf(design);

describe('the shortener, unrun', () => {
  test('has its blocks where the plan puts them', () => {
    const links = view.blocks.find(({ name }) => name === 'links');
    expect(links?.quorum).toEqual({ copies: 3, read: 2, write: 2 });
    expect(links?.nodes.map(({ zone }) => zone)).toEqual(['a', 'b', 'c']);
    expect(view.blocks.find(({ kind }) => kind === 'users')?.outside).toBe(true);
  });

  test('has a policy on every path', () => {
    const { paths } = explain(view);
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.filter(({ waitMaxUs }) => waitMaxUs === undefined)).toEqual([]);
    const edge = paths.find(({ from, to }) => from === 'edge' && to === 'api');
    expect(edge?.stages.join('\n')).toMatch(
      /limit[\s\S]*route[\s\S]*deadline[\s\S]*retry[\s\S]*balance/,
    );
  });

  test('says how fast an instance may be called, and what it takes', () => {
    const api = service('api', { limit: { rate: '50/s', burst: 5 } });
    const policy = { pace: { rate: '30/s', burst: 3 } } as const;
    const paced = system('paced', { entry: gateway('edge', { routes: { '/': api }, policy }) });
    const [path] = explain(structureOf(paced)).paths;
    const text = path?.stages.join('\n');
    expect(text).toMatch(/pace: each caller sends an instance at most 30\/s, 3 at once/);
    expect(text).toMatch(
      /at each instance: 50 every 1s from everybody, bursts of 5; beyond it 429/,
    );
  });

  test('has no error, and its single points of failure are told', () => {
    const findings = lint(view);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(
      findings.filter(({ rule }) => rule === 'single-node').map(({ block }) => block),
    ).toContain('codes');
  });

  test('gives an estimate its rate, its copies and its parts', () => {
    const input = inputOf(view);
    expect(input).toMatchObject({ ratePerSec: 500, replicas: 3 });
    expect(input.parts?.find(({ name }) => name === 'links')).toMatchObject({
      count: 3,
      needed: 2,
    });
  });
});
