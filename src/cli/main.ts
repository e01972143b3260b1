#!/usr/bin/env node
/** `loadpath`: the one place where the process ends on purpose. */
import { CommanderError } from 'commander';
import { program } from './program.ts';
import { exitCodes, explainFailure, screen } from './session.ts';

// `loadpath … | head` closes our output early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  orGone(error);
});
process.stderr.on('error', orGone);

let isTerminalGone = false;

/** A terminal that was closed takes no words, and a run has yet to end its nodes in order. */
function orGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EIO') throw error;
  isTerminalGone = true;
}

/** Node puts the terminal back as it was when it exits, and aborts where there is none any more. */
function end(): void {
  if (isTerminalGone) process.kill(process.pid, 'SIGHUP');
  else process.exit();
}

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    screen.clear();
    if (error instanceof CommanderError) {
      // Commander has printed it. Help and version end with 0, a bad command line with ours.
      process.exitCode = error.exitCode === 0 ? 0 : exitCodes.mistake;
    } else {
      const { text, code } = explainFailure(error);
      process.stderr.write(`${text}\n`);
      process.exitCode = code;
    }
  }
  // What a run left open must not keep the command alive, and output must reach a slow pipe first.
  process.stdout.write('', end);
}

void main();
