/**
 * A design file and the user's own modules as one piece of text, made once by esbuild. What comes
 * of it is plain data, so that processes and worker threads that are started later (a node's next
 * life, a hunt's second core) are handed it and need no bundler of their own.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildResult, Loader, Message, Plugin } from 'esbuild';
import { LoadpathError } from '../../kit/errors.ts';
import { excerpt, shownPath } from './places.ts';
import { faultsBeside, type SavedFault } from './saved-faults.ts';

export interface BundleOptions {
  /** Bundle packages too, so that each evaluation has its own copy of them. Default false: shared. */
  readonly isolatePackages?: boolean;
}

/** Plain data: it crosses to worker threads and child processes. */
export interface DesignBundle {
  /** The design file, absolute. */
  readonly path: string;
  /** The user's own modules, absolute, for `--watch`. */
  readonly files: readonly string[];
  /** 16 hex digits; the same design is the same hash on every machine. */
  readonly sourceHash: string;
  /** The body of a function over exports, module, require, __external, __filename, __dirname. */
  readonly code: string;
  /** Its source map, as JSON. */
  readonly map: string;
  /** What is to be imported before the code runs. */
  readonly packages: readonly BundledPackage[];
  /** Those that stand in a file beside the design. */
  readonly savedFaults: readonly SavedFault[];
}

export interface BundledPackage {
  /** A file, `node:…` or `loadpath…`: what the code asks `__external` for. */
  readonly path: string;
  /** What the user called it. */
  readonly specifier: string;
  /** The user's file that imports it first. */
  readonly importer: string;
}

/** What a folder may hold as its design, besides a file named as the folder. */
const designNames = ['design', 'index'];
const extensions = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'];

const loaders: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
};

/**
 * Reads and bundles the design in `path`, a file or a folder. LoadpathError: 'design-not-found',
 * 'design-failed' (it does not compile, or an import does not resolve).
 */
export async function bundleDesign(
  path: string,
  options: BundleOptions = {},
): Promise<DesignBundle> {
  const file = findDesign(path);
  const folder = dirname(file);
  const specifiers = new Map<string, string>();
  const bundled = await bundle(file, options.isolatePackages ?? false, specifiers);
  const { inputs } = bundled.metafile!;
  const files = Object.keys(inputs)
    .map((input) => resolve(folder, input))
    .filter((input) => existsSync(input) && !isPackage(input))
    .sort();

  const packages = new Map<string, BundledPackage>();
  for (const [input, { imports }] of Object.entries(inputs)) {
    for (const { path, external, kind } of imports) {
      if (!external || kind === 'require-call' || packages.has(path)) continue;
      const specifier = specifiers.get(path) ?? path;
      packages.set(path, { path, specifier, importer: resolve(folder, input) });
    }
  }

  const code = withExternals(outputText(bundled, '.cjs'));
  return {
    path: file,
    files,
    sourceHash: hashOf(neutral(code, folder, specifiers)),
    code,
    map: outputText(bundled, '.cjs.map'),
    packages: [...packages.values()],
    savedFaults: faultsBeside(file),
  };
}

/** The design file that `path` means. Throws LoadpathError 'design-not-found'. */
export function findDesign(path: string): string {
  const given = resolve(path);
  const found = statSync(given, { throwIfNoEntry: false });
  if (found?.isFile()) return given;
  if (found?.isDirectory()) {
    const names = [...designNames, basename(given)];
    for (const name of names) {
      for (const extension of extensions) {
        const file = join(given, name + extension);
        if (existsSync(file)) return file;
      }
    }
    throw new LoadpathError(
      'design-not-found',
      `${shownPath(given)} is a folder without a design: looked for ${names.map((name) => `${name}.ts`).join(', ')} (or .js, .json) in it.`,
    );
  }
  // `sim shortener` for `shortener.ts`: what one types who has seen other tools.
  const guess = extensions.map((extension) => given + extension).find((file) => existsSync(file));
  if (guess) return guess;
  throw new LoadpathError(
    'design-not-found',
    `No design at ${shownPath(given)}. Give a design file, or a folder with a design.ts in it.`,
  );
}

async function bundle(
  file: string,
  isolatePackages: boolean,
  specifiers: Map<string, string>,
): Promise<BuildResult> {
  // Data has no exports of its own to be evaluated for.
  const entry = file.endsWith('.json')
    ? { stdin: { contents: `export { default } from ${JSON.stringify(file)}`, resolveDir: '/' } }
    : { entryPoints: [file] };
  // Only here, so that nobody loads it who is handed a bundle.
  const { build } = await import('esbuild');
  buildsUnderWay++;
  // Ctrl-C ends the compiler's process as well, and esbuild alone keeps nobody alive until it says so.
  const alive = setInterval(() => {}, 1_000);
  try {
    return await build({
      ...entry,
      absWorkingDir: dirname(file),
      outfile: join(dirname(file), 'bundle.cjs'),
      bundle: true,
      write: false,
      metafile: true,
      format: 'cjs',
      platform: 'node',
      // Never lower: an async function turned into a generator runs forty times slower.
      target: 'es2022',
      // No custom condition would bring in esbuild's own `module`, which Node does not know.
      conditions: ['node-addons'],
      sourcemap: 'external',
      sourcesContent: true,
      charset: 'utf8',
      logLevel: 'silent',
      define: { 'import.meta': '__importMeta' },
      // Every `import()` becomes a look-up among what was imported beforehand: a real one could
      // not finish while a simulation drains.
      supported: { 'dynamic-import': false },
      plugins: [boundaries(isolatePackages, specifiers), importMeta()],
    });
  } catch (failure) {
    if (/The service (was stopped|is no longer running)/.test(String(failure))) {
      throw new LoadpathError('design-failed', `stopped before ${file} was compiled`);
    }
    const errors = (failure as { errors?: readonly Message[] }).errors;
    if (!errors || errors.length === 0) throw failure;
    throw new LoadpathError(
      'design-failed',
      errors.map((error) => explained(error, file)).join('\n'),
      {
        problems: errors.map((error) => ({ at: placeOf(error, file), what: textOf(error) })),
      },
    );
  } finally {
    buildsUnderWay--;
    clearInterval(alive);
  }
}

