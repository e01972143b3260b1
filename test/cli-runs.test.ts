/** Runs from the command line, as their users meet them: signals, files, and what is said at the end. */
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

/** Quorums without write-back: what one read saw, the next may not. */
const design = padDesign("replicas: 3, consistency: 'quorum'");

const log = [
  ...Array.from(
    { length: 20 },
    (_, i) => `10.0.0.${i} - - [22/Nov/2026:10:00:0${i % 2} +0000] "GET /n HTTP/1.1" 200 12`,
  ).sort((a, b) => Number(a.includes(':01 ')) - Number(b.includes(':01 '))),
  'rubbish',
  '',
].join('\n');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loadpath-runs-'));
  writeFileSync(join(folder, 'pad.ts'), design);
  writeFileSync(join(folder, 'sulking.ts'), sulking);
  writeFileSync(join(folder, 'sound.ts'), padDesign('replicas: 3'));
  writeFileSync(join(folder, 'access.log'), log);
});

/** Once a put failed it never serves again: that shows only when users come after the heal. */
const sulking = `
import { kv, service, system, users } from 'loadpath';
const notes = kv('notes', { replicas: 3 });
let hasFailed = false;
const api = service('api', {
  env: { notes },
  async fetch(request, env) {
    await env.notes.put('n', 'kept').catch(() => {
      hasFailed = true;
    });
    return new Response(null, { status: hasFailed ? 503 : 204 });
  },
});
export default system('sulking', {
  entry: api,
  workload: users({ rate: '20/s', act: async (user) => void (await user.fetch('/')) }),
});
`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves once it has said so on its standard error. */
  said(what: RegExp): Promise<string>;
  interrupt(): void;
}

function start(...args: readonly string[]): Running {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  let out = '';
  let err = '';
  let look = () => {};
  child.stdout.on('data', (piece) => {
    out += piece;
  });
  child.stderr.on('data', (piece) => {
    err += piece;
    look();
  });
  return {
    ended: new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, out, err }));
    }),
    said: (what) =>
      new Promise((resolve, reject) => {
        look = () => {
          const found = what.exec(err);
          if (found) resolve(found[1] ?? found[0]);
        };
        look();
        child.on('close', () => reject(new Error(`it ended without a word of it: ${err}`)));
      }),
    interrupt: () => child.kill('SIGINT'),
  };
}

const loadpath = (...args: readonly string[]) => start(...args).ended;

describe('sim', () => {
  test('writes a trace, to a file or beside the report', async () => {
    const { code, out } = await loadpath('sim', 'pad.ts', '--for', '1s', '--trace', '-');
    expect([0, 1]).toContain(code);
    expect(out).toMatch(/users\/0 delivered edge\/0 (GET|PUT)/);
    expect(out).toContain('pad simulated');
    await loadpath('sim', 'pad.ts', '--for', '1s', '--trace', 'trace.txt');
    const lines = readFileSync(join(folder, 'trace.txt'), 'utf8').trimEnd().split('\n');
    expect(out.startsWith(`${lines.join('\n')}\n`)).toBe(true);
  });

  test('sends what an access log recorded, and says what it left out', async () => {
    const { out } = await loadpath('sim', 'pad.ts', '--replay', 'access.log', '--json');
    const report = JSON.parse(out);
    expect(report).toMatchObject({ generated: 20 });
    expect(report.notes.join()).toContain('lines of access.log left out: 1; the first is line 21');
  });

  test('runs twice with --check, and says that nothing differed', async () => {
    const { out } = await loadpath('sim', 'pad.ts', '--for', '1s', '--check', '--json');
    expect(JSON.parse(out).notes.join()).toMatch(/ran twice: \d+ steps, all the same/);
  });

  test('Ctrl-C ends it with a report that says so; a second one at once', async () => {
    const stopped = start('sim', 'pad.ts', '--for', '600m', '--json');
    const left = start('sim', 'pad.ts', '--for', '600m');
    // Off a terminal the status is a line every few seconds.
    await Promise.all([stopped.said(/ of 10:00:00/), left.said(/ of 10:00:00/)]);
    stopped.interrupt();
    left.interrupt();
    await left.said(/Stopping/);
    left.interrupt();
    expect(await left.ended).toMatchObject({ code: 130, out: '' });
    const report = JSON.parse((await stopped.ended).out);
    expect(report.notes.join()).toContain('stopped early');
    expect(report.simulatedSeconds).toBeLessThan(36_000);
  });

  test('shows the slowest requests hop by hop, and what nodes say to each other', async () => {
    const { out } = await loadpath('sim', 'pad.ts', '--for', '2s', '--slowest', '2');
    const [, shown] = out.split('Slowest requests\n\n');
    expect(shown?.split('\n\n')).toHaveLength(2);
    expect(shown).toMatch(
      /^#\d+ (GET|PUT) \/n took .*: ok\n {2}edge\/0 .*\n {4}api\/0 .*\n {6}notes\//,
    );
    const asked = ['--for', '2s', '--messages', 'api,notes/1', '--from', '500ms'];
    const listed = await loadpath('sim', 'pad.ts', ...asked);
    expect(listed.out).toMatch(/^0\.5\d+s +(api\/0 → notes\/1|notes\/1 → api\/0) /);
    const drawn = await loadpath('sim', 'pad.ts', ...asked, '--mermaid');
    expect(drawn.out).toMatch(/^sequenceDiagram\n {2}participant n0 as api\/0\n/);
    const { code, err } = await loadpath('sim', 'pad.ts', '--messages', 'nobody');
    expect([code, err]).toEqual([2, expect.stringContaining('the blocks are edge, api, notes')]);
  });

  test('with a fault that the design cannot have names every mistake', async () => {
    const faults = ['shift api to v9=1 at 1s', 'shift notes to v1=1 at 1s', 'kill nots/1 at 1s'];
    const args = faults.flatMap((fault) => ['--fault', fault]);
    const { code, err } = await loadpath('sim', 'pad.ts', ...args);
    expect(code).toBe(2);
    expect(err).toContain('a release of api (current)');
    expect(err).toContain('a service (api)');
    expect(err).toContain("did you mean 'notes/1'?");
    expect(err).not.toContain('    at ');
  });
});

