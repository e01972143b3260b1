/** `--watch`: runs again when a file of the design is saved. */
import { existsSync } from 'node:fs';
import { LoadpathError } from '../kit/errors.ts';
import { findDesign } from '../run/node/bundle.ts';
import { onSaved } from '../run/node/saved.ts';
import { screen } from './session.ts';

/** A design that may be saved at any time. Both throw `LoadpathError` for what is wrong with it now. */
export interface Watched {
  readonly design: string;
  sources(): Promise<readonly string[]>;
  /** Whether it could be run as it is now. */
  check(): Promise<unknown>;
}

/**
 * Calls `once` with a signal that aborts when the design was saved and can be run again, or when `until`
 * aborts, again and again until `until` aborts. A mistake in the design is printed, and mended by the next
 * save: meanwhile what runs goes on as it was.
 */
export async function rerunOnSave(
  watched: Watched,
  until: AbortSignal,
  once: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let known: readonly string[] = [];
  while (!until.aborted) {
    const again = new AbortController();
    const ended = () => again.abort();
    until.addEventListener('abort', ended);
    try {
      known = await watched.sources();
    } catch (error) {
      mustBeMistake(error);
      // A file with a syntax error cannot name its imports; the last that could is watched on.
      if (known.length === 0) known = fileOf(watched.design);
    }
    let isRunning = true;
    const unwatch = onSaved(
      known,
      oneAtATime(async () => {
        try {
          await watched.check();
          again.abort();
        } catch (error) {
          say(error);
          if (isRunning) screen.line('What runs goes on as it was; save again to run it anew.');
        }
      }),
    );
    try {
      await once(again.signal);
    } catch (error) {
      say(error);
    }
    isRunning = false;
    if (!again.signal.aborted) {
      const count = known.filter((file) => existsSync(file)).length;
      screen.line(
        `Watching ${count} ${count === 1 ? 'file' : 'files'}; save one to run again, Ctrl-C to end.`,
      );
      await new Promise<void>((resolve) => {
        again.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    unwatch();
    until.removeEventListener('abort', ended);
  }
}

/** What is no mistake of the user's is ours, and ends all. */
function mustBeMistake(error: unknown): asserts error is LoadpathError {
  if (!(error instanceof LoadpathError)) throw error;
}

function say(error: unknown): void {
  mustBeMistake(error);
  screen.line(error.message);
}

function fileOf(design: string): readonly string[] {
  try {
    return [findDesign(design)];
  } catch {
    return [];
  }
}

/** Who is called while it works works once more afterwards: that may have been another state of the files. */
function oneAtATime(work: () => Promise<void>): () => void {
  let isWorking = false;
  let isAskedAgain = false;
  const start = (): void => {
    isAskedAgain = isWorking;
    if (isWorking) return;
    isWorking = true;
    void work().finally(() => {
      isWorking = false;
      if (isAskedAgain) start();
    });
  };
  return start;
}
