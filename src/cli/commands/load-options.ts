/** The options that every command which sends a design's workload has in common. */
import type { Command } from 'commander';
import { faultExamples } from '../../design/faults.ts';
import type { SettingTable } from '../../kit/settings.ts';
import { collect, type Given } from '../options.ts';

export interface LoadGiven {
  readonly forUs: number | undefined;
  readonly warmUpUs: number | undefined;
  readonly seed: number;
  readonly faults: readonly string[];
  readonly ownFaults: boolean;
  readonly ratePerSec: number | undefined;
  readonly replayLog: string | undefined;
  readonly set: SettingTable;
}

export function withLoadOptions(command: Command): Command {
  return (
    command
      .option('--for <duration>', 'how long the load lasts (default: what the design says)')
      .option(
        '--warm-up <duration>',
        'users come this long before the load, uncounted (default: 0)',
      )
      // Not Commander's default, which would look as if it had been typed: a finding brings a seed of its own.
      .option('--seed <n>', 'seed of everything random (default: "1")')
      .option('--rps <rate>', "requests a second, instead of the design's own rate")
      .option('--fault <sentence>', 'what goes wrong and when; may be repeated', collect)
      .option('--no-own-faults', 'leave out the faults that the design declares')
      .option(...setOption)
      .option(
        '--replay <access.log>',
        'send what an access log recorded (Common or Combined format)',
      )
  );
}

export const setOption = [
  '--set <option=value>',
  'links.replicas=5: an option in place of what the design says; may be repeated',
  collect,
] as const;

export const probeOption = [
  '--probe',
  'after the heal, send load again: it must be served, as in every run of a hunt',
] as const;

export const isolateOption = [
  '--isolate <what>',
  "'packages': give each node its own copy of packages too",
] as const;

export function isolateGiven(given: Given): boolean {
  return given.choice('isolate', ['packages']) !== undefined;
}

/** `links.replicas=5`; what it names is checked once the design is loaded. */
export function settingsGiven(given: Given): SettingTable {
  const set: Record<string, string> = {};
  for (const text of given.texts('set')) {
    const [, path, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(text.trim()) ?? [];
    if (path === undefined || value === undefined || value === '') {
      given.problem('set', `must be block.option=value, such as links.replicas=5, got '${text}'`);
    } else set[path] = value;
  }
  return set;
}

export function loadGiven(given: Given, flags: { readonly ownFaults?: unknown }): LoadGiven {
  refuseOwnPace(given);
  return {
    forUs: given.duration('for'),
    warmUpUs: given.duration('warmUp', '3s', 0),
    seed: given.whole('seed') ?? 1,
    faults: given.texts('fault'),
    ownFaults: flags.ownFaults !== false,
    ratePerSec: given.rate('rps'),
    replayLog: given.text('replay'),
    set: settingsGiven(given),
  };
}

/** A log has a pace of its own. */
export function refuseOwnPace(given: Given): void {
  if (given.text('replay') === undefined || given.text('rps') === undefined) return;
  given.problem('rps', 'the pace of --replay is that of the log');
}

export const faultHelp = `
Faults are sentences:
${faultExamples.map((sentence) => `  --fault '${sentence}'`).join('\n')}
`;

export const exitHelp = `
Exit code: 0 all holds, 1 something is violated, 2 a mistake in the input, 3 a verdict is unknown.
70 is a bug in Loadpath, 130 is left at once by a second Ctrl-C.
`;
