import type { Frame } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { shorterTexts } from '../parts/format.ts';
import { curveThrough, distanceSquared, placeAlong, stepPx } from '../parts/plane/curve.ts';
import { fit, reveal, seen, toScreen, toWorld, zoomAt } from '../parts/plane/viewport.ts';
import { mergedLatency } from '../parts/plot/series.ts';
import { compactCard } from './card.ts';
import { changesOf, withChanges } from './changes.ts';
import { wholeAddresses } from './faces.ts';
import * as fixture from './fixture.ts';
import { pathAt } from './hit.ts';
import { blockLabel, cardTexts, nodeLabel, pathLabel } from './label.ts';
import { type BlockBox, layOut } from './layout.ts';
import { levelsAt } from './levels.ts';
import { endOf, failRatio, Particles, particlesPerSec, speedPxPerSec } from './particles.ts';
import { nothingRecent, showing } from './recent.ts';
import type { Picture } from './renderer.ts';
import { figuresOf, namedBy, sceneOf } from './scene.ts';
import { search } from './search.ts';

const closed = { open: new Set<string>() };

describe('curve', () => {
  const curve = curveThrough([
    { x: 0, y: 0 },
    { x: 120, y: 60 },
    { x: 200, y: 60 },
  ]);

  test('its points stand at equal distances', () => {
    for (let index = 0; index + 5 < curve.points.length; index += 2) {
      const dx = curve.points[index + 2]! - curve.points[index]!;
      const dy = curve.points[index + 3]! - curve.points[index + 1]!;
      expect(Math.hypot(dx, dy)).toBeGreaterThan(stepPx * 0.97);
      expect(Math.hypot(dx, dy)).toBeLessThanOrEqual(stepPx + 1e-3);
    }
  });

  test('a place along it goes from its start to its end, and no further', () => {
    const out = { x: 9, y: 9 };
    placeAlong(curve, -5, out);
    expect(out).toEqual({ x: 0, y: 0 });
    placeAlong(curve, curve.lengthPx * 3, out);
    expect(out.x).toBeCloseTo(200, 3);
    expect(out.y).toBeCloseTo(60, 3);
    placeAlong(curve, curve.lengthPx / 2, out);
    expect(distanceSquared(curve, out.x, out.y)).toBeLessThan(stepPx * stepPx);
  });
});

