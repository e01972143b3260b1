/**
 * The first minute of somebody who has read nothing: the page opens with traffic on it, a replica
 * is killed by a right-click, the verdict is read. In a real browser, on a real server.
 */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/run/report.ts';
import { sharedBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { loadpath, nothingLeft, sweepAll } from '../live/process.ts';
import { choose, openPage, openStudio, runEnded } from './session.ts';

const shortener = join(root, 'examples/shortener');

let browser: Browser;

beforeAll(async () => {
  browser = await sharedBrowser();
});
afterEach(sweepAll);

test('a replica is killed by a right-click, and the verdict is read', async () => {
  const studio = await openStudio(shortener);
  const watched = await openPage(browser, studio.url);
  const { page } = watched;

  // Traffic is there without a click.
  const links = page.getByRole('button', { name: /^links, .*\d+\/s/ });
  await links.waitFor();

  // What to do next stands above the graph, and hides none of it.
  const hint = (await page.getByText('Right-click a node to break it').boundingBox())!;
  const graph = (await page.getByRole('region', { name: /^Graph of/ }).boundingBox())!;
  expect(hint.y + hint.height).toBeLessThanOrEqual(graph.y);

  // Shorter than the design says, for the sake of who waits for this test.
  await page.getByRole('textbox', { name: 'for' }).fill('10s');
  await links.click({ button: 'right' });
  const menu = page.getByRole('dialog', { name: 'Faults for links' });
  await menu.getByRole('button', { name: 'links/1', exact: true }).click();
  await menu.getByRole('button', { name: /^Kill/ }).click();

  // The fault stands on the timeline, the replica is down in the graph, the rest goes on.
  await page.getByRole('button', { name: /^fault: kill links\/1, from/ }).waitFor();
  await page.getByRole('button', { name: /^links, .*2 of 3/ }).waitFor();

  await runEnded(page);
  const panel = await choose(page, 'Verdict');
  await panel.getByRole('heading', { name: 'Holds' }).waitFor();
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

  await watched.close();
  await studio.close();
  await nothingLeft(studio.running);
});
