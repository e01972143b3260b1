import type { Command } from 'commander';
import type { LiveOptions } from '../../run/api.ts';
import { exitCode } from '../../run/report.ts';
import { Given, type RawOptions } from '../options.ts';
import { renderReport } from '../render.ts';
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
import { exitHelp, faultHelp, loadGiven, withLoadOptions } from './load-options.ts';

export function addRun(program: Command): void {
  withLoadOptions(
    program
      .command('run')
      .summary('run a design live: real processes, sockets and files on this machine')
      .description(
        'Runs a design live: one process a node, real sockets, real files under .loadpath/.\nServes until stopped; with --load it also sends the workload and judges what came back.',
      )
      .argument('<design>', 'a design file, or a folder with a design.ts'),
  )
    .option('--load', "send the design's workload (implied by --for, --rps and --replay)")
    .option('--single', 'all nodes in one process')
    .option(
      '--data <folder>',
      'where nodes keep their files (default: .loadpath/ beside the design)',
    )
    .option('--fresh', 'start from empty disks')
    .option(
      '--port <n>',
      "where the edge listens, instead of the design's port; 0 takes a free one",
    )
    .option('--discard-unsynced', 'a killed node loses what it had not synced, as in a power cut')
    .option('--json', 'print the report as JSON')
    .option('--watch', 'start again when the design is saved and has no mistake')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath run examples/shortener
  $ loadpath run examples/shortener --load --for 30s
  $ loadpath run design.ts --load --rps 500 --fault 'kill links/1 at 10s, restart after 5s'
  $ loadpath run design.ts --load --set api.instances=4
  $ loadpath run design.ts --single --watch
${faultHelp}${exitHelp}`,
    )
    .action(ending(run));
}

async function run(design: string, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const load = loadGiven(given, raw);
  const options: LiveOptions = {
    ...load,
    load:
      given.flag('load') ||
      load.forUs !== undefined ||
      load.ratePerSec !== undefined ||
      load.replayLog !== undefined,
    single: given.flag('single'),
    dataFolder: given.text('data'),
    fresh: given.flag('fresh'),
    edgePort: given.whole('port', 0, 65_535),
    discardUnsynced: given.flag('discardUnsynced'),
  };
  if (given.flag('json') && given.flag('watch')) given.problem('watch', 'has no use with --json');
  given.check();

  const runner = await loadRunner();
  let code = 0;
  await interruptible(async (signal) => {
    const once = async (until: AbortSignal) => {
      // The page is beside the system, never in its way: it is made of what the run tells anyway.
      const { openLiveStudio } = await import('../../studio/index.ts');
      const studio = await openLiveStudio(design, options);
      const shown = studio.watching(watching(until, 'live'));
      const report = await runner.runLive(design, { ...options, page: studio.page }, shown);
      screen.clear();
      if (given.flag('json')) printJson(report);
      else if (options.load) print(renderReport(report, outStyle));
      code = options.load ? exitCode(report) : 0;
    };
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
