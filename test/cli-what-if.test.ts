/** What if: options set from outside, sweeps, comparisons, exports, from the command line. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './checkout.ts';
import { padDesign } from './pad.ts';

// Workers and children are found beside it, so this is the built one.
const main = join(root, 'dist/cli/main.js');
let folder = '';

/** Quorums without write-back, unless atomic is asked for. */
const design = padDesign('replicas: 3', "cost: { cpu: '1ms' },");

const modelled = {
  name: 'queue',
  blocks: [{ kind: 'service', name: 'api', instances: 1, cost: { cpu: { exponential: '5ms' } } }],
  entry: 'api',
  users: { rate: '50/s' },
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loadpath-what-if-'));
  writeFileSync(join(folder, 'pad.ts'), design);
  writeFileSync(join(folder, 'queue.json'), JSON.stringify(modelled));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `interruptAt`: Ctrl-C as soon as standard error says so. */
function loadpath(args: readonly string[], interruptAt?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  let [out, err, isSent] = ['', '', false];
  child.stdout.on('data', (piece) => {
    out += piece;
  });
  child.stderr.on('data', (piece) => {
    err += piece;
    if (isSent || !interruptAt?.test(err)) return;
    isSent = true;
    child.kill('SIGINT');
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

const words = (text: string) => text.split(' ');

describe('--set', () => {
  test('changes a simulation, and the report says what', async () => {
    const { out } = await loadpath([
      ...words('sim pad.ts --for 2s --json'),
      '--set',
      'api.instances=2',
    ]);
    const report = JSON.parse(out);
    expect(report.blocks.api.nodes).toHaveLength(2);
    expect(report.notes).toContain('with api.instances = 2 instead of 1');
  });

  test('names every mistake in it, with exit code 2', async () => {
    const set = words('--set api.instanses=2 --set notes.replicas=many --set apu.instances=2');
    const { code, err } = await loadpath(['sim', 'pad.ts', ...set]);
    expect(code).toBe(2);
    expect(err).toContain('did you mean instances?');
    expect(err).toContain('notes.replicas: must be a whole number');
    expect(err).toContain('there is no block apu; did you mean api?');
    expect((await loadpath(words('sim pad.ts --set api.instances'))).err).toContain(
      "--set: must be block.option=value, such as links.replicas=5, got 'api.instances'",
    );
  });

  test('reaches every process of a live system', async () => {
    const args = words(
      'run pad.ts --for 2s --port 0 --json --set api.instances=2 --set notes.replicas=1',
    );
    const report = JSON.parse((await loadpath(args)).out);
    expect(report.blocks.api.nodes).toHaveLength(2);
    expect(report.blocks.notes.nodes).toHaveLength(1);
    expect(report.completed).toBeGreaterThan(0);
    expect(report.notes).toContain('with notes.replicas = 1 instead of 3');
  });

  test('of a hunt is part of what it finds: it replays to the same digest', async () => {
    const set = ['--set', 'notes.consistency=quorum'];
    const hunted = await loadpath([
      ...words('hunt pad.ts --seeds 40 --minutes 1 --for 5s'),
      ...set,
    ]);
    expect(hunted.code).toBe(1);
    const file = join('.loadpath/findings', readdirSync(join(folder, '.loadpath/findings'))[0]!);
    const finding = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    expect(finding.set).toEqual({ 'notes.consistency': 'quorum' });
    const replayed = JSON.parse((await loadpath(['replay', file, '--json'])).out);
    expect(replayed.digest).toBe(finding.digest);
  });
});

describe('sweep', () => {
  const swept = words('sweep queue.json --over rate --for 20s --seeds 2');

  test('draws the curve and names its knee', async () => {
    const { code, out, err } = await loadpath([...swept, '--values', '20/s..180/s step 40/s']);
    expect(code).toBe(0);
    expect(err).toContain('rate 20/s: ');
    expect(out).toMatch(/^rate sweep · 5 values · 2 seeds each\n/);
    expect(out).toMatch(/▶ +(100|140)\/s/);
    expect(out).toMatch(/Knee at rate (100|140)\/s: p99 is .* ms at rate 20\/s/);
  });

  test('tells what is known at Ctrl-C', async () => {
    const many = [...swept, '--values', '20/s..60/s step 1/s', '--jobs', '1', '--json'];
    const { code, out, err } = await loadpath(many, /rate 21\/s/);
    expect(code).toBe(0);
    const { points } = JSON.parse(out);
    expect(points.length).toBeGreaterThanOrEqual(2);
    expect(points.length).toBeLessThan(41);
    expect(err).toContain('Stopped early: these are the runs that had ended.');
  });
});

describe('compare', () => {
  const report = async (file: string, ...more: string[]) => {
    const { out } = await loadpath([...words('sim queue.json --for 20s --json'), ...more]);
    writeFileSync(join(folder, file), out);
  };

  test('tells what got better, over the same seeds', async () => {
    await report('one.json', '--seeds', '4');
    await report('two.json', '--seeds', '4', '--set', 'api.cost=exponential(2ms)');
    const { code, out } = await loadpath(words('compare one.json two.json'));
    expect(code).toBe(0);
    expect(out).toContain(
      '- The second ran with api.cost = exponential(2ms) instead of cpu exponential(5ms).',
    );
    expect(out).toMatch(/- p99 fell from [\d.]+ to [\d.]+ ms \(-\d+ % ±\d/);
    expect(out).toMatch(/p99 +[\d.]+ms ±.*better/);
    expect(out).toContain('Over the same 4 seeds');
    const same = await loadpath(words('compare one.json one.json'));
    expect(same.out).toContain('Both are the same run, event by event.');
  });

  test('refuses what is no report', async () => {
    const { code, err } = await loadpath(words('compare queue.json one.json'));
    expect(code).toBe(2);
    expect(err).toContain('queue.json is not a report of this version');
    expect((await loadpath(words('compare gone.json one.json'))).err).toContain('cannot be read');
  });
});

describe('export and explain', () => {
  test('a design of data becomes code that runs the same', async () => {
    expect((await loadpath(words('export queue.json'))).out).toContain(
      "export default system('queue'",
    );
    expect((await loadpath(words('export queue.json --out queue.ts'))).code).toBe(0);
    expect((await loadpath(words('export queue.json --out queue.ts'))).err).toContain(
      'there already',
    );
    const digests = await Promise.all(
      ['queue.json', 'queue.ts'].map(async (file) => {
        const { out } = await loadpath(['sim', file, '--for', '5s', '--json']);
        return JSON.parse(out).digest;
      }),
    );
    expect(digests[0]).toBe(digests[1]);
    expect(existsSync(join(folder, 'queue.ts'))).toBe(true);
  });

  test('a design is told as a flowchart, with what is set', async () => {
    const { out } = await loadpath(words('explain pad.ts --mermaid --set notes.replicas=5'));
    expect(out).toContain('flowchart LR\n');
    expect(out).toContain('notes[("notes<br/>kv × 5")]');
    expect((await loadpath(words('explain pad.ts --mermaid --json'))).code).toBe(2);
  });
});
