/**
 * Loads a design file. The user's own modules are bundled once into one synchronous function, so
 * that evaluating them afresh (a new life of a node, the next of a thousand seeds) costs a call
 * and gives module state of its own, as a new process would. Packages are imported beforehand, by
 * Node's own rules, and shared; `loadpath` is always the copy that is running.
 *
 *   design.ts ─┐
 *   links.ts  ─┼─esbuild─▶ function (external) { … }  ──evaluate()──▶ { default, … }   any number of times
 *   words.json─┘                     ▲
 *   hono, node:util, loadpath ───────┘ import() once
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { type BuildResult, build, type Loader, type Message, type Plugin } from 'esbuild';
import { LoadpathError } from '../../kit/errors.ts';
import { loading } from '../../sim/node/scope.ts';
import { type Bundle, locate, register } from './stacks.ts';

export interface LoadOptions {
  /** Bundle packages too, so that each evaluation has its own copy of them. Default false: shared. */
  readonly isolatePackages?: boolean;
}

export interface LoadedDesign {
  /** The file, absolute. */
  readonly path: string;
  /** The user's own modules, absolute, for `--watch`. */
  readonly files: readonly string[];
  /** 16 hex digits; the same design is the same hash on every machine. */
  readonly sourceHash: string;
  /** Runs the modules afresh. Throws LoadpathError when one of them throws. */
  evaluate(): EvaluatedDesign;
}

