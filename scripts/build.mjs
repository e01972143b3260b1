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
import { dirname, join, posix, relative, sep } from 'node:path';
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
  if (readText(stamp) === wanted) return true;
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

/**
 * What processes and threads begin with. A live system starts a process a node, and reading some three
 * hundred modules one by one takes each of them longer than all else until it is up.
 */
const entries = [
  'cli/main',
  'design/json',
  'index',
  'run/index',
  'run/labs/index',
  'run/node/child',
  'run/node/here',
  'run/node/lab-worker',
  'run/node/labs',
  'run/node/worker',
  'studio/browser',
  'verify/index',
];

/**
 * Joins the modules behind the entries into a few files under `linked/`, and lets each entry stand for its own there: what
 * several of them use is one module, as it was. The parts, which are used alone, stay as they are.
 */
async function link(fresh) {
  // Not before: a fresh clone reads this file to install what it needs.
  const { build: bundle } = await import('esbuild');
  const flat = (entry) => entry.replaceAll('/', '-');
  await bundle({
    absWorkingDir: fresh,
    entryPoints: entries.map((entry) => ({ in: `${entry}.js`, out: flat(entry) })),
    outdir: 'linked',
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: 'linked',
    sourcesContent: false,
    plugins: [whereItWas(fresh)],
  });
  for (const entry of entries) {
    const file = join(fresh, `${entry}.js`);
    const away = posix.relative(posix.dirname(entry), `linked/${flat(entry)}.js`);
    const from = JSON.stringify(away.startsWith('.') ? away : `./${away}`);
    const lines = [`export * from ${from};`];
    if (/^export default |as default\b/m.test(readFileSync(file, 'utf8'))) {
      lines.push(`export { default } from ${from};`);
    }
    writeFileSync(file, `${lines.join('\n')}\n`);
    rmSync(`${file}.map`, { force: true });
  }
}

/** A module that asks where it is means its own place, not that of the file it was joined into. */
function whereItWas(fresh) {
  return {
    name: 'where-it-was',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        const own = `../${relative(fresh, path).split(sep).join('/')}`;
        const here = `new URL(${JSON.stringify(own)}, import.meta.url).href`;
        return { contents: text.replaceAll('import.meta.url', here), loader: 'js' };
      });
    },
  };
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
