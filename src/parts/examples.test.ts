/**
 * The examples in the comments of the parts are run: what stands behind an arrow is what comes out.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isTest, read, root, sources } from '../../test/checkout.ts';

const folder = join(root, '.cache', `examples-${process.pid}`);
beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = sources('src/parts')
  .filter((path) => !isTest(path))
  .flatMap((path) => examplesOf(read(path)).map((code, index) => ({ path, index, code })));

/** What stands between fences in comments. */
function examplesOf(text: string): string[] {
  return [...text.matchAll(/^ \* ```ts\n([\s\S]*?)^ \* ```$/gm)].map((match) =>
    match[1]!.replace(/^ \* ?/gm, ''),
  );
}

/** `statement; // → value` asks that the statement's value is that, whichever line the arrow is on. */
function withExpectations(code: string): string {
  return code
    .replace(/;\s*\/\/ → (.*)$/gm, ' ;;→ $1')
    .replace(/^(.*) ;;→ (.*)$/gm, 'expect($1).toEqual($2);')
    .replaceAll(/from 'loadpath\/parts\/(.*)'/g, `from '${root}/src/parts/$1.ts'`);
}

describe('examples in comments', () => {
  test('are there', () => expect(examples.length).toBeGreaterThan(25));

  test.each(examples)('$path, number $index, does what it says', async ({ path, index, code }) => {
    expect(code).toContain('→');
    const file = join(folder, `${path.replaceAll('/', '-')}-${index}.ts`);
    writeFileSync(
      file,
      `import { expect } from 'vitest';\n${withExpectations(code)}\nexport {};\n`,
    );
    await import(pathToFileURL(file).href);
  });
});
