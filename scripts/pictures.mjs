/**
 * Takes the pictures of README.md and docs/studio.md: Studio as it serves real runs, in a browser
 * without a window. `npm run pictures` takes them all; `node scripts/pictures.mjs charts` those
 * whose name begins so.
 *
 * A scene waits for what it shows, never for a while, stops the playhead at an event, and moves
 * nothing by itself, so that only what was changed looks different. WebP by the browser itself:
 * half the size of the same as PNG.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { haveBrowser, noBrowser } from './browser.mjs';
import { root } from './machine.mjs';

const folder = join(root, 'docs', 'pictures');
const bothThemes = ['light', 'dark'];
const viewport = { width: 1440, height: 810 };
/** Sharp on most screens, and readable in the width of a page of text. */
const scale = 4 / 3;
const quality = 78;
const patienceMs = 90_000;

/**
 * Each: its name; the arguments for `loadpath studio`; what leads to what is shown, and
 * whether only the panel is in the picture. One theme unless it says more.
 */
const scenes = [
  {
    name: 'killed-replica',
    open: ['examples/shortener'],
    themes: bothThemes,
    async show(page) {
      await breakIt(page, 'kill links/1 at 10s, restart after 8s');
      await choose(page, 'Verdict');
      await at(page, /^fault: kill links\/1/, 4);
      await page.getByRole('button', { name: /^links, .*2 of 3/ }).click();
    },
  },
  {
    name: 'fault-menu',
    open: ['examples/shortener'],
    async show(page) {
      await ended(page);
      await page.keyboard.press('Home');
      await page.getByRole('button', { name: /^links, / }).click({ button: 'right' });
      const menu = page.getByRole('dialog', { name: 'Faults for links' });
      await menu.getByRole('button', { name: 'links/1', exact: true }).click();
    },
  },
  {
    name: 'charts',
    open: ['examples/shortener'],
    async show(page) {
      await breakIt(page, 'cut zone a from zone b at 10s for 8s');
      const charts = await choose(page, 'Charts', { wide: true });
      await charts.locator('canvas').nth(2).waitFor();
      await at(page, /^fault: cut zone a/, 10);
    },
  },
  {
    name: 'waterfall',
    open: ['examples/shortener'],
    only: 'panel',
    async show(page) {
      await breakIt(page, 'cut zone a from zone b at 10s for 8s');
      const requests = await choose(page, 'Requests', { wide: true });
      await requests.getByRole('row').nth(1).getByRole('button').click();
      await requests.getByText('network').first().waitFor();
    },
  },
  {
    name: 'messages',
    open: ['examples/shortener'],
    async show(page) {
      await breakIt(page, 'lose 20% between api and links at 10s for 5s');
      await at(page, /^fault: lose 20/, 2);
      const messages = await choose(page, 'Messages', { wide: true });
      for (const block of ['api', 'hot', 'links']) {
        await messages.getByRole('button', { name: block, exact: true }).click();
      }
      await messages.getByText(/^\d+ messages/).waitFor();
    },
  },
  {
    name: 'counterexample',
    open: ['examples/shortener/quorum.ts'],
    async show(page) {
      await ended(page);
      await fill(page, { Seed: '12', for: '20s', at: '50/s' });
      await breakIt(page, 'skew api/1 by -300ms at 18s for 1s');
      const verdict = await choose(page, 'Verdict', { wide: true });
      await at(page, /^fault: skew api/, 0);
      await verdict.getByRole('heading', { name: 'Promises' }).evaluate(toTop);
    },
  },
  {
    name: 'compare',
    open: ['examples/three-tier/design.json'],
    async show(page) {
      await ended(page);
      await fill(page, { for: '20s', at: '2500/s', '×': '5' });
      await runAgain(page);
      await page.getByRole('button', { name: /^shop, service/ }).click();
      const inspect = await choose(page, 'Inspect');
      await inspect.getByLabel('instances', { exact: true }).fill('2');
      await inspect.getByRole('button', { name: 'Run with these' }).click();
      const compare = await choose(page, 'Compare', { wide: true });
      await ended(page);
      await compare.getByText(/p99/).first().waitFor();
      await page.keyboard.press('Home');
    },
  },
  {
    name: 'sweep',
    open: ['examples/three-tier/design.json'],
    only: 'panel',
    async show(page) {
      await ended(page);
      await fill(page, { for: '20s' });
      const sweep = await choose(page, 'Sweep', { wide: true });
      await sweep.getByRole('textbox', { name: 'over' }).fill('500/s..3500/s step 500/s');
      await sweep.getByRole('button', { name: 'Sweep', exact: true }).click();
      await sweep.getByText(/^The curve/).waitFor();
    },
  },
  {
    name: 'drawing-board',
    open: ['examples/three-tier/design.json'],
    async show(page) {
      await ended(page);
      await page.keyboard.press('Home');
      await page.getByRole('button', { name: 'Edit', exact: true }).click();
      await page.getByRole('button', { name: /^shop,? service/ }).click();
      await page.getByRole('textbox', { name: 'Name' }).waitFor();
    },
  },
];

