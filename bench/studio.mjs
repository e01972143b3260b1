/**
 * What Studio's page costs: bytes before it shows something, time to the first paint on loopback,
 * and work on the browser's main thread for each animation frame while a run of 300 nodes streams
 * in and its traffic moves.
 *
 * Work is CPU time of the main thread's tasks between two animation frames, from Chromium's own
 * trace. The graph is drawn by a worker, in software, without a graphics card, which is the worst
 * case: what that costs is a figure of its own.
 * Needs a Chromium: CHROMIUM=/path/to/it, or one in the usual places.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { Bench, isQuick, median } from './kit.mjs';

const cli =
  process.env.LOADPATH_CLI ?? fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const watchedMs = isQuick ? 4_000 : 10_000;
const paints = isQuick ? 3 : 9;

const executablePath = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));

/** A gateway and a service before four tiers of them, each calling two of the next: 61 blocks, 301 nodes. */
function platform() {
  const tiers = [12, 15, 15, 16];
  const blocks = [];
  const nameOf = (tier, index) => `${'abcd'[tier]}${String(index).padStart(2, '0')}`;
  let left = 300 - 3;
  let services = tiers.reduce((sum, count) => sum + count, 0);
  for (let tier = tiers.length - 1; tier >= 0; tier--) {
    for (let index = 0; index < tiers[tier]; index++) {
      const next = tiers[tier + 1];
      const first = next && Math.floor((index * next) / tiers[tier]);
      const instances = Math.round(left / services);
      left -= instances;
      services -= 1;
      const calls = next ? [nameOf(tier + 1, first), nameOf(tier + 1, (first + 1) % next)] : [];
      blocks.push({
        kind: 'service',
        name: nameOf(tier, index),
        instances,
        slots: 4,
        cost: { exponential: '1ms' },
        calls,
      });
    }
  }
  const sometimes = (call) => ({ sometimes: { chance: 0.2, call } });
  blocks.push({
    kind: 'service',
    name: 'front',
    instances: 2,
    slots: 64,
    calls: [{ parallel: Array.from({ length: tiers[0] }, (_, at) => sometimes(nameOf(0, at))) }],
  });
  blocks.push({ kind: 'gateway', name: 'edge', routes: { '/': 'front' } });
  return { name: 'platform', blocks, entry: 'edge', users: { rate: '900/s' } };
}

/** Every visit starts a run: on a small design, so that it is not in the way of what is timed. */
const small = {
  name: 'small',
  blocks: [
    { kind: 'service', name: 'api', cost: '1ms' },
    { kind: 'gateway', name: 'edge', routes: { '/': 'api' } },
  ],
  entry: 'edge',
  users: { rate: '20/s' },
};

async function withStudio(design, use) {
  const server = spawn(process.execPath, [cli, 'studio', join(folder, design), '--no-open'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const url = await new Promise((resolve, reject) => {
      let out = '';
      server.stderr.on('data', (piece) => {
        out += piece;
        const found = /http:\/\/\S+/.exec(out);
        if (found) resolve(found[0]);
      });
      server.on('close', (code) =>
        reject(new Error(`studio ended with exit code ${code}: ${out}`)),
      );
    });
    return await use(url);
  } finally {
    server.kill();
  }
}

/** Everything that the page asks for by itself before it has painted, as gzip sends it. */
async function weighed(browser, url) {
  const page = await browser.newPage();
  const bodies = [];
  const heard = (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.startsWith('/api/')) bodies.push(response.body());
  };
  page.on('response', heard);
  await page.goto(url, { waitUntil: 'load' });
  page.off('response', heard);
  const bytes = (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  await page.close();
  return bytes;
}

/** Until something stands on the page, and until the graph does. */
async function opened(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.graphStands = new Promise((resolve) => {
      requestAnimationFrame(function look() {
        if (document.querySelector('[data-type="block"]')) resolve(performance.now());
        else requestAnimationFrame(look);
      });
    });
  });
  await page.goto(url, { waitUntil: 'load' });
  const graphMs = await page.evaluate(() => globalThis.graphStands);
  const paintMs = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new PerformanceObserver((list) => {
          const paint = list.getEntries().find(({ name }) => name === 'first-contentful-paint');
          if (paint) resolve(paint.startTime);
        }).observe({ type: 'paint', buffered: true });
      }),
  );
  await context.close();
  return { paintMs, graphMs };
}

/** Milliseconds of CPU a frame, in order, and how many frames a second there were. */
async function framesOf(browser, url) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.goto(url);
  await page.getByRole('button', { name: /^edge, gateway/ }).waitFor();
  // Still under way when it was watched, and with a frame every tenth of a second.
  const length = page.getByRole('textbox', { name: 'for' });
  await length.fill('1min');
  await length.press('Enter');
  await page.waitForTimeout(2_000);
  const nodes = await page.locator('[data-type="node"]').count();
  await browser.startTracing(page, {
    categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', '__metadata'],
  });
  await page.waitForTimeout(watchedMs);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const isRunning = await page
    .getByRole('status')
    .getByText(/^Running/)
    .count();
  await page.close();
  return { nodes, isRunning: isRunning > 0, ...workPerFrame(traceEvents) };
}

