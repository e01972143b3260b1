import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { link, type Sketch, sandbox } from '../../test/sandbox.ts';
import type { FaultPlan } from '../host/fault.ts';
import type { Chunk, Stream } from '../host/stream.ts';
import { streamWindowBytes } from '../host/stream.ts';

const b = { node: 'b', port: 'p' };

interface Heard {
  readonly chunks: Chunk[];
  readonly closed: string[];
  readonly at: number[];
}

const nothing = (): Heard => ({ chunks: [], closed: [], at: [] });

/** Takes every stream and all that comes. */
const reader =
  (heard: Heard): Sketch =>
  (host) => ({
    message() {},
    stream: (_from, _opening, stream) => ({
      data(chunk) {
        heard.chunks.push(chunk);
        heard.at.push(host.now());
        stream.took(chunk);
      },
      ended: () => stream.end(),
      closed: (how) => heard.closed.push(how),
    }),
  });

/** Says a numbered chunk every so often. */
const writer =
  (heard: Heard, count: number, everyUs: number): Sketch =>
  (host) => {
    if (host.life > 1) return { message() {} };
    const stream: Stream = host.connect(
      b,
      { data() {}, closed: (how) => heard.closed.push(how) },
      { type: 'hello' },
    );
    let next = 0;
    const write = (): void => {
      if (next === count) return stream.end();
      stream.write(String(next++));
      host.after(everyUs, write);
    };
    write();
    return { message() {} };
  };

const second = 1_000_000;
const zones = [
  { name: 'a', region: 'here' },
  { name: 'b', region: 'there' },
];

