/** A design with a fault of its own: the hunt finds it, its schedule is run, its counterexample is drawn. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { sharedBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { sweepAll } from '../live/process.ts';
import { accessibilityOf, choose, openPage, openStudio, panelOf, runFor, seen } from './session.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await sharedBrowser();
});
afterEach(sweepAll);

test('a hunt ends with a schedule, the schedule with a counterexample, and that with a command', async () => {
  const studio = await openStudio(join(root, 'examples/shortener/quorum.ts'));
  const watched = await openPage(browser, studio.url);
  const { page } = watched;
  await runFor(page, '1 s');

  const hunt = await choose(page, 'Hunt');
  await hunt.getByRole('textbox', { name: 'Seeds', exact: true }).fill('20');
  // Near one that breaks it: the others only take their time.
  await hunt.getByRole('textbox', { name: 'from seed' }).fill('10');
  await hunt.getByRole('textbox', { name: 'each for' }).fill('5s');
  await hunt.getByRole('button', { name: 'Hunt', exact: true }).click();
  await hunt
    .getByRole('heading', { name: /links is linearizable/ })
    .first()
    .waitFor();
  const stop = hunt.getByRole('button', { name: 'Stop', exact: true });
  if ((await stop.count()) > 0) await stop.click();
  const finding = hunt.getByRole('article').first();
  const schedule = await finding.getByRole('listitem').allTextContents();
  await finding.getByRole('button', { name: 'Use this schedule' }).click();
  await seen(page, /Broken/);
  const faults = await choose(page, 'Faults');
  for (const fault of schedule) await faults.getByText(fault, { exact: true }).waitFor();

  const verdict = await choose(page, 'Verdict');
  await verdict
    .getByText(/no order explains/i)
    .first()
    .waitFor();
  const operations = verdict.getByRole('button', { name: /no order explains this one/ });
  await operations.first().waitFor();
  expect(await verdict.textContent()).toMatch(/--seed \d+ --for 5s --rps 50 --probe --fault/);
  expect(await accessibilityOf(page)).toEqual([]);
  expect(await panelOf(page, 'Verdict').getByRole('heading', { name: 'Broken' }).count()).toBe(1);
  await watched.close();
  await studio.close();
});
