/** Frames from hand-made readings: what stands in which column, and how things fared. */
import { describe, expect, test } from 'vitest';
import type { Declaration } from '../host/declaration.ts';
import type { Fault } from '../host/fault.ts';
import { pathMeter } from '../host/path.ts';
import { Meters } from '../kit/meters.ts';
import { Framer, frameLengthUs } from './framer.ts';
import type { Frame } from './frames.ts';
import { member, planWith } from './testdata/plan.ts';

const second = 1_000_000;

const plan = planWith([
  member('edge/0', 'a'),
  member('api/0', 'a'),
  member('api/1', 'b'),
  member('links/0', 'a'),
  member('links/1', 'b'),
  member('links/2', 'c'),
  member('users/0', 'a'),
]);

function declared(name: string, ...bound: Declaration[]): Declaration {
  const binds = Object.fromEntries(bound.map((one) => [one.name, one]));
  return { name, binds, block: {} as Declaration['block'], config: null, problems: [] };
}
const links = declared('links');
const api = declared('api', links);
const edge = declared('edge', api);
const declarations = [edge, api, links, declared('users', edge)];

function framer(frameUs = second): Framer {
  const made = new Framer({ plan, declarations, frameUs, forUs: 60 * second });
  for (const { id } of plan.nodes) made.hear({ type: 'boot', at: 5, node: id, life: 1 });
  made.begin(() => 0);
  return made;
}

const idle = (): number => 0;
const everywhere = (letter: string, { layout }: Framer) => letter.repeat(layout.nodes.length);

/** The letters of a frame, by node and by path. */
function statesOf(frames: Framer, frame: Frame) {
  const { nodes, paths } = frames.layout;
  return {
    ...Object.fromEntries(nodes.map(({ id }, index) => [id, frame.nodes.state[index]])),
    ...Object.fromEntries(
      paths.map(({ from, to }, index) => [`${from} ${to}`, frame.paths.state[index]]),
    ),
  };
}

describe('the layout', () => {
  test('has users first, and a path from every node to every block that it is bound to', () => {
    const { layout } = framer();
    expect(layout.nodes.map(({ id }) => id)).toEqual([
      ...['users/0', 'edge/0', 'api/0', 'api/1', 'links/0', 'links/1', 'links/2'],
    ]);
    expect(layout.blocks).toEqual(['users', 'edge', 'api', 'links']);
    expect(layout.paths.map(({ from, to }) => `${from} ${to}`)).toEqual([
      ...['users/0 edge', 'edge/0 api', 'api/0 links', 'api/1 links'],
    ]);
    expect(layout).toMatchObject({ frameUs: second, forUs: 60 * second });
  });

  test('frames are as short as their number allows, and their edges are those of seconds', () => {
    expect([1, 10, 60, 61, 300, 600, 3_600, 86_400].map((s) => frameLengthUs(s * second))).toEqual([
      ...[100_000, 100_000, 100_000, 200_000, 500_000, second, 10 * second, 300 * second],
    ]);
    expect(frameLengthUs(60 * second, 60)).toBe(second);
    expect(frameLengthUs(10 * second, 600, second)).toBe(second);
    for (let s = 1; s < 200_000; s = Math.ceil(s * 1.3)) {
      const us = frameLengthUs(s * second);
      expect(s * second).toBeLessThanOrEqual(600 * us);
      expect(us < second ? second % us : us % second).toBe(0);
    }
  });
});

