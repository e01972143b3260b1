/** The commands of `loadpath`, one file each. */
import { Command } from 'commander';
import { version } from '../run/version.ts';
import { addCompare } from './commands/compare.ts';
import { addEstimate } from './commands/estimate.ts';
import { addExplain } from './commands/explain.ts';
import { addExport } from './commands/export.ts';
import { addFault } from './commands/fault.ts';
import { addHunt } from './commands/hunt.ts';
import { addLab } from './commands/lab.ts';
import { addLint } from './commands/lint.ts';
import { addLoad } from './commands/load.ts';
import { addNew } from './commands/new.ts';
import { addReplay } from './commands/replay.ts';
import { addRun } from './commands/run.ts';
import { addSim } from './commands/sim.ts';
import { addStudio } from './commands/studio.ts';
import { addSweep } from './commands/sweep.ts';
import { addVerify } from './commands/verify.ts';

export function program(): Command {
  const root = new Command('loadpath')
    .description('System design that runs: one TypeScript file, simulated and live.')
    .version(version, '-v, --version')
    .exitOverride()
    .showHelpAfterError('(loadpath <command> --help lists its options)')
    .configureHelp({ helpWidth: 100 })
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath new shop && loadpath sim shop
  $ loadpath sim examples/shortener --for 10m --fault 'kill links/1 at 30s, restart after 5s'
  $ loadpath run examples/shortener --load --for 30s
  $ loadpath hunt examples/shortener
  $ loadpath <command> --help
`,
    );
  for (const add of [
    addSim,
    addStudio,
    addRun,
    addLoad,
    addFault,
    addHunt,
    addReplay,
    addSweep,
    addCompare,
    addVerify,
    addLint,
    addExplain,
    addEstimate,
    addExport,
    addLab,
    addNew,
  ]) {
    add(root);
  }
  for (const command of root.commands) command.copyInheritedSettings(root);
  return root;
}
