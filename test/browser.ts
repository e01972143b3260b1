/** The system's own browser, for tests of the page; found by scripts/browser.mjs. */
import { type Browser, chromium } from 'playwright-core';

let shared: Promise<Browser> | undefined;

/**
 * One for all test files of a process, launched by the first that asks: each tab has a profile of
 * its own. Nobody closes it; it goes with the process, since it is steered through a pipe of it.
 */
export async function sharedBrowser(): Promise<Browser> {
  shared ??= launch();
  const browser = await shared;
  if (browser.isConnected()) return browser;
  shared = launch();
  return shared;
}

async function launch(): Promise<Browser> {
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
