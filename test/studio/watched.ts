/** The page in a real browser, and all that can be held against it. */
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

export interface Watched {
  readonly page: Page;
  /** What the browser's console complained about, and pages' errors. */
  readonly complaints: readonly string[];
  /** Whatever was asked of another origin than the page's own. */
  readonly strangers: readonly string[];
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

/** The page at an address; nothing it does goes unseen. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, height = 720, theme = 'light' }: PageOptions = {},
): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
  const complaints: string[] = [];
  const strangers: string[] = [];
  const { origin } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (address.protocol.startsWith('http') && address.origin !== origin) {
      strangers.push(request.url());
    }
  });
  await page.goto(url);
  return { page, complaints, strangers };
}

/** What axe holds against the page as it stands, one line each. */
export async function accessibilityOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const found = await axe.run({ resultTypes: ['violations'] });
    return found.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      where: nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary}`),
    }));
  });
  return violations.map(({ id, help, where }) => `${id}: ${help}\n  ${where.join('\n  ')}`);
}
