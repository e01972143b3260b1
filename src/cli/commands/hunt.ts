import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Finding, HuntOptions, HuntProgress, HuntReport } from '../../run/api.ts';
import { count } from '../figures.ts';
import { Given, givenAgain, quoted, type RawOptions } from '../options.ts';
import { isCutShort, renderHunt } from '../render-hunt.ts';
import {
  ending,
  interruptible,
  loadRunner,
  outStyle,
  print,
  printJson,
  screen,
} from '../session.ts';
import { exitHelp, setOption, settingsGiven } from './load-options.ts';

export function addHunt(program: Command): void {
  program
    .command('hunt')
    .summary('look for seeds that break an invariant, and shrink what they need')
    .description(
      'Simulates seed after seed, each with a fault schedule of its own, until an invariant breaks;\nthen removes faults as long as it still breaks, and prints the shortest schedule and how to replay it.',
    )
    .argument('<design>', 'a design file, or a folder with a design.ts')
    .option('--seeds <k>', 'how many seeds', '1000')
    .option('--seed <n>', 'the first seed', '1')
    .option('--minutes <n>', 'stop after this much real time')
    .option('--for <duration>', 'virtual length of each run', '20s')
    .option('--rps <rate>', 'requests a second in each run', '50')
    .option('--faults <n>', 'at least this many faults in each schedule', '3')
    .option('--findings <n>', 'stop when this many different invariants have broken', '1')
    .option(...setOption)
    .option('--jobs <n>', 'simulations at once (default: one a core)')
    .option('--no-shrink', 'print the schedule as it was drawn')
    .option('--out <folder>', 'where findings are saved', '.loadpath/findings')
    .option('--json', 'print the hunt as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath hunt examples/shortener
  $ loadpath hunt design.ts --seeds 10000 --minutes 30
  $ loadpath hunt design.ts --set links.consistency=eventual
  $ loadpath replay .loadpath/findings/shortener-767.json
${exitHelp}`,
    )
    .action(ending(hunt));
}

async function hunt(design: string, raw: RawOptions, command: Command): Promise<number> {
  const given = new Given(raw);
  const minutes = given.number('minutes', 0.01, 100_000, 'minutes, such as 5');
  const options: HuntOptions = {
    set: settingsGiven(given),
    seedFirst: given.whole('seed') ?? 1,
    seedCount: given.whole('seeds', 1) ?? 1_000,
    wallMaxUs: minutes === undefined ? undefined : Math.round(minutes * 60e6),
    forUs: given.duration('for'),
    ratePerSec: given.rate('rps'),
    faultsMin: given.whole('faults', 0, 10_000) ?? 3,
    workers: given.whole('jobs', 1, 1_024),
    findingsMax: given.whole('findings', 1) ?? 1,
    shrink: raw.shrink !== false,
  };
  const folder = given.text('out') ?? '.loadpath/findings';
  given.check();

  const runner = await loadRunner();
  const report = await interruptible((signal) =>
    runner.hunt(design, options, {
      signal,
      onProgress: (progress) => screen.status(progressText(progress)),
      onFinding: (finding) => screen.line(`seed ${finding.seed} breaks ${finding.invariant}`),
    }),
  );
  const files = report.findings.map((finding) => save(folder, finding));
  const next = isCutShort(report) ? [`Go on: ${goingOn(design, command, report)}`] : [];
  if (given.flag('json')) {
    printJson(report);
    for (const line of next) screen.line(line);
  } else print([renderHunt(report, files, outStyle), ...next].join('\n'));
  return huntExitCode(report);
}

/**
 * That a hunt should end with the time given to it is no doubt about what it looked at; one that somebody
 * stopped did not do what it was asked for.
 */
export function huntExitCode(report: HuntReport): 0 | 1 | 3 {
  const { violatedCount, unknownCount, ended, seedsDone } = report;
  if (violatedCount > 0) return 1;
  return unknownCount > 0 || ended === 'interrupt' || seedsDone === 0 ? 3 : 0;
}

/** The same command for the seeds that are left. */
export function goingOn(
  design: string,
  command: Command,
  { seedFirst, seedCount, seedsDone }: Pick<HuntReport, 'seedFirst' | 'seedCount' | 'seedsDone'>,
): string {
  const seeds = [`--seed ${seedFirst + seedsDone}`, `--seeds ${seedCount - seedsDone}`];
  return [
    'loadpath hunt',
    quoted(design),
    ...seeds,
    ...givenAgain(command, ['seed', 'seeds']),
  ].join(' ');
}

function progressText(progress: HuntProgress): string {
  const { seedsDone, seedCount, violatedCount, unknownCount, shrinking } = progress;
  const parts = [
    `hunt · ${count(seedsDone)} of ${count(seedCount)} seeds`,
    `${count(violatedCount)} broken`,
    ...(unknownCount > 0 ? [`${count(unknownCount)} unknown`] : []),
    ...(shrinking ? [`shrinking seed ${shrinking.seed}: ${shrinking.faultCount} faults left`] : []),
  ];
  return parts.join(' · ');
}

function save(folder: string, finding: Finding): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${finding.design}-${finding.seed}.json`);
  writeFileSync(path, `${JSON.stringify(finding, null, 2)}\n`);
  return path;
}
