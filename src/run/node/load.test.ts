import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LoadpathError as FromHere, LoadpathError } from '../../kit/errors.ts';
import type { BundleOptions } from './bundle.ts';
import { loadDesign } from './load.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'load design '));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Packages of the three kinds there are. */
const packages = {
  'node_modules/only-esm/package.json': '{"name":"only-esm","type":"module","exports":"./i.js"}',
  'node_modules/only-esm/i.js':
    'export default "esm default"; export const named = "esm named"; export let hits = 0; export function hit() { return ++hits }',
  'node_modules/old/package.json': '{"name":"old","main":"i.js"}',
  'node_modules/old/i.js': 'exports.named = "cjs named"; exports.dir = typeof __dirname;',
  'node_modules/compiled/package.json': '{"name":"compiled","main":"i.js"}',
  'node_modules/compiled/i.js':
    'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = "inner default"; exports.named = 1;',
  'node_modules/both/package.json':
    '{"name":"both","exports":{".":{"module":"./bundler.js","import":"./i.mjs","require":"./i.cjs"},"./sub":{"import":"./sub.mjs"}}}',
  'node_modules/both/i.mjs': 'export const kind = "import"',
  'node_modules/both/i.cjs': 'exports.kind = "require"',
  'node_modules/both/bundler.js': 'export const kind = "bundler"',
  'node_modules/both/sub.mjs': 'export const sub = "subpath"; export default class Sub {}',
};

async function evaluated(files: Readonly<Record<string, string>>, options?: BundleOptions) {
  put(files);
  const loaded = await loadDesign(join(folder, 'design.ts'), options);
  return loaded.evaluate();
}

async function mistake(load: () => Promise<unknown>): Promise<LoadpathError> {
  try {
    await load();
  } catch (error) {
    expect(error).toBeInstanceOf(LoadpathError);
    return error as LoadpathError;
  }
  throw new Error('it loaded');
}

/** The message with the folder's own name taken out, as a user in that folder would see it. */
function seen(error: LoadpathError): string {
  return error.message
    .replaceAll(`${relative(process.cwd(), folder)}/`, '')
    .replaceAll(`${folder}/`, '');
}

describe('packages keep the shape that Node gives them', () => {
  test('ES modules: default, named, namespace, live bindings, re-exports', async () => {
    const { default: got, exports } = await evaluated({
      ...packages,
      'design.ts': `
        import esm, { named, hits, hit } from 'only-esm'
        import * as all from 'only-esm'
        import Sub, { sub } from 'both/sub'
        export * from 'only-esm'
        export { kind } from 'both'
        hit()
        export default { esm, named, keys: Object.keys(all), live: hits === all.hits && hits > 0, sub, isClass: typeof Sub }
      `,
    });
    expect(got).toEqual({
      esm: 'esm default',
      named: 'esm named',
      keys: ['default', 'hit', 'hits', 'named'],
      live: true,
      sub: 'subpath',
      isClass: 'function',
    });
    expect(exports.kind).toBe('import');
    expect(exports.named).toBe('esm named');
  });

  test('CommonJS: the default is the whole module, also of compiled ones', async () => {
    const { default: got } = await evaluated({
      ...packages,
      'package.json': '{"type":"module"}',
      'design.ts': `
        import old, { named } from 'old'
        import compiled from 'compiled'
        import * as all from 'old'
        export default { whole: old, named, all: all.default === old, compiled }
      `,
    });
    expect(got).toEqual({
      whole: { named: 'cjs named', dir: 'string' },
      named: 'cjs named',
      all: true,
      compiled: { default: 'inner default', named: 1 },
    });
  });

  test('builtins with and without node:, JSON, require in CommonJS modules', async () => {
    const { default: got } = await evaluated({
      ...packages,
      'words.json': '["a","b"]',
      'own.cjs': 'exports.kind = require("both").kind; exports.sep = require("path").sep',
      'design.ts': `
        import { createHash } from 'node:crypto'
        import path, { join } from 'path'
        import words from './words.json'
        import own from './own.cjs'
        export default { hash: typeof createHash, same: path.join === join, words, own }
      `,
    });
    expect(got).toEqual({
      hash: 'function',
      same: true,
      words: ['a', 'b'],
      own: { kind: 'require', sep: '/' },
    });
  });

  test('import.meta is each module’s own; literal import() resolves at once', async () => {
    const { default: got } = await evaluated({
      ...packages,
      'parts/inner.ts':
        'export const url = import.meta.url; export const here = import.meta.dirname',
      'design.ts': `#!/usr/bin/env loadpath
        import { url, here } from './parts/inner'
        const lazy = import('only-esm').then((m) => m.default)
        const own = import('./parts/inner').then((m) => m.url)
        const computed = (name: string) => import(name)
        export default { url, here, mine: import.meta.filename, lazy, own, computed }
      `,
    });
    const design = got as Record<string, unknown>;
    expect(String(design.url)).toMatch(/^file:.*\/parts\/inner\.ts$/);
    expect(design.here).toBe(join(folder, 'parts'));
    expect(design.mine).toBe(join(folder, 'design.ts'));
    expect(await design.lazy).toBe('esm default');
    expect(await design.own).toBe(design.url);
    const computed = design.computed as (name: string) => Promise<unknown>;
    const refused = await mistake(() => computed('node:fs'));
    expect(refused.code).toBe('real-io');
  });

  test('loadpath is the copy that is running', async () => {
    const { default: got } = await evaluated({
      'design.ts': `import { LoadpathError } from 'loadpath'; export default LoadpathError`,
    });
    expect(got).toBe(FromHere);
  });

  test('a path alias of the user’s tsconfig is his own module', async () => {
    put({
      'tsconfig.json': '{"compilerOptions":{"paths":{"@own/*":["./src/*"]}}}',
      'src/a.ts': 'export const a = 1',
      'design.ts': `import { a } from '@own/a'; export default a`,
    });
    const loaded = await loadDesign(folder);
    expect(loaded.evaluate().default).toBe(1);
    expect(loaded.files).toEqual([join(folder, 'design.ts'), join(folder, 'src/a.ts')]);
  });
});

