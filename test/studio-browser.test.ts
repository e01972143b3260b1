/** Studio in a real browser: what other pages cannot do to it, and a report without its server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDesignStudio, type StudioServer } from '../src/studio/index.ts';
import type { RunSummary } from '../src/studio/protocol.ts';
import { sharedBrowser } from './browser.ts';
import { root } from './checkout.ts';
import { Page } from './studio-page.ts';

const folder = mkdtempSync(join(tmpdir(), 'loadpath-browser-'));
/** A page of somebody else, who even knows the token: tries everything, and tells in its title. */
const foreignText = `<!doctype html><title>…</title><body><script type="module">
const { origin, searchParams, href } = new URL(decodeURIComponent(location.hash.slice(1)));
const token = searchParams.get('token');
const outcome = (asked) => asked.then((response) => response.type, () => 'refused');
const body = '{"seed":1}';
const json = { 'content-type': 'application/json', authorization: 'Bearer ' + token };
const told = {};
const loads = (frame) => new Promise((resolve) => {
  frame.onload = () => resolve('over');
  setTimeout(resolve, 2_000, 'over');
});
const frame = Object.assign(document.createElement('iframe'), { src: href, name: 'studio' });
const framed = loads(frame);
document.body.append(frame);
await framed;
const nowhere = Object.assign(document.createElement('iframe'), { name: 'nowhere' });
document.body.append(nowhere);
const form = Object.assign(document.createElement('form'), {
  method: 'post', action: origin + '/api/runs?token=' + token, target: 'nowhere', enctype: 'text/plain',
});
document.body.append(form);
const sent = loads(nowhere);
form.submit();
await sent;
told.read = await outcome(fetch(origin + '/api/design?token=' + token));
told.post = await outcome(fetch(origin + '/api/runs', { method: 'POST', headers: json, body }));
told.simple = await outcome(fetch(origin + '/api/runs?token=' + token, { method: 'POST', body, mode: 'no-cors' }));
told.stream = await new Promise((resolve) => {
  const stream = new EventSource(origin + '/api/watch?token=' + token);
  stream.onopen = () => resolve('open');
  stream.onerror = () => resolve('refused');
});
document.title = JSON.stringify(told);
</script>`;
let browser: Browser;
let studio: StudioServer;
let foreign: Server;

beforeAll(async () => {
  studio = await openDesignStudio({ designPath: join(root, 'examples/three-tier/design.json') });
  foreign = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(foreignText);
  });
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  browser = await sharedBrowser();
});

afterAll(async () => {
  foreign?.close();
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('another page cannot read a design, start a run or frame the page, even with the token', async () => {
  const page = new Page(studio.url);
  const before = await page.ask<RunSummary[]>('/api/runs');
  const tab = await browser.newPage();
  const { port } = foreign.address() as AddressInfo;
  await tab.goto(`http://127.0.0.1:${port}/#${encodeURIComponent(studio.url)}`);
  const told = await tab.waitForFunction('document.title.startsWith("{") && document.title');
  const refused = { read: 'refused', post: 'refused', simple: 'refused', stream: 'refused' };
  expect(JSON.parse(String(await told.jsonValue()))).toEqual(refused);
  const { origin } = new URL(studio.url);
  const inside = tab.frames().find((one) => one.url().startsWith(origin));
  expect(inside ? await inside.title() : '').not.toBe('Loadpath Studio');
  expect(await page.ask<RunSummary[]>('/api/runs')).toEqual(before);
  await tab.close();
});

test('a report opens from the disk, asks nobody, and shows what the run did', async () => {
  const page = new Page(studio.url);
  const { id } = await page.run({ forUs: 2_000_000 });
  const file = join(folder, 'report.html');
  writeFileSync(file, await (await page.call('GET', `/api/runs/${id}/html`)).text());
  const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const asked: string[] = [];
  const wrong: string[] = [];
  tab.on('request', (request) => asked.push(request.url()));
  tab.on('pageerror', (error) => wrong.push(error.message));
  tab.on('console', (message) => {
    if (message.type() === 'error') wrong.push(message.text());
  });
  await tab.goto(pathToFileURL(file).href);
  await tab.getByText('three-tier').or(tab.getByText('shop')).first().waitFor();
  expect(wrong).toEqual([]);
  expect(asked.filter((url) => !/^(file|data|blob):/.test(url))).toEqual([]);
  await tab.close();
});

test('the page loads under its own policy, from its own server only', async () => {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const { origin } = new URL(studio.url);
  const asked: string[] = [];
  const wrong: string[] = [];
  tab.on('request', (request) => asked.push(request.url()));
  tab.on('pageerror', (error) => wrong.push(error.message));
  tab.on('console', (message) => {
    if (message.type() === 'error') wrong.push(message.text());
  });
  await tab.goto(studio.url);
  await tab.getByRole('button', { name: /shop/ }).first().waitFor();
  expect(wrong).toEqual([]);
  expect(asked.filter((url) => !url.startsWith(origin) && !/^(data|blob):/.test(url))).toEqual([]);
  await tab.close();
});
