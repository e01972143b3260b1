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
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { LoadpathError } from '../../kit/errors.ts';
import { globalOfNow } from '../../sim/node/commons.ts';
import { current, loading } from '../../sim/node/scope.ts';
import {
  type BundledPackage,
  type BundleOptions,
  bundleDesign,
  type DesignBundle,
  hashOf,
} from './bundle.ts';
import { importing } from './importing.ts';
import type { EngineCode } from './kept-bundle.ts';
import { excerpt, shownPath } from './places.ts';
import type { SavedFault } from './saved-faults.ts';
import { locate, register } from './stacks.ts';

export interface LoadedDesign {
  /** The file, absolute. */
  readonly path: string;
  /** The user's own modules, absolute, for `--watch`. */
  readonly files: readonly string[];
  /** 16 hex digits; the same design is the same hash on every machine. */
  readonly sourceHash: string;
  /** Those that stand in a file beside it. */
  readonly savedFaults: readonly SavedFault[];
  /** Runs the modules afresh. Throws LoadpathError when one of them throws. */
  evaluate(): EvaluatedDesign;
  /** What the engine made of it so far: whoever loads the same bundle with it, on the same version, need not compile that again. */
  engineCode(): EngineCode;
}

const opening =
  '(function (exports, module, require, __external, __filename, __dirname, globalThis, global) {';

export interface EvaluatedDesign {
  readonly default: unknown;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** `bundleDesign` and `loadBundle` in one, for who bundles and runs in one place. */
export async function loadDesign(path: string, options?: BundleOptions): Promise<LoadedDesign> {
  return loadBundle(await bundleDesign(path, options));
}

/**
 * Imports the packages of a bundled design and compiles it, for which it may be given what came of that before.
 * LoadpathError 'design-failed' when it imports a part of `loadpath` that does not exist.
 */
export async function loadBundle(bundle: DesignBundle, engine?: EngineCode): Promise<LoadedDesign> {
  const { path: file, files, sourceHash, savedFaults, code } = bundle;
  const folder = dirname(file);
  const packages = new Packages(file);
  for (const wanted of bundle.packages) await packages.add(wanted);

  const shownAs = `${file}?bundle=${hashOf(code)}`;
  register({ file: shownAs, folder, map: () => bundle.map });
  const script = new Script(`${opening}${code}\n})`, {
    filename: shownAs,
    // Places in the first line are those of the code.
    columnOffset: -opening.length,
    cachedData: engine,
  });
  const run = script.runInThisContext() as (...handed: unknown[]) => void;
  const require = createRequire(file);

  return {
    path: file,
    files,
    sourceHash,
    savedFaults,
    engineCode: () => script.createCachedData(),
    evaluate() {
      const module = { exports: {} as Record<string, unknown> };
      try {
        // A module may read files that belong to the design, also on a simulated node.
        const ground = globalOfNow();
        loading(() =>
          run(module.exports, module, require, packages.get, file, folder, ground, ground),
        );
      } catch (thrown) {
        throw whileLoading(thrown, file);
      }
      const { exports } = module;
      const isModule = exports.__esModule === true;
      if (exports.default === undefined && (isModule || isEmpty(exports))) {
        throw new LoadpathError(
          'bad-design',
          `${shownPath(file)} has no default export. A design ends with: export default system('name', { … })`,
        );
      }
      return { default: isModule ? exports.default : exports, exports };
    },
  };
}

/** Of a module that exports nothing the bundler does not say that it is one. */
function isEmpty(exports: unknown): boolean {
  return typeof exports === 'object' && exports !== null && Object.keys(exports).length === 0;
}

/** The packages of a design, imported by Node. */
class Packages {
  readonly #design: string;
  readonly #namespaces = new Map<string, unknown>();
  readonly #failed = new Map<string, { readonly specifier: string; readonly failure: unknown }>();

  constructor(design: string) {
    this.#design = design;
  }

  async add({ path, specifier, importer }: BundledPackage): Promise<void> {
    try {
      this.#namespaces.set(path, await imported(path, importer));
    } catch (failure) {
      if (failure instanceof LoadpathError) throw failure;
      // Only what is really used may fail the design: the evaluation will say so at its import.
      this.#failed.set(path, { specifier, failure });
    }
  }

  /** What `import … from` gives in the bundle. */
  readonly get = (path: string): unknown => {
    const namespace = this.#namespaces.get(path);
    if (namespace !== undefined) return namespace;
    const failed = this.#failed.get(path);
    if (failed) {
      const { specifier, failure } = failed;
      const why = failure instanceof Error ? failure.message : String(failure);
      throw new LoadpathError(
        'design-failed',
        `${shownPath(this.#design)} imports '${specifier}', which fails to load: ${why}`,
        { cause: failure },
      );
    }
    current?.reached(`import('${path}')`);
    throw new LoadpathError(
      'real-io',
      `import('${path}') reads a module whose name is only known at run time. Import it statically, or by a literal name.`,
    );
  };
}

const requireHere = createRequire(import.meta.url);
const commonOf = (entry: string): string => entry.replace(/\.js$/, '.cjs');
const isBuilt = !import.meta.url.endsWith('.ts');

interface NodeImporter {
  readonly default: (address: string) => Promise<unknown>;
}

/**
 * Node's own `import()`, also where a test runner has put its own in place: packages must come
 * out in the shape, and as the instances, that they have in production.
 */
const nodeImporter = 'data:text/javascript,export default (address) => import(address)';

async function imported(path: string, importer: string): Promise<unknown> {
  if (path === 'loadpath' || path.startsWith('loadpath/')) {
    const entry = ownEntry(path, importer);
    // Built, each entry also has a file for `require`, and what that gives is what both mean.
    return isBuilt && existsSync(fileURLToPath(commonOf(entry)))
      ? requireHere(fileURLToPath(commonOf(entry)))
      : importing(entry);
  }
  // From sources a test runner may have put its own in place.
  const byNode = isBuilt ? importing : ((await importing(nodeImporter)) as NodeImporter).default;
  return byNode(path.startsWith('node:') ? path : pathToFileURL(path).href);
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
    const running = isBuilt ? built : built.replace('./dist/', './src/').replace(/\.js$/, '.ts');
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
