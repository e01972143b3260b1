/** Studio from the command line: beside a running system, on a design, and as a file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { RunSummary } from '../src/studio/protocol.ts';
import { readReport, reportElement } from '../src/studio/report-data.ts';
import { root } from './checkout.ts';
import { loadpath, nothingLeft, removeFolders, sweepAll, tempFolder } from './live/process.ts';
import { Page, told } from './studio-page.ts';

const shop = join(root, 'examples/three-tier/design.json');
const address = /Studio +(http:\S+)/;

afterEach(sweepAll);
afterAll(removeFolders);

test('a running system shows itself, and its faults are real', async () => {
  const flags = ['--load', '--rps', '50', '--for', '8s', '--port', '0', '--data', tempFolder()];
  const running = loadpath(['run', shop, ...flags]);
  const url = (await running.hear(address))[1]!;
  const page = new Page(url);
  expect(await page.ask('/api/hello')).toMatchObject({ mode: 'live' });
  const [run] = await page.ask<RunSummary[]>('/api/runs');
  const stream = page.stream(`/api/runs/${run!.id}/stream`);
  const { origin } = new URL(url);
  // What operators ask for is as it was; all else wants the token.
  expect((await fetch(`${origin}/metrics`)).status).toBe(200);
  expect((await fetch(`${origin}/api/hello`)).status).toBe(401);
  const foreign = { method: 'POST', headers: { origin: 'https://evil.example' }, body: '{}' };
  expect((await fetch(`${origin}/api/live/heal`, foreign)).status).toBe(403);

  const { text } = await page.tell<{ text: string }>('/api/live/faults', { fault: 'kill shop/0' });
  expect(text).toMatch(/^kill shop\/0 at /);
  const wrong = await page.refusal('POST', '/api/live/faults', { fault: 'kill shap/0' });
  expect(wrong).toMatchObject({ status: 422, code: 'bad-option' });
  expect(await page.refusal('GET', `/api/runs/${run!.id}/requests`)).toMatchObject({
    code: 'simulations-only',
  });
  await page.tell('/api/live/heal');

  const all = await stream;
  expect(told(all, 'layout')).toHaveLength(1);
  expect(told(all, 'frame').length).toBeGreaterThanOrEqual(6);
  expect(told(all, 'event').some((event) => event.type === 'crash')).toBe(true);
  // The report comes before the system is gone.
  expect(told(all, 'report')[0]!.world).toBe('live');
  expect(told(all, 'end')).toEqual([{ state: 'done' }]);
  await running.ended;
  await nothingLeft(running);
});

test('a design is opened, answers, and goes with Ctrl-C', async () => {
  const running = loadpath(['studio', shop, '--no-open']);
  const page = new Page((await running.hear(address))[1]!);
  expect(await page.ask('/api/hello')).toMatchObject({ mode: 'design' });
  const { told: all } = await page.run({ forUs: 1_000_000 });
  expect(told(all, 'end')).toEqual([{ state: 'done' }]);
  running.interrupt();
  expect((await running.ended).code).toBe(0);
  await nothingLeft(running);
});

test('what cannot be attached to is said to be so', async () => {
  const without = await loadpath(['studio', '--attach', 'http://127.0.0.1:9/']).ended;
  expect([without.code, without.err]).toEqual([2, expect.stringContaining('with its token')]);
  const gone = await loadpath(['studio', '--attach', 'http://127.0.0.1:9/?token=x']).ended;
  expect([gone.code, gone.err]).toEqual([2, expect.stringContaining('does not answer')]);
  const both = await loadpath(['studio', shop, '--new', 'a.json']).ended;
  expect([both.code, both.err]).toEqual([2, expect.stringContaining('exclude one another')]);
});

test('sim --html writes one file with the run inside', async () => {
  const file = join(tempFolder(), 'report.html');
  const { code, err } = await loadpath(['sim', shop, '--for', '2s', '--html', file]).ended;
  expect([0, 1]).toContain(code);
  expect(err).toContain(`Report  ${file}`);
  const html = readFileSync(file, 'utf8');
  const carried = new RegExp(`id="${reportElement}">([^<]*)<`).exec(html)![1]!;
  const report = await readReport(carried);
  expect(report.frames.length).toBeGreaterThan(10);
  expect(report.report!.world).toBe('simulated');
  const other = Buffer.from(JSON.stringify({ ...report, format: 99, version: '9.0.0' }));
  const { gzipSync } = await import('node:zlib');
  await expect(readReport(gzipSync(other).toString('base64'))).rejects.toThrow(
    /written by Loadpath 9\.0\.0 in format 99/,
  );
});
