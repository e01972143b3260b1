/** A real browser for tests of the page: Debian's Chromium or the user's own Chrome, without a window. */
import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = [
  process.env.LOADPATH_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function openBrowser(): Promise<Browser> {
  const executablePath = places.find((place) => place !== undefined && existsSync(place));
  if (executablePath === undefined) {
    throw new Error(
      'No Chromium or Chrome was found. Install one (on Debian: apt-get install chromium), or say where it is in LOADPATH_CHROMIUM.',
    );
  }
  return chromium.launch({ executablePath, args: flags });
}

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
