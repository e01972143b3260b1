/**
 * What holds the tree together: which floor may use which, which names are banned where and what
 * to use instead, what every block's folder has. A failure names file, line and what to do.
 */
import { posix } from 'node:path';
import ts from 'typescript-api';
import { describe, expect, test } from 'vitest';
import {
  exists,
  files,
  importsOf,
  isTest,
  lineOf,
  parse,
  read,
  root,
  sources,
  visit,
} from './checkout.ts';
import { slow, turnCount } from './turns.ts';

/**
 * The floors, lowest first. `uses` are the other floors a file may import from; `types` those of
 * which it may only import types; `packages` what it may import from node_modules.
 */
interface Floor {
  readonly uses: readonly string[];
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
  /** Subfolders and files that may touch the machine: `node:*`. `.` for the whole floor. */
  readonly machine?: readonly string[];
}

const floors: Readonly<Record<string, Floor>> = {
  kit: { uses: [], types: ['host'] },
  host: { uses: ['kit'] },
  parts: { uses: ['host', 'kit'] },
  path: { uses: ['parts', 'host', 'kit'] },
  sim: { uses: ['parts', 'host', 'kit'], machine: ['node'] },
  live: { uses: ['parts', 'host', 'kit'], packages: ['undici', 'ws'], machine: ['.'] },
  verify: { uses: ['parts', 'host', 'kit'] },
  blocks: { uses: ['path', 'parts', 'host', 'kit'] },
  design: { uses: ['blocks', 'verify', 'path', 'parts', 'host', 'kit'] },
  run: {
    uses: ['design', 'blocks', 'verify', 'live', 'sim', 'path', 'parts', 'host', 'kit'],
    packages: ['esbuild'],
    // The index holds the runner, which opens files and counts cores.
    machine: ['node', 'index.ts'],
  },
  studio: {
    uses: ['run', 'design', 'blocks', 'verify', 'live', 'path', 'parts', 'host', 'kit'],
    machine: ['.'],
  },
  cli: {
    uses: ['studio', 'run', 'design', 'blocks', 'verify', 'live', 'path', 'parts', 'host', 'kit'],
    packages: ['commander'],
    machine: ['.'],
  },
};

/** A block's bridge to an existing engine is loaded only when asked for, and speaks to the machine. */
const isEngine = (path: string) => /^src\/blocks\/[^/]+\/[^/]+\/engines\//.test(path);

/** Code that must run the same in both worlds: it has a `Host` and nothing else. */
const portable = ['kit', 'host', 'parts', 'path', 'blocks', 'design', 'verify', 'sim'];

/** What portable code must not touch, and what it uses instead. */
const bannedNames: Readonly<Record<string, string>> = {
  'Date.now': 'host.now() or host.wall()',
  'performance.now': 'host.now()',
  'Math.random': 'host.random, or a Random passed in',
  setTimeout: 'host.after()',
  setInterval: 'host.after(), again each time',
  setImmediate: 'host.after(0, …)',
  clearTimeout: 'timer.cancel()',
  clearInterval: 'timer.cancel()',
  queueMicrotask: 'a plain call: programs are synchronous',
  process: 'config, or the world that runs this',
  fetch: 'host.send() to a web port',
  crypto: 'host.random',
  'URL.canParse': 'parseUrl() of kit/url.ts: Node 20 says no to umlauts once it is compiled',
};

const bannedFolders = ['utils', 'util', 'helpers', 'common', 'types', 'lib', 'misc', 'shared'];

/** About what one sitting can review. */
const linesMax = 700;

const sourceFiles = sources('src').filter((path) => !isTest(path));
const everyTypeScript = files.filter((path) => /\.tsx?$/.test(path));

function floorOf(path: string): string | undefined {
  const [, folder, rest] = /^src\/([^/]+)\/(.+)$/.exec(path) ?? [];
  return rest === undefined ? undefined : folder;
}

function machineAllowed(path: string, floor: string): boolean {
  const within = path.slice(`src/${floor}/`.length);
  const places = floors[floor]?.machine ?? [];
  return (
    isEngine(path) ||
    places.some((place) => place === '.' || within === place || within.startsWith(`${place}/`))
  );
}

