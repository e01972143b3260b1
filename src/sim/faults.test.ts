import { describe, expect, test } from 'vitest';
import { link, type Sketch, type SketchNode, sandbox } from '../../test/sandbox.ts';
import type { RunEvent } from '../host/events.ts';
import type { Fault } from '../host/fault.ts';
import type { DiskOutcome, Host, Message } from '../host/host.ts';
import { faultText } from './faults.ts';
import type { World } from './world.ts';

const second = 1_000_000;
const to = (node: string) => ({ node, port: 'p' });

interface Heard {
  readonly at: number;
  readonly what: string;
}

/**
 * `a` asks `b` every 10 ms, and everything that comes back is heard; 250 µs one way. The fault
 * holds from 95 ms to 195 ms: ten questions before it, ten `during`, ten `after`.
 */
function asked(fault: Fault, nodeB: Partial<SketchNode> = {}) {
  const heard: Heard[] = [];
  const world: World = sandbox({
    clocks: { offsetMaxUs: 0, driftMaxPpm: 0 },
    network: { connectTimeoutUs: 30_000 },
    faults: [{ ...fault, atUs: 95_000, forUs: 100_000 }],
    nodes: {
      a: {
        p: (host) => {
          const hear = (what: string) => heard.push({ at: world.now, what });
          const ask = () => {
            host.send(to('b'), { type: 'ask' });
            host.after(10_000, ask);
          };
          ask();
          return {
            message: (_from, message) => hear(message.type),
            refused: () => hear('refused'),
            disconnected: () => hear('disconnected'),
          };
        },
      },
      b: {
        programs: {
          p: (host) => ({
            message: (from) => host.cpu.charge(100, () => host.send(from, { type: 'answer' })),
          }),
        },
        ...nodeB,
      },
    },
  });
  world.bootAll();
  world.run(300_000);
  const count = (from: number, until: number) => {
    const counts: Record<string, number> = {};
    for (const { at, what } of heard) {
      if (at > from && at <= until) counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  };
  return {
    world,
    heard,
    before: count(0, 95_000),
    during: count(95_000, 195_000),
    after: count(195_000, 300_000),
  };
}

const b = { node: 'b' };
const timed = { atUs: 0 };

describe('while it lasts and no longer', () => {
  test('a killed process breaks connections and refuses', () => {
    const { before, during, after } = asked({ ...timed, do: 'kill', target: b });
    expect(before).toEqual({ answer: 10 });
    expect(during).toEqual({ disconnected: 1, refused: 10 });
    expect(after).toEqual({ answer: 10 });
  });

  test('its peers hear of its end once, one flight later', () => {
    const { heard } = asked({ ...timed, do: 'kill', target: b });
    const breaks = heard.filter(({ what }) => what === 'disconnected');
    expect(breaks).toEqual([{ at: 95_250, what: 'disconnected' }]);
  });

  test('a machine without power says nothing, until the system gives up', () => {
    const { heard, after } = asked({ ...timed, do: 'power-off', target: b });
    const during = heard.filter(({ at }) => at > 95_000 && at < 195_000);
    // One broken connection after 30 ms, then attempts that fail, each after 30 ms.
    expect(during.filter(({ what }) => what === 'disconnected')).toHaveLength(1);
    expect(during.filter(({ what }) => what === 'answer')).toHaveLength(0);
    expect(during[0]!.at).toBeGreaterThanOrEqual(130_000);
    expect(after.answer).toBe(10);
  });

  test('a restart drains first, then comes back', () => {
    const { world, during, after } = asked({ ...timed, do: 'restart', target: b });
    expect(during.refused).toBe(10);
    expect(after.answer).toBe(10);
    expect(world.isAlive('b')).toBe(true);
  });

  test('a pause delays everything and loses nothing', () => {
    const { during, after } = asked({ ...timed, do: 'pause', target: b });
    expect(during).toEqual({});
    expect(after).toEqual({ answer: 20 });
  });

  test('work on a slow node takes longer', () => {
    const { heard } = asked({ ...timed, do: 'slow', target: b, factor: 5 });
    expect(heard[0]!.at % 10_000).toBe(600);
    expect(heard[15]!.at % 10_000).toBe(1000);
    expect(heard.at(-1)!.at % 10_000).toBe(600);
  });

  test('a slowness is over when it is over, for what runs then and what waits too', () => {
    const doneAt: number[] = [];
    const world = sandbox({
      nodes: {
        a: {
          p: (host) => {
            for (let i = 0; i < 4; i++) host.cpu.charge(10_000, () => doneAt.push(world.now));
            return { message: () => {} };
          },
        },
      },
      faults: [
        { atUs: 5_000, do: 'slow', target: { node: 'a' }, factor: 10, forUs: 100_000 },
        { atUs: 45_000, do: 'pause', target: { node: 'a' }, forUs: 20_000 },
        { atUs: 55_000, do: 'slow', target: { node: 'a' }, factor: 2, forUs: 20_000 },
      ],
    });
    world.bootAll();
    world.run(1_000_000);
    // The first had 5 ms at full speed, 40 at a tenth, 20 of nothing, 10 at a twentieth and 5 at a tenth; the second
    // had 25 at a tenth until 105 ms.
    expect(doneAt).toEqual([80_000, 112_500, 122_500, 132_500]);
    expect(world.usage()[0]!.busyUs).toBe(112_500);
  });

  test.each([true, false])('a cut stops what would cross it (one way: %s)', (oneWay) => {
    const { world, during, after } = asked({
      ...timed,
      do: 'cut',
      from: { node: 'a' },
      to: b,
      oneWay,
    });
    expect(during.answer).toBeUndefined();
    expect(during.disconnected).toBe(1);
    expect(after.answer).toBe(10);
    expect(world.network.cut).toBeGreaterThanOrEqual(10);
  });

  test('a cut one way lets the other way through', () => {
    const { world, during } = asked({
      ...timed,
      do: 'cut',
      from: b,
      to: { node: 'a' },
      oneWay: true,
    });
    expect(during.answer).toBeUndefined();
    // Every question came through, and every answer was lost.
    expect(world.network.cut).toBe(10);
  });

  test('a lossy link loses about its share', () => {
    const { during, after } = asked({
      ...timed,
      do: 'lose',
      from: { node: 'a' },
      to: b,
      ratio: 0.5,
    });
    expect(during.answer ?? 0).toBeLessThan(9);
    expect(after).toEqual({ answer: 10 });
  });

  test('a delay comes on top, both ways', () => {
    const { heard } = asked({ ...timed, do: 'delay', from: { node: 'a' }, to: b, byUs: 1000 });
    expect(heard[0]!.at % 10_000).toBe(600);
    expect(heard[15]!.at % 10_000).toBe(2600);
    expect(heard.at(-1)!.at % 10_000).toBe(600);
  });

  test('a link that duplicates gives some answers twice', () => {
    const { during, after } = asked({
      ...timed,
      do: 'duplicate',
      from: b,
      to: { node: 'a' },
      ratio: 1,
    });
    expect(during.answer).toBeGreaterThanOrEqual(20);
    expect(after).toEqual({ answer: 10 });
  });

  test.each([
    ['kill', 'answer', 'refused'],
    ['cut', 'answer', undefined],
  ] as const)('a %s of a whole zone reaches its nodes and no others', (what, outside, inside) => {
    const target = { zone: 'b' };
    const fault: Fault =
      what === 'kill'
        ? { ...timed, do: 'kill', target }
        : { ...timed, do: 'cut', from: target, to: { all: true }, oneWay: false };
    expect(asked(fault, { zone: 'c' }).during).toEqual({ [outside]: 10 });
    const { during } = asked(fault, { zone: 'b' });
    expect(during[outside]).toBeUndefined();
    if (inside) expect(during[inside]).toBe(10);
  });
});

/** One node on which a fault acts; `look` is called every 10 ms. */
function watched<T>(fault: Fault, look: (host: Host, keep: (value: T) => void) => void) {
  const seen: { at: number; value: T }[] = [];
  const world: World = sandbox({
    clocks: { offsetMaxUs: 0, driftMaxPpm: 0 },
    syncCost: { kind: 'constant', value: 100 },
    faults: [{ ...fault, atUs: 100_000, forUs: 100_000 }],
    nodes: {
      b: {
        p: (host) => {
          const loop = () => {
            look(host, (value) => seen.push({ at: world.now, value }));
            host.after(10_000, loop);
          };
          host.after(5_000, loop);
          return { message() {} };
        },
      },
    },
  });
  world.bootAll();
  world.run(300_000);
  const values = (from: number, until: number) =>
    seen.filter(({ at }) => at > from && at < until).map(({ value }) => value);
  return {
    before: values(0, 100_000),
    during: values(100_000, 200_000),
    after: values(200_000, 300_000),
  };
}

describe('on one node', () => {
  test('a skew moves the wall clock and not the monotonic one', () => {
    const fault: Fault = { ...timed, do: 'skew', target: b, byUs: -5_000_000, driftPpm: 1000 };
    const offsets = watched<number>(fault, (host, keep) => {
      keep(host.wall() - host.now());
    });
    const [base] = offsets.before;
    expect(new Set(offsets.before)).toEqual(new Set([base]));
    expect(offsets.during[0]! - base!).toBe(-5_000_000 + 5);
    expect(offsets.during.at(-1)! - base!).toBe(-5_000_000 + 95);
    expect(new Set(offsets.after)).toEqual(new Set([base]));
  });

  test('a full disk takes nothing', () => {
    const fault: Fault = { ...timed, do: 'fill-disk', target: b };
    const seen = watched<boolean>(fault, (host, keep) => {
      keep(host.disk.append('f', new Uint8Array(10)));
    });
    expect(new Set(seen.before)).toEqual(new Set([true]));
    expect(new Set(seen.during)).toEqual(new Set([false]));
    expect(new Set(seen.after)).toEqual(new Set([true]));
  });

  test('a failing disk fails to sync', () => {
    const fault: Fault = { ...timed, do: 'fail-disk', target: b };
    const seen = watched<DiskOutcome>(fault, (host, keep) => {
      host.disk.append('f', new Uint8Array(10));
      host.disk.sync('f', keep);
    });
    expect(new Set(seen.before)).toEqual(new Set(['ok']));
    expect(new Set(seen.during)).toEqual(new Set(['failed']));
    expect(new Set(seen.after)).toEqual(new Set(['ok']));
  });

  test('rot flips as many bits as it says, and they stay flipped', () => {
    const fault: Fault = { ...timed, do: 'rot', target: b, bits: 3 };
    const seen = watched<number>(fault, (host, keep) => {
      if (!host.disk.read('f')) host.disk.append('f', new Uint8Array(1000));
      const bytes = host.disk.read('f')!;
      keep(bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0));
    });
    expect(seen.before.at(-1)).toBe(0);
    expect(seen.during.at(-1)).toBe(3);
    expect(seen.after.at(-1)).toBe(3);
  });

  test('a pause stops work where it is', () => {
    const at: number[] = [];
    const world: World = sandbox({
      nodes: {
        b: {
          p: (host) => {
            host.cpu.spend(100_000, () => at.push(world.now));
            host.cpu.spend(100_000, () => at.push(world.now));
            return { message() {} };
          },
        },
      },
      faults: [{ do: 'pause', target: b, atUs: 50_000, forUs: 1_000_000 }],
    });
    world.bootAll();
    world.run(3 * second);
    expect(at).toEqual([1_100_000, 1_200_000]);
    expect(world.usage()[0]!.busyUs).toBe(200_000);
  });

  test('a timer that was cancelled by an earlier event does not fire after a pause', () => {
    const seen: string[] = [];
    const world = sandbox({
      nodes: {
        b: {
          p: (host) => {
            const late = host.after(2000, () => seen.push('late'));
            host.after(1000, () => {
              seen.push('early');
              late.cancel();
            });
            return { message() {} };
          },
        },
      },
      faults: [{ do: 'pause', target: b, atUs: 500, forUs: 10_000 }],
    });
    world.bootAll();
    world.run(second);
    expect(seen).toEqual(['early']);
  });
});

