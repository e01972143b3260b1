/** Tells when one of some files was saved. */
import { existsSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors save in several steps: write, rename, touch. */
const quietMs = 120;

/**
 * Calls `saved` once the files have been quiet again, each time. Folders are watched rather than
 * files, because a saved file is often a new one under the old name. Call what it returns to end it.
 */
export function onSaved(files: readonly string[], saved: () => void): () => void {
  const byFolder = new Map<string, Set<string>>();
  for (const file of files) {
    const names = byFolder.get(dirname(file)) ?? new Set();
    byFolder.set(dirname(file), names.add(basename(file)));
  }
  let timer: NodeJS.Timeout | undefined;
  const there = [...byFolder].filter(([folder]) => existsSync(folder));
  const watchers = there.map(([folder, names]) =>
    watch(folder, (_event, name) => {
      if (name !== null && !names.has(name)) return;
      clearTimeout(timer);
      timer = setTimeout(saved, quietMs);
    }),
  );
  // A folder that is removed under us has nothing more to tell.
  for (const watcher of watchers) watcher.on('error', () => watcher.close());
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