describe('floors', () => {
  test('every folder of src is a floor', () => {
    const folders = new Set(sources('src').map((path) => floorOf(path)));
    folders.delete(undefined);
    expect([...folders].filter((folder) => !(folder! in floors))).toEqual([]);
  });

  test('a floor uses those below it only', () => {
    const wrong: string[] = [];
    for (const path of sourceFiles) {
      const floor = floorOf(path);
      if (floor === undefined) continue;
      const { uses, types = [] } = floors[floor]!;
      for (const imported of importsOf(path)) {
        const target = imported.path && floorOf(imported.path);
        if (target === undefined || target === floor || uses.includes(target)) continue;
        if (imported.typeOnly && types.includes(target)) continue;
        wrong.push(
          `${path}:${imported.line} imports ${target}; ${floor} may use ${uses.join(', ')}`,
        );
      }
    }
    expect(wrong).toEqual([]);
  });

  test('blocks never import one another: they meet in a design', () => {
    const blockOf = (path: string) => /^src\/blocks\/([^/]+\/[^/]+)\//.exec(path)?.[1];
    const wrong: string[] = [];
    for (const path of sourceFiles) {
      const own = blockOf(path);
      if (own === undefined) continue;
      for (const imported of importsOf(path)) {
        const other = imported.path && blockOf(imported.path);
        if (other !== undefined && other !== own) {
          wrong.push(`${path}:${imported.line} imports the block ${other}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('only the faces of the command line reach into cli', () => {
    const wrong = sourceFiles
      .filter((path) => floorOf(path) !== 'cli')
      .filter((path) => importsOf(path).some((one) => one.path?.startsWith('src/cli/')));
    expect(wrong).toEqual([]);
  });

  test('node: modules and packages are used where the table allows them', () => {
    const wrong: string[] = [];
    for (const path of sourceFiles) {
      const floor = floorOf(path);
      if (floor === undefined) continue;
      for (const { name, path: relativePath, line, typeOnly } of importsOf(path)) {
        if (relativePath !== undefined || (typeOnly && !name.startsWith('node:'))) continue;
        if (name.startsWith('node:')) {
          if (machineAllowed(path, floor)) continue;
          wrong.push(`${path}:${line} imports ${name}; only live/, sim/node/, run/node/, cli/ may`);
        } else if (
          !floors[floor]!.packages?.some((it) => name === it || name.startsWith(`${it}/`))
        ) {
          if (!isEngine(path)) wrong.push(`${path}:${line} imports the package ${name}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('relative imports carry the extension of the file they mean, and it exists', () => {
    const wrong = everyTypeScript.flatMap((path) =>
      importsOf(path)
        .filter((one) => one.path !== undefined && !(/\.\w+$/.test(one.path) && exists(one.path)))
        .map((one) => `${path}:${one.line} imports ${one.name}`),
    );
    expect(wrong).toEqual([]);
  });
});

/** What every view of the page may use, besides its own folder. `app` puts the views together. */
const pageFloors = ['api', 'state', 'theme', 'parts'];

describe('the page', () => {
  const pageFiles = sources('studio/src').filter((path) => !isTest(path));
  const viewOf = (path: string) => /^studio\/src\/([^/]+)\//.exec(path)?.[1];

  test('knows Loadpath by loadpath/studio only', () => {
    const { devDependencies } = JSON.parse(read('studio/package.json')) as {
      devDependencies: Record<string, string>;
    };
    const packages = [...Object.keys(devDependencies), 'loadpath/studio'];
    const isKnown = (name: string) =>
      packages.some((it) => name === it || name.startsWith(`${it}/`));
    const wrong = pageFiles.flatMap((path) =>
      importsOf(path)
        .filter((one) =>
          one.path === undefined ? !isKnown(one.name) : !one.path.startsWith('studio/src/'),
        )
        .map((one) => `${path}:${one.line} imports ${one.name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('has views that do not know one another', () => {
    const wrong: string[] = [];
    for (const path of pageFiles) {
      const own = viewOf(path);
      if (own === undefined || own === 'app') continue;
      for (const imported of importsOf(path)) {
        const other = imported.path && viewOf(imported.path);
        if (other === undefined || other === own || pageFloors.includes(other)) continue;
        wrong.push(`${path}:${imported.line} imports the view ${other}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('banned', () => {
  test('portable code reaches for nothing but its host', () => {
    const wrong: string[] = [];
    for (const path of sourceFiles) {
      const floor = floorOf(path);
      if (floor === undefined || !portable.includes(floor) || machineAllowed(path, floor)) continue;
      const file = parse(path);
      visit(file, (node) => {
        const name = reached(node);
        if (name === undefined) return;
        wrong.push(`${path}:${lineOf(file, node)} uses ${name}; use ${bannedNames[name]}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  test('`any` is nowhere: say what is known, or `unknown`', () => {
    const wrong: string[] = [];
    for (const path of everyTypeScript) {
      const file = parse(path);
      visit(file, (node) => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) wrong.push(`${path}:${lineOf(file, node)}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  test('no check is switched off and nothing is left for later', () => {
    // Spelt in halves, so that this file passes its own test.
    const marks = [
      '@ts-' + 'ignore',
      '@ts-' + 'nocheck',
      'biome-' + 'ignore',
      'eslint-' + 'disable',
    ];
    const later = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X:', 'HA' + 'CK:'];
    const wrong: string[] = [];
    for (const path of files.filter((one) => /\.(ts|tsx|mjs|css|html)$/.test(one))) {
      for (const [index, line] of read(path).split('\n').entries()) {
        const found = [...marks, ...later].find((mark) => line.includes(mark));
        if (found) wrong.push(`${path}:${index + 1} has ${found}`);
        if (line.includes('@ts-' + 'expect-error') && !isTest(path)) {
          wrong.push(`${path}:${index + 1} expects a type error outside of a test`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('every test runs: none is skipped, none runs alone', () => {
    const wrong: string[] = [];
    for (const path of everyTypeScript.filter(isTest)) {
      const file = parse(path);
      visit(file, (node) => {
        if (!ts.isPropertyAccessExpression(node)) return;
        const owner = node.expression.getText(file).split('.')[0]!;
        if (!['test', 'it', 'describe', 'suite'].includes(owner)) return;
        if (!['only', 'skip', 'todo', 'fails', 'skipIf'].includes(node.name.text)) return;
        wrong.push(`${path}:${lineOf(file, node)} ${owner}.${node.name.text}`);
      });
    }
    expect(wrong).toEqual([]);
  });
});

/** The banned name that `node` is, or undefined. Names of properties and fields are not uses. */
function reached(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const name = `${node.expression.getText()}.${node.name.text}`;
    return name in bannedNames ? name : undefined;
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date') {
    return (node.arguments?.length ?? 0) === 0 ? 'Date.now' : undefined;
  }
  if (!ts.isIdentifier(node) || !Object.hasOwn(bannedNames, node.text)) return undefined;
  return isFree(node) ? node.text : undefined;
}

function isFree(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    // `globalThis.setTimeout` is the same reach; `host.fetch` is not.
    return parent.expression.getText() === 'globalThis';
  }
  const named =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isGetAccessor(parent) ||
    ts.isParameter(parent) ||
    ts.isVariableDeclaration(parent) ||
    ts.isFunctionDeclaration(parent) ||
    ts.isBindingElement(parent);
  if (named && parent.name === node) return false;
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent)) return false;
  return !declaredHere(node);
}

/** A parameter or variable of that name in the same file is not the global. */
function declaredHere(node: ts.Identifier): boolean {
  let declared = false;
  visit(node.getSourceFile(), (other) => {
    const declares =
      ts.isParameter(other) || ts.isBindingElement(other) || ts.isVariableDeclaration(other);
    if (declares && ts.isIdentifier(other.name) && other.name.text === node.text) declared = true;
  });
  return declared;
}

describe('layout', () => {
  test('no folder is called utils, helpers, common, types or lib', () => {
    const folders = new Set(files.flatMap((path) => posix.dirname(path).split('/')));
    expect([...folders].filter((folder) => bannedFolders.includes(folder))).toEqual([]);
  });

  test(`a file has at most ${linesMax} lines: more wants a file of its own`, () => {
    const long = everyTypeScript
      .map((path) => ({ path, lines: read(path).split('\n').length }))
      .filter(({ lines }) => lines > linesMax)
      .map(({ path, lines }) => `${path} has ${lines}`);
    expect(long).toEqual([]);
  });

  test('every block has its page, its door, its contract with Loadpath, its knobs and a test', () => {
    const folders = new Set(
      files.flatMap((path) => /^src\/blocks\/[^/]+\/[^/]+(?=\/)/.exec(path)?.[0] ?? []),
    );
    const missing: string[] = [];
    for (const folder of folders) {
      for (const name of ['README.md', 'index.ts', 'block.ts', 'config.ts']) {
        if (!exists(`${folder}/${name}`)) missing.push(`${folder}/${name}`);
      }
      const tested = files.some(
        (path) => path.startsWith(`${folder}/`) && path.endsWith('.test.ts'),
      );
      if (!tested) missing.push(`${folder}/*.test.ts`);
    }
    expect(missing).toEqual([]);
  });

  test('every test file that takes turns is there, and has one turn', () => {
    const listed = slow.flat();
    expect(listed.filter((path) => !exists(path))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
    expect(slow.length).toBe(turnCount);
    expect(read('scripts/test.mjs')).toContain(`const turnCount = ${turnCount};`);
  });

  test('every public subpath of package.json has its source', () => {
    const { exports } = JSON.parse(read('package.json')) as {
      exports: Record<string, string | { default: string; types: string }>;
    };
    const missing: string[] = [];
    for (const [subpath, target] of Object.entries(exports)) {
      if (typeof target === 'string') {
        if (!exists(target)) missing.push(`${subpath}: ${target}`);
        continue;
      }
      const source = target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
      const folder = posix.dirname(source.split('*')[0]! || source);
      const there = source.includes('*') ? exists(folder) : exists(source);
      if (!there) missing.push(`${subpath}: ${source}`);
      if (target.types !== target.default.replace(/\.js$/, '.d.ts')) {
        missing.push(`${subpath}: types and default name different files`);
      }
    }
    expect(missing).toEqual([]);
  });
});

describe('documents', () => {
  const documents = files.filter((path) => path.endsWith('.md'));

  test('each has one title, on its first line', () => {
    const wrong = documents.filter((path) => {
      const lines = prose(read(path)).split('\n');
      const titles = lines.filter((line) => /^# /.test(line));
      return titles.length !== 1 || !lines.find((line) => line.trim() !== '')?.startsWith('# ');
    });
    expect(wrong).toEqual([]);
  });

  test('links between them lead somewhere', () => {
    const broken = documents.flatMap((path) =>
      [...prose(read(path)).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => match[1]!.split('#')[0]!)
        .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
        .filter((target) => !exists(posix.join(posix.dirname(path), target)))
        .map((target) => `${path} links to ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('nothing here knows the machine it was written on', () => {
    const local = [new RegExp('/(work|root|home)' + '/[\\w.]'), new RegExp('/Users' + '/\\w')];
    const host = /\/\/[\w.-]*(registry|artifactory|mirror|nexus)[\w.-]*\.[a-z]{2,}/;
    const wrong: string[] = [];
    for (const path of files) {
      if (/\.(png|jpg|webp|ico|woff2?|gz)$/.test(path)) continue;
      for (const [index, line] of read(path).split('\n').entries()) {
        const names = local.some((pattern) => pattern.test(line)) || line.includes(root);
        if (names || host.test(line))
          wrong.push(`${path}:${index + 1} ${line.trim().slice(0, 80)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the lock file pins versions, not places', () => {
    // Our own workspace is a link, and its place is part of this checkout.
    const places = read('package-lock.json').match(/"resolved": .*/g);
    expect(places).toEqual(['"resolved": "studio",']);
  });
});

/** A document without its fenced code, in which `#` is a comment and brackets are code. */
function prose(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1.*$/gm, '');
}

describe('versions', () => {
  test.each(['package.json', 'studio/package.json'])('%s pins what it uses', (path) => {
    const { dependencies, devDependencies } = JSON.parse(read(path)) as Record<
      string,
      Record<string, string>
    >;
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+$/.test(version),
    );
    expect(loose).toEqual([]);
  });
});
