/** The same page beside a system that runs: real processes, real faults, under a confirmation. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sharedBrowser } from '../browser.ts';
import { root } from '../checkout.ts';
import { loadpath, nothingLeft, removeFolders, sweepAll, tempFolder } from '../live/process.ts';
import { accessibilityOf, choose, openPage, runEnded } from './session.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await sharedBrowser();
});
afterAll(async () => {
  removeFolders();
});
afterEach(sweepAll);

test('a real process is killed after a second question, is seen down and back, and there is a verdict', async () => {
  const design = join(root, 'examples/three-tier/design.json');
  const data = ['--port', '0', '--data', tempFolder()];
  const running = loadpath(['run', design, '--load', '--rps', '100', ...data]);
  const url = (await running.hear(/Studio +(http:\S+)/))[1]!;
  const watched = await openPage(browser, url);
  const { page } = watched;
  const block = page.getByRole('button', { name: /^shop, service, 3 instances/ });
  await page.getByRole('button', { name: /^shop, service, 3 instances, all up, \d+\/s/ }).waitFor();
  expect(await accessibilityOf(page)).toEqual([]);

  const before = await lifeOf(url);
  await block.click({ button: 'right' });
  const menu = page.getByRole('dialog', { name: 'Faults for shop' });
  await menu.getByRole('button', { name: 'shop/1', exact: true }).click();
  await menu.getByRole('button', { name: /^Kill/ }).click();
  const question = page.getByRole('dialog', { name: 'Do this to the running system?' });
  await question.getByRole('button', { name: 'Leave it alone' }).click();
  expect(await lifeOf(url)).toBe(before);

  await block.click({ button: 'right' });
  await menu.getByRole('button', { name: 'shop/1', exact: true }).click();
  await menu.getByRole('button', { name: /^Kill/ }).click();
  await question.getByText('kill shop/1').waitFor();
  await question.getByRole('button', { name: 'Do it now' }).click();
  await page.getByRole('button', { name: /^shop, service, 3 instances, 2 of 3/ }).waitFor();

  const faults = await choose(page, 'Faults');
  await faults.getByRole('button', { name: 'Heal' }).click();
  await page.getByRole('button', { name: /^shop, service, 3 instances, all up/ }).waitFor();
  await expect.poll(() => lifeOf(url)).toBeGreaterThan(before);

  expect(watched.wrong).toEqual([]);
  // Ctrl-C where it was started: the page keeps what it saw, and says how it went.
  running.interrupt();
  await runEnded(page);
  const verdict = await choose(page, 'Verdict');
  await verdict
    .getByText(/shop\/1 crashed/)
    .first()
    .waitFor();
  await running.ended;
  await page.getByText('Studio’s server does not answer.').waitFor();
  await page.context().close();
  await nothingLeft(running);
});

async function lifeOf(url: string): Promise<number> {
  const { origin } = new URL(url);
  const status = (await (await fetch(`${origin}/status`)).json()) as {
    readonly nodes: readonly { readonly id: string; readonly life: number }[];
  };
  return status.nodes.find(({ id }) => id === 'shop/1')!.life;
}
