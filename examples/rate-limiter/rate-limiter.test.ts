/** What README.md says: each way to keep the limit holds it or exceeds it, simulated and live. */
import { simulate } from 'loadpath';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/run/report.ts';
import {
  loadpath,
  nothingLeft,
  removeFolders,
  sweepAll,
  tempFolder,
} from '../../test/live/process.ts';

const design = new URL('./design.ts', import.meta.url);
const quick = { for: '12s', rate: '30/s' } as const;
const complaints = (report: Report) =>
  report.invariants.filter(({ verdict }) => verdict === 'violated').map(({ detail }) => detail);

afterEach(sweepAll);
afterAll(removeFolders);

describe('the limit over three regions', () => {
  test.each(['central', 'sticky', 'lock'])(
    'holds with %s, also when a region dies',
    async (mode) => {
      const faults = ['kill limits/0 at 4s, restart after 2s'];
      const report = await simulate(design, { ...quick, faults, set: { 'limits.mode': mode } });
      expect(complaints(report)).toEqual([]);
      expect(report.rejected).toBeGreaterThan(100);
    },
  );

  test('is exceeded when each region counts for itself and tells the others later', async () => {
    const report = await simulate(design, { ...quick, set: { 'limits.mode': 'replicated' } });
    expect(complaints(report).join()).toContain('the bot got more than 10 into a minute');
  });
});

test('live, a killed limiter admits nothing beyond the limit when it is back', async () => {
  const fault = 'kill limits at 2s, restart after 1s';
  const flags = ['--load', '--for', '5s', '--rps', '30', '--fault', fault, '--json', '--fresh'];
  const folder = new URL('.', design).pathname;
  const running = loadpath(['run', folder, '--port', '0', '--data', tempFolder(), ...flags]);
  const { out } = await running.ended;
  await nothingLeft(running);
  const report = JSON.parse(out) as Report;
  expect(complaints(report)).toEqual([]);
  expect(report.rejected).toBeGreaterThan(0);
  expect(report.completed).toBeGreaterThan(0);
}, 120_000);
