/**
 * Programs that tests and benches use and that are no npm packages. Where packages may be installed (a
 * container of Debian or Ubuntu, as root), missing ones are.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './machine.mjs';

/** The first of `names` on the path, or where a system keeps what only root is expected to call. */
export function findProgram(...names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const files = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return files.find((file) => existsSync(file));
}

/** Installs Debian packages where that is ours to do; what came of it, the caller sees by looking. */
export async function installPackages(packages, what) {
  if (process.platform !== 'linux' || process.getuid() !== 0) return;
  if (!existsSync('/usr/bin/apt-get')) return;
  console.log(`Installing ${what} (apt-get) …`);
  // A package that brings a service must not start it.
  const quiet = { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } };
  await run('apt-get', ['update', '-qq'], quiet);
  const { code, output } = await run(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
    quiet,
  );
  if (code !== 0) console.error(output.trimEnd());
}
