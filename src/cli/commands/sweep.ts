import type { Command } from 'commander';
import type { SweepOptions } from '../../run/api.ts';
import { achieves } from '../../run/knee.ts';
import type { Estimate } from '../../run/summary.ts';
import type { SweepPoint, SweepReport } from '../../run/sweep.ts';
import { count, ms, percent, perSec } from '../figures.ts';
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
import { type Style, table, wrap } from '../style.ts';
import {
  faultHelp,
  isolateGiven,
  isolateOption,
  loadGiven,
  withLoadOptions,
} from './load-options.ts';

export function addSweep(program: Command): void {
  withLoadOptions(
    program
      .command('sweep')
      .summary('one option over a range of values: the curve, and where it bends')
      .description(
        'Simulates a design at each value of one option, with the same seeds, and draws p99 and throughput\nagainst it. The knee is the last value at which 99 % of what is offered is served and p99 is at most\nthree times that at the good end of the curve.',
      )
      .argument('<design>', 'a design file, or a folder with a design.ts'),
  )
    .requiredOption('--over <option>', "'rate', or an option such as api.instances")
    .requiredOption(
      '--values <values>',
      "'1..8', '100/s..1000/s step 100/s', '10ms..640ms x2', 'a, b'",
    )
    .option('--seeds <k>', 'seeds at each value, for intervals', '3')
    .option('--jobs <n>', 'simulations at once (default: one a core)')
    .option(...isolateOption)
    .option('--json', 'print the sweep as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath sweep examples/shortener --over rate --values '500/s..4000/s step 500/s'
  $ loadpath sweep design.ts --over api.instances --values 1..8 --seeds 5 --rps 900
  $ loadpath sweep design.ts --over edge.policy.timeout --values '20ms..640ms x2' --fault 'slow links/1 by 10x at 5s'
${faultHelp}
Exit code: 0 when it ran, whatever the curve says; 2 a mistake in the input.
`,
    )
    .action(ending(sweep));
}

async function sweep(design: string, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const options: SweepOptions = {
    ...loadGiven(given, raw),
    over: given.text('over') ?? '',
    values: given.text('values') ?? '',
    seedCount: given.whole('seeds', 1, 10_000) ?? 3,
    workers: given.whole('jobs', 1, 1_024),
    isolatePackages: isolateGiven(given),
  };
  given.check();
  const runner = await loadRunner();
  let isStopped = false;
  const report = await interruptible(async (signal) => {
    const made = await runner.sweep(design, options, {
      signal,
      onStall: tellStall,
      onPoint: (point) => screen.line(pointText(options.over, point)),
      onProgress: ({ runsDone, runCount }) =>
        screen.status(`sweep · ${count(runsDone)} of ${count(runCount)} runs`),
    });
    isStopped = signal.aborted;
    return made;
  });
  screen.clear();
  if (given.flag('json')) printJson(report);
  else print(renderSweep(report, outStyle));
  if (isStopped) screen.line('Stopped early: these are the runs that had ended.');
  return 0;
}

function pointText(over: string, { value, latencyMs, throughputPerSec }: SweepPoint): string {
  return `${over} ${value}: ${perSec(throughputPerSec.mean)}, p99 ${ms(latencyMs.p99.mean)}`;
}

const barWidth = 24;
const servedWidth = 10;

export function renderSweep({ over, points, knee }: SweepReport, style: Style): string {
  const seeds = Math.max(0, ...points.map(({ seedCount }) => seedCount));
  const title = `${style.strong(over)} ${style.dim(
    `sweep · ${points.length} ${points.length === 1 ? 'value' : 'values'} · ${seeds} ${seeds === 1 ? 'seed' : 'seeds'} each`,
  )}`;
  if (points.length === 0) return `${title}\nNo run has ended.`;
  const p99Max = Math.max(...points.map(({ latencyMs }) => latencyMs.p99.mean));
  const achievedMax = Math.max(...points.map(({ offeredPerSec }) => offeredPerSec));
  const head = ['', over, 'offered', 'served', 'p99', '', '', 'busiest'];
  const rows = points.map((point) => [
    point.value === knee?.value ? style.good('▶') : ' ',
    point.value,
    perSec(point.offeredPerSec),
    perSec(point.throughputPerSec.mean),
    withInterval(point.latencyMs.p99, ms),
    bar(point.latencyMs.p99.mean, p99Max, barWidth),
    servedBar(point, achievedMax, style),
    `${point.busiest} ${percent(point.utilisation.mean)}`,
  ]);
  const right = [false, true, true, true, true];
  return [
    title,
    '',
    ...table([head.map(style.dim), ...rows], right),
    '',
    ...wrap(kneeText(over, points, knee), 98).split('\n'),
  ].join('\n');
}

function kneeText(over: string, points: readonly SweepPoint[], knee: SweepReport['knee']): string {
  if (knee) return `Knee at ${over} ${knee.value}: ${knee.why}.`;
  if (points.length < 3) return 'Too few values for a knee.';
  const isServed = points.some((one) => achieves(one));
  return isServed
    ? 'No knee: p99 stays within three times its best, and what is offered is served.'
    : 'No knee: at none of these values is what is offered served.';
}

function withInterval({ mean, plusMinus }: Estimate, show: (value: number) => string): string {
  return plusMinus === null ? show(mean) : `${show(mean)} ±${show(plusMinus)}`;
}

/** Eighths of a column: small differences show. */
function bar(value: number, max: number, width: number): string {
  const eighths = max > 0 ? Math.round((value / max) * width * 8) : 0;
  const rest = ' ▏▎▍▌▋▊▉'[eighths % 8]!.trim();
  return '█'.repeat(Math.floor(eighths / 8)) + rest;
}

/** What is offered and not served stays light. */
function servedBar(point: SweepPoint, max: number, style: Style): string {
  const columns = (value: number) => (max > 0 ? Math.round((value / max) * servedWidth) : 0);
  const offered = columns(point.offeredPerSec);
  const served = Math.min(offered, columns(point.throughputPerSec.mean));
  return '█'.repeat(served) + style.bad('░'.repeat(offered - served));
}
