import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { typescriptOf } from '../../design/typescript.ts';
import { LoadpathError, refuse } from '../../kit/errors.ts';
import { Given, type RawOptions } from '../options.ts';
import { ending, print } from '../session.ts';

export function addExport(program: Command): void {
  program
    .command('export')
    .summary('a design of data as the TypeScript that a person would write')
    .description(
      'Writes a design that is JSON as TypeScript: the same system, the same runs, ready for handlers of\nyour own in place of what is modelled.',
    )
    .argument('<design.json>', 'a design of data')
    .option('--out <file>', 'where it is written, and must not be yet (default: standard output)')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath export examples/three-tier/design.json
  $ loadpath export shop.json --out design.ts && loadpath sim design.ts
`,
    )
    .action(
      ending(async (path: string, raw: RawOptions) => {
        const code = typescriptOf(readJson(path));
        const out = new Given(raw).text('out');
        if (out === undefined) {
          print(code);
          return 0;
        }
        if (existsSync(out)) {
          refuse('bad-option', 'the command line', [
            { at: '--out', what: `${out} is there already` },
          ]);
        }
        writeFileSync(out, code);
        print(`${out} is written.`);
        return 0;
      }),
    );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadpathError('bad-input', `${path} cannot be read as JSON: ${why}`, {
      cause: error,
    });
  }
}
