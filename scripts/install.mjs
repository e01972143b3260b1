/** Installs the packages of package-lock.json when it changed since the last time. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf, readText, root, runNpm } from './machine.mjs';

const stamp = join('node_modules', '.loadpath-setup');

/** True when the packages are there. Says what it does only when it does something. */
export async function install() {
  const wanted = hashOf(['package-lock.json']);
  if (readText(stamp) === wanted) return true;
  console.log('Installing packages (npm ci) …');
  // Gone first: an install that is interrupted must not look finished.
  rmSync(join(root, stamp), { force: true });
  // No install scripts: nothing here needs one, and some would compile or download.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const exact = await runNpm(['ci', ...options, '--loglevel=silent']);
  if (exact.code !== 0) {
    // A registry that mirrors only some platforms makes npm ci refuse the lock file; npm install
    // takes the same versions and leaves out what this platform would not use anyway.
    console.log('npm ci did not succeed; trying npm install with the same lock file …');
    const lenient = await runNpm(['install', '--no-save', ...options, '--loglevel=error']);
    if (lenient.code !== 0) {
      console.error(
        'Packages could not be installed. Check the network or the npm registry in use.',
      );
      return false;
    }
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, stamp), wanted);
  return true;
}