let buildsUnderWay = 0;

/** Ends the compiler's process, which else stays for the next design: a system may run for days without one. */
export async function endCompiler(): Promise<void> {
  const { stop } = await import('esbuild');
  if (buildsUnderWay === 0) await stop();
}

/**
 * Decides what is the user's own (bundled) and what is a package (handed in). A package is known
 * by its file from here on; `specifiers` keeps what the user called it.
 */
function boundaries(isolatePackages: boolean, specifiers: Map<string, string>): Plugin {
  const builtins = new Set(builtinModules);
  const seen = Symbol('seen');
  return {
    name: 'boundaries',
    setup(setup) {
      setup.onResolve({ filter: /^[^./]/ }, async (args) => {
        if (args.pluginData === seen || args.kind === 'entry-point') return undefined;
        if (args.path === 'loadpath' || args.path.startsWith('loadpath/')) {
          return { path: args.path, external: true };
        }
        if (args.path.startsWith('node:')) return { path: args.path, external: true };
        if (builtins.has(args.path)) return { path: `node:${args.path}`, external: true };
        const { kind, importer, namespace, resolveDir } = args;
        const found = await setup.resolve(args.path, {
          kind,
          importer,
          namespace,
          resolveDir,
          pluginData: seen,
        });
        // Left to esbuild, which names the line of the import.
        if (found.errors.length > 0) return undefined;
        // Data needs no sharing, and Node's import would ask for an attribute that is gone by now.
        if (found.path.endsWith('.json')) return found;
        // A path alias of the user's tsconfig is no package.
        if (!isPackage(found.path) || (isolatePackages && !found.path.endsWith('.node')))
          return found;
        specifiers.set(found.path, args.path);
        return { path: found.path, external: true };
      });
    },
  };
}

/** Gives each module its own `import.meta`, on its first line so that no line moves. */
function importMeta(): Plugin {
  return {
    name: 'import-meta',
    setup(setup) {
      setup.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, (args) => {
        const text = readFileSync(args.path, 'utf8');
        if (!text.includes('import.meta')) return undefined;
        const meta = {
          url: pathToFileURL(args.path).href,
          filename: args.path,
          dirname: dirname(args.path),
        };
        const contents = `const __importMeta = ${JSON.stringify(meta)};${text.replace(/^#!/, '//')}`;
        return { contents, loader: loaders[extname(args.path)] ?? 'js' };
      });
    },
  };
}

/**
 * esbuild turns `import x from 'pkg'` into `__toESM(require('pkg'), 1)`, which would guess at the
 * package's shape. Node's own `import()` has already decided it, so its namespace is handed in.
 */
function withExternals(code: string): string {
  return code
    .replace(/\b__toESM\d*\(require\(("(?:[^"\\\n]|\\.)*"|\w+)\)(?:, 1)?\)/g, '__external($1)')
    .replace(/\b(__reExport\d*\(\w+, )require\(("(?:[^"\\\n]|\\.)*")\)/g, '$1__external($2)')
    .replace(/^((?:var \w+ = )?)require\(("(?:[^"\\\n]|\\.)*")\);$/gm, '$1__external($2);');
}

/** The bundle's text without this machine's paths. */
function neutral(code: string, folder: string, specifiers: ReadonlyMap<string, string>): string {
  let text = code;
  for (const [path, specifier] of specifiers) text = text.replaceAll(path, specifier);
  return text.replaceAll(folder, '.').replaceAll(pathToFileURL(folder).href, '.');
}

function explained(error: Message, file: string): string {
  const { location } = error;
  const head = `${placeOf(error, file)}: ${textOf(error)}`;
  if (!location) return head;
  return `${head}\n${excerpt(location.line, location.column + 1, location.lineText)}`;
}

function placeOf(error: Message, file: string): string {
  const { location } = error;
  if (!location) return shownPath(file);
  const path = shownPath(resolve(dirname(file), location.file));
  return `${path}:${location.line}:${location.column + 1}`;
}

function textOf(error: Message): string {
  if (error.text.startsWith('Top-level await')) {
    return 'a design cannot await at its top level, since it is evaluated again for every node. Await inside a handler or in the workload’s setup.';
  }
  if (error.text.startsWith('Could not resolve')) {
    const name = /"(.+)"/.exec(error.text)?.[1] ?? '';
    const hint = /^[./]/.test(name)
      ? 'Is the path right?'
      : `Is it installed (npm install ${name})?`;
    return `cannot find '${name}'. ${hint}`;
  }
  return error.text;
}

function outputText(result: BuildResult, ending: string): string {
  return result.outputFiles!.find((output) => output.path.endsWith(ending))!.text;
}

function isPackage(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`);
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