describe('a frame', () => {
  function counted() {
    const meters = new Meters();
    const of = (node: string, block: string) => meters.meter(node, block, () => {});
    const users = of('users/0', 'users');
    users.counter('generated').add(12);
    users.counter('completed').add(9);
    users.counter('failed').add(2);
    users.counter('rejected').add(1);
    users.counter('reason: timeout').add(2);
    users.gauge('in flight').set(4);
    for (let i = 1; i <= 9; i++) users.histogram('latency').record(i * 1_000);
    for (const [index, node] of ['api/0', 'api/1'].entries()) {
      const service = of(node, 'api');
      service.counter('requests').add(5 + index);
      service.counter('errors').add(index);
      service.counter('retries').add(1);
      service.counter('occupied').add(100_000);
      service.gauge('queue').set(3);
      service.gauge('queue').set(1);
      service.gauge('keys').set(10);
      service.histogram('latency').record(2_000 + 2_000 * index);
      // Two programs of one node may use one path.
      for (const port of ['api', 'links']) {
        const path = pathMeter(of(node, port), 'links');
        path.calls.add(10);
        path.errors.add(index);
        path.latency.record(500);
      }
      of(node, 'links').counter('repairs').add(2);
    }
    return meters;
  }

  test('has for users what users saw', () => {
    const frames = framer();
    frames.add(counted().window(second).readings);
    const { users, index, fromUs, toUs } = frames.close(second, idle);
    expect({ index, fromUs, toUs }).toEqual({ index: 0, fromUs: 0, toUs: second });
    expect(users).toMatchObject({
      generated: 12,
      completed: 9,
      failed: 2,
      rejected: 1,
      inFlight: 4,
      errors: { timeout: 2 },
      latency: { count: 9, max: 9_000 },
    });
  });

  test('has for each node, block and path what it did', () => {
    const frames = framer();
    frames.add(counted().window(second).readings);
    const busyUs = (node: string) => (node === 'api/1' ? 500_000 : 0);
    const { nodes, blocks, paths } = frames.close(second, busyUs);
    expect(nodes.requests).toEqual([12, 0, 5, 6, 0, 0, 0]);
    expect(nodes.errors).toEqual([3, 0, 0, 1, 0, 0, 0]);
    // Half of a second on one of two cores; all slots for a tenth.
    expect(nodes.busy).toEqual([0, 0, 0.1, 0.25, 0, 0, 0]);
    expect(nodes.queue).toEqual([4, 0, 3, 3, 0, 0, 0]);
    expect(nodes.p99Us).toEqual([9_000, 0, 2_000, 4_000, 0, 0, 0]);
    expect(blocks.p50Us[2]).toBe(2_000);
    expect(blocks.p999Us[2]).toBe(4_000);
    expect(blocks.meters).toEqual([{}, {}, { retries: 2, keys: 20 }, { repairs: 4 }]);
    expect(paths).toEqual({
      state: 'oooo',
      calls: [0, 0, 20, 20],
      errors: [0, 0, 0, 2],
      p99Us: [0, 0, 500, 500],
    });
  });

  test('is the sum of its windows, and takes from gauges what was last', () => {
    const [whole, split] = [framer(), framer()];
    const [once, twice] = [counted(), counted()];
    once
      .meter('users/0', 'users', () => {})
      .counter('generated')
      .add(3);
    whole.add(once.window(second).readings);
    split.add(twice.window(second / 2).readings);
    twice
      .meter('users/0', 'users', () => {})
      .counter('generated')
      .add(3);
    split.add(twice.window(second).readings);
    expect(split.close(second, idle)).toEqual(whole.close(second, idle));
  });

  test('begins where the one before it ended, with nothing of it', () => {
    const frames = framer();
    frames.add(counted().window(second).readings);
    frames.close(second, () => 2 * second);
    expect(frames.dueUs).toBe(2 * second);
    const next = frames.close(1.5 * second, () => 2.5 * second);
    expect(next).toMatchObject({ index: 1, fromUs: second, toUs: 1.5 * second });
    expect(next.users).toMatchObject({ generated: 0, inFlight: 0, latency: { count: 0 } });
    expect(next.nodes.requests).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(new Set(next.nodes.busy)).toEqual(new Set([0.5]));
  });
});