describe('the load', () => {
  const listener =
    (seen: string[]): Sketch =>
    (host) => ({
      message: (from, message) => {
        const { type, ...rest } = message;
        seen.push(`${host.self} ${from.node} ${type} ${JSON.stringify(rest)}`);
      },
    });

  test('surges by a message to the users, and to whoever boots meanwhile', () => {
    const seen: string[] = [];
    const world = sandbox({
      nodes: {
        'users/0': { programs: { p: listener(seen) }, kind: 'users' },
        other: { p: listener(seen) },
      },
    });
    world.bootAll();
    const end = world.inject({ ...timed, do: 'surge', factor: 3 });
    world.inject({ ...timed, do: 'surge', factor: 2 });
    world.inject({ ...timed, do: 'kill', target: { node: 'users/0' }, forUs: 1000 });
    world.run(2000);
    end();
    world.run(3000);
    world.healAll();
    world.run(4000);
    expect(seen).toEqual([
      'users/0 control surge {"factor":6}',
      'users/0 control surge {"factor":2}',
      'users/0 control surge {"factor":1}',
    ]);
  });

  test('shifts by a message to the service and the gateways', () => {
    const seen: string[] = [];
    const world = sandbox({
      nodes: {
        'api/0': { p: listener(seen) },
        'edge/0': { programs: { p: listener(seen) }, kind: 'gateway' },
        other: { p: listener(seen) },
      },
      faults: [{ do: 'shift', service: 'api', traffic: { v1: 0, v2: 1 }, atUs: 10, forUs: 10 }],
    });
    world.bootAll();
    world.run(second);
    const shift = (node: string, traffic: string) =>
      `${node} control shift {"service":"api","traffic":${traffic}}`;
    expect(seen).toEqual([
      shift('api/0', '{"v1":0,"v2":1}'),
      shift('edge/0', '{"v1":0,"v2":1}'),
      shift('api/0', '{}'),
      shift('edge/0', '{}'),
    ]);
  });
});

