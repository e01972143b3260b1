import type { Command } from 'commander';
import { Given, type RawOptions } from '../options.ts';
import { addressIn, ask } from '../running.ts';
import { ending, print } from '../session.ts';

export function addFault(program: Command): void {
  program
    .command('fault')
    .summary('do something to a system that runs: kill, cut, slow, start or stop a node')
    .description(
      'Does to a system that runs what sentences say, now: the same sentences that --fault takes, without a time.\nAlso how instances are started and stopped by hand, where a registry tells others of them.',
    )
    .argument('<url>', 'the address that `loadpath run` printed as Studio, with its token')
    .argument('[sentences...]', "such as 'kill links/1' or 'start 2 api'")
    .option('--heal', 'first end all faults that are in force, and forget those to come')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath fault 'http://127.0.0.1:40123/?token=…' 'start 2 api' 'stop api/0'
  $ loadpath fault 'http://127.0.0.1:40123/?token=…' 'pause links/1 for 5s'
  $ loadpath fault 'http://127.0.0.1:40123/?token=…' --heal
`,
    )
    .action(ending(fault));
}

async function fault(
  address: string,
  sentences: readonly string[],
  raw: RawOptions,
): Promise<number> {
  const given = new Given(raw);
  const heals = given.flag('heal');
  if (sentences.length === 0 && !heals) {
    given.problem('heal', 'or at least one sentence is needed: there is nothing to do');
  }
  given.check();
  const system = addressIn('loadpath fault', address);
  if (heals) {
    await ask(system, '/api/live/heal', {});
    print('healed');
  }
  for (const sentence of sentences) {
    const { text } = await ask<{ readonly text: string }>(system, '/api/live/faults', {
      fault: sentence,
    });
    print(text);
  }
  return 0;
}
