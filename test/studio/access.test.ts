/** Nobody is kept out: what axe finds on each panel, in both themes, with something on it. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { sweepAll } from '../live/process.ts';
import {
  accessibilityOf,
  choose,
  type OpenedStudio,
  openPage,
  openStudio,
  runFor,
} from './session.ts';

let browser: Browser;
let studio: OpenedStudio;
beforeAll(async () => {
  const design = join(root, 'examples/three-tier/design.json');
  [browser, studio] = await Promise.all([launchBrowser(), openStudio(design)]);
});
afterAll(async () => {
  await browser.close();
  await studio.close();
  sweepAll();
});

/** What each panel shows once it is filled. */
const filled: Readonly<Record<string, RegExp>> = {
  Verdict: /digest/,
  Charts: /Latency/,
  Faults: /kill shop\/1/,
  Inspect: /Options of db/,
  Requests: /slowest first/,
  Messages: /\d messages/,
  Compare: /What users saw/,
  Sweep: /rate/,
  Hunt: /Nothing hunted yet/,
  Source: /"three-tier"/,
};

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any panel, ${colorScheme}`, async () => {
    // What fades in has other colours on its way.
    const options = { colorScheme, reducedMotion: 'reduce' } as const;
    const watched = await openPage(browser, studio.url, options);
    const { page } = watched;
    await runFor(page, '2 s');
    const faults = await choose(page, 'Faults');
    await faults.getByRole('combobox', { name: 'Add a fault' }).fill('kill shop/1 at 500ms for 1s');
    await page.keyboard.press('Enter');
    await runFor(page, '3 s');
    await page.getByRole('button', { name: /^db, service/ }).click();
    for (const [name, text] of Object.entries(filled)) {
      const panel = await choose(page, name);
      await panel.getByText(text).first().waitFor();
      expect(await accessibilityOf(page), name).toEqual([]);
    }
    await page.getByRole('button', { name: /^db, service/ }).click({ button: 'right' });
    await page.getByRole('dialog', { name: 'Faults for db' }).waitFor();
    expect(await accessibilityOf(page), 'faults by right-click').toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByRole('menuitem').first().waitFor();
    expect(await accessibilityOf(page), 'the menu for sharing').toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Keys' }).click();
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect(await accessibilityOf(page), 'keys').toEqual([]);
    await watched.close();
  }, 120_000);
}