test('an end of all faults starts what is down and undoes what is wrong', () => {
  const events: RunEvent[] = [];
  let answers = 0;
  const ask: Sketch = (host) => {
    const loop = () => {
      for (const name of ['b', 'c', 'd', 'e']) host.send(to(name), { type: 'ask' });
      host.after(10_000, loop);
    };
    loop();
    return { message: () => answers++ };
  };
  const answer: Sketch = (host) => ({
    message: (from) => host.send(from, { type: 'answer' }),
    drain: (done) => void host.after(50_000, done),
  });
  const world = sandbox({
    onEvent: (event) => events.push(event),
    network: { sameZone: link(100) },
    nodes: {
      a: { p: ask },
      b: { p: answer },
      c: { p: answer },
      d: { p: answer },
      e: { p: answer },
    },
    faults: [
      { do: 'kill', target: b, atUs: 10_000 },
      { do: 'power-off', target: { node: 'c' }, atUs: 10_000, forUs: 10 * second },
      { do: 'cut', from: { node: 'a' }, to: { node: 'd' }, oneWay: true, atUs: 10_000 },
      { do: 'restart', target: { node: 'e' }, atUs: 90_000, forUs: 10 * second },
      { do: 'kill', target: { all: true }, atUs: 200_000 },
    ],
  });
  world.bootAll();
  world.run(100_000);
  world.healAll();
  world.run(300_000);
  const before = answers;
  world.run(400_000);
  // Nobody is killed at 200 ms: faults to come are forgotten. All four answer all ten.
  expect(answers - before).toBe(40);
  const ended = events.filter((event) => event.type === 'fault' && !event.began);
  expect(ended).toHaveLength(4);
  expect(world.pendingCount).toBeLessThan(10);
});