describe('evaluation', () => {
  const counting = {
    ...packages,
    'state.ts': 'export const state = { count: 0 }',
    'design.ts': `
      import { state } from './state'
      import { hit } from 'only-esm'
      export default () => [++state.count, hit()]
    `,
  };

  test('gives fresh state to the user’s modules and shares packages', async () => {
    put(counting);
    const loaded = await loadDesign(folder);
    const one = loaded.evaluate().default as () => number[];
    const two = loaded.evaluate().default as () => number[];
    const [, before] = one();
    expect(two()).toEqual([1, before! + 1]);
    expect(one()).toEqual([2, before! + 2]);
  });

  test('with isolatePackages gives fresh state to packages too', async () => {
    put(counting);
    const loaded = await loadDesign(folder, { isolatePackages: true });
    expect((loaded.evaluate().default as () => number[])()).toEqual([1, 1]);
    expect((loaded.evaluate().default as () => number[])()).toEqual([1, 1]);
  });

  test('a stack read later names the user’s lines, and none of ours', async () => {
    const { default: got } = await evaluated({
      'design.ts': `
        import { deep } from './deep'
        type Padding = { that: 'vanishes' }

        export default function handler(): string {
          return deep()
        }
      `,
      'deep.ts': `interface AlsoGone { a: 1 }\n\nexport function deep(): string {\n  return new Error('here').stack!\n}\n`,
    });
    const stack = (got as () => string)();
    expect(stack).toContain(`${join(folder, 'deep.ts')}:4:10`);
    expect(stack).toContain(`${join(folder, 'design.ts')}:6:18`);
    expect(stack).not.toContain('load.ts');
    expect(stack).not.toContain('bundle=');
  });

  test('the hash follows the source and not the place', async () => {
    put({ ...packages, 'design.ts': `import 'only-esm'; export default import.meta.url && 1` });
    const first = await loadDesign(folder);
    put({ 'elsewhere/design.ts': `import 'only-esm'; export default import.meta.url && 1` });
    const moved = await loadDesign(join(folder, 'elsewhere'));
    put({ 'design.ts': `import 'only-esm'; export default import.meta.url && 2` });
    const changed = await loadDesign(folder);
    expect(moved.sourceHash).toBe(first.sourceHash);
    expect(changed.sourceHash).not.toBe(first.sourceHash);
    expect(first.sourceHash).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('where a design is looked for', () => {
  test('design.ts, index.ts, or a file named as the folder', async () => {
    put({
      'a/index.ts': 'export default 1',
      'b/b.ts': 'export default 2',
      'c.ts': 'export default 3',
    });
    expect((await loadDesign(join(folder, 'a'))).evaluate().default).toBe(1);
    expect((await loadDesign(join(folder, 'b'))).evaluate().default).toBe(2);
    expect((await loadDesign(join(folder, 'c'))).evaluate().default).toBe(3);
  });

  test('a missing file and an empty folder say what to give', async () => {
    const missing = await mistake(() => loadDesign(join(folder, 'nothing.ts')));
    expect(missing.code).toBe('design-not-found');
    expect(seen(missing)).toBe(
      'No design at nothing.ts. Give a design file, or a folder with a design.ts in it.',
    );
    expect((await mistake(() => loadDesign(folder))).code).toBe('design-not-found');
  });

  test('a design of modelled parts may be JSON', async () => {
    put({ 'design.json': '{"name":"plain"}' });
    expect((await loadDesign(folder)).evaluate().default).toEqual({ name: 'plain' });
  });
});

describe('mistakes are shown where they are', () => {
  const designs: readonly (readonly [string, string, string])[] = [
    [
      'a syntax error',
      'const a = 1\nconst b = = 2\nexport default a',
      'design.ts:2:11: Unexpected "="\n  2 │ const b = = 2\n    │           ^',
    ],
    [
      'an import that does not resolve',
      `import x from 'no-such-package'\nexport default x`,
      `design.ts:1:15: cannot find 'no-such-package'. Is it installed (npm install no-such-package)?\n  1 │ import x from 'no-such-package'\n    │               ^`,
    ],
    [
      'a file that does not exist',
      `import x from './gone'\nexport default x`,
      `design.ts:1:15: cannot find './gone'. Is the path right?\n  1 │ import x from './gone'\n    │               ^`,
    ],
    [
      'an await at the top level',
      'type Gone = 1\nexport default await Promise.resolve(1)',
      'design.ts:2:16: a design cannot await at its top level, since it is evaluated again for every node. Await inside a handler or in the workload’s setup.\n  2 │ export default await Promise.resolve(1)\n    │                ^',
    ],
    [
      'a throw while loading',
      'interface Gone { a: 1 }\nconst limits: any = undefined\nexport default limits.rate',
      `design.ts:3:23: fails while loading: TypeError: Cannot read properties of undefined (reading 'rate')\n  3 │ export default limits.rate\n    │                       ^`,
    ],
  ];

  test.each(designs)('%s', async (_what, text, message) => {
    const error = await mistake(() => evaluated({ 'design.ts': text }));
    expect(error.code).toBe('design-failed');
    expect(seen(error)).toBe(message);
    expect(error.problems).toHaveLength(1);
  });

  test('all errors of a file at once', async () => {
    const error = await mistake(() =>
      evaluated({ 'design.ts': `import './one'\nimport './two'\nexport default 1` }),
    );
    expect(error.problems).toHaveLength(2);
  });

  test('no default export', async () => {
    const error = await mistake(() => evaluated({ 'design.ts': 'export const design = 1' }));
    expect(error.code).toBe('bad-design');
    expect(seen(error)).toContain('design.ts has no default export');
    const empty = await mistake(() => evaluated({ 'design.ts': '' }));
    expect(seen(empty)).toContain('design.ts has no default export');
  });

  test('what a block refuses passes unchanged', async () => {
    const error = await mistake(() =>
      evaluated({
        'design.ts': `import { LoadpathError } from 'loadpath'; throw new LoadpathError('bad-design', 'as it is')`,
      }),
    );
    expect(error.message).toBe('as it is');
  });

  test('a package that fails to load is named', async () => {
    const error = await mistake(() =>
      evaluated({
        'node_modules/broken/package.json': '{"name":"broken","type":"module","exports":"./i.js"}',
        'node_modules/broken/i.js': 'throw new Error("inside")',
        'design.ts': `import x from 'broken'; export default x`,
      }),
    );
    expect(seen(error)).toContain(`design.ts imports 'broken', which fails to load: inside`);
  });
});
