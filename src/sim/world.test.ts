import { describe, expect, test } from 'vitest';
import { link, nodePlan, type Sketch, type SketchNode, sandbox } from '../../test/sandbox.ts';
import type { RunEvent } from '../host/events.ts';
import type { Fault } from '../host/fault.ts';
import type { Host, Message } from '../host/host.ts';
import { seeded } from '../kit/random.ts';

const second = 1_000_000;
const to = (node: string) => ({ node, port: 'p' });

/** A program that does nothing but what its host is used for from outside. */
function bare(onHost: (host: Host) => void): Sketch {
  return (host) => {
    onHost(host);
    return { message() {} };
  };
}

/** Everybody asks everybody, for ever, and counts. */
function chatter(names: readonly string[]): Record<string, SketchNode> {
  const program: Sketch = (host) => {
    const ask = () => {
      host.send(to(host.random.pick(names)), { type: 'ask', at: host.now() });
      host.after(host.random.between(100, 3000), ask);
    };
    ask();
    return {
      message(from, message) {
        if (message.type !== 'ask') return;
        host.disk.append('log', new Uint8Array(host.random.below(20)));
        host.disk.sync('log', () => host.send(from, { type: 'answer' }));
      },
      refused() {},
      disconnected() {},
    };
  };
  return Object.fromEntries(
    names.map((name, i) => [name, { programs: { p: program }, zone: 'abc'[i % 3]! }]),
  );
}

const names = ['n/0', 'n/1', 'n/2', 'n/3', 'n/4', 'n/5'];

const troubles: readonly Fault[] = [
  {
    do: 'cut',
    from: { zone: 'a' },
    to: { zone: 'b' },
    oneWay: false,
    atUs: 100_000,
    forUs: 200_000,
  },
  { do: 'lose', from: { all: true }, to: { all: true }, ratio: 0.1, atUs: 50_000, forUs: 500_000 },
  { do: 'duplicate', from: { all: true }, to: { node: 'n/1' }, ratio: 0.3, atUs: 0 },
  { do: 'kill', target: { node: 'n/2' }, atUs: 300_000, forUs: 100_000 },
  { do: 'power-off', target: { node: 'n/3' }, atUs: 200_000, forUs: 300_000 },
  { do: 'pause', target: { node: 'n/4' }, atUs: 350_000, forUs: 100_000 },
  { do: 'restart', target: { node: 'n/5' }, atUs: 400_000, forUs: 50_000 },
  { do: 'slow', target: { all: true }, factor: 3, atUs: 600_000, forUs: 100_000 },
];