describe('layout', () => {
  const designs = [fixture.shortener(), fixture.tenBlocks(), fixture.threeHundredNodes()];

  test.each(designs)('of $design: calls lead to the right, no two blocks touch', (design) => {
    const { blocks, paths } = layOut(design, closed);
    const at = new Map(blocks.map((block) => [block.name, block]));
    for (const { from, to, isConsumed } of paths) {
      const [source, target] = isConsumed ? [to, from] : [from, to];
      expect(at.get(source)!.x).toBeLessThan(at.get(target)!.x);
    }
    expect(touching(blocks)).toEqual([]);
  });

  test('open blocks touch nobody either, and hold all their nodes by zone', () => {
    const design = fixture.shortener();
    const { blocks } = layOut(design, { open: new Set(design.blocks.map(({ name }) => name)) });
    expect(touching(blocks)).toEqual([]);
    const links = blocks.find(({ name }) => name === 'links')!;
    expect(links.zones.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    for (const node of links.nodes) {
      const zone = links.zones.find(({ name }) => name === node.zone)!;
      expect(node.y).toBeGreaterThan(zone.y);
      expect(node.y + node.height).toBeLessThanOrEqual(zone.y + zone.height);
    }
  });

  test('the same design is laid out the same', () => {
    const once = layOut(fixture.threeHundredNodes(), closed).blocks;
    expect(layOut(fixture.threeHundredNodes(), closed).blocks).toEqual(once);
  });

  test('a column of many is not much taller than its boxes', () => {
    const { blocks, bounds } = layOut(fixture.threeHundredNodes(), closed);
    const columns = [...new Set(blocks.map(({ x }) => x))].map((x) =>
      blocks.filter((block) => block.x === x),
    );
    const tallest = Math.max(
      ...columns.map((column) =>
        column.reduce((sum, { height }) => sum + height + compactCard.gap, 0),
      ),
    );
    expect(bounds.height).toBeLessThan(tallest * 1.3);
  });

  test('a place from a drawing board wins', () => {
    const positions = { api: { x: -400, y: 900 } };
    const { blocks } = layOut(fixture.shortener(), { ...closed, positions });
    expect(blocks.find(({ name }) => name === 'api')).toMatchObject({ x: -400, y: 900 });
  });

  test('a line over several ranks passes between their blocks', () => {
    const { blocks, paths } = layOut(fixture.shortener(), closed);
    const out = { x: 0, y: 0 };
    for (const path of paths) {
      const others = blocks.filter(({ name }) => name !== path.from && name !== path.to);
      for (let at = 0; at < path.curve.lengthPx; at += 5) {
        placeAlong(path.curve, at, out);
        const inside = others.filter(
          (box) =>
            out.x > box.x &&
            out.x < box.x + box.width &&
            out.y > box.y &&
            out.y < box.y + box.height,
        );
        expect(inside, path.id).toEqual([]);
      }
    }
  });

  test('a design without calls, or without blocks, has a layout too', () => {
    const empty = { ...fixture.shortener(), blocks: [], calls: [] };
    expect(layOut(empty, closed)).toMatchObject({ blocks: [], paths: [] });
    expect(layOut({ ...fixture.shortener(), calls: [] }, closed).blocks).toHaveLength(9);
  });
});

describe('viewport', () => {
  const size = { width: 860, height: 520 };

  test('what lies under the pointer stays there while zooming', () => {
    const view = { x: 37, y: -12, scale: 0.7 };
    const at = { x: 300, y: 200 };
    const zoomed = zoomAt(view, at, 1.8);
    expect(toScreen(zoomed, toWorld(view, at)).x).toBeCloseTo(at.x);
    expect(toScreen(zoomed, toWorld(view, at)).y).toBeCloseTo(at.y);
  });

  test('fit shows all of it', () => {
    const bounds = { x: -500, y: 30, width: 3_000, height: 900 };
    const part = seen(fit(bounds, size), size);
    expect(part.x).toBeLessThan(bounds.x);
    expect(part.x + part.width).toBeGreaterThan(bounds.x + bounds.width);
    expect(part.y).toBeLessThan(bounds.y);
    expect(part.y + part.height).toBeGreaterThan(bounds.y + bounds.height);
  });

  test('what is in sight is not moved, what is not comes in', () => {
    const view = { x: 0, y: 0, scale: 1 };
    expect(reveal(view, { x: 100, y: 100, width: 50, height: 50 }, size)).toEqual(view);
    const moved = reveal(view, { x: 2_000, y: 100, width: 50, height: 50 }, size);
    expect(toScreen(moved, { x: 2_050, y: 100 }).x).toBeLessThanOrEqual(size.width);
  });
});

describe('scene', () => {
  const design = fixture.shortener();
  const layout = fixture.layoutOf(design);
  const scene = sceneOf(design, layout);

  test('a node that is down makes its block hurt, all of them make it down', () => {
    const one = figuresOf(scene, [fixture.frameOf(layout, 3, { nodes: { 'links/1': 'd' } })]);
    expect(one.nodes.get('links/1')?.look).toBe('down');
    expect(one.blocks.get('links')).toMatchObject({ health: 'hurt', upCount: 2 });
    const all = figuresOf(scene, [fixture.frameOf(layout, 3, { nodes: { 'edge/0': 'd' } })]);
    expect(all.blocks.get('edge')?.health).toBe('down');
  });

  test('a path cut for one caller says so, and cut for all is cut', () => {
    const partly = figuresOf(scene, [
      fixture.frameOf(layout, 3, { paths: { 'api/0->links': 'c' } }),
    ]);
    expect(partly.paths.get('api->links')).toMatchObject({
      look: 'partly',
      cutCount: 1,
      callerCount: 3,
    });
    expect(partly.paths.get('api/0->links')?.look).toBe('cut');
    const paths = { 'api/0->links': 'c', 'api/1->links': 'c', 'api/2->links': 'c' };
    const cut = figuresOf(scene, [fixture.frameOf(layout, 3, { paths })]);
    expect(cut.paths.get('api->links')?.look).toBe('cut');
  });

  test('most calls failing on an open path is refused', () => {
    const frame = fixture.frameOf(layout, 3, { nodes: { 'edge/0': 'd' } });
    expect(figuresOf(scene, [frame]).paths.get('users->edge')?.look).toBe('refused');
  });

  test('unused while the caller works is standby, unused with nobody calling is idle', () => {
    const frame = fixture.frameOf(layout, 3);
    const calls = frame.paths.calls.map(() => 0);
    const unused = { ...frame, paths: { ...frame.paths, calls } };
    expect(figuresOf(scene, [unused]).paths.get('api->links')?.look).toBe('standby');
    const requests = frame.nodes.requests.map(() => 0);
    const silent = { ...unused, nodes: { ...frame.nodes, requests } };
    expect(figuresOf(scene, [silent]).paths.get('api->links')?.look).toBe('idle');
  });

  test('rates are over all frames that are given', () => {
    const [first, second] = [fixture.frameOf(layout, 0), fixture.frameOf(layout, 1)];
    const sum = first.nodes.requests[1]! + second.nodes.requests[1]!;
    expect(figuresOf(scene, [first, second]).nodes.get('api/0')?.ratePerSec).toBeCloseTo(sum / 0.2);
  });

  test('a path of a call now and then is not idle in between', () => {
    const frames = [0, 1, 2].map((index) => fixture.frameOf(layout, index));
    const calls = frames[2]!.paths.calls.map(() => 0);
    const quiet = { ...frames[2]!, paths: { ...frames[2]!.paths, calls } };
    const { look, p99Us } = figuresOf(scene, [...frames.slice(0, 2), quiet]).paths.get(
      'api->links',
    )!;
    expect(look).toBe('open');
    expect(p99Us).toBeGreaterThan(0);
  });

  test('a second is shown, after a jump too; figures change a few times a second', () => {
    const frames = Array.from({ length: 41 }, (_, index) => fixture.frameOf(layout, index));
    let recent = nothingRecent;
    let changes = 0;
    for (const { fromUs } of frames.slice(0, 40)) {
      const next = showing(recent, frames, fromUs);
      if (next !== recent) changes++;
      recent = next;
    }
    expect(changes).toBeLessThanOrEqual(15);
    expect(recent.frames.length).toBe(10);
    expect(showing(recent, frames, frames[5]!.fromUs).frames).toEqual(frames.slice(0, 6));
    expect(showing(recent, frames, frames[25]!.fromUs).frames).toEqual(frames.slice(16, 26));
    const broken = fixture.frameOf(layout, 40, { nodes: { 'links/1': 'd' } });
    const withBroken = [...frames.slice(0, 40), broken];
    expect(showing(recent, withBroken, broken.fromUs).frames.at(-1)).toBe(broken);
  });

  test('p99 of users is that of the second; of others the highest in it', () => {
    const frames = Array.from({ length: 10 }, (_, index) => fixture.frameOf(layout, index));
    const { blocks, paths } = figuresOf(scene, frames);
    expect(blocks.get('users')!.p99Us).toBe(mergedLatency(frames).percentile(99));
    const column = layout.blocks.indexOf('api');
    const each = frames.map((frame) => frame.blocks.p99Us[column]!);
    expect(blocks.get('api')!.p99Us).toBe(Math.max(...each));
    expect(paths.get('api->links')!.p99Us).toBeGreaterThan(0);
  });

  test('a card loses decimals before it loses a unit', () => {
    const width = (text: string) => text.length;
    const texts = (room: number) => Object.values(cardTexts('1.25k/s', '1.14 ms', room, width));
    expect(texts(26)).toEqual(['1.25k/s', 'p99 1.14 ms']);
    expect(texts(25)).toEqual(['1.25k/s', '1.14 ms']);
    expect(texts(21)).toEqual(['1.25k/s', '1.1 ms']);
    expect(texts(19)).toEqual(['1.25k/s', '1 ms']);
    expect(texts(16)).toEqual(['1k/s', '1 ms']);
    expect(texts(10)).toEqual(['1.25k/s', '']);
    expect(shorterTexts('0.4/s')).toEqual(['0.4/s']);
    expect(shorterTexts('1,204/s')).toEqual(['1,204/s']);
  });

  test('without a frame there are no figures, and names still say who is who', () => {
    const { nodes } = figuresOf(scene, []);
    const links = design.blocks.find(({ name }) => name === 'links')!;
    expect(nodeLabel(links.nodes[1]!, links, nodes.get('links/1'))).toBe(
      'links/1, replica in zone b',
    );
  });

  test('names carry the figures', () => {
    const links = design.blocks.find(({ name }) => name === 'links')!;
    const figures = { ratePerSec: 210, errorRatio: 0.25, busy: 0, queue: 4, p99Us: 3_000 };
    expect(nodeLabel(links.nodes[1]!, links, { ...figures, look: 'up' })).toBe(
      'links/1, replica in zone b, up, 210/s, 25\u202f% errors, p99 3\u202fms, queue 4',
    );
    expect(blockLabel(links, { ...figures, health: 'hurt', upCount: 2 })).toContain(
      'links, kv, 3 replicas, 2 of 3 up, 210/s',
    );
    const path = { ...figures, look: 'partly', cutCount: 1, callerCount: 3 } as const;
    expect(pathLabel('api', 'links', path)).toContain('path from api to links, cut for 1 of 3');
  });

  test('what a fault in force names is known', () => {
    const named = namedBy([
      'cut zone a from zone b at 60s for 20s',
      'kill links/1 at 12s, restart after 5s',
    ]);
    expect([...['zone a', 'zone b', 'links/1']].every((name) => named.has(name))).toBe(true);
  });
});

describe('particles', () => {
  const figures = {
    look: 'open',
    ratePerSec: 800,
    errorRatio: 0,
    p99Us: 0,
    cutCount: 0,
    callerCount: 1,
  } as const;

  test('ten times the rate is a few more, never a wall', () => {
    expect(particlesPerSec(0)).toBe(0);
    expect(particlesPerSec(100)).toBeGreaterThan(particlesPerSec(10));
    expect(particlesPerSec(100) / particlesPerSec(10)).toBeLessThan(3);
    expect(particlesPerSec(1e9)).toBeLessThanOrEqual(14);
  });

  test('the same steps give the same picture', () => {
    const run = () => {
      const particles = new Particles();
      particles.reset(2);
      const flows = [
        { lengthPx: 200, figures: { ...figures, errorRatio: 0.3 } },
        { lengthPx: 90, figures },
      ];
      for (let step = 0; step < 300; step++) particles.step(1 / 60, flows, 1);
      return [particles.count, [...particles.distancePx.slice(0, particles.count)]];
    };
    expect(run()).toEqual(run());
  });

  test('in balance there are as many as the rate and the length say', () => {
    const particles = new Particles();
    particles.reset(1);
    for (let step = 0; step < 1_200; step++) {
      particles.step(1 / 60, [{ lengthPx: 300, figures }], 1);
    }
    const expected = (particlesPerSec(800) * 300) / speedPxPerSec;
    expect(Math.abs(particles.count - expected)).toBeLessThanOrEqual(3);
  });

  test('nothing gets past a cut', () => {
    const flow = { lengthPx: 300, figures: { ...figures, look: 'cut' } } as const;
    const particles = new Particles();
    particles.reset(1);
    for (let step = 0; step < 600; step++) {
      particles.step(1 / 60, [flow], 1);
      for (let index = 0; index < particles.count; index++) {
        expect(particles.distancePx[index]).toBeLessThan(150);
      }
    }
    expect(endOf(flow, 1)).toBeLessThan(150);
  });

  test('a single error in a thousand can be seen', () => {
    expect(failRatio({ ...figures, errorRatio: 0.001 })).toBeGreaterThan(0.05);
    expect(failRatio(figures)).toBe(0);
  });
});

describe('finding things', () => {
  test('a pointer on a line hits it, one beside it does not', () => {
    const layout = layOut(fixture.shortener(), closed);
    const { curve } = layout.paths.find(({ id }) => id === 'users->edge')!;
    const out = { x: 0, y: 0 };
    placeAlong(curve, curve.lengthPx / 2, out);
    expect(pathAt(layout, out.x, out.y + 2, 6)).toBe('users->edge');
    expect(pathAt(layout, out.x, out.y + 20, 6)).toBeUndefined();
  });

  test('a single node of an open block has a line of its own', () => {
    const layout = layOut(fixture.shortener(), { open: new Set(['api']) });
    const strands = layout.paths.find(({ id }) => id === 'api->links')!.strands;
    expect(strands.map(({ node }) => node)).toEqual(['api/0', 'api/1', 'api/2']);
  });

  test('whole names come before parts, blocks before their nodes', () => {
    const titles = (query: string) => search(fixture.shortener(), query).map(({ title }) => title);
    expect(titles('links')[0]).toBe('links');
    expect(titles('links/1')[0]).toBe('links/1');
    expect(titles('count').slice(0, 2)).toEqual(['counts', 'counter']);
    expect(titles('lk2')).toContain('links/2');
    expect(titles('zone b')[0]).toBe('zone b');
    expect(titles('  ')).toEqual([]);
    expect(titles('zzz')).toEqual([]);
  });
});

test('details fade in with the zoom, and names stay readable', () => {
  expect(levelsAt(0.2)).toMatchObject({ figures: 0, pathLabels: 0, nodeDetail: 0 });
  expect(levelsAt(1)).toMatchObject({ figures: 1, pathLabels: 1, nodeDetail: 1, namePx: 13 });
  expect(levelsAt(0.5).namePx * 0.5).toBeGreaterThanOrEqual(9.4);
});

function touching(blocks: readonly BlockBox[]): string[] {
  return blocks.flatMap((a, index) =>
    blocks
      .slice(index + 1)
      .filter(
        (b) =>
          a.x < b.x + b.width &&
          b.x < a.x + a.width &&
          a.y < b.y + b.height &&
          b.y < a.y + a.height,
      )
      .map((b) => `${a.name} and ${b.name}`),
  );
}

describe('what goes to the worker that draws', () => {
  const design = fixture.shortener();
  const picture: Picture = {
    layout: layOut(design, closed),
    views: new Map(),
    palette: new Map(),
    scene: sceneOf(design, undefined),
    frames: [],
    colours: {} as Picture['colours'],
    view: { x: 0, y: 0, scale: 1 },
    size: { width: 800, height: 600 },
    dpr: 1,
    selected: new Set(),
    selectedPath: 'api->links',
    hoveredPath: undefined,
    named: new Set(),
    focus: undefined,
    isMoving: true,
    isStill: false,
  };

  test('is first everything, then what is not the same any more', () => {
    expect(withChanges(undefined, changesOf(undefined, picture))).toEqual(picture);
    expect(changesOf(picture, picture)).toEqual({});
    const view = { x: 5, y: 0, scale: 1 };
    expect(changesOf(picture, { ...picture, view })).toEqual({ view });
  });

  test('says what is selected no longer, and leaves the rest the same object', () => {
    const next = { ...picture, selectedPath: undefined };
    const there = withChanges(picture, structuredClone(changesOf(picture, next)));
    expect(there).toEqual(next);
    expect(there.layout).toBe(picture.layout);
  });

  test('says of the frames which came, also when some were forgotten or all are others', () => {
    const [a, b, c] = [{ index: 1 }, { index: 2 }, { index: 3 }] as unknown as Frame[];
    for (const [before, after, come] of [
      [[], [a], 1],
      [[a], [a, b], 1],
      [[a, b], [b, c], 1],
      [[a, b], [b], 0],
      [[a, b], [c], 1],
      [[a, c], [a, b], 2],
      [[a, b, c], [a], 1],
      [[a], [], 0],
    ] as [Frame[], Frame[], number][]) {
      const [former, next] = [
        { ...picture, frames: before },
        { ...picture, frames: after },
      ];
      const changes = changesOf(former, next);
      expect(changes.frames?.come).toHaveLength(come);
      expect(withChanges(former, changes).frames).toEqual(after);
    }
  });

  test('can be copied whole', () => {
    expect(structuredClone(picture)).toEqual(picture);
  });

  test('names fonts by whole addresses, and leaves those that carry their bytes', () => {
    const sheet = 'http://127.0.0.1:7000/assets/index.css';
    expect(wholeAddresses('url("./inter.woff2") format("woff2")', sheet)).toBe(
      'url("http://127.0.0.1:7000/assets/inter.woff2") format("woff2")',
    );
    expect(wholeAddresses('url(data:font/woff2;base64,AAAA)', sheet)).toBe(
      'url("data:font/woff2;base64,AAAA")',
    );
  });
});
