/** Studio without a browser: what its page can ask for, and what it is told when things go wrong. */
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { compareReports } from '../src/run/compare.ts';
import type { Frame } from '../src/run/frames.ts';
import { runner } from '../src/run/index.ts';
import type { MessageWindow, RequestSample, Waterfall } from '../src/run/traced.ts';
import { openDesignStudio, type StudioServer } from '../src/studio/index.ts';
import type {
  DesignView,
  FaultCheck,
  Hello,
  LabPage,
  LabSummary,
  RunSummary,
} from '../src/studio/protocol.ts';
import { readReport, reportElement } from '../src/studio/report-data.ts';
import { Page, told } from './studio-page.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'loadpath-studio-')));
const open: StudioServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shop = {
  name: 'shop',
  blocks: [
    { kind: 'service', name: 'store', slots: 5, cost: { exponential: '2ms' } },
    { kind: 'service', name: 'api', slots: 8, cost: '5ms', calls: ['store'] },
    { kind: 'gateway', name: 'edge', routes: { '/': 'api' } },
  ],
  entry: 'edge',
  users: { rate: '200/s' },
};

const code = (option: string) => `import { gateway, service, system, users } from 'loadpath';
const api = service('api', { cost: '2ms', ${option} });
const edge = gateway('edge', { routes: { '/': api } });
export default system('small', { entry: edge, workload: users({ rate: '100/s' }) });
`;