function toTop(element) {
  element.scrollIntoView();
}

/** Until the run has its verdict, over all its seeds; then nothing moves any more. */
async function ended(page) {
  const pill = page.getByRole('banner').getByRole('status');
  await pill.filter({ hasText: /\d+(\/| of )\d+/ }).waitFor();
  await page.getByRole('button', { name: 'Stop the simulation' }).waitFor({ state: 'detached' });
  const pause = page.getByRole('button', { name: 'Pause playing' });
  if (await pause.isVisible()) await pause.click();
}

async function fill(page, values) {
  const form = page.getByRole('form', { name: 'Run' });
  for (const [name, value] of Object.entries(values)) {
    await form.getByRole('textbox', { name, exact: true }).fill(value);
  }
}

async function runAgain(page) {
  const started = page.waitForResponse((one) => one.request().method() === 'POST');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await started;
  await ended(page);
}

/** Adds a fault as one types it; the run is the same until then. */
async function breakIt(page, sentence) {
  await ended(page);
  const faults = await choose(page, 'Faults');
  await faults.getByRole('combobox', { name: 'Add a fault' }).fill(sentence);
  await page.keyboard.press('Enter');
  await runAgain(page);
}

async function choose(page, name, { wide = false } = {}) {
  await page.getByRole('tab', { name }).click();
  const panel = page.getByRole('tabpanel', { name });
  await panel.waitFor();
  if (wide) await panel.getByRole('button', { name: 'Wide panel' }).click();
  return panel;
}

/** The playhead at an event of the timeline, and some frames after it. */
async function at(page, event, frames) {
  await page.getByRole('button', { name: event }).first().click();
  for (let frame = 0; frame < frames; frame++) await page.keyboard.press('.');
}

/** `loadpath studio …` on a free port: its address, and how to end it. */
function serve(args) {
  const main = join(root, 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'studio', ...args, '--no-open'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const over = new Promise((resolve) => child.on('close', resolve));
  const url = new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (piece) => {
      said += piece;
      const found = /Studio +(http:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    over.then(() => reject(new Error(`loadpath studio ended at once: ${said}`)));
  });
  const close = async () => {
    child.kill('SIGINT');
    await over;
  };
  return { url, close };
}

async function take(browser, scene, theme) {
  const studio = serve(scene.open);
  const context = await browser.newContext({
    viewport,
    deviceScaleFactor: scale,
    colorScheme: theme,
    reducedMotion: 'reduce',
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    await page.goto(await studio.url);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await scene.show(page);
    // Nothing is pointed at, and what was asked of the page is drawn.
    await page.mouse.move(0, 0);
    await page.evaluate(() => new Promise((drawn) => requestIdleCallback(drawn)));
    const box = scene.only === 'panel' && (await page.getByRole('tabpanel').boundingBox());
    const clip = { ...(box || { x: 0, y: 0, ...viewport }), scale };
    const devtools = await context.newCDPSession(page);
    const { data } = await devtools.send('Page.captureScreenshot', {
      format: 'webp',
      quality,
      clip,
    });
    return Buffer.from(data, 'base64');
  } finally {
    await context.close();
    await studio.close();
  }
}

const executablePath = await haveBrowser();
if (!executablePath) throw new Error(noBrowser);
const browser = await chromium.launch({
  executablePath,
  args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'],
});
mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
try {
  for (const scene of scenes) {
    if (wanted.length > 0 && !wanted.some((start) => scene.name.startsWith(start))) continue;
    for (const theme of scene.themes ?? ['light']) {
      const name = `${scene.name}${scene.themes ? `-${theme}` : ''}.webp`;
      const picture = await take(browser, scene, theme);
      writeFileSync(join(folder, name), picture);
      console.log(`docs/pictures/${name}  ${Math.round(picture.length / 1_024)} kB`);
    }
  }
} finally {
  await browser.close();
}
