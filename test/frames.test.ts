/** Frames of whole runs, in both worlds: they add up to the report, and cost no memory that grows. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { faultExamples } from '../src/design/faults.ts';
import { systemFromJson } from '../src/design/json.ts';
import { Histogram } from '../src/kit/histogram.ts';
import type { LiveControl, Watch } from '../src/run/api.ts';
import type { Frame, FrameLayout } from '../src/run/frames.ts';
import { runner } from '../src/run/index.ts';
import { simulateHere } from '../src/run/node/here.ts';
import type { Report } from '../src/run/report.ts';
import { read, root } from './checkout.ts';

const shortener = join(root, 'examples/shortener');

class Film {
  layout: FrameLayout | undefined;
  readonly frames: Frame[] = [];
  readonly watch: Watch = {
    onLayout: (layout) => {
      this.layout = layout;
    },
    onFrame: (frame) => {
      this.frames.push(frame);
    },
  };

  sum(figure: (frame: Frame) => number): number {
    return this.frames.reduce((total, frame) => total + figure(frame), 0);
  }

  requests(block: string): number {
    const { nodes } = this.layout!;
    return this.sum(({ nodes: { requests } }) =>
      requests.reduce((sum, count, i) => (nodes[i]!.block === block ? sum + count : sum), 0),
    );
  }

  calls(block: string): number {
    const { paths } = this.layout!;
    return this.sum(({ paths: { calls } }) =>
      calls.reduce((sum, count, i) => (paths[i]!.to === block ? sum + count : sum), 0),
    );
  }

  /** The letter of a node in the frame in which `atUs` lies. */
  state(node: string, atUs: number): string {
    const index = this.layout!.nodes.findIndex(({ id }) => id === node);
    return this.frames.find(({ toUs }) => atUs < toUs)!.nodes.state[index]!;
  }
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

/** What was under way when the load ended is in the report's totals, and in no frame. */
/** `lateMax`: requests that users of another process may have begun before they heard that the load is over. */
function expectSums(film: Film, report: Report, lateMax = 0): void {
  const { frames } = film;
  const generated = film.sum(({ users }) => users.generated);
  const late = report.generated - generated;
  expect(late).toBeGreaterThanOrEqual(0);
  expect(late).toBeLessThanOrEqual(lateMax);
  const underway = frames.at(-1)!.users.inFlight;
  const ended = film.sum(({ users }) => users.completed + users.failed + users.rejected);
  expect(ended + underway).toBe(generated);
  const open = underway + late;
  expect(report.completed - film.sum(({ users }) => users.completed)).toBeLessThanOrEqual(open);
  const latencies = new Histogram();
  for (const { users } of frames) latencies.add(users.latency);
  expect(latencies.count).toBe(film.sum(({ users }) => users.completed));
  for (const [reason, count] of Object.entries(report.errors)) {
    const seen = film.sum(({ users }) => users.errors[reason] ?? 0);
    expect(seen).toBeLessThanOrEqual(count);
    expect(seen).toBeGreaterThanOrEqual(count - open);
  }
  for (const [index, frame] of frames.entries()) {
    expect(frame.index).toBe(index);
    expect(frame.fromUs).toBe(frames[index - 1]?.toUs ?? 0);
  }
}

describe('docs/stream.md', () => {
  test('shows a layout and a frame of a real run', async () => {
    const design = systemFromJson({
      name: 'shop',
      zones: ['a', 'b'],
      blocks: [
        { kind: 'service', name: 'app', instances: 2, cost: '5ms' },
        { kind: 'gateway', name: 'edge', routes: { '/': 'app' } },
      ],
      entry: 'edge',
      users: { rate: '100/s' },
      faults: ['kill app/1 at 1s'],
    });
    const shown: unknown[] = [];
    await simulateHere(() => ({
      design,
      seed: 1,
      forUs: 1_100_000,
      faults: design.faults,
      frames: {
        frameUs: 100_000,
        onLayout: (layout) => shown.push(layout),
        onFrame: (frame) => {
          shown[1] = frame;
        },
      },
    }));
    const [layout, frame] = shown;
    const page = 'docs/stream.md';
    const fence = (name: string) => new RegExp(`(<!-- ${name} -->\n\`\`\`json\n)[^\`]*`);
    const expected = read(page)
      .replace(fence('layout'), (_all, head) => `${head}${printed(layout)}\n`)
      .replace(fence('frame'), (_all, head) => `${head}${printed(frame)}\n`);
    if (process.env.REWRITE === '1') writeFileSync(join(root, page), expected);
    else expect(read(page)).toBe(expected);
  });

  /** A line for each field that fits on one. */
  function printed(value: unknown, indent = ''): string {
    const line = JSON.stringify(value).replaceAll(/([:,])(?=[^\s])/g, '$1 ');
    if (line.length + indent.length < 96 || typeof value !== 'object' || value === null) {
      return line;
    }
    const inner = `${indent}  `;
    const isList = Array.isArray(value);
    const parts = Object.entries(value).map(
      ([name, field]) => `${inner}${isList ? '' : `"${name}": `}${printed(field, inner)}`,
    );
    return `${isList ? '[' : '{'}\n${parts.join(',\n')}\n${indent}${isList ? ']' : '}'}`;
  }
});