describe('messages', () => {
  test('one is answered over the network, in virtual time', () => {
    const seen: string[] = [];
    const world = sandbox({
      nodes: {
        a: {
          p: (host) => {
            host.after(1000, () => host.send(to('b'), { type: 'ping' }));
            return { message: (from, message) => seen.push(`${from.node} ${message.type}`) };
          },
        },
        b: { p: (host) => ({ message: (from) => host.send(from, { type: 'pong' }) }) },
      },
    });
    world.bootAll();
    world.run(1600);
    expect(seen).toEqual(['b pong']);
    world.run(second);
    expect(world.now).toBe(second);
  });

  test.each([1, 2, 3])(
    'under faults, sent = delivered + lost + cut + refused + in flight (seed %i)',
    (seed) => {
      const traced = { delivered: 0, duplicated: 0, lost: 0, cut: 0, refused: 0 };
      const world = sandbox({
        seed,
        nodes: chatter(names),
        faults: troubles,
        network: { sameRegion: link(1000, { lossRatio: 0.01, duplicateRatio: 0.02 }) },
        onTrace: ({ what }) => traced[what]++,
      });
      world.bootAll();
      world.run(second);
      const { sent, delivered, duplicated, lost, cut, refused, inFlight } = world.network;
      expect(traced).toEqual({ delivered, duplicated, lost, cut, refused });
      for (const count of [sent, delivered, duplicated, lost, cut, refused]) {
        expect(count).toBeGreaterThan(0);
      }
      expect(delivered + lost + cut + refused + inFlight).toBe(sent);
    },
  );

  test('between two nodes they keep their order, whatever the delays', () => {
    const seen: number[] = [];
    const world = sandbox({
      network: { sameZone: { ...link(0), delay: { kind: 'exponential', mean: 5000 } } },
      nodes: {
        a: {
          p: bare((host) => {
            for (let i = 0; i < 1000; i++) {
              host.after(i * 10, () => host.send(to('b'), { type: 'number', i }));
            }
          }),
        },
        b: { p: () => ({ message: (_from, message) => seen.push(message.i as number) }) },
      },
    });
    world.bootAll();
    world.run(second);
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test('a narrow line delays what is large, and what comes behind it', () => {
    const seen: string[] = [];
    const world = sandbox({
      network: { sameZone: link(100, { bytesPerSec: 1_000_000 }) },
      nodes: {
        a: {
          p: bare((host) => {
            host.send(to('b'), { type: 'large', body: new Uint8Array(50_000) } as Message);
            host.send(to('b'), { type: 'small' });
          }),
        },
        b: {
          p: () => ({
            message: (_from, message) =>
              seen.push(`${message.type} ${Math.floor(world.now / 10_000)}`),
          }),
        },
      },
    });
    world.bootAll();
    world.run(second);
    expect(seen).toEqual(['large 5', 'small 5']);
  });

  test('a name that no plan knows refuses', () => {
    const seen: string[] = [];
    const world = sandbox({
      nodes: {
        a: {
          p: (host) => {
            host.send(to('nowhere'), { type: 'ask' });
            return { message() {}, refused: (address) => seen.push(address.node) };
          },
        },
      },
    });
    world.bootAll();
    world.run(1);
    expect(seen).toEqual(['nowhere']);
  });
});

describe('a crash', () => {
  test('takes timers, disk callbacks, work and holds of its life with it', () => {
    const seen: string[] = [];
    const world = sandbox({
      nodes: {
        a: {
          p: bare((host) => {
            const { life } = host;
            const late = (what: string) => () => seen.push(`${what} of life ${life}`);
            host.after(1000, late('timer'));
            host.cpu.charge(1000, late('work'));
            host.cpu.hold(1000, late('hold'));
            host.disk.append('f', new Uint8Array(1));
            host.disk.sync('f', late('sync'));
          }),
        },
      },
    });
    world.bootAll();
    world.inject({ do: 'kill', target: { node: 'a' }, atUs: 0, forUs: 10_000 });
    world.run(9_000);
    expect(world.isAlive('a')).toBe(false);
    expect(seen).toEqual([]);
    world.run(second);
    expect(world.isAlive('a')).toBe(true);
    expect(seen.sort()).toEqual([
      'hold of life 2',
      'sync of life 2',
      'timer of life 2',
      'work of life 2',
    ]);
  });

  test('has a number by which its end is known: two that read the same may overlap', () => {
    const told: string[] = [];
    const world = sandbox({
      onEvent: (event) => {
        if (event.type === 'fault') told.push(`${event.text} ${event.began} ${event.id}`);
      },
      nodes: { a: { p: () => ({ message: () => {} }) } },
    });
    world.bootAll();
    world.inject({ do: 'kill', target: { node: 'a' }, atUs: 0 });
    world.inject({ do: 'kill', target: { node: 'a' }, atUs: 0, forUs: 1_000 });
    world.run(second);
    world.healAll();
    expect(told).toEqual(['kill a true 1', 'kill a true 2', 'kill a false 2', 'kill a false 1']);
  });

  test('leaves the dead no way to speak, write or record', () => {
    const recorded: string[] = [];
    let first: Host | undefined;
    let files: readonly string[] = [];
    let heard = 0;
    const world = sandbox({
      record: (event) => recorded.push(event.f),
      nodes: {
        a: {
          p: bare((host) => {
            first ??= host;
            files = host.disk.list();
          }),
        },
        b: { p: () => ({ message: () => heard++ }) },
      },
    });
    world.bootAll();
    const end = world.inject({ do: 'kill', target: { node: 'a' }, atUs: 0 });
    const speak = () => {
      first!.send(to('b'), { type: 'ghost' });
      first!.disk.append('ghost', new Uint8Array(3));
      first!.record({ block: 'x', phase: 'invoke', op: 1, f: 'ghost' });
      first!.cpu.charge(10, () => heard++);
      first!.after(10, () => heard++);
    };
    speak();
    end();
    speak();
    world.run(second);
    expect(world.isAlive('a')).toBe(true);
    expect([heard, files, recorded]).toEqual([0, [], []]);
  });

  test('of a program that throws is told, and its node comes back later and later', () => {
    const events: RunEvent[] = [];
    const thrown: unknown[] = [];
    const world = sandbox({
      onEvent: (event) => events.push(event),
      onThrow: (_node, error) => thrown.push(error),
      nodes: {
        a: {
          p: bare((host) => {
            host.after(1000, () => {
              throw new Error('the sum is conserved');
            });
          }),
        },
        b: { p: bare(() => {}) },
      },
    });
    world.bootAll();
    world.run(10 * second);
    const crashes = events.filter((event) => event.type === 'crash');
    expect(crashes.map(({ at, node }) => [node, Math.round(at / second)])).toEqual([
      ['a', 0],
      ['a', 1],
      ['a', 3],
      ['a', 7],
    ]);
    expect(crashes[0]!.why).toBe('Error: the sum is conserved');
    expect(thrown).toHaveLength(4);
    expect(world.isAlive('b')).toBe(true);
  });

  test('during boot leaves the node down, until it is healed', () => {
    const events: RunEvent[] = [];
    let isBroken = true;
    const world = sandbox({
      onEvent: (event) => events.push(event),
      nodes: {
        a: {
          p: bare(() => {
            if (isBroken) throw new Error('no such file');
          }),
        },
      },
    });
    world.bootAll();
    world.run(100 * second);
    expect(world.isAlive('a')).toBe(false);
    expect(events.at(-1)).toMatchObject({
      type: 'crash',
      node: 'a',
      why: 'did not come up: Error: no such file',
    });
    isBroken = false;
    world.healAll();
    expect(world.isAlive('a')).toBe(true);
  });
});

describe('a run', () => {
  const digest = (seed: number, faults: readonly Fault[], check = false): string => {
    const world = sandbox({ seed, nodes: chatter(names), faults, check });
    world.bootAll();
    world.run(second);
    return world.fingerprint.hex();
  };

  test('is the same for the same seed, and another for another', () => {
    expect(digest(1, troubles)).toBe(digest(1, troubles));
    expect(digest(1, troubles)).not.toBe(digest(2, troubles));
    expect(digest(1, troubles, true)).toBe(digest(1, troubles, true));
    expect(digest(1, troubles)).not.toBe(digest(1, troubles.slice(1)));
  });

  test('of two that differ, names the first step at which they do', () => {
    const steps = (surprise: boolean) => {
      const hashes: { hash: number; text: string }[] = [];
      const world = sandbox({
        nodes: {
          ...chatter(names),
          odd: {
            p: bare((host) => {
              host.after(5000, () =>
                host.send(to('n/0'), { type: 'ask', text: surprise ? 'x' : 'y' } as Message),
              );
            }),
          },
        },
        check: true,
        describe: (_from, _to, message) => `says ${message.type}`,
        onStep: (_index, hash, describe) => hashes.push({ hash, text: describe() }),
      });
      world.bootAll();
      world.run(10_000);
      return hashes;
    };
    const [one, two] = [steps(false), steps(true)];
    const first = one.findIndex((step, i) => step.hash !== two[i]!.hash);
    expect(one[first]!.text).toMatch(/odd: timer/);
    expect(one.some(({ text }) => text.includes('deliver odd:p -> n/0:p says ask'))).toBe(true);
  });

  test('loses one fault and shifts no other draw', () => {
    // The lost messages of n/0 -> n/1 must not depend on what befalls n/4 and n/5.
    const lost = (faults: readonly Fault[]) => {
      const numbers: number[] = [];
      const speaker: Sketch = bare((host) => {
        let number = 0;
        const speak = () => {
          host.send(to('b'), { type: 'number', number: number++ } as Message);
          host.after(1000, speak);
        };
        speak();
      });
      const world = sandbox({
        seed: 5,
        nodes: {
          a: { p: speaker },
          b: { p: bare(() => {}) },
          c: { p: speaker },
          d: { p: speaker },
        },
        faults,
        onTrace: ({ what, from, message }) => {
          const { number } = message as Message & { number?: number };
          if (from.node === 'a' && what === 'lost') numbers.push(number!);
        },
      });
      world.bootAll();
      world.run(second);
      return numbers;
    };
    const lose: Fault = {
      do: 'lose',
      from: { node: 'a' },
      to: { node: 'b' },
      ratio: 0.2,
      atUs: 300_000,
    };
    const others: readonly Fault[] = [
      { do: 'lose', from: { node: 'c' }, to: { node: 'b' }, ratio: 0.5, atUs: 0 },
      { do: 'kill', target: { node: 'd' }, atUs: 100_000, forUs: 200_000 },
      { do: 'rot', target: { node: 'c' }, bits: 3, atUs: 200_000 },
    ];
    const alone = lost([lose]);
    expect(alone.length).toBeGreaterThan(100);
    expect(lost([...others, lose])).toEqual(alone);
    // A loss that begins earlier adds its own and moves none of the later ones.
    expect(lost([{ ...lose, atUs: 0 }]).filter((number) => number >= 300)).toEqual(alone);
  });

  test('that does not advance is stopped, and says where', () => {
    const world = sandbox({
      nodes: {
        good: { p: bare(() => {}) },
        spinning: {
          p: bare((host) => {
            const loop = () => void host.after(0, loop);
            loop();
          }),
        },
      },
    });
    world.bootAll();
    expect(() => world.run(second)).toThrow(/stuck.*spinning/s);
  });

  test('can be stopped after any event', () => {
    let count = 0;
    const world = sandbox({
      nodes: {
        a: {
          p: bare((host) => {
            const loop = () => {
              count++;
              host.after(10, loop);
            };
            loop();
          }),
        },
      },
    });
    world.bootAll();
    world.run(second, () => count === 50);
    expect(count).toBe(50);
    expect(world.now).toBeLessThan(1000);
    world.run(second);
    expect(world.now).toBe(second);
  });

  test('takes in a node that no plan named', () => {
    let heard = 0;
    const late: SketchNode = { programs: { p: () => ({ message: () => heard++ }) } };
    const world = sandbox({
      later: { late },
      nodes: {
        a: {
          p: bare((host) => {
            const loop = () => {
              host.send(to('late'), { type: 'hello' });
              host.after(1000, loop);
            };
            loop();
          }),
        },
      },
    });
    world.bootAll();
    world.run(5_500);
    world.addNode(nodePlan('late', late));
    world.run(10_500);
    expect(heard).toBe(5);
    expect(() => world.addNode(nodePlan('late', late))).toThrow(/one node is called late/);
  });

  test('tells the user code of which node runs, and drains after it', () => {
    const seen: string[] = [];
    const jobs: (() => void)[] = [];
    let current: string | undefined;
    const user: Sketch = (host) => ({
      message: () => {
        jobs.push(() => seen.push(`continuation on ${current}`));
        if (host.self === 'u/1') throw new Error('thrown by user code');
      },
    });
    const world = sandbox({
      enter: (node) => {
        current = node;
      },
      drain: () => {
        for (const job of jobs.splice(0)) job();
      },
      nodes: {
        'u/0': { programs: { p: user }, userCode: true },
        'u/1': { programs: { p: user }, userCode: true },
        plain: {
          p: bare((host) => {
            host.send(to('u/1'), { type: 'go' });
            host.send(to('u/0'), { type: 'go' });
          }),
        },
      },
    });
    world.bootAll();
    world.run(second / 2);
    expect(seen).toEqual(['continuation on u/1', 'continuation on u/0']);
    expect(current).toBeUndefined();
    expect(world.isAlive('u/1')).toBe(false);
  });

  test('in check freezes messages and passes them through the codec', () => {
    const thrown: string[] = [];
    const world = sandbox({
      check: true,
      codec: {
        encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
        decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
      },
      onThrow: (_node, error) => thrown.push(String(error)),
      nodes: {
        a: { p: bare((host) => host.send(to('b'), { type: 'list', items: [1, 2] } as Message)) },
        b: { p: () => ({ message: (_from, message) => (message.items as number[]).push(3) }) },
      },
    });
    world.bootAll();
    world.run(1000);
    expect(thrown).toEqual([expect.stringMatching(/object is not extensible/)]);
  });
});

test('clocks differ between nodes, run at their own pace, and never backward', () => {
  const hosts: Host[] = [];
  const world = sandbox({
    nodes: Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`n/${i}`, { p: bare((host) => hosts.push(host)) }]),
    ),
  });
  world.bootAll();
  const before = hosts.map((host) => host.now());
  const walls = hosts.map((host) => host.wall());
  world.run(100 * second);
  const rates = hosts.map((host, i) => (host.now() - before[i]!) / (100 * second));
  for (const rate of rates) expect(Math.abs(rate - 1)).toBeLessThan(21e-6);
  expect(new Set(rates).size).toBeGreaterThan(10);
  expect(Math.max(...walls) - Math.min(...walls)).toBeGreaterThan(100);
  expect(Math.max(...walls) - Math.min(...walls)).toBeLessThan(1001);
  expect(new Date(walls[0]! / 1000).getUTCFullYear()).toBe(
    2026 - (walls[0]! < 1767225600000000 ? 1 : 0),
  );
});

test.each([1, 2, 3])('a timer never fires before its node thinks it is due (seed %i)', (seed) => {
  let checked = 0;
  const random = seeded(seed);
  const world = sandbox({
    seed,
    clocks: { driftMaxPpm: 500 },
    nodes: Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [
        `n/${i}`,
        {
          p: bare((host) => {
            const set = () => {
              const delayUs = random.below(5000);
              const due = host.now() + delayUs;
              host.after(delayUs, () => {
                checked++;
                expect(host.now() - due).toBeGreaterThanOrEqual(0);
                expect(host.now() - due).toBeLessThanOrEqual(1);
                if (checked < 2000) set();
              });
            };
            set();
          }),
        },
      ]),
    ),
  });
  world.bootAll();
  world.run(2 * second);
  expect(checked).toBeGreaterThan(1999);
});
