import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { LoadpathError } from '../../kit/errors.ts';
import {
  type Compared,
  type ComparedRow,
  type Comparison,
  compareReports,
} from '../../run/compare.ts';
import type { Estimate } from '../../run/summary.ts';
import { count, digits, ms, percent, perSec } from '../figures.ts';
import { Given, type RawOptions } from '../options.ts';
import { ending, outStyle, print, printJson } from '../session.ts';
import { type Style, table, wrap } from '../style.ts';

export function addCompare(program: Command): void {
  program
    .command('compare')
    .summary('two reports side by side: what got better or worse, as far as it can be known')
    .description(
      'Compares two files that `sim --json` wrote, one run or several seeds each. Over the same seeds\neach is compared with itself; what is claimed lies beyond its 95 % interval. Single runs have none:\ntheir differences beyond 5 % are named, as those of one seed.',
    )
    .argument('<before>', 'a report as JSON')
    .argument('<after>', 'another')
    .option('--json', 'print the comparison as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath sim design.ts --seeds 10 --json > before.json
  $ loadpath sim design.ts --seeds 10 --json --set links.replicas=5 > after.json
  $ loadpath compare before.json after.json
`,
    )
    .action(
      ending(async (before: string, after: string, raw: RawOptions) => {
        const comparison = compareReports(readReport(before), readReport(after));
        if (new Given(raw).flag('json')) printJson(comparison);
        else print(renderComparison(comparison, [before, after], outStyle));
        return 0;
      }),
    );
}

function readReport(path: string): Compared {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadpathError('bad-input', `${path} cannot be read as JSON: ${why}`, {
      cause: error,
    });
  }
  if (isCompared(value)) return value;
  throw new LoadpathError(
    'bad-input',
    `${path} is not a report of this version: write it with \`loadpath sim … --json\``,
  );
}

function isCompared(value: unknown): value is Compared {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string, type: string) => typeof Reflect.get(value, name) === type;
  const isCommon =
    has('design', 'string') &&
    has('simulatedSeconds', 'number') &&
    has('latencyMs', 'object') &&
    Array.isArray(Reflect.get(value, 'objectives')) &&
    Array.isArray(Reflect.get(value, 'invariants'));
  const isRun = has('seed', 'number') && has('blocks', 'object') && has('notes', 'object');
  return isCommon && (isRun || Array.isArray(Reflect.get(value, 'runs')));
}

export function renderComparison(
  { cautions, sentences, rows, a, b }: Comparison,
  names: readonly [string, string],
  style: Style,
): string {
  const title = a.design === b.design ? a.design : `${a.design} and ${b.design}`;
  return [
    `${style.strong(title)} ${style.dim(`compare · ${names[0]} → ${names[1]}`)}`,
    ...cautions.map((caution) => style.doubt(caution)),
    '',
    ...sentences.flatMap((sentence) => wrap(`- ${sentence}`, 98, '  ').split('\n')),
    '',
    ...rowLines(rows, style),
  ].join('\n');
}

/** Users first, then each block: figures that are the same on both sides are left out there. */
function rowLines(rows: readonly ComparedRow[], style: Style): string[] {
  const shown = rows.filter(
    ({ block, a, b, difference }) =>
      (block === null || difference !== 'same') && (a.max > 0 || b.max > 0),
  );
  const marks = {
    better: style.good('better'),
    worse: style.bad('worse'),
    changed: 'changed',
    same: style.dim('same'),
    unclear: style.dim('unclear'),
  };
  const head = ['', 'before', 'after', '', ''].map(style.dim);
  const lines = shown.map((row) => [
    row.block === null ? row.what : `${row.block}: ${row.what}`,
    figure(row.a, row.unit),
    figure(row.b, row.unit),
    changeText(row),
    marks[row.difference],
  ]);
  return table([head, ...lines], [false, true, true, true]);
}

function figure({ mean, plusMinus }: Estimate, unit: ComparedRow['unit']): string {
  const show = { ms, '/s': perSec, ratio: percent, count: mean >= 100 ? count : digits }[unit];
  // What a sum leaves behind the last digit is no spread.
  const isExact = plusMinus === null || plusMinus <= mean * 1e-9;
  return isExact ? show(mean) : `${show(mean)} ±${show(plusMinus)}`;
}

function changeText({ ratio, a, b }: ComparedRow): string {
  if (ratio === null || a.mean === b.mean) return '';
  if (ratio >= 3) return `${digits(ratio)}x`;
  const change = (ratio - 1) * 100;
  return `${change > 0 ? '+' : ''}${Math.abs(change) < 10 ? digits(change) : Math.round(change)} %`;
}
