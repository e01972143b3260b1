import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { refuse } from '../../kit/errors.ts';
import { version } from '../../run/version.ts';
import { ending, print } from '../session.ts';
import { templateFiles } from '../templates.ts';

export function addNew(program: Command): void {
  program
    .command('new')
    .summary('start a design: a folder with a system that runs, and a test')
    .description(
      'Writes a folder with a small system that runs, its test and a page on what to try.',
    )
    .argument('<folder>', 'is made, and must be empty when it is there')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath new shop
  $ loadpath sim shop
`,
    )
    .action(ending(create));
}

async function create(folder: string): Promise<number> {
  const name = basename(resolve(folder));
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    refuse('bad-option', 'the command line', [
      { at: folder, what: 'a name has small letters, digits and dashes, and begins with a letter' },
    ]);
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    refuse('bad-option', 'the command line', [
      { at: folder, what: 'is not empty; nothing was written' },
    ]);
  }
  try {
    make(resolve(folder));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    refuse('bad-option', 'the command line', [{ at: folder, what: `cannot be made: ${why}` }]);
  }
  for (const [file, content] of Object.entries(templateFiles(name, wayToLoadpath(folder)))) {
    writeFileSync(join(folder, file), content);
  }
  print(
    `${folder} is ready. Try\n\n  npx loadpath sim ${folder}\n  npx loadpath sim ${folder} --fault 'kill notes/1 at 10s, restart after 5s'`,
  );
  return 0;
}

/** Step by step: Node's own `recursive` never returns where folders look as if they could be made and cannot, as in /proc. */
function make(folder: string): void {
  if (existsSync(folder)) return;
  make(dirname(folder));
  mkdirSync(folder);
}

/** The version that runs now; from a checkout, which no registry has, the way to it. */
function wayToLoadpath(folder: string): string {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  if (root.split(sep).includes('node_modules')) return `^${version}`;
  return `file:${relative(resolve(folder), root) || '.'}`;
}