describe('states', () => {
  test('what never booted is new, what crashed is down until it boots again', () => {
    const frames = new Framer({ plan, declarations, frameUs: second, forUs: null });
    frames.begin(idle);
    expect(frames.close(second, idle).nodes.state).toBe(everywhere('n', frames));
    const later = framer();
    later.hear({ type: 'crash', at: 1.5 * second, node: 'api/1', why: 'killed' });
    later.hear({ type: 'boot', at: 3.5 * second, node: 'api/1', life: 2 });
    later.hear({ type: 'crash', at: 5 * second, node: 'api/1', why: 'killed' });
    later.hear({ type: 'boot', at: 7 * second, node: 'api/1', life: 3 });
    const seconds = [1, 2, 3, 4, 5, 6, 7, 8];
    const states = seconds.map((at) => later.close(at * second, idle).nodes.state[3]);
    // What happens at an edge belongs to what comes after it.
    expect(states.join('')).toBe('uddduddu');
  });

  test('a fault that began and ended within a frame is seen in it, and in no other', () => {
    const frames = framer();
    const fault: Fault = { do: 'pause', target: { node: 'api/0' }, atUs: 0, forUs: 1 };
    frames.fault(second, fault, true);
    frames.fault(1.1 * second, fault, false);
    const states = [1, 2, 3].map((at) => frames.close(at * second, idle).nodes.state[2]);
    expect(states).toEqual(['u', 'p', 'u']);
  });

  test('the gravest counts, and a node that crashed comes back running', () => {
    const frames = framer();
    const node = { node: 'api/0' };
    frames.fault(0, { do: 'slow', target: node, factor: 3, atUs: 0 }, true);
    frames.fault(0, { do: 'fill-disk', target: node, atUs: 0 }, true);
    expect(statesOf(frames, frames.close(second, idle))).toMatchObject({ 'api/0': 'f' });
    frames.fault(1.1 * second, { do: 'pause', target: node, atUs: 0 }, true);
    expect(statesOf(frames, frames.close(2 * second, idle))).toMatchObject({ 'api/0': 'p' });
    frames.hear({ type: 'crash', at: 2.1 * second, node: 'api/0', why: 'killed' });
    frames.hear({ type: 'boot', at: 2.2 * second, node: 'api/0', life: 2 });
    expect(statesOf(frames, frames.close(3 * second, idle))).toMatchObject({ 'api/0': 'd' });
    expect(statesOf(frames, frames.close(4 * second, idle))).toMatchObject({ 'api/0': 'f' });
  });

  test('a zone is its nodes, users aside; a cut is between all that it names', () => {
    const frames = framer();
    frames.fault(0, { do: 'slow', target: { zone: 'a' }, factor: 2, atUs: 0 }, true);
    frames.fault(
      0,
      { do: 'cut', from: { zone: 'b' }, to: { block: 'links' }, oneWay: false, atUs: 0 },
      true,
    );
    expect(statesOf(frames, frames.close(second, idle))).toEqual({
      'users/0': 'u',
      'edge/0': 's',
      'api/0': 's',
      'api/1': 'u',
      'links/0': 's',
      'links/1': 'u',
      'links/2': 'u',
      'users/0 edge': 'o',
      'edge/0 api': 'o',
      // It stands in no zone that is cut off, but one of the stores does.
      'api/0 links': 'o',
      'api/1 links': 'c',
    });
  });

  test('a path is cut when all behind it are, lossy when some are or one way, delayed else', () => {
    const from = { node: 'api/0' };
    const stateWith = (...faults: Fault[]) => {
      const frames = framer();
      for (const fault of faults) frames.fault(0, fault, true);
      return statesOf(frames, frames.close(second, idle))['api/0 links'];
    };
    const whole = { do: 'cut', from, to: { block: 'links' }, atUs: 0 } as const;
    expect(stateWith({ ...whole, oneWay: false })).toBe('c');
    expect(stateWith({ ...whole, oneWay: true })).toBe('l');
    const back: Fault = { ...whole, from: whole.to, to: whole.from, oneWay: true };
    expect(stateWith({ ...whole, oneWay: true }, back)).toBe('c');
    expect(stateWith({ ...whole, to: { node: 'links/1' }, oneWay: false })).toBe('l');
    const ways = { from: { all: true }, to: { block: 'links' }, atUs: 0 } as const;
    expect(stateWith({ do: 'lose', ratio: 0.1, ...ways })).toBe('l');
    expect(stateWith({ do: 'delay', byUs: 10, ...ways })).toBe('d');
    expect(stateWith({ do: 'delay', byUs: 10, ...ways }, { do: 'lose', ratio: 1, ...ways })).toBe(
      'l',
    );
    expect(stateWith({ do: 'duplicate', ratio: 1, ...ways })).toBe('o');
  });

  test('a hundred faults at once are told apart, and all end', () => {
    const frames = framer();
    const faults = Array.from({ length: 100 }, (_, index): Fault => {
      const target = { node: `links/${index % 3}` };
      return index % 2 === 0
        ? { do: 'slow', target, factor: 2, atUs: 0 }
        : { do: 'cut', from: { zone: 'abc'[index % 3]! }, to: target, oneWay: false, atUs: 0 };
    });
    for (const [index, fault] of faults.entries()) frames.fault(index, fault, true);
    expect(statesOf(frames, frames.close(second, idle))).toMatchObject({
      'links/0': 's',
      'links/1': 's',
      'links/2': 's',
      'api/0 links': 'l',
      'api/1 links': 'l',
      'edge/0 api': 'o',
    });
    for (const [index, fault] of faults.entries()) frames.fault(1.5 * second + index, fault, false);
    frames.close(2 * second, idle);
    const after = frames.close(3 * second, idle);
    expect(after.nodes.state).toBe(everywhere('u', frames));
    expect(after.paths.state).toBe('oooo');
  });
});