describe('a simulated stream', () => {
  test('brings everything once and in order, however much is lost, late, or cut off for a while', () => {
    const wobble = fc.record({
      seed: fc.nat(),
      lossRatio: fc.constantFrom(0, 0.01, 0.2),
      cuts: fc.array(fc.record({ at: fc.nat(4_000), for: fc.nat(1_500) }), { maxLength: 4 }),
      delays: fc.array(fc.record({ at: fc.nat(4_000), by: fc.nat(300) }), { maxLength: 2 }),
      everyUs: fc.constantFrom(100, 7_000, 40_000),
    });
    fc.assert(
      fc.property(wobble, ({ seed, lossRatio, cuts, delays, everyUs }) => {
        const [wrote, heard] = [nothing(), nothing()];
        const ends = { from: { node: 'a' }, to: { node: 'b' } };
        const faults: FaultPlan = [
          ...cuts.map((cut, i) => ({
            do: 'cut' as const,
            ...ends,
            oneWay: i % 2 === 0,
            atUs: cut.at * 1_000,
            forUs: cut.for * 1_000,
          })),
          ...delays.map(({ at, by }) => ({
            do: 'delay' as const,
            ...ends,
            atUs: at * 1_000,
            byUs: by * 1_000,
            forUs: second,
          })),
        ];
        const jitter = { kind: 'lognormal', median: 300, p99: 5_000 } as const;
        const world = sandbox({
          seed,
          nodes: { a: { x: writer(wrote, 120, everyUs) }, b: { p: reader(heard) } },
          network: {
            sameZone: { delay: jitter, lossRatio, duplicateRatio: 0.1 },
            connectTimeoutUs: 30 * second,
          },
          faults,
        });
        world.bootAll();
        world.run(300 * second);
        expect(heard.chunks).toEqual(Array.from({ length: 120 }, (_, i) => String(i)));
        expect([...wrote.closed, ...heard.closed]).toEqual(['done', 'done']);
      }),
      { numRuns: 25 },
    );
  });

  test('is the same, event for event, for the same seed', () => {
    const run = (seed: number) => {
      const heard = nothing();
      const world = sandbox({
        seed,
        nodes: { a: { x: writer(nothing(), 50, 1_000) }, b: { p: reader(heard) } },
        network: { sameZone: link(300, { lossRatio: 0.1 }) },
      });
      world.bootAll();
      world.run(20 * second);
      return [world.fingerprint.short(), ...heard.at];
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  test.each([
    ['a cut that lasts', { do: 'cut', from: { node: 'a' }, to: { node: 'b' }, oneWay: false }],
    ['a machine without power', { do: 'power-off', target: { node: 'b' } }],
  ] as const)('is lost in %s to whoever speaks, after the timeout, and not before', (_, fault) => {
    const [wrote, heard] = [nothing(), nothing()];
    let bootedAt = 0;
    let lostAt = 0;
    const world = sandbox({
      nodes: {
        a: {
          x: (host) => {
            const stream = host.connect(
              b,
              {
                data() {},
                closed(how) {
                  wrote.closed.push(how);
                  lostAt = host.now() - bootedAt;
                },
              },
              { type: 'hello' },
            );
            bootedAt = host.now();
            host.after(2 * second, () => stream.write('into the dark'));
            return { message() {} };
          },
        },
        b: { p: reader(heard) },
      },
      clocks: { driftMaxPpm: 0 },
      faults: [{ ...fault, atUs: second }],
    });
    world.bootAll();
    world.run(60 * second);
    expect(wrote.closed).toEqual(['lost']);
    // A machine without power is found out by the first that arrives there.
    expect(lostAt).toBeGreaterThanOrEqual(5 * second);
    expect(lostAt).toBeLessThan(5 * second + 1_000);
    expect(heard).toMatchObject({ chunks: [], closed: [] });
  });

  test('is reset by a machine that came back and knows nothing of it', () => {
    const [wrote, heard] = [nothing(), nothing()];
    const world = sandbox({
      nodes: { a: { x: writer(wrote, 10, second) }, b: { p: reader(heard) } },
      faults: [{ do: 'power-off', target: { node: 'b' }, atUs: 1_500_000, forUs: 200_000 }],
    });
    world.bootAll();
    world.run(60 * second);
    expect(heard.chunks).toEqual(['0', '1']);
    expect(wrote.closed).toEqual(['reset']);
  });

  test('waits for a process that stands still', () => {
    const heard = nothing();
    const world = sandbox({
      nodes: { a: { x: writer(nothing(), 5, 100_000) }, b: { p: reader(heard) } },
      faults: [{ do: 'pause', target: { node: 'b' }, atUs: 150_000, forUs: 10 * second }],
    });
    world.bootAll();
    world.run(60 * second);
    expect(heard.chunks).toEqual(['0', '1', '2', '3', '4']);
    expect(heard.at[2]! - heard.at[0]!).toBeGreaterThan(10 * second);
  });

  test('is as fast as its line, and no faster than its credit over a round trip', () => {
    const megabyte = 1_000_000;
    const rate = (bytesPerSec: number | undefined): number => {
      const heard = nothing();
      let left = 40;
      const world = sandbox({
        zones,
        nodes: {
          a: {
            zone: 'a',
            programs: {
              x: (host) => {
                const stream: Stream = host.connect(
                  b,
                  { data() {}, ready: () => write(), closed() {} },
                  { type: 'hello' },
                );
                const write = (): void => {
                  while (left > 0) {
                    left--;
                    if (!stream.write(new Uint8Array(megabyte / 20))) return;
                  }
                };
                write();
                return { message() {} };
              },
            },
          },
          b: { zone: 'b', programs: { p: reader(heard) } },
        },
        network: { betweenRegions: link(20_000, { bytesPerSec }) },
        clocks: { driftMaxPpm: 0 },
      });
      world.bootAll();
      world.run(60 * second);
      expect(heard.chunks).toHaveLength(40);
      return (2 * megabyte) / ((heard.at.at(-1)! - heard.at[0]!) / second);
    };
    expect(rate(megabyte) / megabyte).toBeCloseTo(1, 1);
    const byCredit = streamWindowBytes / 0.04;
    expect(rate(undefined) / byCredit).toBeGreaterThan(0.8);
    expect(rate(undefined) / byCredit).toBeLessThan(1.6);
  });
});