test('what a hunt finds can be replayed, to the same digest', async () => {
  const hunted = await loadpath('hunt', 'pad.ts', '--seeds', '40', '--minutes', '1', '--for', '5s');
  expect(hunted).toMatchObject({ code: 1, out: expect.stringContaining('Replay:') });
  const [file] = readdirSync(join(folder, '.loadpath/findings'));
  const finding = join('.loadpath/findings', file!);
  const { digest, invariant } = JSON.parse(readFileSync(join(folder, finding), 'utf8'));
  const replayed = await loadpath('replay', finding, '--json', '--trace', 'found.txt');
  const report = JSON.parse(replayed.out);
  expect(replayed.code).toBe(1);
  expect(report.digest).toBe(digest);
  expect(report.invariants).toContainEqual(
    expect.objectContaining({ name: invariant, verdict: 'violated' }),
  );
  expect(existsSync(join(folder, 'found.txt'))).toBe(true);
});

test('a replay lets users come again after the heal, as the hunt did; sim does with --probe', async () => {
  const args = ['--seeds', '20', '--for', '8s', '--out', 'sulks', '--no-shrink', '--json'];
  const { findings } = JSON.parse((await loadpath('hunt', 'sulking.ts', ...args)).out);
  const { seed, digest, invariant, faults } = findings[0];
  expect(invariant).toBe('the system recovers');
  const [file] = readdirSync(join(folder, 'sulks'));
  const replayed = await loadpath('replay', join('sulks', file!), '--json');
  expect(replayed.code).toBe(1);
  const broken = expect.objectContaining({ name: invariant, verdict: 'violated' });
  const report = JSON.parse(replayed.out);
  expect(report).toMatchObject({ digest, invariants: expect.arrayContaining([broken]) });

  const run = ['--seed', String(seed), '--for', '8s', '--rps', '50', '--no-own-faults'];
  for (const fault of faults) run.push('--fault', fault);
  const probed = await loadpath('sim', 'sulking.ts', ...run, '--probe', '--json');
  expect(JSON.parse(probed.out).invariants).toContainEqual(broken);
});

test('a replay in which the invariant does not break says so, loudly', async () => {
  const file = join('sulks', readdirSync(join(folder, 'sulks'))[0]!);
  const { seed } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const { out, err } = await loadpath('replay', file, '--until', '10ms', '--json');
  const words = `NOT BROKEN AGAIN: a hunt found that seed ${seed} breaks the system recovers`;
  expect(err).toContain(words);
  expect(JSON.parse(out).notes.join()).toContain(words);
});

test('Ctrl-C ends a hunt with what is known and the command that goes on, and nothing is claimed', async () => {
  const hunting = start('hunt', 'sound.ts', '--seeds', '1000000', '--for', '1s', '--json');
  await hunting.said(/[1-9]\d* of 1,000,000 seeds/);
  hunting.interrupt();
  const { code, out, err } = await hunting.ended;
  const { ended, seedsDone } = JSON.parse(out);
  expect({ code, ended }).toEqual({ code: 3, ended: 'interrupt' });
  expect(err).toContain(
    `Go on: loadpath hunt sound.ts --seed ${1 + seedsDone} --seeds ${1_000_000 - seedsDone} --for 1s --json`,
  );
});

test('a hunt ends after its minutes', async () => {
  const args = ['--seeds', '1000000', '--findings', '1000000', '--no-shrink', '--minutes', '0.02'];
  const { out } = await loadpath('hunt', 'pad.ts', '--for', '1s', '--json', ...args);
  expect(JSON.parse(out).seedsDone).toBeLessThan(1_000_000);
});

test('a design is served, loaded from outside, and its data is nobody else’s to touch', async () => {
  const serving = start('run', 'pad.ts', '--port', '0');
  try {
    const url = await serving.said(/Open (\S+)/);
    // What has just begun may need longer for its first request than the path to it has.
    const keep = async () => (await fetch(`${url}/n`, { method: 'PUT', body: 'kept' })).status;
    await expect.poll(keep).toBe(204);

    const wiping = loadpath('run', 'pad.ts', '--fresh', '--for', '1s', '--port', '0');
    const loading = loadpath('load', 'pad.ts', '--url', url, '--replay', 'access.log', '--json');
    expect(await wiping).toMatchObject({ code: 2, err: expect.stringContaining('in use') });
    const report = JSON.parse((await loading).out);
    expect(report).toMatchObject({ generated: 20, completed: 20, blocks: {} });
    expect(await (await fetch(`${url}/n`)).json()).toBe('kept');
  } finally {
    serving.interrupt();
  }
  expect(await serving.ended).toMatchObject({ code: 0 });
});
