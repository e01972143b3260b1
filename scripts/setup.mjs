/**
 * Makes a checkout ready: installs when package-lock.json changed, builds when sources changed,
 * and otherwise does nothing, quickly. Needs Node.js and npm, nothing else; safe to run twice
 * at once. `--install-only` leaves the build to the caller.
 */
import { buildIfChanged } from './build.mjs';
import { install } from './install.mjs';
import { locked } from './machine.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Loadpath needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const installOnly = process.argv.includes('--install-only');
const ready = await locked(
  async () => (await install()) && (installOnly || (await buildIfChanged())),
);
process.exitCode = ready ? 0 : 1;