test('the end of a pause does not wake a later life from another', () => {
  const at: number[] = [];
  const pause = { do: 'pause', target: b } as const;
  const world: World = sandbox({
    nodes: {
      b: {
        p: (host) => {
          const loop = () => {
            at.push(world.now);
            host.after(1000, loop);
          };
          loop();
          return { message() {} };
        },
      },
    },
    faults: [
      { ...pause, atUs: 0, forUs: 100_000 },
      { do: 'kill', target: b, atUs: 10_000, forUs: 10_000 },
      { ...pause, atUs: 50_000, forUs: 100_000 },
    ],
  });
  world.bootAll();
  world.run(200_000);
  expect(at.filter((each) => each > 1 && each < 20_000)).toEqual([]);
  expect(at.filter((each) => each > 20_000 && each < 50_000).length).toBeGreaterThan(25);
  expect(at.filter((each) => each > 50_001 && each < 150_000)).toEqual([]);
  expect(at.filter((each) => each > 150_000).length).toBeGreaterThan(45);
});

/** What `a` hears when it sends five messages at each of these times. */
function told(times: readonly number[], faults: readonly Fault[]): readonly string[] {
  const heard: string[] = [];
  const world: World = sandbox({
    clocks: { offsetMaxUs: 0, driftMaxPpm: 0 },
    nodes: {
      a: {
        p: (host) => {
          const hear = (what: string) => heard.push(what);
          for (const at of times) {
            if (at < world.now) continue;
            host.after(at - world.now, () => {
              for (let i = 0; i < 5; i++) host.send(to('b'), { type: 'ask' });
            });
          }
          return {
            message: (_from, message) => hear(message.type),
            refused: () => hear('refused'),
            disconnected: () => hear('disconnected'),
          };
        },
      },
      b: { p: (host) => ({ message: (from) => host.send(from, { type: 'answer' }) }) },
    },
    faults,
  });
  world.bootAll();
  world.run(second);
  return heard;
}

