/**
 * Joins the modules that the build made into two scripts under `linked/`. A live system starts a process a node: reading
 * some three hundred modules one by one, and compiling them, was most of what each did until it was up.
 */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { root, runNode } from './machine.mjs';

/** What processes and threads begin with, and what a design or a program may import. */
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
  'run/node/plain-child',
  'run/node/worker',
  'verify/index',
];

/** Of those, what a node's process may need. */
const ofNodes = [
  'index',
  'run/labs/index',
  'run/node/child',
  'run/node/plain-child',
  'verify/index',
];
/** What `warm.mjs` runs nodes with, without processes. */
const forWarmth = [
  'blocks/by-kind',
  'design/system',
  'live/session',
  'run/node/bundle',
  'run/node/kept-bundle',
  'run/node/live-boot',
  'run/node/load',
  'run/options',
];

/** Lets each entry stand for its own in a script: what several of them use is one module, as it was. The parts stay as they are. */
export async function link(fresh) {
  // Not before: a fresh clone reads this file to install what it needs.
  const { build } = await import('esbuild');
  const shared = { absWorkingDir: fresh, bundle: true, platform: 'node', packages: 'external' };
  const script = (name, wanted) =>
    build({
      ...shared,
      stdin: { contents: tableOf(wanted), resolveDir: fresh },
      outfile: `linked/${name}.cjs`,
      format: 'cjs',
      target: 'node20',
      // Comments are for readers of the sources, and the map leads there.
      minifyWhitespace: true,
      lineLimit: 160,
      sourcemap: 'linked',
      sourcesContent: false,
      // A script has no `import()`: that of a module within becomes a call, that of a package a `require`.
      supported: { 'dynamic-import': false },
      banner: { js: '(function (exports, require, module, __here, __importing) {' },
      footer: { js: '})' },
      plugins: [inScript(fresh, wanted)],
    });
  const [{ metafile }] = await Promise.all([
    build({
      ...shared,
      entryPoints: entries.map((entry) => `${entry}.js`),
      outdir: 'names',
      format: 'esm',
      splitting: true,
      write: false,
      metafile: true,
    }),
    script('nodes', [...ofNodes, ...forWarmth]),
    script('all', entries),
  ]);
  copyFileSync(join(root, 'scripts', 'linked', 'start.cjs'), join(fresh, 'linked', 'start.cjs'));
  for (const name of ['nodes', 'all']) onlyAscii(join(fresh, 'linked', `${name}.cjs`));
  for (const entry of entries) {
    const { exports } = metafile.outputs[`names/${entry}.js`];
    standIn(fresh, entry, exports);
  }
}

/** Whether there is code for this version of Node. */
export function isWarm() {
  return existsSync(join(root, `dist/linked/nodes.${process.versions.v8}-${process.arch}.code`));
}

/** Runs what a start runs, so that its code can be kept. Without that code all works, only slower. */
export async function warm() {
  // What newer versions of Node think of a simulation that looks at all of `fs` is no news of the build.
  await runNode(['--no-deprecation', join('scripts', 'warm.mjs')]);
}

function tableOf(wanted) {
  const lines = wanted.map(
    (entry) => `  ${JSON.stringify(entry)}: () => require('./${entry}.js'),`,
  );
  return `module.exports = {\n${lines.join('\n')}\n};\n`;
}

function inScript(fresh, wanted) {
  return {
    name: 'in-script',
    setup({ onLoad, onResolve }) {
      // What nodes do not need is somebody else's start.
      onResolve({ filter: /^\..*\/here\.js$/ }, ({ path, resolveDir, kind }) => {
        const entry = relative(fresh, join(resolveDir, path)).split(sep).join('/');
        const isApart = kind === 'dynamic-import' && !wanted.includes(entry.replace(/\.js$/, ''));
        return isApart
          ? { path: `../${entry.replace(/\.js$/, '.cjs')}`, external: true }
          : undefined;
      });
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const file = relative(fresh, path).split(sep).join('/');
        if (file === 'run/node/importing.js') {
          return { contents: 'export const importing = __importing;', loader: 'js' };
        }
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        // A module that asks where it is means its own place, not that of the script.
        const own = `__here(${JSON.stringify(`../${file}`)})`;
        return { contents: text.replaceAll('import.meta.url', own), loader: 'js' };
      });
    },
  };
}

/** What esbuild leaves as it is (regular expressions), so that a letter of the script is a byte. */
function onlyAscii(file) {
  const escaped = (text) => `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/[^\0-\x7f]/g, escaped));
}

function standIn(fresh, entry, names) {
  const file = join(fresh, `${entry}.js`);
  const away = posix.relative(posix.dirname(entry), 'linked/start.cjs');
  const start = JSON.stringify(away.startsWith('.') ? away : `./${away}`);
  const own = JSON.stringify(entry);
  writeFileSync(join(fresh, `${entry}.cjs`), `module.exports = require(${start})(${own});\n`);
  const named = names.filter((name) => name !== 'default');
  writeFileSync(
    file,
    [
      `import { createRequire } from 'node:module';`,
      `const its = createRequire(import.meta.url)(${start})(${own});`,
      ...(named.length > 0 ? [`export const { ${named.join(', ')} } = its;`] : []),
      ...(names.includes('default') ? ['export default its.default;'] : []),
      '',
    ].join('\n'),
  );
  rmSync(`${file}.map`, { force: true });
}
