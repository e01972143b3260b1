import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { LoadpathError } from '../../kit/errors.ts';
import type { Finding, SimulateOptions } from '../../run/api.ts';
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
import { exitHelp, loadGiven, withLoadOptions } from './load-options.ts';

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
    check: false,
    trace: given.text('trace'),
    untilUs: given.duration('until', '10004ms'),
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
  if (json) printJson(report);
  else print(renderReport(report, outStyle));
  if (finding?.digest && finding.digest !== report.digest && options.untilUs === undefined) {
    screen.line(
      `The digest was ${finding.digest} when this was found: the design or Loadpath changed since.`,
    );
  }
  return exitCode(report);
}

function readFinding(path: string): Finding {
  const finding = parseJson(path);
  if (!isFinding(finding)) {
    throw new LoadpathError(
      'bad-input',
      `${path} is not a finding of a hunt: designPath, seed, forUs or faults is missing`,
    );
  }
  return finding;
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadpathError('bad-input', `${path} cannot be read as JSON: ${why}`, {
      cause: error,
    });
  }
}

function isFinding(value: unknown): value is Finding {
  if (typeof value !== 'object' || value === null) return false;
  const finding = value as Partial<Record<keyof Finding, unknown>>;
  return (
    typeof finding.designPath === 'string' &&
    typeof finding.seed === 'number' &&
    typeof finding.forUs === 'number' &&
    Array.isArray(finding.faults) &&
    finding.faults.every((fault) => typeof fault === 'string')
  );
}