const five = (what: string) => new Array<string>(5).fill(what);

describe('connections', () => {
  test('what is under way when the line is cut does not arrive', () => {
    const cut: Fault = {
      do: 'cut',
      from: { node: 'a' },
      to: b,
      oneWay: true,
      atUs: 1100,
      forUs: 10,
    };
    // Over before they would have arrived: they pass.
    expect(told([1000], [cut])).toEqual(five('answer'));
    const late: Fault = { ...cut, atUs: 1200, forUs: 100 };
    expect(told([1000], [late])).toEqual([]);
  });

  test('one that led to an earlier life is reset, once, and then opened anew', () => {
    const off: Fault = { do: 'power-off', target: b, atUs: 10_000, forUs: 10_000 };
    expect(told([1000, 30_000, 40_000], [off])).toEqual([
      ...five('answer'),
      'refused',
      'disconnected',
      ...five('refused').slice(1),
      ...five('answer'),
    ]);
  });

  test('an end is heard of once, even when the next life answers before the news', () => {
    // It is back before its last word has arrived.
    const kill: Fault = { do: 'kill', target: b, atUs: 10_000, forUs: 10 };
    const heard = told([1000, 9_900, 20_000], [kill]);
    expect(heard.filter((what) => what === 'disconnected')).toHaveLength(1);
    expect(heard.slice(-5)).toEqual(five('answer'));
  });

  test('two nodes that both died have nothing to tell each other', () => {
    const kill = { do: 'kill', atUs: 10_000, forUs: 10_000 } as const;
    const heard = told(
      [1000, 30_000],
      [
        { ...kill, target: b },
        { ...kill, target: { node: 'a' } },
      ],
    );
    expect(heard).toEqual([...five('answer'), ...five('answer')]);
  });
});

