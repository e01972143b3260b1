/** Causes go from event to event, whatever is in between, and change nothing on the way. */
import { describe, expect, test } from 'vitest';
import { link, type Sketch, type SketchNode, sandbox } from '../../test/sandbox.ts';
import type { Fault } from '../host/fault.ts';
import type { Address } from '../host/host.ts';
import { Causality, type Cause, type SentMessage, type Tracer } from './causality.ts';

const second = 1_000_000;
const to = (node: string): Address => ({ node, port: 'p' });

/** A message of type `begin` is a cause of its own; all others belong to what set them off. */
class Names implements Tracer {
  readonly lines: string[] = [];
  readonly work: string[] = [];

  sent({ from, to: target, message }: SentMessage, cause: Cause | undefined): Cause | undefined {
    const name = message.type === 'begin' ? { of: (message as { of?: string }).of } : cause;
    this.lines.push(`${from.node} > ${target.node} ${message.type}: ${nameOf(name)}`);
    return name;
  }

  met(_event: unknown, carried: Cause | undefined): Cause | undefined {
    return carried;
  }

  refused(carried: Cause): Cause {
    this.lines.push(`refused: ${nameOf(carried)}`);
    return carried;
  }

  worked(cause: Cause, queuedUs: number, servedUs: number): void {
    this.work.push(`${nameOf(cause)} waited ${queuedUs}, worked ${servedUs}`);
  }

  asks(): void {}
  ended(): void {}
}

function nameOf(cause: Cause | undefined): string {
  return (cause as { of: string } | undefined)?.of ?? 'nobody';
}

/** `a` begins one request for each letter, `b` does `act` for it and then tells `c`. */
function told(act: (host: Parameters<Sketch>[0], done: () => void) => void, cores = 1): Names {
  const names = new Names();
  const world = sandbox({
    causality: new Causality(names),
    nodes: {
      a: {
        p: (host) => {
          for (const of of 'xy') host.send(to('b'), { type: 'begin', of } as never);
          return { message() {} };
        },
      },
      b: {
        cores,
        programs: {
          p: (host) => ({
            message() {
              act(host, () => host.send(to('c'), { type: 'done' }));
            },
          }),
        },
      },
      c: { p: () => ({ message() {} }) },
    },
  });
  world.bootAll();
  world.run(second);
  return names;
}

const bothDone = ['b > c done: x', 'b > c done: y'];

describe('what an event sets off is done in its name', () => {
  test.each([
    ['a message', (_host: unknown, done: () => void) => done()],
    ['a timer', (host, done) => host.after(1_000, done)],
    ['a timer of a timer', (host, done) => host.after(1_000, () => host.after(0, done))],
    ['a sync', (host, done) => host.disk.sync('f', done)],
    ['work on a core', (host, done) => host.cpu.charge(500, done)],
    ['waiting', (host, done) => host.cpu.hold(500, done)],
  ] as [string, Parameters<typeof told>[0]][])('%s', (_what, act) => {
    expect(told(act).lines.slice(2)).toEqual(bothDone);
  });

  test('a job that waited for a core goes on in its own name, not in that of the job before', () => {
    const { lines, work } = told((host, done) => host.cpu.charge(500, done));
    expect(lines.slice(2)).toEqual(bothDone);
    expect(work).toEqual(['x waited 0, worked 500', 'y waited 500, worked 500']);
  });

  test('a callback that a program kept goes on in the name of who left it there', () => {
    const kept: (() => void)[] = [];
    const { lines, work } = told((host, done) => {
      kept.push(host.causes!.queued(done));
      if (kept.length === 2) host.after(300, () => kept.splice(0).map((run) => run()));
    });
    expect(lines.slice(2)).toEqual(bothDone);
    expect(work).toEqual(['x waited 300, worked 0', 'y waited 300, worked 0']);
  });

  test('also when its machine stood still in between', () => {
    const names = new Names();
    const world = sandbox({
      causality: new Causality(names),
      faults: [{ do: 'pause', target: { node: 'b' }, atUs: 200, forUs: 5_000 }],
      nodes: {
        a: {
          p: (host) => {
            host.send(to('b'), { type: 'begin', of: 'x' } as never);
            return { message() {} };
          },
        },
        b: {
          p: (host) => ({
            message: () => host.after(10, () => host.send(to('a'), { type: 'hi' })),
          }),
        },
      },
    });
    world.bootAll();
    world.run(second);
    expect(names.lines.at(-1)).toBe('b > a hi: x');
  });

  test('what boots because of a request is not the request', () => {
    const names = new Names();
    const world = sandbox({
      causality: new Causality(names),
      nodes: {
        a: {
          p: (host) => {
            host.after(1_000, () => host.send(to('b'), { type: 'begin', of: 'x' } as never));
            return { message() {} };
          },
        },
        b: {
          p: (host) => {
            host.send(to('a'), { type: `boot ${host.life}` });
            return {
              message() {
                throw new Error('it cannot cope');
              },
            };
          },
        },
      },
    });
    world.bootAll();
    world.run(3 * second);
    expect(names.lines.at(-1)).toBe('b > a boot 2: nobody');
  });

  test('a refusal comes back in the name of the message', () => {
    const names = new Names();
    const world = sandbox({
      causality: new Causality(names),
      nodes: {
        a: {
          p: (host) => {
            host.send(to('nobody'), { type: 'begin', of: 'x' } as never);
            return { message() {}, refused: () => host.send(to('a'), { type: 'well' }) };
          },
        },
      },
    });
    world.bootAll();
    world.run(second);
    expect(names.lines.slice(1)).toEqual(['refused: x', 'a > a well: x']);
  });
});

describe('a traced world', () => {
  const names = ['n/0', 'n/1', 'n/2', 'n/3'];
  const troubles: readonly Fault[] = [
    { do: 'lose', from: { all: true }, to: { all: true }, ratio: 0.1, atUs: 50_000 },
    { do: 'duplicate', from: { all: true }, to: { node: 'n/1' }, ratio: 0.3, atUs: 0 },
    { do: 'kill', target: { node: 'n/2' }, atUs: 300_000, forUs: 100_000 },
    { do: 'power-off', target: { node: 'n/3' }, atUs: 200_000, forUs: 300_000 },
    { do: 'pause', target: { node: 'n/0' }, atUs: 350_000, forUs: 100_000 },
  ];

  function chatter(): Record<string, SketchNode> {
    const program: Sketch = (host) => {
      const ask = () => {
        host.send(to(host.random.pick(names)), { type: 'begin', of: `${host.self}` } as never);
        host.cpu.charge(host.random.below(500), () => host.after(host.random.below(3_000), ask));
      };
      ask();
      return {
        message(from, message) {
          if (message.type === 'begin')
            host.disk.sync('log', () => host.send(from, { type: 'end' }));
        },
      };
    };
    return Object.fromEntries(names.map((name) => [name, { programs: { p: program } }]));
  }

  test.each([1, 2, 3])('is the same run, bit by bit (seed %i)', (seed) => {
    const [plain, traced] = [undefined, new Causality(new Names())].map((causality) => {
      const world = sandbox({
        seed,
        causality,
        nodes: chatter(),
        faults: troubles,
        network: { sameZone: link(200, { duplicateRatio: 0.02 }) },
        check: true,
      });
      world.bootAll();
      world.run(second);
      return { hex: world.fingerprint.hex(), steps: world.steps, ...world.network };
    });
    expect(traced).toEqual(plain);
  });
});
