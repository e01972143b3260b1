/** `--watch`: runs again when a file of the design is saved. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { LoadpathError } from '../kit/errors.ts';
import { screen } from './session.ts';

/** Editors save in several steps: write, rename, touch. */
const quietMs = 120;

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
    const saved = onSave(known, again);
    try {
      await once(again.signal);
    } catch (error) {
      if (!(error instanceof LoadpathError)) throw error;
      screen.line(error.message);
    }
    if (!again.signal.aborted) {
      screen.line(`Watching ${known.length} files; save one to run again, Ctrl-C to end.`);
      await new Promise<void>((resolve) => {
        again.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    for (const watcher of saved) watcher.close();
    until.removeEventListener('abort', ended);
  }
}

/** Folders are watched rather than files, because a saved file is often a new one under the old name. */
function onSave(files: readonly string[], again: AbortController): FSWatcher[] {
  const byFolder = new Map<string, Set<string>>();
  for (const file of files) {
    const names = byFolder.get(dirname(file)) ?? new Set();
    byFolder.set(dirname(file), names.add(basename(file)));
  }
  let timer: NodeJS.Timeout | undefined;
  return [...byFolder].map(([folder, names]) =>
    watch(folder, (_event, name) => {
      if (name !== null && !names.has(name)) return;
      clearTimeout(timer);
      timer = setTimeout(() => again.abort(), quietMs);
    }),
  );
}
