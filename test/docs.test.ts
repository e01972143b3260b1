/**
 * What the documents show is tried: designs are compiled and simulated, commands are run (with less
 * load), tables are compared with what they come from. `npm run rewrite` accepts what changed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocks } from '../src/blocks/index.ts';
import { simulate } from '../src/index.ts';
import { exists, files, read, root } from './checkout.ts';
import { inTurn } from './turns.ts';

const rewriting = process.env.REWRITE === '1';
const folder = join(root, '.cache', `docs-${process.pid}`);

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'notes.ts'), firstDesign());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Contents of the fenced blocks in one language. */
function fences(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1]!,
  );
}

function firstDesign(): string {
  return fences(read('README.md'), 'ts')[0]!;
}

interface Figures {
  readonly documents: readonly string[];
  withFigures(text: string, results: unknown): string;
  measuredBlocks(text: string): readonly { readonly kind: string; readonly block: string }[];
}

async function figures(): Promise<Figures> {
  const address = pathToFileURL(join(root, 'scripts/figures.mjs')).href;
  return (await import(address)) as Figures;
}

describe('figures', () => {
  test('in the documents are those of bench/results.json', async () => {
    const { documents, withFigures } = await figures();
    const results: unknown = JSON.parse(read('bench/results.json'));
    for (const path of documents) {
      const text = read(path);
      const expected = withFigures(text, results);
      if (rewriting) writeFileSync(join(root, path), expected);
      expect(rewriting || text === expected, `${path} is stale: run \`npm run rewrite\``).toBe(
        true,
      );
    }
  });

  test('of simulated runs are filled in, each below its command', async () => {
    const { documents, measuredBlocks } = await figures();
    for (const path of documents) {
      for (const { block } of measuredBlocks(read(path))) {
        expect(block, `${path}: run node scripts/figures.mjs --runs`).toContain('```text\n');
      }
    }
  });
});

describe('README.md', () => {
  test('lists every block, with its purpose', () => {
    const rows = blocks.map(({ kind, family, purpose }) => {
      const page = `src/blocks/${family}/${kind}/README.md`;
      return `| ${exists(page) ? `[\`${kind}\`](${page})` : `\`${kind}\``} | ${family} | ${purpose} |`;
    });
    const table = ['| block | family | what it is for |', '| --- | --- | --- |', ...rows].join(
      '\n',
    );
    const before = read('README.md');
    const marked = /(<!-- blocks -->)[\s\S]*?(<!-- \/blocks -->)/;
    const text = before.replace(marked, `$1\n${table}\n$2`);
    if (rewriting) writeFileSync(join(root, 'README.md'), text);
    expect(rewriting || before === text, 'run `npm run rewrite`').toBe(true);
  });

  test('its first design compiles under strict rules', () => {
    const config = { extends: '../../tsconfig.json', include: ['notes.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
  });

  test('its first design keeps its promises while a copy is away', async () => {
    const report = await simulate(join(folder, 'notes.ts'), {
      for: '10s',
      faults: ['kill notes/1 at 3s, restart after 3s'],
    });
    expect(report.completed).toBeGreaterThan(1_500);
    expect(report.invariants.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect(report.objectives.filter(({ holds }) => !holds)).toEqual([]);
  });
});

/** Commands in the documents, one line each. */
const pages = files.filter((path) => path.endsWith('.md') && !path.startsWith('src/'));
const commands = pages.flatMap((path) =>
  fences(read(path), 'sh').flatMap((block) =>
    block
      .split('\n')
      .map((line) => line.replace(/\s+# .*$/, '').trim())
      .filter((line) => line.startsWith('npx loadpath '))
      .map((line) => ({ path, line })),
  ),
);

/** Needs a system that is running already, or a finding; or is held to more elsewhere, live; or dozens of processes. */
const notAlone =
  /^npx loadpath ((load|replay|verify|run examples\/shortener) |run examples\/shop --load --for 20s$)|https?:/;

/** The same command over less time, so that all of them together are cheap. */
function shortened(line: string): string[] {
  const words = line.replace(/^npx loadpath /, '').match(/'[^']*'|\S+/g) ?? [];
  const args = words.map((word) => word.replace(/^'(.*)'$/, '$1'));
  const set = (option: string, value: string): void => {
    const at = args.indexOf(option);
    if (at >= 0) args[at + 1] = value;
    else args.push(option, value);
  };
  const [verb] = args;
  if (verb === 'sim' || verb === 'run' || verb === 'hunt') set('--for', '1s');
  if (verb === 'hunt') set('--seeds', '2');
  if (verb === 'sweep') {
    set('--for', '1s');
    set('--seeds', '1');
  }
  if (verb === 'sim' && args.includes('--seeds')) set('--seeds', '2');
  if (verb === 'studio') args.push('--no-open');
  if (verb === 'run') {
    // In processes of their own the examples run in test/live; each would start a dozen here.
    if (!args.includes('--single')) args.push('--single');
    set('--port', '0');
    set('--data', join(folder, 'data'));
  }
  const absolute = (word: string) =>
    posix.isAbsolute(word) || !exists(word) ? word : join(root, word);
  // The command itself may have the name of a folder.
  return args.map((word, index) => (index === 0 ? word : absolute(word)));
}

/** Commands that differ in their faults alone are one run with all of them. */
function merged(lines: readonly string[]): Map<string, string[]> {
  const runs = new Map<string, string[]>();
  for (const line of lines) {
    const args = shortened(line);
    const faults: string[] = [];
    for (let at = args.indexOf('--fault'); at >= 0; at = args.indexOf('--fault')) {
      faults.push(...args.splice(at, 2));
    }
    const name = ['npx loadpath', ...args].join(' ').replaceAll(`${root}/`, '');
    runs.set(name, [...(runs.get(name) ?? args), ...faults]);
  }
  return runs;
}

describe('commands in the documents', () => {
  const cheap = commands.filter(({ line }) => !notAlone.test(line));
  const runs = merged(cheap.map(({ line }) => line));

  test('there are some', () => {
    expect(cheap.length).toBeGreaterThan(10);
    expect(exists('dist/cli/main.js'), 'run `npm run build`').toBe(true);
  });

  test.each(inTurn([...runs]))('%s', async (_name, args) => {
    const ended = await loadpath(args);
    // Promises may be broken on purpose; what is mistyped ends with 2.
    expect([0, 1], ended.err).toContain(ended.code);
  });
});

function loadpath(args: readonly string[]): Promise<{ code: number | null; err: string }> {
  return new Promise((resolve) => {
    const main = join(root, 'dist/cli/main.js');
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (piece) => {
      err += piece;
      // Studio goes on until it is told to end: that it serves is enough.
      if (args[0] === 'studio' && err.endsWith('Ctrl-C to end.\n')) child.kill('SIGINT');
    });
    child.on('close', (code) => resolve({ code, err }));
  });
}
