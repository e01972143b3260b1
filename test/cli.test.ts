/** The command line as its users meet it: a process, its two outputs and its exit code. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './checkout.ts';

let folder = '';
let main = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loadpath-cli-'));
  // Inside of the checkout, where packages are found.
  const outdir = join(root, '.cache', `cli-${process.pid}`);
  main = join(outdir, 'main.js');
  await build({
    entryPoints: [join(root, 'src/cli/main.ts')],
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outdir,
    logLevel: 'silent',
  });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(root, '.cache', `cli-${process.pid}`), { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function loadpath(args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: folder });
    let out = '';
    let err = '';
    child.stdout.on('data', (piece) => {
      out += piece;
    });
    child.stderr.on('data', (piece) => {
      err += piece;
    });
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

describe('mistakes', () => {
  test('on the command line are told together, with exit code 2 and no stack', async () => {
    const ended = await loadpath(['sim', 'x.ts', '--for', 'soon', '--seed', 'one', '--seeds', '0']);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain('the command line has 3 mistakes:');
    expect(ended.err).toContain("--for: must be a duration such as '30s', got 'soon'");
    expect(ended.err).not.toContain('    at ');
  });

  test('in names get a suggestion', async () => {
    const command = await loadpath(['simm']);
    expect(command).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean sim?') });
    const option = await loadpath(['sim', 'x.ts', '--seeed', '1']);
    expect(option.code).toBe(2);
    expect(option.err).toContain('Did you mean --seed?');
  });

  test('in a path say that there is no design', async () => {
    const ended = await loadpath(['sim', 'nowhere']);
    expect(ended.code).toBe(2);
    expect(ended.err).toContain('nowhere');
    expect(ended.err).not.toContain('    at ');
  });
});

describe('help', () => {
  test('goes to standard output and ends well', async () => {
    const ended = await loadpath(['--help']);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toContain('Examples:');
  });
});

describe('estimate', () => {
  test('prints figures as JSON with stable names', async () => {
    const args = ['estimate', '--rate', '11166/s', '--reads', '0', '--json'];
    const { code, out } = await loadpath(args);
    const { figures } = JSON.parse(out) as { figures: { name: string; value: number }[] };
    expect(code).toBe(0);
    expect(figures.find(({ name }) => name === 'keyWidth')?.value).toBe(7);
  });
});

describe('verify', () => {
  const line = (process: number, type: string, f: string, value: number | null) =>
    JSON.stringify({ process, type, f, value });
  const written = [line(0, 'invoke', 'write', 1), line(0, 'ok', 'write', 1)];
  const history = (value: number | null) =>
    [...written, line(1, 'invoke', 'read', null), line(1, 'ok', 'read', value)].join('\n');

  test('answers by word and by exit code, from a file or from standard input', async () => {
    writeFileSync(join(folder, 'good.jsonl'), history(1));
    expect(await loadpath(['verify', 'good.jsonl'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^linearizable\n/),
    });
    expect(await loadpath(['verify', '-'], history(null))).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^not linearizable\n/),
    });
  });

  test('tells a mistake in the file by its line', async () => {
    const ended = await loadpath(['verify', '-'], `${written.join('\n')}\nrubbish\n`);
    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(/3/);
  });
});

describe('new', () => {
  test('writes a design, a test and a page, and overwrites nothing', async () => {
    const made = await loadpath(['new', 'shop']);
    expect(made.code).toBe(0);
    const design = join(folder, 'shop', 'design.ts');
    expect(readFileSync(design, 'utf8')).toContain("system('shop'");
    for (const file of ['README.md', 'design.test.ts', 'package.json']) {
      expect(existsSync(join(folder, 'shop', file)), file).toBe(true);
    }
    writeFileSync(design, 'mine');
    const again = await loadpath(['new', 'shop']);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('not empty') });
    expect(readFileSync(design, 'utf8')).toBe('mine');
  });

  test('refuses a name that no package could have', async () => {
    expect(await loadpath(['new', 'My Shop'])).toMatchObject({ code: 2 });
  });

  test('says where nothing can be made, and ends', async () => {
    writeFileSync(join(folder, 'file'), '');
    // Below a file, and, on Linux, below what only looks like a folder.
    for (const nowhere of ['file/inner', '/proc/nowhere']) {
      const refused = await loadpath(['new', nowhere]);
      expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('cannot be made') });
    }
  });
});

describe('a broken pipe', () => {
  test('ends a command without a word', async () => {
    const child = spawn(process.execPath, [main, 'sim', '--help'], { cwd: folder });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (piece) => {
      err += piece;
    });
    const code = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});