describe('simulated', () => {
  const faults = ['kill links/1 at 3s, restart after 4s', 'slow zone b by 3x at 6s for 2s'];
  const asked = {
    seed: 1,
    forUs: 12_000_000,
    faults,
    ownFaults: false,
    check: false,
    isolatePackages: false,
  };

  test('the frames of the shortener add up to its report, per block too', async () => {
    const film = new Film();
    const report = await runner.simulate(shortener, asked, film.watch);
    expectSums(film, report);
    const { series, blocks } = report;
    expect(film.sum(({ users }) => users.completed)).toBe(total(series.throughput));
    expect(film.sum(({ users }) => users.failed + users.rejected)).toBe(total(series.errors));
    for (const name of Object.keys(blocks)) {
      expect(film.requests(name)).toBe(total(series.blocks[name]!));
    }
    // All that users ask goes over one path, and what the gateway took it passed on.
    expect(film.calls('edge')).toBe(report.generated);
    expect(film.calls('api')).toBeGreaterThanOrEqual(film.requests('edge'));
    for (const { nodes } of film.frames) expect(Math.max(...nodes.busy)).toBeLessThanOrEqual(1);
    const seconds = [2.9, 3.1, 6.9, 7.1];
    expect(seconds.map((at) => film.state('links/1', at * 1e6)).join('')).toBe('udds');
    expect([5.9, 6.1, 7.9, 8.1].map((at) => film.state('api/1', at * 1e6)).join('')).toBe('ussu');
  });

  test('a hundred faults are all seen, and none is when they are over', async () => {
    const film = new Film();
    // What rotted or is gone does not come back, and nobody shifts what has one release.
    const kinds = faultExamples
      .filter((sentence) => !/^(rot|shift|start|stop)/.test(sentence))
      .map((sentence) => sentence.replace(/,? (at|restart) .*$/, ''));
    const many = Array.from({ length: 100 }, (_, index) => {
      const kind = kinds[index % kinds.length]!;
      return `${kind} at ${1_000 + index * 50}ms${kind.startsWith('restart') ? '' : ' for 500ms'}`;
    });
    const report = await runner.simulate(shortener, { ...asked, faults: many }, film.watch);
    expectSums(film, report);
    const seen = new Set(film.frames.flatMap(({ nodes }) => [...nodes.state]));
    expect([...seen].sort().join('')).toBe('dfpsu');
    expect(new Set(film.frames.flatMap(({ paths }) => [...paths.state])).size).toBe(4);
    const last = film.frames.at(-1)!;
    expect([...new Set(last.nodes.state + last.paths.state)].sort().join('')).toBe('ou');
  });

  test('an hour keeps no more than its figures', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const design = systemFromJson({
      name: 'shop',
      zones: ['a'],
      blocks: [{ kind: 'service', name: 'app', instances: 3, cost: '1ms' }],
      entry: 'app',
      users: { rate: '20/s' },
    });
    const held: number[] = [];
    let frameCount = 0;
    await simulateHere(() => ({
      design,
      seed: 1,
      forUs: 3_600_000_000,
      faults: [],
      frames: { frameUs: 10_000_000, onLayout: () => {}, onFrame: () => frameCount++ },
      onSecond: ({ at }) => {
        if (at % 600_000_000 !== 0) return;
        collect();
        held.push(process.memoryUsage().heapUsed);
      },
    }));
    expect(frameCount).toBe(360);
    // Ten minutes of latencies stay open for what comes late; after that a second is some numbers.
    expect(held.at(-1)! - held[1]!).toBeLessThan(10e6);
  });
});

