/** Studio as a person has it: the built command in a terminal, its page in a browser, what one looks for there. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect, onTestFailed } from 'vitest';
import { loadpath, type Running } from '../live/process.ts';

export interface OpenedStudio {
  readonly running: Running;
  readonly url: string;
  /** Ctrl-C, and its exit code is nought. */
  close(): Promise<void>;
}

export async function openStudio(...args: readonly string[]): Promise<OpenedStudio> {
  const running = loadpath(['studio', ...args, '--no-open']);
  const url = (await running.hear(/Studio +(http:\S+)/))[1]!;
  const close = async () => {
    running.interrupt();
    expect((await running.ended).code).toBe(0);
  };
  return { running, url, close };
}

export interface Watched {
  readonly page: Page;
  /** What the console complained of, and what was asked of other origins. */
  readonly wrong: string[];
  /** Closes the tab; nothing may have gone wrong in it. */
  close(): Promise<void>;
}

/** A simulation on a busy machine takes its time; what takes longer does not come. */
const patienceMs = 60_000;

/** A tab of a profile of its own; nothing that it does goes unseen. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  onTestFailed(() => photograph(page));
  const wrong: string[] = [];
  const { protocol, host } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    const isOwn = asked.protocol === protocol && asked.host === host;
    if (!isOwn && !/^(data|blob):/.test(asked.protocol)) wrong.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  const close = async () => {
    expect(wrong).toEqual([]);
    await context.close();
  };
  return { page, wrong, close };
}

/** A picture of what a failed test saw, and where it lies. */
async function photograph(page: Page): Promise<void> {
  if (page.isClosed()) return;
  const path = join(mkdtempSync(join(tmpdir(), 'loadpath-page-')), 'failed.png');
  await page.screenshot({ path });
  console.log(`The page when the test failed: ${path}`);
}

export function panelOf(page: Page, name: string): Locator {
  return page.getByRole('tabpanel', { name });
}

export async function choose(page: Page, panel: string): Promise<Locator> {
  await page.getByRole('tab', { name: panel }).click();
  return panelOf(page, panel);
}

/** The word on where the run stands, in the bar on top. */
export async function seen(page: Page, standing: RegExp): Promise<void> {
  const pill = page.getByRole('banner').getByRole('status').filter({ hasText: standing });
  await pill.waitFor({ timeout: 2 * patienceMs });
}

/** A run came to its verdict: `6/6`, or `1 of 6`. */
export function runEnded(page: Page): Promise<void> {
  return seen(page, /\d+(\/| of )\d+/);
}

/** Runs what stands in the form for so long, `6 s`, to its verdict: that of no run before it. */
export async function runFor(page: Page, duration: string): Promise<void> {
  await page.getByRole('textbox', { name: 'for' }).fill(duration);
  await page.keyboard.press('Enter');
  await page.getByText(new RegExp(`^${duration} simulated in`)).waitFor();
  await runEnded(page);
}

/** A run that has ended stands still, at its beginning, whether it had been played to its end or not. */
export async function stopPlaying(page: Page): Promise<void> {
  await page.getByRole('slider', { name: 'Playhead' }).press('Home');
  const pause = page.getByRole('button', { name: 'Pause playing' });
  if ((await pause.count()) > 0) await pause.click();
}

/** In seconds of virtual time. */
export async function playheadOf(page: Page): Promise<number> {
  const playhead = page.getByRole('slider', { name: 'Playhead' });
  return Number(await playhead.getAttribute('aria-valuenow'));
}

/**
 * What axe holds against the page as it stands, one line each. That all be in landmarks is not
 * asked for: menus lie above the page, outside of them. `rules` leaves all others out.
 */
export async function accessibilityOf(
  page: Page,
  rules?: readonly string[],
): Promise<readonly string[]> {
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(axe.source);
  const violations = await page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const found = await axe.run({
      resultTypes: ['violations'],
      rules: { region: { enabled: false } },
      ...(only ? { runOnly: { type: 'rule' as const, values: [...only] } } : {}),
    });
    return found.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      where: nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary}`),
    }));
  }, rules);
  return violations.map(({ id, help, where }) => `${id}: ${help}\n  ${where.join('\n  ')}`);
}
