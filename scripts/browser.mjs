/**
 * The browser that tests, pictures and benches use: the system's own Chromium or Chrome. Where there
 * is none and packages may be installed (a container of Debian or Ubuntu), Debian's is.
 */
import { existsSync } from 'node:fs';
import { findProgram, installPackages } from './packages.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Its program, or undefined. `LOADPATH_CHROMIUM` names another one. */
export function findBrowser() {
  return [process.env.LOADPATH_CHROMIUM ?? '', findProgram(...names) ?? '', ...elsewhere].find(
    (file) => file !== '' && existsSync(file),
  );
}

/** Like `findBrowser`, and installs one where that is ours to do. */
export async function haveBrowser() {
  if (!findBrowser()) await installPackages(['chromium'], 'Chromium for the tests');
  return findBrowser();
}

export const noBrowser =
  'There is no browser for the tests of Studio. Install Chromium or Chrome, or name one in LOADPATH_CHROMIUM.';
