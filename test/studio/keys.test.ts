/** Search, menus, panels and time, without a pointer. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { sharedBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { sweepAll } from '../live/process.ts';
import { openPage, openStudio, playheadOf } from './session.ts';

const shop = join(root, 'examples/three-tier/design.json');

let browser: Browser;
beforeAll(async () => {
  browser = await sharedBrowser();
});
afterEach(sweepAll);

test('what the first minute is made of works by keys alone, and a reload goes on', async () => {
  const studio = await openStudio(shop);
  const watched = await openPage(browser, studio.url);
  const { page } = watched;
  const { keyboard } = page;
  await page.getByRole('button', { name: /^shop, .*\d+\/s/ }).waitFor();
  await keyboard.press('/');
  await keyboard.type('shop');
  await keyboard.press('Enter');
  await keyboard.press('b');
  const menu = page.getByRole('dialog', { name: 'Faults for shop' });
  await menu.waitFor();
  // "Pause" is a letter, and so is every other fault.
  await keyboard.press('p');
  await menu.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /^fault: pause shop, from/ }).waitFor();

  await keyboard.press('3');
  const faults = page.getByRole('tabpanel', { name: 'Faults' });
  await faults.getByText('pause shop at').waitFor();

  // To the end of what has been simulated, and back to what happened last.
  const [, at] = /pause shop at ([\d.]+)s/.exec((await faults.textContent())!)!;
  const atEnd = async () => {
    await keyboard.press('End');
    return playheadOf(page);
  };
  await expect.poll(atEnd).toBeGreaterThan(Number(at) + 1);
  await keyboard.press('[');
  expect(await playheadOf(page)).toBeGreaterThanOrEqual(Number(at));

  // The keyboard leads to a card, and nothing else has to say which is meant.
  await keyboard.press('Escape');
  await page.getByRole('button', { name: /^users, / }).focus();
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowRight');
  await keyboard.press('k');
  await faults.getByText(/^kill edge at/).waitFor();

  await keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await keyboard.press('Escape');

  await page.reload();
  await page.getByRole('tabpanel', { name: 'Faults' }).getByText('pause shop at').waitFor();
  await page.getByRole('button', { name: /^fault: pause shop, from/ }).waitFor();
  await keyboard.press('1');
  await page.getByRole('heading', { name: /^(Running|Holds|Broken)/ }).waitFor();
  await watched.close();
  await studio.close();
});
