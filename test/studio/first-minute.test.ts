/**
 * The first minute of somebody who has read nothing: the page opens with traffic on it, a replica
 * is killed by a right-click, the verdict is read. In a real browser, on a real server.
 */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/run/report.ts';
import { launchBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { loadpath, nothingLeft, type Running, sweepAll } from '../live/process.ts';
import { accessibilityOf, openPage } from './watched.ts';

const shortener = join(root, 'examples/shortener');
const address = /Studio +(http:\S+)/;
const verdict = { name: 'Verdict' } as const;

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
afterEach(sweepAll);

async function studio(): Promise<{ readonly running: Running; readonly url: string }> {
  const running = loadpath(['studio', shortener, '--no-open']);
  return { running, url: (await running.hear(address))[1]! };
}

describe('the first minute', () => {
  test('a replica is killed by a right-click, and the verdict is read', async () => {
    const { running, url } = await studio();
    const { page, complaints, strangers } = await openPage(browser, url);

    // Traffic is there without a click.
    const links = page.getByRole('button', { name: /^links, .*\d+\/s/ });
    await links.waitFor();

    await links.click({ button: 'right' });
    const menu = page.getByRole('dialog', { name: 'Faults for links' });
    await menu.getByRole('button', { name: 'links/1', exact: true }).click();
    await menu.getByRole('button', { name: /^Kill/ }).click();

    // The fault stands on the timeline, the replica is down in the graph, the rest goes on.
    await page.getByRole('button', { name: /^fault: kill links\/1, from/ }).waitFor();
    await page.getByRole('button', { name: /^links, .*2 of 3/ }).waitFor();

    const panel = page.getByRole('tabpanel', verdict);
    await panel.getByRole('heading', { name: 'Holds' }).waitFor({ timeout: 60_000 });
    const told = (await panel.textContent())!;
    expect(told).toContain('All 6 promises are kept');
    expect(told).toContain('links is linearizable');
    expect(told).toMatch(/links\/1 crashed/);

    // The command that it offers is the same run, event by event.
    const digest = /digest (\w+)/.exec(told)![1];
    const line = await panel.locator('code', { hasText: 'npx loadpath' }).textContent();
    const command = /npx loadpath (sim .*)/.exec(line!)![1]!;
    expect(command).toMatch(/--fault 'kill links\/1 at [\d.]+s'$/);
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2]!);
    const ended = await loadpath([...words, '--json'], root).ended;
    expect((JSON.parse(ended.out) as Report).digest).toBe(digest);

    expect(strangers).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
    running.interrupt();
    expect((await running.ended).code).toBe(0);
    await nothingLeft(running);
  }, 180_000);

  test('all of it works by keys, and a reload goes on', async () => {
    const { running, url } = await studio();
    const { page } = await openPage(browser, url);
    await page.getByRole('button', { name: /^links, .*\d+\/s/ }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('b');
    const menu = page.getByRole('dialog', { name: 'Faults for links' });
    await menu.waitFor();
    // "Pause" is a letter, and so is every other fault.
    await page.keyboard.press('p');
    await menu.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^fault: pause links, from/ }).waitFor();

    await page.keyboard.press('3');
    const faults = page.getByRole('tabpanel', { name: 'Faults' });
    await faults.getByText('pause links at').waitFor();

    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
    const playhead = page.getByRole('slider', { name: 'Playhead' });
    await page.keyboard.press('Home');
    expect(Number(await playhead.getAttribute('aria-valuenow'))).toBe(0);
    await page.keyboard.press(']');
    expect(Number(await playhead.getAttribute('aria-valuenow'))).toBeGreaterThan(0);

    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');

    await page.reload();
    await page.getByRole('tabpanel', { name: 'Faults' }).getByText('pause links at').waitFor();
    await page.getByRole('button', { name: /^fault: pause links, from/ }).waitFor();
    await page.close();
    running.interrupt();
    await running.ended;
  }, 120_000);

  test('nobody is kept out: axe finds nothing in either theme', async () => {
    const { running, url } = await studio();
    for (const theme of ['light', 'dark'] as const) {
      const { page } = await openPage(browser, url, { theme });
      // What fades in has other colours on its way.
      await page.emulateMedia({ reducedMotion: 'reduce' });
      const links = page.getByRole('button', { name: /^links, .*\d+\/s/ });
      await links.waitFor();
      const panel = page.getByRole('tabpanel', verdict);
      await panel.getByText(/promises are kept/).waitFor({ timeout: 60_000 });
      await page.keyboard.press('Space');
      for (const key of ['1', '2', '3', '4', '5', '6', '7', '8', '9', 's']) {
        await page.keyboard.press(key);
        await page.getByRole('tabpanel').locator('section, p').first().waitFor();
        expect(await accessibilityOf(page), `panel ${key}, ${theme}`).toEqual([]);
      }
      await links.click({ button: 'right' });
      await page.getByRole('dialog', { name: 'Faults for links' }).waitFor();
      expect(await accessibilityOf(page)).toEqual([]);
      await page.close();
    }
    running.interrupt();
    await running.ended;
  }, 180_000);
});
