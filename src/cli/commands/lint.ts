import type { Command } from 'commander';
import { type LintFinding, lint } from '../../design/lint.ts';
import { Given, type RawOptions } from '../options.ts';
import { ending, loadRunner, outStyle, print, printJson } from '../session.ts';
import { wrap } from '../style.ts';

export function addLint(program: Command): void {
  program
    .command('lint')
    .summary('read a design without running it, for what will hurt')
    .description(
      'Reads a design without running it: single points of failure, calls without timeouts, retries that\nmultiply or repeat what must not be repeated, quorums that do not overlap, unbounded queues.',
    )
    .argument('<design>', 'a design file, or a folder with a design.ts')
    .option('--strict', 'warnings count as errors')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath lint examples/shortener
  $ loadpath lint design.ts --strict --json

Exit code: 0 no errors, 1 errors (with --strict also warnings), 2 a mistake in the input.
`,
    )
    .action(
      ending(async (design: string, raw: RawOptions) => {
        const given = new Given(raw);
        const runner = await loadRunner();
        const view = await runner.inspect(design);
        const findings = lint(view);
        if (given.flag('json')) printJson({ design: view.design, findings });
        else print(renderLint(view.design, findings));
        const grave = findings.filter(
          ({ severity }) =>
            severity === 'error' || (severity === 'warning' && given.flag('strict')),
        );
        return grave.length > 0 ? 1 : 0;
      }),
    );
}

function renderLint(design: string, findings: readonly LintFinding[]): string {
  if (findings.length === 0) return `${design}: nothing to say`;
  const paint = { error: outStyle.bad, warning: outStyle.doubt, notice: outStyle.dim };
  const lines = findings.flatMap((finding) => {
    const { severity, block, option, what, why, todo, rule } = finding;
    const indent = '    ';
    return [
      `${paint[severity](severity)} ${outStyle.strong(`${block}.${option}`)} ${outStyle.dim(rule)}`,
      ...wrap(`${indent}${what}`, 98, indent).split('\n'),
      ...wrap(`${indent}because ${why}`, 98, indent).split('\n'),
      ...wrap(`${indent}better: ${todo}`, 98, indent).split('\n'),
    ];
  });
  const errorCount = findings.filter((one) => one.severity === 'error').length;
  const warningCount = findings.filter((one) => one.severity === 'warning').length;
  const noticeCount = findings.length - errorCount - warningCount;
  lines.push(
    '',
    `${design}: ${errorCount} errors, ${warningCount} warnings, ${noticeCount} notices`,
  );
  return lines.join('\n');
}
