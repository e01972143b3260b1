/**
 * What every command that runs something shares: Ctrl-C, the runner, the lines of a run as it
 * goes, and how a command ends.
 */
import type { RunEvent } from '../host/events.ts';
import { LoadpathError } from '../kit/errors.ts';
import type { Progress, Runner, Watch } from '../run/api.ts';
import { type Stall, stallText } from '../run/stall.ts';
import { clock, count, ms, perSec } from './figures.ts';
import { Screen } from './screen.ts';
import { styleFor } from './style.ts';

/** Loaded when a command needs it: `--help` must not wait for a compiler and two worlds. */
export async function loadRunner(): Promise<Runner> {
  const { runner } = await import('../run/index.ts');
  return runner;
}

export const screen = new Screen();

export const outStyle = styleFor(process.stdout, process.env);

/** Writes everything, also into a slow pipe: `process.exit` would cut it. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/**
 * The first Ctrl-C asks the run to end as every run ends, with a report; the second ends the
 * process. SIGTERM counts as the first, and so does a terminal that is closed (SIGHUP).
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted && name === 'SIGINT') {
      screen.clear();
      process.exit(130);
    }
    screen.line('Stopping: heal, drain, judge. Ctrl-C again to leave at once.');
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
    screen.clear();
  }
}

/** Shows a run as it goes: progress in the status line, faults and the console of user code as lines. */
export function watching(signal: AbortSignal, label: string): Watch {
  /** Nodes that are up in this run: data on disk may stem from earlier ones. */
  const met = new Set<string>();
  const said = new Map<string, number>();
  return {
    signal,
    onEvent: (event) => {
      const isFirst = event.type === 'boot' && !met.has(event.node);
      if (event.type === 'boot') met.add(event.node);
      const text = isFirst || isRepeated(event, said) ? undefined : eventLine(event);
      if (text !== undefined) screen.line(text);
      if (event.type === 'phase' && event.phase === 'warm-up') {
        screen.status(`${label} · warming up, uncounted`);
      }
    },
    onProgress: (progress) => screen.status(progressLine(progress, label)),
    onStall: tellStall,
    onReady: ({ urls, adminUrl, tryIt, studioUrl }) => {
      for (const url of urls) screen.line(`Open ${screen.style.strong(url)}`);
      for (const command of tryIt ?? []) screen.line(`Try  ${command}`);
      if (urls.length === 0) {
        screen.line(
          'Nothing to open: without a gateway nothing listens for people. Users reach it with --load.',
        );
      }
      if (studioUrl) screen.line(`Studio ${screen.style.strong(studioUrl)}`);
      if (adminUrl) screen.line(`Meters ${adminUrl}`);
    },
  };
}

export function tellStall(stall: Stall): void {
  screen.line(stallText(stall));
}

/** A mistake in a handler says the same for every request: after the third time it is only counted. */
function isRepeated(event: RunEvent, said: Map<string, number>): boolean {
  if (event.type === 'phase' && event.phase === 'judge') {
    for (const [text, count] of said) {
      if (count > sameMax)
        screen.line(`… and ${count - sameMax} times more: ${text.split('\n')[0]}`);
    }
  }
  if (event.type !== 'log' || event.level === 'log') return false;
  const count = (said.get(event.text) ?? 0) + 1;
  if (said.size < saidMax || count > 1) said.set(event.text, count);
  return count > sameMax;
}

const sameMax = 3;
const saidMax = 1_000;

export function progressLine(progress: Progress, label: string): string {
  const { phase, at, endsAt, generated, failed, rejected, throughputPerSec, p99Ms } = progress;
  const time = clock(Math.max(0, at) / 1e6);
  const parts = [
    label,
    phase === 'load' ? '' : phase,
    endsAt === undefined ? time : `${time} of ${clock(endsAt / 1e6)}`,
    `${count(generated)} requests`,
    perSec(throughputPerSec),
    `p99 ${ms(p99Ms)}`,
    failed > 0 ? `${count(failed)} failed` : '',
    rejected > 0 ? `${count(rejected)} rejected` : '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

/** Undefined for what the report tells better. */
export function eventLine(event: RunEvent): string | undefined {
  const at = `${(event.at / 1e6).toFixed(3).padStart(9)}s`;
  switch (event.type) {
    case 'log':
      return `${at} ${event.node} ${event.level === 'log' ? '' : `${event.level} `}| ${event.text}`;
    case 'fault':
      return `${at} ${event.began ? 'fault' : 'over '} | ${event.text}`;
    case 'crash':
      return `${at} ${event.node} | ${event.gone ? 'stopped for good' : `stopped: ${event.why}`}`;
    case 'boot':
      return `${at} ${event.node} | ${event.life > 1 ? 'started again' : 'started'}`;
    case 'note':
      return event.isAlarm ? `${at} ${event.node} alarm | ${event.text}` : undefined;
    default:
      return undefined;
  }
}

/** Wraps a command, whose number becomes the exit code. */
export function ending<A extends readonly unknown[]>(
  command: (...args: A) => Promise<number>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    process.exitCode = await command(...args);
  };
}

export const exitCodes = { mistake: 2, unexpected: 70 } as const;

/** A mistake gets its message; what we did not foresee gets a stack, and a request to tell us. */
export function explainFailure(error: unknown): { readonly text: string; readonly code: number } {
  if (error instanceof LoadpathError) return { text: error.message, code: exitCodes.mistake };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = `${stack}\n\nThis is a bug in Loadpath, not a mistake of yours. Please report it with the lines above.`;
  return { text, code: exitCodes.unexpected };
}
