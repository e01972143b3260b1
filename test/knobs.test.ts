/**
 * The knob tables in the blocks' pages are generated. `npm run rewrite` brings them up to date;
 * this test says when they are not. A page marks the place:
 *
 *   <!-- knobs: retryKnobs -->
 *   | option | …
 *   <!-- /knobs -->
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isKnobs, knobTable } from '../src/design/knobs.ts';
import { exists, files, read, root } from './checkout.ts';

/** The one table that is no block's: its page stands in the handbook. */
const policies = 'src/path/policy.ts';

const rewriting = process.env.REWRITE === '1';
const configs = files.filter(
  (path) => path === policies || /^src\/blocks\/[^/]+\/[^/]+\/config\.ts$/.test(path),
);

describe('knob tables in the pages of blocks', () => {
  test.each(configs)('%s is told as it is', async (config) => {
    const page =
      config === policies ? 'docs/policies.md' : config.replace('config.ts', 'README.md');
    expect(exists(page), `${page} is missing`).toBe(true);
    const exported: Record<string, unknown> = await import(pathToFileURL(join(root, config)).href);
    const before = read(page);
    let text = before;
    for (const [name, knobs] of Object.entries(exported)) {
      if (isKnobs(knobs)) text = withTable(text, name, knobTable(knobs));
    }
    if (rewriting && text !== before) writeFileSync(join(root, page), text);
    expect(rewriting || before === text, `${page} is stale: run \`npm run rewrite\``).toBe(true);
  });
});

function withTable(text: string, name: string, table: string): string {
  const marked = `<!-- knobs: ${name} -->\n${table}\n<!-- /knobs -->`;
  const place = new RegExp(`<!-- knobs: ${name} -->[\\s\\S]*?<!-- /knobs -->`);
  if (place.test(text)) return text.replace(place, () => marked);
  const heading = text.includes('## Options') ? '' : '\n## Options\n';
  return `${text.trimEnd()}\n${heading}\n${marked}\n`;
}
