/** `--watch`: runs again when a file of the design is saved. */
import { existsSync } from 'node:fs';
import { LoadpathError } from '../kit/errors.ts';
import { onSaved } from '../run/node/saved.ts';
import { screen } from './session.ts';

/**
 * Calls `once` with a signal that aborts when a source changes or `until` does, again and again
 * until `until` aborts. A mistake in the design is printed, and mended by the next save.
 */
export async function rerunOnSave(
  sources: () => Promise<readonly string[]>,
  until: AbortSignal,
  once: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let known: readonly string[] = [];
  while (!until.aborted) {
    const again = new AbortController();
    const ended = () => again.abort();
    until.addEventListener('abort', ended);
    try {
      known = await sources();
    } catch (error) {
      // A file with a syntax error cannot name its imports; the last that could is watched on.
      if (!(error instanceof LoadpathError)) throw error;
    }
    const unwatch = onSaved(known, () => again.abort());
    try {
      await once(again.signal);
    } catch (error) {
      if (!(error instanceof LoadpathError)) throw error;
      screen.line(error.message);
    }
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