describe('live', () => {
  const design = {
    name: 'shop',
    blocks: [
      { kind: 'service', name: 'app', instances: 2, slots: 4, cost: '1ms' },
      { kind: 'gateway', name: 'edge', routes: { '/': 'app' }, policy: { timeout: '300ms' } },
    ],
    entry: 'edge',
    users: { rate: '40/s' },
  };

  /** `act` is called when the load begins. */
  async function live(
    forUs: number | undefined,
    faults: readonly string[],
    act?: (control: LiveControl) => void,
    ratePerSec?: number,
  ) {
    const folder = mkdtempSync(join(tmpdir(), 'frames-'));
    const path = join(folder, 'shop.json');
    writeFileSync(path, JSON.stringify(design));
    const film = new Film();
    const texts: string[] = [];
    let control: LiveControl | undefined;
    const asked = { seed: 1, forUs, ratePerSec, faults, ownFaults: false, load: true, fresh: true };
    const watch: Watch = {
      ...film.watch,
      onReady(ready) {
        control = ready.control;
      },
      onEvent(event) {
        if (event.type === 'phase' && event.phase === 'load') act?.(control!);
        if (event.type === 'fault') texts.push(`${event.began ? 'began' : 'ended'} ${event.text}`);
      },
    };
    try {
      const report = await runner.runLive(path, { ...asked, single: false, edgePort: 0 }, watch);
      return { film, report, texts };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  test('the frames add up to the report, and show who is down', async () => {
    const { film, report } = await live(9_000_000, ['kill app/1 at 2s, restart after 2s']);
    expect(film.layout).toMatchObject({ frameUs: 1_000_000, forUs: 9_000_000 });
    expect(film.frames).toHaveLength(9);
    expectSums(film, report);
    for (const [name, { requestsPerSec }] of Object.entries(report.blocks)) {
      const counted = Math.round(requestsPerSec * report.simulatedSeconds);
      // The report counts on until the last one is answered; what that is depends on the machine.
      expect(Math.abs(counted - film.requests(name))).toBeLessThanOrEqual(counted / 10);
    }
    expect(film.calls('edge')).toBe(report.generated);
    const states = [0.5, 2.5, 3.5].map((at) => film.state('app/1', at * 1e6));
    expect(states.join('')).toBe('udd');
    expect(film.frames.at(-1)!.nodes.state).toBe('uuuu');
    const { busy } = film.frames[0]!.nodes;
    expect(Math.min(...busy)).toBeGreaterThan(0);
    expect(Math.max(...busy)).toBeLessThanOrEqual(1);
  });

  test('faults can be done to it by hand, healed, and the run ended', async () => {
    const { film, report, texts } = await live(60_000_000, [], (control) => {
      expect(() => control.fault('kill nobody')).toThrow(/nobody/);
      setTimeout(() => {
        expect(control.fault('cut edge from app for 30s')).toMatch(
          /^cut edge from app at [\d.]+m?s for 30s$/,
        );
      }, 1_500);
      setTimeout(() => void control.heal().then(() => control.stop()), 3_500);
    });
    expect(report.simulatedSeconds).toBeLessThan(30);
    expect(texts.map((text) => text.split(' at ')[0])).toEqual([
      ...['began cut edge from app', 'ended cut edge from app'],
    ]);
    expect(report.events.filter(({ type }) => type === 'fault')).toHaveLength(2);
    const path = film.layout!.paths.findIndex(({ from }) => from === 'edge/0');
    expect(film.frames.map(({ paths }) => paths.state[path]).join('')).toMatch(/^o+c+o*$/);
    expect(film.sum(({ paths }) => paths.errors[path]!)).toBeGreaterThan(0);
    // Stopped by hand, at no edge of a frame: users begin a few more until the word reaches them.
    expectSums(film, report, Math.ceil(report.generated / 10));
  });

  test('a rate of its own gives a load no end', async () => {
    const stopSoon = (control: LiveControl) => void setTimeout(() => control.stop(), 1_500);
    const { film, report } = await live(undefined, [], stopSoon, 20);
    expect(film.layout!.forUs).toBeNull();
    expect(report.generated).toBeGreaterThan(0);
  });
});
