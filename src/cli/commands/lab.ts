import type { Command } from 'commander';
import type { LabRecord } from '../../run/labs/lab.ts';
import { isSurprise, verdictWords } from '../../run/labs/page.ts';
import type { LabRun, ListedLab } from '../../run/node/labs.ts';
import { seconds } from '../figures.ts';
import { Given, type RawOptions } from '../options.ts';
import { ending, interruptible, outStyle, print, printJson, screen } from '../session.ts';
import { type Style, table, wrap } from '../style.ts';

export function addLab(program: Command): void {
  program
    .command('lab')
    .summary('experiments that settle claims about system design: list them, run them')
    .description(
      "Lists the labs: each settles one claim by measuring, and its verdict is worked out from what was\nmeasured. With 'run', runs them again, several at once. A verdict other than expected is a finding.",
    )
    .argument('[run]', "'run', or nothing to list them")
    .argument('[labs...]', "ids, 'all', or files with labs of your own")
    .option('--small', 'fewer seeds and shorter runs: for a quick look')
    .option('--jobs <n>', 'labs at once (default: one a core)')
    .option('--record', 'keep what came out, and write the pages of docs/labs anew')
    .option('--json', 'print what came out as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath lab
  $ loadpath lab run lab-fixed-boundary
  $ loadpath lab run all --jobs 2 --json

Exit code: 0 every verdict is the expected one, 1 at least one is not, 2 a mistake in the input.
`,
    )
    .action(ending(lab));
}

async function lab(verb: string | undefined, names: string[], raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const workers = given.whole('jobs', 1, 64);
  if (verb !== undefined && verb !== 'run') {
    given.problem('run', `there is 'loadpath lab' and 'loadpath lab run <id…>', not '${verb}'`);
  } else if (verb === 'run' && names.length === 0) {
    given.problem('run', "needs labs to run: ids, or 'all'");
  }
  if (given.flag('record') && given.flag('small')) {
    given.problem('record', 'keeps full runs only; leave out --small');
  }
  given.check();
  // Only now: the help must not wait for a compiler.
  const { chosenLabs, keepRecord, listLabs, runLabs, writePages } = await import(
    '../../run/node/labs.ts'
  );
  if (verb === undefined) {
    const labs = listLabs();
    if (given.flag('json')) printJson(labs.map(({ id, record }) => record ?? { id }));
    else print(renderList(labs, outStyle));
    return 0;
  }
  const chosen = chosenLabs(names);
  const going = new Set<string>();
  let endedCount = 0;
  const tell = () =>
    screen.status(`lab · ${endedCount} of ${chosen.length} · ${[...going].join(', ')}`);
  const runs = await interruptible((signal) =>
    runLabs(
      chosen,
      { isFull: !given.flag('small'), workers },
      {
        signal,
        onStart: ({ id }) => {
          going.add(id);
          tell();
        },
        onEnd: ({ id }, run) => {
          going.delete(id);
          endedCount++;
          if (!given.flag('json')) screen.line(renderRun(run, screen.style));
          tell();
        },
      },
    ),
  );
  screen.clear();
  const surprises = runs.filter(({ record }) => isSurprise(record));
  if (given.flag('record')) {
    for (const { record } of runs) keepRecord(record);
    writePages();
  }
  if (given.flag('json')) printJson(runs);
  else print(renderEnd(runs, surprises, outStyle));
  return surprises.length > 0 || runs.length < chosen.length ? 1 : 0;
}

function paintOf({ verdict }: LabRecord, style: Style): (text: string) => string {
  if (verdict === 'true') return style.good;
  return verdict === 'false' ? style.bad : style.doubt;
}

function renderList(labs: readonly ListedLab[], style: Style): string {
  if (labs.length === 0) return 'There are no labs here.';
  const rows = labs.map(({ id, record }) => [
    style.strong(id),
    record ? paintOf(record, style)(verdictWords[record.verdict]) : style.dim('never recorded'),
    record?.claim ?? '',
  ]);
  return [
    ...table(rows),
    '',
    style.dim(`${labs.length} labs · loadpath lab run <id> runs one, docs/labs/ has their pages`),
  ].join('\n');
}

function renderRun({ record, wallSeconds }: LabRun, style: Style): string {
  const { id, verdict, expected, claim, why } = record;
  const indent = '    ';
  const surprise = isSurprise(record)
    ? [style.bad(`${indent}FINDING: expected was '${verdictWords[expected]}'`)]
    : [];
  return [
    `${style.strong(id)} ${paintOf(record, style)(verdictWords[verdict])} ${style.dim(seconds(wallSeconds))}`,
    wrap(`${indent}“${claim}”`, 98, indent),
    wrap(`${indent}${why}`, 98, indent),
    ...surprise,
  ].join('\n');
}

function renderEnd(runs: readonly LabRun[], surprises: readonly LabRun[], style: Style): string {
  const total = `${runs.length} ${runs.length === 1 ? 'lab' : 'labs'}`;
  if (surprises.length === 0) return `${total}: every verdict is the expected one`;
  const names = surprises.map(({ record }) => record.id).join(', ');
  return style.bad(`${total}, of which ${surprises.length} came out other than expected: ${names}`);
}
