import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Finding, HuntOptions, HuntProgress, HuntReport } from '../../run/api.ts';
import { count, digits, seconds } from '../figures.ts';
import { Given, type RawOptions } from '../options.ts';
import {
  ending,
  interruptible,
  loadRunner,
  outStyle,
  print,
  printJson,
  screen,
  tellStall,
} from '../session.ts';
import { cut, wrap } from '../style.ts';
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
    .option('--findings <n>', 'stop after this many seeds that break something', '1')
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

async function hunt(design: string, raw: RawOptions): Promise<number> {
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
      onStall: tellStall,
      onProgress: (progress) => screen.status(progressText(progress)),
      onFinding: (finding) => screen.line(`seed ${finding.seed} breaks ${finding.invariant}`),
    }),
  );
  const files = report.findings.map((finding) => save(folder, finding));
  if (given.flag('json')) printJson(report);
  else print(renderHunt(report, files));
  if (report.violatedCount > 0) return 1;
  return report.unknownCount > 0 ? 3 : 0;
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

export function renderHunt(report: HuntReport, files: readonly string[]): string {
  const { seedsDone, violatedCount, unknownCount, wallSeconds, simulatedSeconds } = report;
  const style = outStyle;
  const speed = wallSeconds > 0 ? (seedsDone / wallSeconds) * 60 : 0;
  const lines = [
    `${style.strong(report.design)} ${style.dim(
      `hunt · ${count(seedsDone)} seeds · ${seconds(simulatedSeconds)} simulated in ${seconds(wallSeconds)} · ${digits(speed)} seeds a minute`,
    )}`,
  ];
  if (violatedCount > 0) lines.push(style.bad(`VIOLATED by ${count(violatedCount)} seeds`));
  else if (unknownCount > 0) lines.push(style.doubt('UNKNOWN: nothing broke, as far as is known'));
  else lines.push(style.good('HOLDS: no seed broke anything'));
  if (unknownCount > 0) lines.push(`${count(unknownCount)} seeds without a verdict`);
  for (const [index, finding] of report.findings.entries()) {
    lines.push('', ...findingLines(finding, files[index]));
  }
  return lines.join('\n');
}

function findingLines(finding: Finding, file: string | undefined): string[] {
  const { seed, invariant, detail, faults, faultCountBefore, counterexample } = finding;
  const shrunk =
    faults.length === faultCountBefore
      ? `${faults.length} faults`
      : `${faults.length} of ${faultCountBefore} faults are enough`;
  return [
    outStyle.strong(`Seed ${seed} breaks ${invariant}`),
    ...wrap(detail, 98)
      .split('\n')
      .map((line) => `  ${line}`),
    `  ${faults.length === 0 ? 'No fault is needed' : `${shrunk}:`}`,
    ...faults.map((fault) => `    ${fault}`),
    ...(counterexample.length > 0 ? ['  Smallest history that shows it:'] : []),
    ...counterexample.slice(0, 30).map((line) => `    ${cut(line, 96)}`),
    ...(file === undefined ? [] : [`  Replay: loadpath replay ${file}`]),
  ];
}
