/** Nobody is kept out: what axe finds on each panel, in both themes, with something on it. */
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedBrowser } from '../browser.ts';
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
  [browser, studio] = await Promise.all([sharedBrowser(), openStudio(design)]);
});
afterAll(async () => {
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

test('axe finds nothing on any panel, in both themes', async () => {
  // What fades in has other colours on its way.
  const watched = await openPage(browser, studio.url, { reducedMotion: 'reduce' });
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
    await expectAccessible(page, name);
  }
  await page.getByRole('button', { name: /^db, service/ }).click({ button: 'right' });
  await page.getByRole('dialog', { name: 'Faults for db' }).waitFor();
  await expectAccessible(page, 'faults by right-click');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('menuitem').first().waitFor();
  await expectAccessible(page, 'the menu for sharing');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Keys' }).click();
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await expectAccessible(page, 'keys');
  await watched.close();
});

const ofColours = ['color-contrast', 'link-in-text-block'];

/** Names, roles and order are the same in the dark; colours are not. */
async function expectAccessible(page: Page, what: string): Promise<void> {
  expect(await accessibilityOf(page), what).toEqual([]);
  await inTheme(page, 'dark');
  expect(await accessibilityOf(page, ofColours), `${what}, in the dark`).toEqual([]);
  await inTheme(page, 'light');
}

test('what is drawn changes its colours with the theme, the graph as well as the charts', async () => {
  const watched = await openPage(browser, studio.url, { reducedMotion: 'reduce' });
  const { page } = watched;
  await runFor(page, '2 s');
  const chart = (await choose(page, 'Charts')).locator('canvas').first();
  await chart.waitFor();
  const card = page.getByRole('button', { name: /^db, service/ });
  for (const [theme, isDark] of [
    ['dark', true],
    ['light', false],
    ['dark', true],
  ] as const) {
    await inTheme(page, theme);
    for (const drawn of [card, chart]) {
      await expect.poll(async () => (await lightnessOf(page, drawn)) < 0.5).toBe(isDark);
    }
  }
  await watched.close();
});

/** Of what one sees there, in the mean: 0 black, 1 white. */
async function lightnessOf(page: Page, place: Locator): Promise<number> {
  const picture = (await page.screenshot({ clip: (await place.boundingBox())! })).toString(
    'base64',
  );
  // As text: these tests know nothing of a browser's own objects.
  return page.evaluate<number>(`(async () => {
    const png = Uint8Array.from(atob('${picture}'), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([png]));
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, image.width, image.height).data;
    let sum = 0;
    for (let i = 0; i < bytes.length; i++) if (i % 4 < 3) sum += bytes[i];
    return sum / (bytes.length * 0.75 * 255);
  })()`);
}

async function inTheme(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await page.locator(`html[data-theme="${theme}"]`).waitFor();
}