test('the work of a dead node is over', () => {
  const world = sandbox({
    nodes: {
      b: {
        p: (host) => {
          if (host.life === 1) host.cpu.spend(second, () => {});
          return { message() {} };
        },
      },
    },
    faults: [{ do: 'kill', target: b, atUs: 1000, forUs: 100_000 }],
  });
  world.bootAll();
  world.run(50_000);
  expect(world.usage()[0]).toMatchObject({ isUp: false, busyUs: 1000, queued: 0 });
  world.run(2 * second);
  expect(world.usage()[0]).toMatchObject({ isUp: true, busyUs: 1000 });
});

test('two faults on one node: it comes back when the last lets go', () => {
  const world = sandbox({
    nodes: { b: { p: () => ({ message() {} }) } },
    faults: [
      { do: 'kill', target: b, atUs: 1000, forUs: 9000 },
      { do: 'power-off', target: b, atUs: 2000, forUs: 2000 },
    ],
  });
  world.bootAll();
  world.run(5000);
  expect(world.isAlive('b')).toBe(false);
  world.run(10_000);
  expect(world.isAlive('b')).toBe(true);
});

test('every fault says itself in a sentence', () => {
  const texts: readonly [Fault, string][] = [
    [{ ...timed, do: 'kill', target: b }, 'kill b'],
    [{ ...timed, do: 'power-off', target: { zone: 'a' } }, 'power-off zone a'],
    [
      { ...timed, do: 'cut', from: { zone: 'a' }, to: { zone: 'b' }, oneWay: false },
      'cut zone a from zone b',
    ],
    [{ ...timed, do: 'cut', from: b, to: { all: true }, oneWay: true }, 'cut b to everything'],
    [
      { ...timed, do: 'delay', from: b, to: { region: 'eu' }, byUs: 20_000 },
      'delay b and region eu by 20ms',
    ],
    [
      { ...timed, do: 'skew', target: { block: 'links' }, byUs: -1_000_000, driftPpm: 100 },
      'skew links by -1s, drifting 100 ppm',
    ],
    [
      { ...timed, do: 'shift', service: 'api', traffic: { v1: 0.25, v2: 0.75 } },
      'shift api to v1 25 %, v2 75 %',
    ],
  ];
  for (const [fault, text] of texts) expect(faultText(fault)).toBe(text);
});

test('a message is never both refused and delivered, however often it is sent', () => {
  const fates = new Map<number, string[]>();
  let number = 0;
  const world: World = sandbox({
    network: { sameZone: link(200, { duplicateRatio: 0.5 }) },
    nodes: {
      a: {
        p: (host) => {
          const loop = () => {
            host.send(to('b'), { type: 'ask', number: number++ } as Message);
            host.after(50, loop);
          };
          loop();
          return {
            message() {},
            refused: (_to, message) => note((message as Numbered).number, 'refused'),
          };
        },
      },
      b: {
        p: () => ({ message: (_from, message) => note(message.number as number, 'delivered') }),
      },
    },
    faults: Array.from({ length: 200 }, (_, i) => ({
      do: 'kill' as const,
      target: b,
      atUs: 1000 + i * 1000,
      forUs: 100 + i,
    })),
  });
  function note(id: number, fate: string): void {
    fates.set(id, [...(fates.get(id) ?? []), fate]);
  }
  world.bootAll();
  world.run(250_000);
  const all = [...fates.values()];
  expect(all.filter((fate) => fate.includes('refused')).length).toBeGreaterThan(100);
  expect(all.filter((fate) => new Set(fate).size > 1)).toEqual([]);
});

interface Numbered extends Message {
  readonly number: number;
}
