import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LoadpathError } from '../kit/errors.ts';
import { problemViews } from './problems.ts';

const folder = mkdtempSync(join(tmpdir(), 'loadpath-problems-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function placesOf(file: string, text: string, ...places: readonly string[]) {
  const path = join(folder, file);
  writeFileSync(path, text);
  const problems = places.map((at) => ({ at, what: 'wrong' }));
  const error = new LoadpathError('bad-design', 'wrong', { problems });
  return problemViews(error, [path]).map(({ line, column }) => [line, column]);
}

test('a block and its option are found where code declares them', () => {
  const text = `import { kv, service } from 'loadpath';
const links = kv('links', {
  replicas: 4,
  read: 9,
});
const api = service("api", { replicas: 1 });
`;
  expect(placesOf('a.ts', text, 'links.read', 'links', 'api.replicas', 'links.nodes')).toEqual([
    [4, 3],
    [2, 18],
    [6, 30],
    [2, 18],
  ]);
});

test('what a compiler or a list of faults names has its line already', () => {
  const error = new LoadpathError('design-failed', 'x', {
    problems: [
      { at: 'shop/design.ts:3:7', what: 'a' },
      { at: 'shop/design.faults:2', what: 'b' },
    ],
  });
  expect(problemViews(error)).toEqual([
    { at: 'shop/design.ts:3:7', what: 'a', file: 'shop/design.ts', line: 3, column: 7 },
    { at: 'shop/design.faults:2', what: 'b', file: 'shop/design.faults', line: 2, column: 1 },
  ]);
});

test('what is nowhere to be found has no line, and an error without parts is one problem', () => {
  expect(placesOf('b.ts', 'export default 1;', 'ghost.size')).toEqual([[undefined, undefined]]);
  expect(problemViews(new LoadpathError('stuck', 'it hangs'))).toEqual([
    { at: '', what: 'it hangs' },
  ]);
});