export interface EvaluatedDesign {
  readonly default: unknown;
  readonly exports: Readonly<Record<string, unknown>>;
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
export async function loadDesign(path: string, options: LoadOptions = {}): Promise<LoadedDesign> {
  const file = findDesign(path);
  const folder = dirname(file);
  const specifiers = new Map<string, string>();
  const bundled = await bundle(file, options.isolatePackages ?? false, specifiers);
  const metafile = bundled.metafile!;
  const files = Object.keys(metafile.inputs)
    .map((input) => resolve(folder, input))
    .filter((input) => existsSync(input) && !isPackage(input))
    .sort();

  const packages = new Packages(file, specifiers);
  for (const [input, { imports }] of Object.entries(metafile.inputs)) {
    for (const wanted of imports) {
      if (wanted.external && wanted.kind !== 'require-call') {
        await packages.add(wanted.path, resolve(folder, input));
      }
    }
  }

  const code = withExternals(outputText(bundled, '.cjs'));
  const shown: Bundle = {
    file: `${file}?bundle=${hashOf(code)}`,
    folder,
    map: JSON.parse(outputText(bundled, '.cjs.map')),
  };
  register(shown);
  const run = compileFunction(
    code,
    ['exports', 'module', 'require', '__external', '__filename', '__dirname'],
    { filename: shown.file },
  ) as (...handed: unknown[]) => void;
  const require = createRequire(file);

  return {
    path: file,
    files,
    sourceHash: hashOf(neutral(code, folder, specifiers)),
    evaluate() {
      const module = { exports: {} as Record<string, unknown> };
      try {
        // A module may read files that belong to the design, also on a simulated node.
        loading(() => run(module.exports, module, require, packages.get, file, folder));
      } catch (thrown) {
        throw whileLoading(thrown, file);
      }
      const { exports } = module;
      const isModule = exports.__esModule === true;
      if (isModule && exports.default === undefined) {
        throw new LoadpathError(
          'bad-design',
          `${shownPath(file)} has no default export. A design ends with: export default system('name', { … })`,
        );
      }
      return { default: isModule ? exports.default : exports, exports };
    },
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
    const errors = (failure as { errors?: readonly Message[] }).errors;
    if (!errors || errors.length === 0) throw failure;
    throw new LoadpathError(
      'design-failed',
      errors.map((error) => explained(error, file)).join('\n'),
      {
        problems: errors.map((error) => ({ at: placeOf(error, file), what: textOf(error) })),
      },
    );
  }
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

/** The packages of a design, imported by Node. */
class Packages {
  readonly #design: string;
  readonly #namespaces = new Map<string, unknown>();
  readonly #failed = new Map<string, unknown>();
  readonly #specifiers: ReadonlyMap<string, string>;

  constructor(design: string, specifiers: ReadonlyMap<string, string>) {
    this.#design = design;
    this.#specifiers = specifiers;
  }

  async add(path: string, importer: string): Promise<void> {
    if (this.#namespaces.has(path) || this.#failed.has(path)) return;
    try {
      this.#namespaces.set(path, await imported(path, importer));
    } catch (failure) {
      if (failure instanceof LoadpathError) throw failure;
      // Only what is really used may fail the design: the evaluation will say so at its import.
      this.#failed.set(path, failure);
    }
  }

  /** What `import … from` gives in the bundle. */
  readonly get = (path: string): unknown => {
    const namespace = this.#namespaces.get(path);
    if (namespace !== undefined) return namespace;
    if (this.#failed.has(path)) {
      const failure = this.#failed.get(path);
      const why = failure instanceof Error ? failure.message : String(failure);
      throw new LoadpathError(
        'design-failed',
        `${shownPath(this.#design)} imports '${this.#specifiers.get(path) ?? path}', which fails to load: ${why}`,
        { cause: failure },
      );
    }
    throw new LoadpathError(
      'real-io',
      `import('${path}') reads a module whose name is only known at run time. Import it statically, or by a literal name.`,
    );
  };
}

/** The bundle's text without this machine's paths. */
function neutral(code: string, folder: string, specifiers: ReadonlyMap<string, string>): string {
  let text = code;
  for (const [path, specifier] of specifiers) text = text.replaceAll(path, specifier);
  return text.replaceAll(folder, '.').replaceAll(pathToFileURL(folder).href, '.');
}

/**
 * Node's own `import()`, also where a test runner has put its own in place: packages must come
 * out in the shape, and as the instances, that they have in production.
 */
const nodeImporter = 'data:text/javascript,export default (address) => import(address)';

async function imported(path: string, importer: string): Promise<unknown> {
  if (path === 'loadpath' || path.startsWith('loadpath/')) return import(ownEntry(path, importer));
  const { default: importByNode } = (await import(nodeImporter)) as {
    readonly default: (address: string) => Promise<unknown>;
  };
  return importByNode(path.startsWith('node:') ? path : pathToFileURL(path).href);
}

/** The running copy's module for `loadpath` or `loadpath/…`, from sources or built. */
function ownEntry(specifier: string, importer: string): string {
  const root = new URL('../../../', import.meta.url);
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly default?: string }>>;
  };
  const wanted = `.${specifier.slice('loadpath'.length)}`;
  for (const [pattern, target] of Object.entries(manifest.exports)) {
    const file = typeof target === 'string' ? target : target.default;
    if (file === undefined) continue;
    const [before, after] = pattern.split('*') as [string, string | undefined];
    const fits =
      after === undefined
        ? wanted === pattern
        : wanted.startsWith(before) && wanted.endsWith(after) && wanted.length > before.length;
    if (!fits) continue;
    const star =
      after === undefined ? '' : wanted.slice(before.length, wanted.length - after.length);
    const built = file.replaceAll('*', star);
    const fromSource = import.meta.url.endsWith('.ts');
    const running = fromSource ? built.replace('./dist/', './src/').replace(/\.js$/, '.ts') : built;
    if (existsSync(fileURLToPath(new URL(running, root)))) return new URL(running, root).href;
  }
  const known = Object.keys(manifest.exports)
    .filter((name) => name !== './package.json')
    .map((name) => `loadpath${name.slice(1)}`);
  throw new LoadpathError(
    'design-failed',
    `${shownPath(importer)} imports '${specifier}', which does not exist. There is: ${known.join(', ')}`,
  );
}

/** A user's mistake while his modules ran: where, and nothing of our own stack. */
function whileLoading(thrown: unknown, file: string): LoadpathError {
  if (thrown instanceof LoadpathError) return thrown;
  const what =
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `it threw ${String(thrown)}`;
  const place = thrown instanceof Error ? locate(thrown) : undefined;
  if (!place) {
    return new LoadpathError('design-failed', `${shownPath(file)} fails while loading: ${what}`, {
      cause: thrown,
    });
  }
  const at = `${shownPath(place.file)}:${place.line}:${place.column}`;
  const message = `${at}: fails while loading: ${what}\n${excerpt(place.line, place.column, place.lineText)}`;
  return new LoadpathError('design-failed', message, {
    problems: [{ at, what }],
    cause: thrown,
  });
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

function excerpt(line: number, column: number, lineText: string): string {
  const number = String(line);
  const margin = ' '.repeat(number.length);
  const before = lineText.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `  ${number} │ ${lineText}\n  ${margin} │ ${before}^`;
}

function outputText(result: BuildResult, ending: string): string {
  return result.outputFiles!.find((output) => output.path.endsWith(ending))!.text;
}

function isPackage(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** As the user would type it. */
function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? path : near;
}
