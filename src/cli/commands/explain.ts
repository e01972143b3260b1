import type { Command } from 'commander';
import { type Explanation, explain } from '../../design/explain.ts';
import { knobRows } from '../../design/knobs.ts';
import { mermaidOf } from '../../design/mermaid.ts';
import { allKnobs } from '../../design/options.ts';
import type { Block } from '../../host/declaration.ts';
import { formatBytes, formatDuration } from '../../kit/units.ts';
import { Given, type RawOptions } from '../options.ts';
import { ending, loadRunner, outStyle, print, printJson } from '../session.ts';
import { wrap } from '../style.ts';
import { setOption, settingsGiven } from './load-options.ts';

export function addExplain(program: Command): void {
  program
    .command('explain')
    .summary('the effective policy of every path of a design, or the options of a block')
    .description(
      'Prints what a design comes to after all defaults: its blocks and where they stand, and the policy\nof every path in the order that a call meets it. With the name of a block, its options.',
    )
    .argument('<design or block>', 'a design file or folder, or a kind of block such as kv')
    .option(...setOption)
    .option('--mermaid', 'print the design as a flowchart for Mermaid')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath explain examples/shortener
  $ loadpath explain examples/shortener --mermaid > docs/shortener.mmd
  $ loadpath explain kv
`,
    )
    .action(
      ending(async (subject: string, raw: RawOptions) => {
        const given = new Given(raw);
        const set = settingsGiven(given);
        if (given.flag('json') && given.flag('mermaid'))
          given.problem('mermaid', 'is no JSON: choose one');
        given.check();
        const runner = await loadRunner();
        const block = (await runner.blocks()).find(({ kind }) => kind === subject);
        if (block) {
          const { kind, family, purpose, besides = {} } = block;
          const options = knobRows(allKnobs(block));
          if (given.flag('json')) printJson({ kind, family, purpose, besides, options });
          else print(renderBlock(block));
          return 0;
        }
        const view = await runner.inspect(subject, set);
        if (given.flag('mermaid')) {
          print(mermaidOf(view));
          return 0;
        }
        const explanation = explain(view);
        if (given.flag('json')) printJson(explanation);
        else print(renderExplanation(explanation));
        return 0;
      }),
    );
}

function renderBlock(block: Block): string {
  const lines = [`${outStyle.strong(block.kind)} ${block.purpose}`];
  for (const [name, doc] of Object.entries(block.besides ?? {})) {
    lines.push('', `  ${outStyle.strong(name)}`, ...wrap(`      ${doc}`, 98, '      ').split('\n'));
  }
  for (const { name, preset, allowed, doc } of knobRows(allKnobs(block))) {
    const indent = '      ';
    const byDefault = preset === undefined ? 'none by default' : `default ${preset}`;
    lines.push('', `  ${outStyle.strong(name)}  ${byDefault}`);
    lines.push(...wrap(`${indent}${allowed}`, 98, indent).split('\n'));
    lines.push(...wrap(`${indent}${doc}`, 98, indent).split('\n'));
  }
  return lines.join('\n');
}

function renderExplanation({ design, blocks, paths, chains }: Explanation): string {
  const lines = [outStyle.strong(design)];
  for (const block of blocks) {
    lines.push('', `${outStyle.strong(block.name)} ${block.kind}, ${block.nodes}`);
    const options = Object.entries(block.config).flatMap(([name, value]) =>
      optionText(name, value),
    );
    if (options.length > 0) lines.push(...wrap(`  ${options.join(', ')}`, 98, '  ').split('\n'));
    for (const path of paths.filter((one) => one.from === block.name)) {
      const wait =
        path.waitMaxUs === undefined ? 'for ever' : `at most ${formatDuration(path.waitMaxUs)}`;
      const label = path.as === path.to ? '' : ` (${path.as})`;
      lines.push(`  → ${path.to}${label}: waits ${wait}`);
      for (const stage of path.stages)
        lines.push(...wrap(`      ${stage}`, 98, '      ').split('\n'));
    }
  }
  if (chains.length > 0) {
    lines.push('', outStyle.strong('Retries along each chain'));
    for (const { calls, attemptsMax, sustained } of chains) {
      const hops = calls.map(({ from, retry }) => `${from} ×${retry?.attempts ?? 1}`);
      const end = calls.at(-1)!.to;
      const average = Number(sustained.toPrecision(3));
      lines.push(
        `  ${hops.join(' → ')} → ${end}: one request may cause ${attemptsMax} attempts at ${end}, ${average} on average`,
      );
    }
  }
  return lines.join('\n');
}

/** As a user would write it: `timeoutUs: 250000` was `timeout: '250ms'`. */
function optionText(name: string, value: unknown): string[] {
  if (typeof value === 'number' && name.endsWith('Us')) {
    return [`${name.slice(0, -2)} ${formatDuration(value)}`];
  }
  if (typeof value === 'number' && name.endsWith('Bytes')) {
    return [`${name.slice(0, -5)} ${formatBytes(value)}`];
  }
  if (typeof value === 'string') return [`${name} ${value}`];
  return typeof value === 'number' || typeof value === 'boolean' ? [`${name} ${value}`] : [];
}
