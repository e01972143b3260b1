/** What a run shows once it is there: any instant of it, a single request, messages; and what another run changes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportElement } from '../../src/studio/report-data.ts';
import { sharedBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { nothingLeft, removeFolders, sweepAll, tempFolder } from '../live/process.ts';
import {
  choose,
  type OpenedStudio,
  openPage,
  openStudio,
  playheadOf,
  runEnded,
  runFor,
  seen,
  stopPlaying,
} from './session.ts';

const shop = join(root, 'examples/three-tier/design.json');

let browser: Browser;
let studio: OpenedStudio;
beforeAll(async () => {
  [browser, studio] = await Promise.all([sharedBrowser(), openStudio(shop)]);
});
afterAll(async () => {
  await studio.close();
  await nothingLeft(studio.running);
  sweepAll();
  removeFolders();
});

test('time is at hand while it runs and after, and what happened is a click away', async () => {
  const watched = await openPage(browser, studio.url);
  const { page } = watched;
  await runEnded(page);

  // A long run with two faults: one may look at its beginning while its end is still simulated.
  const faults = await choose(page, 'Faults');
  for (const sentence of ['kill shop/1 at 4s for 3s', 'slow db by 4x at 10s for 2s']) {
    await faults.getByRole('combobox', { name: 'Add a fault' }).fill(sentence);
    await page.keyboard.press('Enter');
  }
  await page.getByRole('textbox', { name: 'for' }).fill('30min');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await seen(page, /Running [1-9]/);
  await page.getByRole('button', { name: 'Pause the simulation' }).click();
  await page.getByRole('button', { name: 'Pause playing' }).click();
  await page.getByRole('button', { name: /^fault: kill shop\/1/ }).click();
  expect(await playheadOf(page)).toBe(4);
  // It plays on from there, over what there is, whatever the simulation does meanwhile.
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(() => playheadOf(page)).toBeGreaterThan(4);
  await page.getByRole('button', { name: 'Stop the simulation' }).click();
  await seen(page, /Stopped|Holds|Violated|Broken/);

  await runFor(page, '15 s');
  await stopPlaying(page);

  // Back and forth: the graph is as it was at each instant.
  const instance = page.getByRole('button', { name: /^shop\/1, instance/ });
  const expectStateAt = async (key: string, state: string) => {
    await page.keyboard.press(key);
    await expect.poll(() => instance.getAttribute('aria-label')).toContain(state);
  };
  await page.getByRole('slider', { name: 'Playhead' }).focus();
  await expectStateAt('Home', ', up');
  await page.getByRole('button', { name: /^fault: kill shop\/1/ }).click();
  await expectStateAt('.', 'down');
  await expectStateAt('End', ', up');
  expect(await playheadOf(page)).toBe(15);
  await page.keyboard.press('[');
  await page.keyboard.press('[');
  const back = await playheadOf(page);
  await page.keyboard.press(']');
  expect(await playheadOf(page)).toBeGreaterThan(back);

  // A press on the track is a seek, too.
  const track = (await page
    .getByRole('slider', { name: 'Playhead' })
    .locator('xpath=..')
    .boundingBox())!;
  await page.mouse.click(track.x + track.width / 3, track.y + track.height / 2);
  expect(Math.round(await playheadOf(page))).toBe(5);
  await expectStateAt('.', 'down');

  // The charts stand on the same clock and say the same instant.
  const charts = await choose(page, 'Charts');
  await charts.getByText('Latency', { exact: true }).first().waitFor();
  await charts.locator('canvas').first().waitFor();

  await watched.close();
});

test('a request is followed hop by hop, messages from node to node', async () => {
  const watched = await openPage(browser, studio.url);
  const { page } = watched;
  await runFor(page, '4 s');

  const requests = await choose(page, 'Requests');
  const rows = requests.getByRole('row');
  await rows.nth(1).waitFor();
  const took = async (index: number) =>
    inMs((await rows.nth(index).getByRole('cell').nth(1).textContent())!);
  expect(await took(1)).toBeGreaterThanOrEqual(await took(2));
  const slowest = await rows.nth(1).getByRole('cell').nth(1).textContent();
  await rows.nth(1).getByRole('button').click();
  await requests.getByRole('button', { name: 'All requests' }).waitFor();
  for (const part of ['served', 'on the network', 'waiting for its own calls']) {
    await requests.getByText(part).first().waitFor();
  }
  expect(await requests.textContent()).toContain(slowest);
  await requests.getByRole('button', { name: 'All requests' }).click();
  await rows.nth(1).waitFor();

  const messages = await choose(page, 'Messages');
  await messages.getByText(/^\d+ messages/).waitFor();
  const among = async () =>
    Number(
      /^(\d+) messages?/.exec((await messages.getByText(/^\d+ messages?/).textContent())!)![1],
    );
  const everybody = await among();
  await messages.getByRole('button', { name: 'edge', exact: true }).click();
  await messages.getByRole('button', { name: 'users', exact: true }).click();
  await expect.poll(among).toBeLessThan(everybody);
  expect(await among()).toBeGreaterThan(0);

  await watched.close();
});

test('an option is changed and compared in words; a sweep finds where it gives in', async () => {
  const watched = await openPage(browser, studio.url);
  const { page } = watched;
  await runFor(page, '6 s');

  await page.getByRole('button', { name: /^db, service/ }).click();
  const inspect = await choose(page, 'Inspect');
  const instances = inspect.getByLabel('instances', { exact: true });
  await instances.fill('0');
  await inspect
    .getByText(/at least 1/)
    .first()
    .waitFor();
  await instances.fill('3');
  await page.getByRole('button', { name: 'Run with these' }).click();
  await page.getByRole('button', { name: /^db, service, 3 instances/ }).waitFor();
  await runEnded(page);
  const compare = await choose(page, 'Compare');
  await compare.getByText(/p99/).first().waitFor();
  const words = (await compare.textContent())!;
  // Both runs by what makes them differ, and the figures of both in one sentence.
  expect(words).toMatch(/db\.instances\s*=?\s*3/);
  expect(words).toMatch(/db: p99 fell from [\d.]+ to [\d.]+ ms \(/);

  const sweep = await choose(page, 'Sweep');
  await sweep.getByRole('combobox', { name: 'Sweep' }).fill('rate');
  await sweep.getByRole('textbox', { name: 'over' }).fill('500/s, 1500/s, 4000/s');
  await sweep.getByRole('textbox', { name: 'seeds each' }).fill('2');
  await sweep.getByRole('button', { name: 'Sweep', exact: true }).click();
  await sweep
    .getByText(/4000\/s/)
    .first()
    .waitFor();
  await expect.poll(() => sweep.getByRole('row').count()).toBe(4);

  await watched.close();
});

test('a report is a file that opens from the disk, asks nobody, and tells all', async () => {
  const watched = await openPage(browser, studio.url);
  await runFor(watched.page, '4 s');
  const digest = await digestOf(watched.page);
  await watched.page.getByRole('button', { name: 'Share' }).click();
  const [download] = await Promise.all([
    watched.page.waitForEvent('download'),
    watched.page.getByRole('menuitem', { name: /one HTML file/ }).click(),
  ]);
  const file = join(tempFolder(), 'report.html');
  await download.saveAs(file);
  await watched.close();

  const report = await openPage(browser, pathToFileURL(file).href);
  expect(await digestOf(report.page)).toBe(digest);
  const charts = await choose(report.page, 'Charts');
  await charts.locator('canvas').first().waitFor();
  await report.page.getByRole('slider', { name: 'Playhead' }).press('End');
  expect(await playheadOf(report.page)).toBe(4);
  expect(await report.page.getByRole('button', { name: 'Run', exact: true }).count()).toBe(0);
  await report.close();

  // One that another version wrote says so, and shows nothing wrong.
  const html = readFileSync(file, 'utf8');
  const others = gzipSync(JSON.stringify({ format: 99, version: '9.0.0' })).toString('base64');
  const carried = new RegExp(`(id="${reportElement}">)[^<]*`);
  writeFileSync(
    file,
    html.replace(carried, (_, start) => `${start}${others}`),
  );
  const other = await openPage(browser, pathToFileURL(file).href);
  await other.page.getByText(/written by Loadpath 9\.0\.0/).waitFor();
  await other.close();
});

async function digestOf(page: Page): Promise<string> {
  const verdict = await choose(page, 'Verdict');
  await verdict.getByText(/digest/).waitFor();
  return /digest (\w+)/.exec((await verdict.textContent())!)![1]!;
}

function inMs(text: string): number {
  const [, value, unit] = /([\d.,]+)\s*(µs|ms|s)/.exec(text)!;
  return Number(value!.replace(',', '')) * { µs: 0.001, ms: 1, s: 1000 }[unit as 'ms']!;
}
