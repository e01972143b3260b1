import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { LoadpathError } from '../../kit/errors.ts';
import { type FileVerdict, judge, parseHistory } from '../../verify/files.ts';
import { modelNames } from '../../verify/models.ts';
import { printCounterexample } from '../../verify/print.ts';
import { Given, type RawOptions } from '../options.ts';
import { ending, outStyle, print, printJson } from '../session.ts';

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('judge a recorded history: linearizable, not linearizable, or unknown')
    .description(
      "Judges a history that was recorded elsewhere: Jepsen's EDN or log, or JSON lines of\n{process, type, f, key, value, time}. A history that is not linearizable comes with the smallest\nset of operations that shows it.",
    )
    .argument('<history>', "a file; '-' for standard input")
    .option('--model <model>', `what was operated on: ${modelNames.join(', ')}`, 'register')
    .option('--format <format>', 'edn, log or json (default: what it looks like)')
    .option('--block <name>', 'which block, in a history that Loadpath recorded')
    .option('--tuples', 'values are [key value], as in independent Jepsen tests')
    .option('--steps <n>', 'give up, with unknown, after so many steps of the search')
    .option('--json', 'print the verdict as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath verify history.edn --model cas-register
  $ loadpath verify history.jsonl --model kv --json

Exit code: 0 linearizable, 1 not linearizable, 2 a mistake in the input, 3 unknown.
`,
    )
    .action(ending(verify));
}

async function verify(path: string, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const model = given.choice('model', modelNames) ?? 'register';
  const format = given.choice('format', ['edn', 'log', 'json']);
  const stepsMax = given.whole('steps', 1);
  const block = given.text('block');
  given.check();

  const recorded = parseHistory(readInput(path), {
    name: path === '-' ? 'standard input' : path,
    ...(format && { format }),
    ...(block && { block }),
    ...(given.flag('tuples') && { tuples: true }),
  });
  const verdict = judge(recorded, model, stepsMax === undefined ? {} : { stepsMax });
  if (given.flag('json')) printJson({ model, ...verdict });
  else print(renderVerdict(verdict));
  const codes = { linearizable: 0, 'not linearizable': 1, unknown: 3 } as const;
  return codes[verdict.answer];
}

function renderVerdict({ answer, detail, counterexample }: FileVerdict): string {
  const paint = {
    linearizable: outStyle.good,
    'not linearizable': outStyle.bad,
    unknown: outStyle.doubt,
  };
  const lines = [paint[answer](answer), detail];
  if (counterexample) lines.push('', printCounterexample(counterexample));
  return lines.join('\n');
}

function readInput(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadpathError('bad-input', `the history cannot be read: ${why}`, { cause: error });
  }
}
