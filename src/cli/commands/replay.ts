import type { Command } from 'commander';
import type { SimulateOptions } from '../../run/api.ts';
import { exitCode } from '../../run/report.ts';
import { readFinding, unlikeFinding } from '../findings.ts';
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
import { exitHelp, loadGiven, probeOption, withLoadOptions } from './load-options.ts';

export function addReplay(program: Command): void {
  withLoadOptions(
    program
      .command('replay')
      .summary('run a finding of a hunt, or one seed, again, event by event')
      .description(
        'Runs again what a hunt found, or one seed of a design, and shows how it came about.',
      )
      .argument('<finding or design>', 'a JSON file that a hunt saved, or a design'),
  )
    .option('--until <time>', 'stop at this instant of the load')
    .option(...probeOption)
    .option('--trace <file>', "write every event, one line each; '-' for standard output")
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath replay .loadpath/findings/shortener-767.json
  $ loadpath replay .loadpath/findings/shortener-767.json --trace trace.txt
  $ loadpath replay design.ts --seed 767 --until 10004ms --trace -
${exitHelp}`,
    )
    .action(ending(replay));
}

async function replay(path: string, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const load = loadGiven(given, raw);
  const finding = path.endsWith('.json') ? readFinding(path) : undefined;
  const untilUs = given.duration('until', '10004ms');
  const options: SimulateOptions = {
    ...load,
    // What a finding says, unless the command line says otherwise.
    ...(finding && {
      seed: finding.seed,
      forUs: load.forUs ?? finding.forUs,
      ratePerSec: load.ratePerSec ?? finding.ratePerSec,
      set: { ...finding.set, ...load.set },
      faults: [...finding.faults, ...load.faults],
      ownFaults: false,
    }),
    // As the hunt did: else what breaks only then would hold here.
    probe: given.flag('probe') || (finding !== undefined && untilUs === undefined),
    check: false,
    trace: given.text('trace'),
    untilUs,
    isolatePackages: false,
  };
  const json = given.flag('json');
  if (json && options.trace === '-')
    given.problem('trace', 'cannot share standard output with --json');
  given.check();

  const runner = await loadRunner();
  const report = await interruptible((signal) =>
    runner.simulate(finding?.designPath ?? path, options, watching(signal, `seed ${options.seed}`)),
  );
  screen.clear();
  const unlike = finding && unlikeFinding(finding, report);
  if (json) printJson(unlike ? { ...report, notes: [...report.notes, unlike] } : report);
  else print(renderReport(report, outStyle));
  if (unlike) screen.line(screen.style.bad(unlike));
  if (finding?.digest && finding.digest !== report.digest && untilUs === undefined) {
    screen.line(
      `The digest was ${finding.digest} when this was found: the design or Loadpath changed since.`,
    );
  }
  return exitCode(report);
}
