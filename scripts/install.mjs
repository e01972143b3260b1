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
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { code } = await runNpm([...args, '--loglevel=error']);
  if (code !== 0) {
    console.error('npm ci failed. Check the network or the npm registry in use, then try again.');
    return false;
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, stamp), wanted);
  return true;
}
