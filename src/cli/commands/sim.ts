import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { LoadpathError } from '../../kit/errors.ts';
import type { Runner, SimulateOptions, Watch } from '../../run/api.ts';
import { exitCode, type Report } from '../../run/report.ts';
import { summarise, summaryExitCode } from '../../run/summary.ts';
import { count } from '../figures.ts';
import { Given, type RawOptions } from '../options.ts';
import { renderReport, renderSummary } from '../render.ts';
import {
  ending,
  interruptible,
  loadRunner,
  outStyle,
  print,
  printJson,
  screen,
  watching,
} from '../session.ts';
import { rerunOnSave, type Watched } from '../watch.ts';
import {
  exitHelp,
  faultHelp,
  isolateGiven,
  isolateOption,
  loadGiven,
  probeOption,
  withLoadOptions,
} from './load-options.ts';
import { showMessages, showSlowest, tracesGiven, withTraceOptions } from './sim-traces.ts';

export function addSim(program: Command): void {
  const command = withLoadOptions(
    program
      .command('sim')
      .summary('simulate a design: minutes in seconds, and the same for the same seed')
      .description(
        'Simulates a design deterministically: virtual time, network, disks, clocks and crashes.\nReports what was measured and whether its objectives and invariants hold.',
      )
      .argument('<design>', 'a design file, or a folder with a design.ts'),
  )
    .option('--seeds <k>', 'run k seeds from --seed on, and give confidence intervals')
    .option('--jobs <n>', 'simulations at once with --seeds (default: one a core)')
    .option('--check', 'run twice, compare every message and disk write, and trace leaks')
    .option('--until <time>', 'stop at this instant of the load and report what was seen')
    .option(...probeOption)
    .option('--trace <file>', "write every event, one line each; '-' for standard output")
    .option(...isolateOption);
  withTraceOptions(command)
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'write the run as one page that opens offline: graph, charts, verdict')
    .option('--watch', 'run again when the design is saved')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath sim examples/shortener
  $ loadpath sim design.ts --for 10m --seed 7 --json
  $ loadpath sim design.ts --seeds 20
  $ loadpath sim design.ts --fault 'kill links/1 at 30s, restart after 5s'
  $ loadpath sim design.ts --set links.replicas=5 --set edge.policy.timeout=80ms
  $ loadpath sim design.ts --slowest 5
  $ loadpath sim design.ts --messages links,api/0 --from 10s --to 10100ms
  $ loadpath sim design.ts --html report.html
  $ loadpath sim design.ts --watch
${faultHelp}${exitHelp}`,
    )
    .action(ending(sim));
}

async function sim(design: string, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const options: SimulateOptions = {
    ...loadGiven(given, raw),
    check: given.flag('check'),
    probe: given.flag('probe'),
    trace: given.text('trace'),
    untilUs: given.duration('until', '10004ms'),
    isolatePackages: isolateGiven(given),
  };
  const seedCount = given.whole('seeds', 1, 100_000) ?? 1;
  const jobs = given.whole('jobs', 1, 1_024) ?? availableParallelism();
  const json = given.flag('json');
  if (json && options.trace === '-')
    given.problem('trace', 'cannot share standard output with --json');
  if (json && given.flag('watch')) given.problem('watch', 'has no use with --json');
  const html = given.text('html');
  if (html !== undefined && seedCount > 1)
    given.problem('html', 'shows one run: leave out --seeds');
  const traces = tracesGiven(given);
  if (seedCount > 1 && (traces.slowest ?? traces.query)) {
    given.problem('seeds', 'must be 1 where single requests or messages are shown');
  }
  given.check();

  const runner = await loadRunner();
  let code = 0;
  const once = async (signal: AbortSignal) => {
    const { query, slowest, mermaid } = traces;
    if (query) {
      const shape = { json, mermaid };
      return await showMessages(runner, design, options, query, shape, signal);
    }
    code =
      seedCount === 1
        ? await one(runner, design, options, signal, { json, html })
        : await many(runner, design, options, seedCount, jobs, signal, json);
    if (slowest !== undefined) await showSlowest(runner, design, options, slowest, signal);
  };
  await interruptible(async (signal) => {
    const watched: Watched = {
      design,
      sources: () => runner.sources(design),
      check: () => runner.inspect(design, options.set),
    };
    if (given.flag('watch')) await rerunOnSave(watched, signal, once);
    else await once(signal);
  });
  return code;
}

async function one(
  runner: Runner,
  design: string,
  options: SimulateOptions,
  signal: AbortSignal,
  { json, html }: { readonly json: boolean; readonly html: string | undefined },
): Promise<number> {
  const watch = watching(signal, `seed ${options.seed}`);
  const report = await (html === undefined
    ? runner.simulate(design, options, watch)
    : simulateTo(html, runner, design, options, watch));
  screen.clear();
  if (json) printJson(report);
  else print(renderReport(report, outStyle));
  return exitCode(report);
}

async function simulateTo(
  file: string,
  runner: Runner,
  design: string,
  options: SimulateOptions,
  watch: Watch,
): Promise<Report> {
  const { Filming } = await import('../../studio/index.ts');
  const filming = new Filming(design, options);
  const report = await runner.simulate(design, options, filming.watching(watch));
  const page = await filming.html(report);
  try {
    writeFileSync(file, page);
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new LoadpathError('bad-option', `the report ${file} cannot be written: ${why}`);
  }
  screen.line(`Report  ${file}`);
  return report;
}

/** Replications: each seed is a run of its own, `jobs` of them at once. */
async function many(
  runner: Runner,
  design: string,
  options: SimulateOptions,
  seedCount: number,
  jobs: number,
  signal: AbortSignal,
  json: boolean,
): Promise<number> {
  const startedAt = performance.now();
  const reports = new Array<Report | undefined>(seedCount);
  /** Interrupted runs are shorter than the others: they would bend the mean. */
  const cutShort: Report[] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < seedCount && !signal.aborted) {
      const index = next++;
      const report = await runner.simulate(
        design,
        { ...options, seed: options.seed + index },
        { signal },
      );
      if (signal.aborted) cutShort.push(report);
      else reports[index] = report;
      done++;
      screen.status(`${count(done)} of ${count(seedCount)} seeds`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, seedCount) }, work));
  const whole = reports.filter((report) => report !== undefined);
  const finished = whole.length > 0 ? whole : cutShort;
  const summary = {
    ...summarise(finished),
    wallSeconds: (performance.now() - startedAt) / 1_000,
  };
  screen.clear();
  if (json) printJson({ ...summary, reports: finished });
  else print(renderSummary(summary, outStyle));
  if (signal.aborted) {
    const instead = whole.length > 0 ? '' : '; these are the figures of runs that were cut short';
    screen.line(
      `Stopped early: ${count(whole.length)} of ${count(seedCount)} seeds had ended${instead}.`,
    );
  }
  return summaryExitCode(finished);
}