let files = 0;
function designFile(content: unknown, extension = 'json'): string {
  const path = join(folder, `design-${files++}.${extension}`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function studioOn(designPath: string): Promise<Page> {
  const server = await openDesignStudio({ designPath });
  open.push(server);
  return new Page(server.url);
}

const short = { forUs: 4_000_000, faults: [], ownFaults: true, set: {} };

describe('a run', () => {
  test('is told from its layout to its report, with the digest of the command line', async () => {
    const path = designFile(shop);
    const page = await studioOn(path);
    const { told: all } = await page.run(short);
    expect(all[0]!.name).not.toBe('frame');
    const [layout] = told(all, 'layout');
    const frames = told(all, 'frame');
    const [report] = told(all, 'report');
    expect(layout!.nodes[0]!.block).toBe('users');
    expect(frames.map(({ index }) => index)).toEqual(frames.map((_, at) => at));
    expect(frames.reduce((sum, { users }) => sum + users.completed, 0)).toBeGreaterThan(700);
    expect(told(all, 'end')).toEqual([{ state: 'done' }]);
    const same = await runner.simulate(path, {
      ...short,
      seed: 1,
      check: false,
      isolatePackages: false,
    });
    expect(report!.digest).toBe(same.digest);
  });

  test('with a further fault is the same until the fault', async () => {
    const page = await studioOn(designFile(shop));
    const before = told((await page.run(short)).told, 'frame');
    const fault = { ...short, faults: ['kill store at 2s for 1s'] };
    const after = told((await page.run(fault)).told, 'frame');
    const until = (frames: readonly Frame[]) => frames.filter(({ toUs }) => toUs <= 2_000_000);
    expect(until(after)).toEqual(until(before));
    expect(after).not.toEqual(before);
    expect(after.some(({ nodes }) => nodes.state.includes('d'))).toBe(true);
  });

  test('with more seeds tells what they have in common', async () => {
    const page = await studioOn(designFile(shop));
    const { told: all } = await page.run({ ...short, seeds: 3 });
    const summary = told(all, 'summary').at(-1);
    expect(summary!.latencyMs.p99.plusMinus).not.toBeNull();
    // Seed by seed, so that another run can be held against it, block by block.
    expect(summary!.reports!.map(({ seed }) => seed)).toEqual([1, 2, 3]);
    const wide = await page.run({ ...short, seeds: 3, set: { 'api.instances': '3' } });
    const { evidence, rows } = compareReports(summary!, told(wide.told, 'summary').at(-1)!);
    expect(evidence).toBe('same seeds');
    expect(
      rows.find(({ block, what }) => block === 'api' && what === 'p99')!.change,
    ).not.toBeNull();
  });

  test('with other options and with what is on the board', async () => {
    const page = await studioOn(designFile(shop));
    const wide = await page.run({ ...short, set: { 'api.instances': '3' } });
    expect(told(wide.told, 'layout')[0]!.nodes.filter(({ block }) => block === 'api')).toHaveLength(
      3,
    );
    const [structure] = told(wide.told, 'structure');
    expect(structure!.blocks.find(({ name }) => name === 'api')!.nodes).toHaveLength(3);
    const html = await (await page.call('GET', `/api/runs/${wide.id}/html`)).text();
    const { design } = await readReport(
      new RegExp(`id="${reportElement}">([^<]*)<`).exec(html)![1]!,
    );
    expect(design.options.api).toMatchObject({ instances: 3 });
    const data = { ...shop, users: { rate: '50/s' } };
    const slow = told((await page.run({ ...short, data })).told, 'report')[0]!;
    expect(slow.generated).toBeLessThan(400);
  });

  test('stands still when paused, goes on, and ends when stopped', async () => {
    const page = await studioOn(designFile(shop));
    const { id } = await page.tell<{ id: string }>('/api/runs', {
      ...short,
      seed: 1,
      forUs: 3_600_000_000,
    });
    const stream = `/api/runs/${id}/stream`;
    await page.stream(stream, ({ name }) => name === 'frame');
    await page.tell(`/api/runs/${id}/pause`);
    const stateOf = async () => (await page.ask<RunSummary[]>('/api/runs'))[0]!.state;
    expect(await stateOf()).toBe('paused');
    await page.tell(`/api/runs/${id}/resume`);
    expect(await stateOf()).toBe('running');
    await page.tell(`/api/runs/${id}/stop`);
    const all = await page.stream(stream);
    expect(told(all, 'end')).toEqual([{ state: 'stopped' }]);
    expect(told(all, 'report')[0]!.notes.join()).toContain('stopped early');
  });

  test('gives way to the next one; the last eight are kept', async () => {
    const page = await studioOn(designFile(shop));
    const first = await page.tell<{ id: string }>('/api/runs', {
      ...short,
      seed: 1,
      forUs: 3_600_000_000,
    });
    for (let seed = 2; seed <= 9; seed++) {
      await page.run({ ...short, seed, forUs: 200_000 });
      if (seed > 2) continue;
      const end = told(await page.stream(`/api/runs/${first.id}/stream`), 'end');
      expect(end).toEqual([{ state: 'stopped' }]);
    }
    const kept = await page.ask<RunSummary[]>('/api/runs');
    expect(kept.map(({ request }) => request.seed)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await page.refusal('GET', `/api/runs/${first.id}/stream`)).toMatchObject({
      status: 404,
      code: 'unknown-run',
    });
  });

  test('that asks for what cannot be is told all that is wrong', async () => {
    const page = await studioOn(designFile(shop));
    const wrong = { seed: -1, forUs: 0.5, faults: 'kill', set: { a: {} } };
    const refusal = await page.refusal('POST', '/api/runs', wrong);
    expect(refusal.status).toBe(422);
    expect(refusal.problems.map(({ at }) => at)).toEqual(['seed', 'forUs', 'faults', 'set']);
    const failed = await page.run({ ...short, faults: ['kill stroe at 1s'] });
    expect(told(failed.told, 'failed')[0]!.message).toContain('did you mean');
    expect(told(failed.told, 'end')).toEqual([{ state: 'failed' }]);
  });

  test('of a hundred faults goes through', async () => {
    const page = await studioOn(designFile(shop));
    const faults = Array.from(
      { length: 100 },
      (_, at) => `slow store by 2x at ${at * 20}ms for 100ms`,
    );
    const { told: all } = await page.run({ ...short, faults });
    expect(told(all, 'event').filter(({ type }) => type === 'fault')).toHaveLength(200);
    expect(told(all, 'end')).toEqual([{ state: 'done' }]);
  });

  test('shows its requests and messages, until the design changes', async () => {
    const path = designFile(shop);
    const page = await studioOn(path);
    const { id } = await page.run(short);
    const { slowest: rows } = await page.ask<RequestSample>(`/api/runs/${id}/requests`);
    expect(rows.length).toBeGreaterThan(50);
    const waterfall = await page.ask<Waterfall>(`/api/runs/${id}/requests/${rows[0]!.index}`);
    expect(waterfall.request).toEqual(rows[0]);
    expect(waterfall.spans.map(({ block }) => block)).toContain('store');
    const query = 'fromUs=1000000&toUs=1100000&nodes=api,store';
    const window = await page.ask<MessageWindow>(`/api/runs/${id}/messages?${query}`);
    expect(window.messages.length).toBeGreaterThan(10);
    writeFileSync(path, JSON.stringify({ ...shop, name: 'other' }));
    await page.designThat(({ structure }) => structure?.design === 'other');
    expect(await page.refusal('GET', `/api/runs/${id}/messages?fromUs=0&toUs=9`)).toMatchObject({
      status: 409,
      code: 'design-changed',
    });
  });

  test('becomes one file that holds it all and asks nobody for anything', async () => {
    const page = await studioOn(designFile(shop));
    const { id, told: all } = await page.run(short);
    const html = await (await page.call('GET', `/api/runs/${id}/html`)).text();
    expect(html.length).toBeLessThan(2_000_000);
    expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)="(?!data:)/);
    const element = new RegExp(`id="${reportElement}">([^<]*)<`).exec(html)!;
    const file = await readReport(element[1]!);
    expect(file.hello.mode).toBe('report');
    expect(file.frames).toEqual(told(all, 'frame'));
    expect(file.report).toEqual(told(all, 'report')[0]);
  });
});

describe('a design', () => {
  test('comes with its blocks, options and what can be placed', async () => {
    const page = await studioOn(designFile(shop));
    const view = await page.ask<DesignView>('/api/design');
    expect(view).toMatchObject({ kind: 'data', problems: [], data: shop });
    expect(view.structure!.blocks.map(({ name }) => name)).toContain('store');
    expect(view.options.store).toMatchObject({ slots: 5 });
    expect((await page.ask<{ text: string }>('/api/mermaid')).text).toContain('flowchart LR');
    const { palette } = await page.ask<Hello>('/api/hello');
    expect(palette.filter(({ modelled }) => modelled).map(({ kind }) => kind)).toEqual([
      'gateway',
      'balancer',
      'forwardProxy',
      'service',
      'external',
    ]);
  });

  test('with a mistake says where, and recovers on save', async () => {
    const path = designFile(code('instances: 0'), 'ts');
    const page = await studioOn(path);
    const view = await page.ask<DesignView>('/api/design');
    expect(view.problems[0]).toMatchObject({ at: 'api.instances', file: path, line: 2 });
    expect(view.structure).toBeNull();
    const failed = await page.run(short);
    expect(told(failed.told, 'failed')[0]!.code).toBe('bad-design');
    writeFileSync(path, code('instances: 2'));
    const mended = await page.designThat(({ problems }) => problems.length === 0);
    expect(mended.structure!.blocks).toHaveLength(3);
    writeFileSync(path, `${code('instances: 2')}\nconst = 3;`);
    const broken = await page.designThat(({ problems }) => problems.length > 0);
    expect(broken.problems[0]).toMatchObject({ file: path, line: 6, column: 7 });
    // What could last be run stays in view.
    expect(broken.structure).toEqual(mended.structure);
  });

  test('shows its own files and no other', async () => {
    const path = designFile(code('instances: 2'), 'ts');
    const page = await studioOn(path);
    const [source] = (await page.ask<DesignView>('/api/design')).sources;
    const text = await (await page.call('GET', `/api/source?file=${source}`)).text();
    expect(text).toBe(readFileSync(path, 'utf8'));
    expect((await page.refusal('GET', '/api/source?file=/etc/passwd')).status).toBe(404);
    expect((await page.refusal('PUT', '/api/design', shop)).message).toContain('is code');
  });

  test('is drawn on an empty board, run before it is saved, and saved', async () => {
    const path = join(folder, 'new.json');
    const page = await studioOn(path);
    const empty = await page.ask<DesignView>('/api/design');
    expect(empty.problems).not.toEqual([]);
    expect(existsSync(path)).toBe(false);
    const half = { ...shop, entry: 'nowhere' };
    const checked = await page.tell<DesignView>('/api/design/check', half);
    expect(checked.problems.length).toBeGreaterThan(0);
    const { told: all } = await page.run({ ...short, data: shop });
    expect(told(all, 'end')).toEqual([{ state: 'done' }]);
    const { text } = await page.tell<{ text: string }>('/api/design/typescript', shop);
    expect(text).toContain("service('store'");
    const saved = (await (await page.call('PUT', '/api/design', shop)).json()) as DesignView;
    expect(saved).toMatchObject({ problems: [], data: shop });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(shop);
  });

  test('keeps the faults that were saved, and says which cannot be', async () => {
    const path = designFile(code('instances: 2'), 'ts');
    const page = await studioOn(path);
    const faults = ['kill api/1 at 1s, restart after 1s', 'kill apo/1 at 1s'];
    const [good, bad] = await page.tell<FaultCheck[]>('/api/faults/check', { faults });
    expect(good).toMatchObject({ problem: null });
    expect(bad!.problem).toContain('did you mean');
    expect((await page.refusal('POST', '/api/faults/save', { faults })).status).toBe(422);
    await page.tell('/api/faults/save', { faults: faults.slice(0, 1) });
    const view = await page.designThat((one) => one.faults.length === 1);
    expect(view.faults).toEqual(['kill api/1 at 1s, restart after 1s']);
    expect(readFileSync(path.replace(/\.ts$/, '.faults'), 'utf8')).toContain(faults[0]);
  });
});

describe('the labs', () => {
  test('come with verdict and charts, and open their design in a studio of its own', async () => {
    const page = await studioOn(designFile(shop));
    const labs = await page.ask<LabSummary[]>('/api/labs');
    expect(labs.map(({ id }) => id)).toContain('lab-rl-two-regions');
    const lab = await page.ask<LabPage>('/api/labs/lab-rl-two-regions');
    expect(lab).toMatchObject({ verdict: 'true', says: 'true', design: 'two-regions' });
    const charts = lab.figures.filter(({ kind }) => kind === 'chart');
    expect(charts.map((chart) => 'svg' in chart && chart.svg.startsWith('<svg'))).toEqual([true]);
    const { url } = await page.tell<{ url: string }>('/api/labs/lab-rl-two-regions/open');
    expect((await page.tell<{ url: string }>('/api/labs/lab-rl-two-regions/open')).url).toBe(url);
    const design = await new Page(url).ask<DesignView>('/api/design');
    expect(design.structure?.design).toBe('two-regions');
  });

  test('that are none, or have no design, say so', async () => {
    const page = await studioOn(designFile(shop));
    expect(await page.refusal('GET', '/api/labs/lab-of-nothing')).toMatchObject({ status: 404 });
    const parts = await page.refusal('POST', '/api/labs/lab-fixed-boundary/open');
    expect(parts).toMatchObject({ status: 422, code: 'bad-option' });
  });
});

describe('a search', () => {
  test('hunts, and tells how far it is', async () => {
    const page = await studioOn(designFile(shop));
    const request = { seedFirst: 1, seedCount: 3, forUs: 1_000_000 };
    const { id } = await page.tell<{ id: string }>('/api/hunts', request);
    const all = await page.stream(`/api/hunts/${id}/stream`);
    expect(all.at(-1)).toMatchObject({ name: 'report', data: { seedsDone: 3 } });
  });

  test('sweeps an option, point by point, and may be wrong', async () => {
    const page = await studioOn(designFile(shop));
    const request = { over: 'api.instances', values: '1..3', seeds: 1, run: { ...short, seed: 1 } };
    const { id } = await page.tell<{ id: string }>('/api/sweeps', request);
    const all = await page.stream(`/api/sweeps/${id}/stream`);
    expect(all.map(({ name }) => name)).toEqual(['point', 'point', 'point', 'report']);
    const wrong = await page.tell<{ id: string }>('/api/sweeps', {
      ...request,
      over: 'api.instance',
    });
    const failed = await page.stream(`/api/sweeps/${wrong.id}/stream`);
    expect(failed.at(-1)).toMatchObject({ name: 'failed', data: { code: 'bad-option' } });
  });
});
