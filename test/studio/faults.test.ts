/** Faults as one gets hold of them: on a zone and a path of the graph, pasted as a list, saved into the design. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { removeFolders, sweepAll, tempFolder } from '../live/process.ts';
import { choose, openPage, openStudio, runEnded, runFor } from './session.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await sharedBrowser();
});
afterAll(() => {
  sweepAll();
  removeFolders();
});

test('a zone is cut off, a path loses messages, a list is pasted and saved', async () => {
  const file = join(tempFolder(), 'shop.json');
  copyFileSync(join(root, 'examples/three-tier/design.json'), file);
  const studio = await openStudio(file);
  const permissions = ['clipboard-read', 'clipboard-write'];
  const watched = await openPage(browser, studio.url, { permissions });
  const { page } = watched;
  await runFor(page, '3 s');

  const pathMenu = page.getByRole('dialog', { name: /^Faults for .*shop.*db/ });
  await page.getByRole('button', { name: /^path from shop to db/ }).click({ button: 'right' });
  await pathMenu.getByRole('button', { name: /^Lose/ }).click();
  await pathMenu.locator('[data-verb]').first().click();
  await page.getByRole('button', { name: /^fault: lose .* shop .*db/ }).waitFor();
  await runEnded(page);

  await page.getByRole('button', { name: /^shop, service/ }).dblclick();
  const zone = page.getByRole('button', { name: /^zone \w+, in shop/ }).first();
  const [, name] = /^zone (\w+)/.exec((await zone.getAttribute('aria-label'))!)!;
  await zone.click({ button: 'right' });
  const zoneMenu = page.getByRole('dialog', { name: `Faults for zone ${name}` });
  await zoneMenu.getByRole('button', { name: /^Kill/ }).click();
  await page.getByRole('button', { name: new RegExp(`^fault: kill zone ${name}`) }).waitFor();
  await runEnded(page);

  const faults = await choose(page, 'Faults');
  await faults.getByRole('button', { name: 'Remove all' }).click();
  const list = ['kill shop/1 at 1s for 1s', 'slow db by 4x at 2s for 500ms'];
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(list.join('\n'))})`);
  await faults.getByRole('button', { name: 'Paste' }).click();
  for (const sentence of list) await faults.getByText(sentence, { exact: true }).waitFor();
  await faults.getByRole('button', { name: 'As CLI' }).click();
  const command = () => page.evaluate('navigator.clipboard.readText()');
  await expect.poll(command).toBe(list.map((sentence) => `--fault '${sentence}'`).join(' '));

  await faults.getByRole('button', { name: 'Save into the design' }).click();
  await page.getByText(/Saved to .*shop\.json/).waitFor();
  expect(JSON.parse(readFileSync(file, 'utf8')).faults).toEqual(list);
  await faults.getByText('the design’s own').nth(1).waitFor();
  await watched.close();
  await studio.close();
});
