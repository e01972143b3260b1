/** What goes wrong around Studio: each has words on the page, nothing hangs, and what comes back goes on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sharedBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { removeFolders, sweepAll, tempFolder } from '../live/process.ts';
import { Page as Caller } from '../studio-page.ts';
import { choose, openPage, openStudio, playheadOf, runEnded, runFor, seen } from './session.ts';

const shop = join(root, 'examples/three-tier/design.json');

let browser: Browser;
beforeAll(async () => {
  browser = await sharedBrowser();
});
afterAll(async () => {
  removeFolders();
});
afterEach(sweepAll);

test('a design with a mistake is shown with file and line, and goes on when it is saved', async () => {
  const folder = tempFolder();
  const file = join(folder, 'design.ts');
  const text = (cost: string) => `import { gateway, service, system, users } from 'loadpath';
const api = service('api', { cost: ${cost} });
export default system('small', {
  entry: gateway('edge', { routes: { '/': api } }),
  workload: users({ rate: '100/s' }),
});
`;
  writeFileSync(file, text("'soon'"));
  const studio = await openStudio(file);
  const watched = await openPage(browser, studio.url);
  const { page } = watched;
  await page.getByText('design.ts:2').waitFor();
  await page.getByText(/cost/).first().waitFor();
  expect(await page.getByRole('button', { name: 'Run', exact: true }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: /design\.ts:2/ }).click();
  await page.getByRole('tabpanel', { name: 'Source' }).getByText("got 'soon'").waitFor();

  writeFileSync(file, text("'2ms'"));
  await page.getByRole('button', { name: /^api, service/ }).waitFor();
  await runEnded(page);
  expect(await page.getByText('design.ts:2').count()).toBe(0);

  // A slip in the middle of the work: what was there stays to be seen.
  writeFileSync(file, text("'2ms' +"));
  await page.getByText(/has 1 mistake/).waitFor();
  expect(await page.getByRole('button', { name: /^api, service/ }).count()).toBe(1);
  writeFileSync(file, text("'3ms'"));
  await page.getByText(/was saved: running again/).waitFor();
  await runEnded(page);
  await watched.close();
  await studio.close();
});

test('a reload goes on where it was; another tab has runs of its own; a server that ended is missed', async () => {
  const studio = await openStudio(shop);
  const watched = await openPage(browser, studio.url);
  const { page } = watched;
  await runEnded(page);
  await page.getByRole('textbox', { name: 'for' }).fill('1h');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await seen(page, /Running/);
  const faults = await choose(page, 'Faults');
  await faults.getByRole('combobox', { name: 'Add a fault' }).fill('kill shop/1 at 2s');
  await page.keyboard.press('Enter');
  await page.reload();
  await page.getByRole('tabpanel', { name: 'Faults' }).getByText('kill shop/1 at 2s').waitFor();
  expect(await page.getByRole('textbox', { name: 'for' }).inputValue()).toBe('1h');
  await seen(page, /Running/);
  expect(await new Caller(studio.url).ask<unknown[]>('/api/runs')).toHaveLength(2);

  // Who starts a run has the machine: the other page is told that its own was stopped.
  const second = await openPage(browser, studio.url);
  await runEnded(second.page);
  await seen(page, /Stopped|\d+(\/| of )\d+/);
  await second.close();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await seen(page, /Running/);

  const port = new URL(studio.url).port;
  await studio.close();
  await page.getByText('Studio’s server does not answer.').waitFor();
  // Nobody knows how that run goes on, and nobody can be asked for anything.
  await seen(page, /Contact lost/);
  for (const name of ['Run again', 'Pause the simulation', 'Stop the simulation']) {
    expect(await page.getByRole('button', { name }).isDisabled()).toBe(true);
  }
  await page.keyboard.press('r');
  await page.getByRole('button', { name: 'Pause playing' }).click();
  await page.getByRole('slider', { name: 'Playhead' }).press('Home');
  expect(await playheadOf(page)).toBe(0);
  // Its token is another one after a start: the page says so instead of asking for ever.
  const again = await openStudio(shop, '--port', port);
  await page
    .getByText(/address that (it|`loadpath studio`) printed/)
    .first()
    .waitFor();
  await page.getByText('Studio was started again.').waitFor();
  expect(await page.getByText('Studio’s server does not answer.').count()).toBe(0);
  await seen(page, /Contact lost/);
  const anew = await openPage(browser, again.url);
  await runFor(anew.page, '2 s');
  await anew.close();
  await page.context().close();
  await again.close();
});

test('an address without its token opens nothing, and says what does', async () => {
  const studio = await openStudio(shop);
  const watched = await openPage(browser, `${new URL(studio.url).origin}/?token=wrong`);
  await watched.page.getByText('This address does not open Studio').waitFor();
  await watched.page.context().close();
  await studio.close();
});