/** Of the page's main thread, and of the worker that draws, between two of the page's frames. */
function workPerFrame(events) {
  const names = new Map(
    events
      .filter(({ name }) => name === 'thread_name')
      .map((event) => [threadOf(event), event.args.name]),
  );
  const firings = events.filter(
    (event) =>
      event.name === 'FireAnimationFrame' && names.get(threadOf(event)) === 'CrRendererMain',
  );
  const [first] = firings;
  if (!first) throw new Error('The page drew no frame while it was watched.');
  // Of several callbacks in one frame the first counts.
  const starts = firings
    .map(({ ts }) => ts)
    .sort((a, b) => a - b)
    .filter((ts, index, all) => index === 0 || ts - all[index - 1] > 4_000);
  const tasks = events.filter(
    ({ name, ph, pid }) => name === 'RunTask' && ph === 'X' && pid === first.pid,
  );
  const isDrawing = (task) => names.get(threadOf(task))?.startsWith('DedicatedWorker');
  const seconds = (starts.at(-1) - starts[0]) / 1e6;
  return {
    work: workBetween(
      starts,
      tasks.filter(({ tid }) => tid === first.tid),
    ),
    drawing: workBetween(starts, tasks.filter(isDrawing)),
    framesPerSec: (starts.length - 1) / seconds,
  };
}

function threadOf({ pid, tid }) {
  return `${pid}/${tid}`;
}

/** Milliseconds of CPU between each instant and the next. */
function workBetween(starts, tasks) {
  const inOrder = tasks.toSorted((a, b) => a.ts - b.ts);
  const work = [];
  let at = 0;
  for (let frame = 1; frame < starts.length; frame++) {
    let us = 0;
    while (at < inOrder.length && inOrder[at].ts < starts[frame]) {
      if (inOrder[at].ts >= starts[frame - 1] - 1_000) us += inOrder[at].tdur ?? inOrder[at].dur;
      at++;
    }
    work.push(us / 1_000);
  }
  return work;
}

function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

if (!executablePath) {
  console.error('There is no Chromium here. Install one, or name it: CHROMIUM=/path/to/chromium.');
  process.exit(1);
}
const bench = new Bench('studio', 'Studio in the browser');
const folder = mkdtempSync(join(tmpdir(), 'loadpath-studio-'));
writeFileSync(join(folder, 'platform.json'), JSON.stringify(platform()));
writeFileSync(join(folder, 'small.json'), JSON.stringify(small));
const browser = await chromium.launch({
  executablePath,
  args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const paint = [];
  const graph = [];
  const bytes = await withStudio('small.json', async (url) => {
    for (let round = 0; round < paints; round++) {
      const { paintMs, graphMs } = await opened(browser, url);
      paint.push(paintMs);
      graph.push(graphMs);
    }
    return weighed(browser, url);
  });
  const { nodes, isRunning, work, drawing, framesPerSec } = await withStudio(
    'platform.json',
    (url) => framesOf(browser, url),
  );
  if (nodes < 300) throw new Error(`The graph shows ${nodes} nodes, not 300.`);
  if (!isRunning) throw new Error('The run had ended before the frames were counted.');
  bench.figure({
    id: 'studio-frame-p95',
    what: `main thread a frame, ${nodes} nodes while a run streams, p95`,
    unit: 'ms',
    value: percentile(work, 0.95),
    better: 'less',
    aim: 8,
  });
  bench.figure({
    id: 'studio-frame-p50',
    what: 'the same, p50',
    unit: 'ms',
    value: percentile(work, 0.5),
    better: 'less',
  });
  bench.figure({
    id: 'studio-drawing-p95',
    what: 'the worker that draws, a frame, p95',
    unit: 'ms',
    value: percentile(drawing, 0.95),
    better: 'less',
  });
  bench.figure({
    id: 'studio-frames',
    what: 'frames',
    unit: '/s',
    value: framesPerSec,
  });
  bench.figure({
    id: 'studio-first-paint',
    what: `first contentful paint on loopback, median of ${paints}`,
    unit: 'ms',
    value: median(paint),
    better: 'less',
    aim: 1_000,
  });
  bench.figure({
    id: 'studio-first-graph',
    what: 'until the graph stands there, median',
    unit: 'ms',
    value: median(graph),
    better: 'less',
  });
  bench.figure({
    id: 'studio-weight',
    what: 'initial page, gzip',
    unit: 'kB',
    value: bytes / 1_000,
    better: 'less',
    aim: 300,
  });
  bench.end();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
