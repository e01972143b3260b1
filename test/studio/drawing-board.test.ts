/** A design drawn from nothing: placed, connected by pointer and by keys, run, undone, read back from its file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/run/report.ts';
import { sharedBrowser } from '../browser.ts';
import { loadpath, sweepAll } from '../live/process.ts';
import { accessibilityOf, openPage, openStudio, runEnded } from './session.ts';

let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), 'loadpath-board-'));

beforeAll(async () => {
  browser = await sharedBrowser();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
});
afterEach(sweepAll);

interface Drawn {
  readonly entry: string;
  readonly users?: unknown;
  readonly blocks: readonly Readonly<Record<string, unknown>>[];
}

describe('the drawing board', () => {
  test('a design is drawn from nothing, runs, and is the file that one would have written', async () => {
    const file = join(folder, 'shop.json');
    const studio = await openStudio('--new', file);
    const { page, close } = await openPage(browser, studio.url);
    const button = (name: string | RegExp) => page.getByRole('button', { name });

    await page.getByText('An empty board').waitFor();
    await button('+ users').click();
    await button('+ gateway').click();
    await button('+ service').click();
    await named(page, 'service', 'api');
    await page.getByLabel('Mean').fill('5ms');
    await button('+ service').click();
    await named(page, 'service', 'store');

    // By keys: the dot opens a list of whom it may lead to.
    await button('Connect gateway to …').press('Enter');
    await page.getByRole('menuitem', { name: 'api' }).click();

    // By pointer: a line from the dot to a card.
    const from = (await button('Connect api to …').boundingBox())!;
    const to = (await button(/^store service/).boundingBox())!;
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 5 });
    await page.mouse.up();

    await runEnded(page);
    await expect
      .poll(() => drawnIn(file))
      .toEqual({
        users: { rate: '100/s' },
        entry: 'gateway',
        blocks: [
          { kind: 'gateway', name: 'gateway', routes: { '/': 'api' } },
          { kind: 'service', name: 'api', cost: '5ms', calls: ['store'] },
          { kind: 'service', name: 'store' },
        ],
      });
    expect(await accessibilityOf(page)).toEqual([]);

    // What was drawn last goes first, and comes back.
    await button(/^store service/).focus();
    await page.keyboard.press('Control+z');
    await expect.poll(() => drawnIn(file).blocks[1]).not.toHaveProperty('calls');
    await page.keyboard.press('Control+y');
    await expect.poll(() => drawnIn(file).blocks[1]).toHaveProperty('calls', ['store']);

    await button('As TypeScript').click();
    const code = page
      .locator('code, pre, textarea')
      .filter({ hasText: "gateway('gateway'" })
      .last();
    await code.waitFor();
    // What it says runs as the board does.
    const exported = join(folder, 'exported.ts');
    writeFileSync(exported, (await code.textContent())!);
    const digests = await Promise.all(
      [exported, file].map(async (design) => {
        const { out } = await loadpath(['sim', design, '--for', '1s', '--json']).ended;
        return (JSON.parse(out) as Report).digest;
      }),
    );
    expect(digests[0]).toBe(digests[1]);
    await page.keyboard.press('Escape');

    await button('Show traffic').click();
    await button(/^store, service, .*\d+\/s/).waitFor();
    await close();
    await studio.close();
  });

  test('what is wrong stands at the block that it is about', async () => {
    const studio = await openStudio('--new', join(folder, 'wrong.json'));
    const { page, close } = await openPage(browser, studio.url);
    await page.getByRole('button', { name: '+ service' }).click();
    await page.getByLabel('Mean').fill('soon');
    await page.getByRole('button', { name: /^service service.* wrong: / }).waitFor();
    await page.getByLabel('Mean').fill('3ms');
    await page.getByRole('button', { name: /^service service( · entry)?$/ }).waitFor();
    await close();
    await studio.close();
  });

  test('an empty board says what to do first; undo takes back one edit of a field, after a look at the traffic, too', async () => {
    const file = join(folder, 'undone.json');
    const studio = await openStudio('--new', file);
    const { page, close } = await openPage(browser, studio.url);
    const button = (name: string) => page.getByRole('button', { name });
    await page.getByText('Begin with a block').waitFor();
    await page.getByText('Saved', { exact: true }).waitFor();
    expect(await page.getByText('mistake').count()).toBe(0);

    await button('+ service').click();
    const mean = page.getByLabel('Mean');
    for (const cost of ['8ms', '9ms']) {
      await mean.fill(cost);
      await mean.press('Tab');
    }
    await button('Show traffic').click();
    await expect.poll(() => drawnIn(file).blocks[0]).toHaveProperty('cost', '9ms');
    await button('Edit').click();
    await button('Undo').click();
    await expect.poll(() => drawnIn(file).blocks[0]).toHaveProperty('cost', '8ms');
    await close();
    await studio.close();
  });

  test('a link without a token says how to open it, and its design is offered where it opens', async () => {
    const studio = await openStudio('--new', join(folder, 'linked.json'));
    const { page } = await openPage(browser, studio.url);
    await page.getByRole('button', { name: '+ service' }).click();
    await page.goto(`${new URL(studio.url).origin}/#${linkOf({ name: 'sent', blocks: [] })}`);
    await page.getByText('This link holds a design').waitFor();
    await page.goto(studio.url);
    await page.getByText('The link holds a design “sent”').waitFor();
    await page.getByRole('button', { name: 'Keep what is there' }).click();
    // Not `close`: that the page was refused stands in its console.
    await page.context().close();
    await studio.close();
  });
});

/** As *Copy a link* makes it. */
function linkOf(design: unknown): string {
  return `design=${deflateRawSync(JSON.stringify(design)).toString('base64url')}`;
}

async function named(page: Page, from: string, to: string): Promise<void> {
  const name = page.getByRole('textbox', { name: 'Name', exact: true });
  await page.getByRole('button', { name: new RegExp(`^${from} service`) }).click();
  await name.fill(to);
  await name.press('Enter');
  await page.getByRole('button', { name: new RegExp(`^${to} service`) }).waitFor();
}

/** Without what the board keeps for itself. */
function drawnIn(file: string): Drawn {
  const { name: _name, studio: _studio, ...drawn } = JSON.parse(readFileSync(file, 'utf8'));
  return drawn as Drawn;
}
