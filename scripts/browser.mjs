/**
 * The browser that tests, pictures and benches use: the system's own Chromium or Chrome. Where there
 * is none and packages may be installed (a container of Debian or Ubuntu), Debian's is.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './machine.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Its program, or undefined. `LOADPATH_CHROMIUM` names another one. */
export function findBrowser() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const inPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.LOADPATH_CHROMIUM ?? '', ...inPath, ...elsewhere].find(
    (file) => file !== '' && existsSync(file),
  );
}

/** Like `findBrowser`, and installs one where that is ours to do. */
export async function haveBrowser() {
  const found = findBrowser();
  if (found || process.platform !== 'linux' || process.getuid() !== 0) return found;
  if (!existsSync('/usr/bin/apt-get')) return undefined;
  console.log('Installing Chromium for the tests (apt-get) …');
  const quiet = { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  await run('apt-get', ['update', '-qq'], quiet);
  const { code, output } = await run(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
    quiet,
  );
  if (code !== 0) console.error(output.trimEnd());
  return findBrowser();
}

export const noBrowser =
  'There is no browser for the tests of Studio. Install Chromium or Chrome, or name one in LOADPATH_CHROMIUM.';
