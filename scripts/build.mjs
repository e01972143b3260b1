/**
 * Compiles src into dist, and bundles Studio's page from studio/ into dist/studio. `node scripts/build.mjs` always builds, and checks types while at it;
 * setup builds only what changed and leaves types to `npm test`.
 *
 * The new tree is built beside the old one and swapped in whole, so that a build which fails or
 * is interrupted leaves what was there.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { isWarm, link, warm } from './link.mjs';
import { filesUnder, hashOf, locked, readText, root, runNode } from './machine.mjs';

const stamp = join('dist', '.loadpath-build');
const inputs = [
  'src',
  'studio',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build.mjs',
  'scripts/link.mjs',
  'scripts/warm.mjs',
  'scripts/linked',
];

const shipped = (file) => {
  const folders = file.split(sep);
  return (
    !/\.(test|contract)\.tsx?$/.test(file) &&
    !folders.includes('testdata') &&
    !folders.includes('node_modules')
  );
};

/** True when dist is as new as the sources. */
export async function buildIfChanged() {
  const wanted = hashOf(inputs, shipped);
  if (readText(stamp) === wanted) {
    // Made by another version of Node, it has that one's code.
    if (!isWarm()) await warm();
    return true;
  }
  console.log('Building dist …');
  return build({ checkTypes: false });
}

export async function build({ checkTypes }) {
  const wanted = hashOf(inputs, shipped);
  // As deep as dist: source maps point from it to src.
  const fresh = join(root, '.dist-new');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });

  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh];
  // Neither needs what the other makes.
  const [{ code }, isBundled] = await Promise.all([
    runNode(checkTypes ? args : [...args, '--noCheck']),
    bundlePage(fresh),
  ]);
  if (code !== 0 || !isBundled) {
    console.error('The build failed; dist is as it was.');
    return false;
  }
  copyAssets(fresh);
  await link(fresh);
  makeExecutable(join(fresh, 'cli', 'main.js'));
  writeFileSync(join(fresh, '.loadpath-build'), wanted);
  swap(fresh, join(root, 'dist'));
  await warm();
  return true;
}

/** The page for the server, and the same as one file that finished runs are written into. */
async function bundlePage(fresh) {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const outDir = (name) => join(fresh, 'studio', name);
  for (const mode of ['page', 'report']) {
    const args = ['build', '-c', 'studio/vite.config.ts', '--mode', mode, '--outDir', outDir(mode)];
    const { code } = await runNode([vite, ...args, '--logLevel', 'warn'], {
      env: { NODE_ENV: 'production' },
    });
    if (code !== 0) return false;
  }
  return true;
}

/** What is not TypeScript but belongs to the program: templates, pages, schemas. */
function copyAssets(fresh) {
  const src = join(root, 'src');
  for (const file of filesUnder(src)) {
    if (/\.ts$/.test(file) || /\.md$/.test(file) || !shipped(file)) continue;
    const target = join(fresh, relative(src, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

function makeExecutable(main) {
  if (!existsSync(main)) return;
  const text = readFileSync(main, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(main, `#!/usr/bin/env node\n${text}`);
  chmodSync(main, 0o755);
}

function swap(fresh, dist) {
  const old = join(root, '.cache', 'dist-old');
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

if (process.argv[1] === join(root, 'scripts', 'build.mjs')) {
  process.exitCode = (await locked(() => build({ checkTypes: true }))) ? 0 : 1;
}
