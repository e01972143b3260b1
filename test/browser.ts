/** The system's own browser, for tests of the page; found by scripts/browser.mjs. */
import { type Browser, chromium } from 'playwright-core';

export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.LOADPATH_CHROMIUM ?? '';
  if (executablePath === '') {
    throw new Error('no browser: install Chromium or Chrome, or name one in LOADPATH_CHROMIUM');
  }
  return chromium.launch({
    executablePath,
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
