/** One option over a range: the curve, and where it bends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SweepOptions } from './api.ts';
import { runner } from './index.ts';
import { kneeOf } from './knee.ts';
import type { SweepPoint } from './sweep.ts';
import { parseValues, sweepValuesMax } from './sweep-values.ts';

describe('values', () => {
  const texts = (text: string) => parseValues(text)?.map((value) => value.text);
  const axis = (text: string) => parseValues(text)?.map(({ x }) => x);

  test.each([
    ['1..4', ['1', '2', '3', '4']],
    ['1..9 step 4', ['1', '5', '9']],
    ['100/s..300/s step 100/s', ['100/s', '200/s', '300/s']],
    ['100..300/s step 100', ['100/s', '200/s', '300/s']],
    ['10ms..80ms x2', ['10ms', '20ms', '40ms', '80ms']],
    ['0.1..0.3 step 0.1', ['0.1', '0.2', '0.3']],
    ['0..1', ['0', '1']],
    [
      '1s..2s',
      ['1s', '1.1s', '1.2s', '1.3s', '1.4s', '1.5s', '1.6s', '1.7s', '1.8s', '1.9s', '2s'],
    ],
    ['1, 2, 4..6, 5', ['1', '2', '4', '5', '6']],
    ['eventual, atomic', ['eventual', 'atomic']],
    ['3..3', ['3']],
  ])('%s', (text, values) => {
    expect(texts(text)).toEqual(values);
  });

  test('stand on the axis by what they are worth', () => {
    expect(axis('100/s, 30/min, 2/ms')).toEqual([100, 0.5, 2_000]);
    expect(axis('1s, 20ms')).toEqual([1_000, 20]);
    expect(axis('1kB, 2MB')).toEqual([1_000, 2_000_000]);
    expect(axis('eventual, 5')).toEqual([0, 1]);
  });

  test('that are none, or too many, are refused', () => {
    for (const text of [
      '',
      '1,,2',
      '5..1',
      '1..2 step 0',
      '1ms..2s step 1ms',
      '0..8 x2',
      '1..1000',
    ])
      expect(texts(text), text).toBeUndefined();
    expect(texts(`1..${sweepValuesMax}`)).toHaveLength(sweepValuesMax);
  });
});

const exactly = (mean: number) => ({ mean, plusMinus: null, min: mean, max: mean });

function point(
  x: number,
  p99: number,
  offeredPerSec = 10,
  achievedPerSec = offeredPerSec,
): SweepPoint {
  const latency = exactly(p99);
  return {
    value: String(x),
    x,
    offeredPerSec,
    loadSeconds: 600,
    throughputPerSec: exactly(achievedPerSec),
    availability: exactly(1),
    latencyMs: { p50: latency, p90: latency, p99: latency, p999: latency, mean: latency },
    utilisation: exactly(0),
    busiest: 'api',
    heldCount: 1,
    seedCount: 1,
  };
}

/** The 99th percentile of the time in an M/M/1: exponential, with rate mu - lambda. */
const mm1 = (perSec: number) => point(perSec, (Math.log(100) / (100 - perSec)) * 1_000, perSec);
const rates = (from: number, to: number) =>
  Array.from({ length: (to - from) / 5 + 1 }, (_, index) => from + index * 5);

describe('the knee', () => {
  test('of a single queue lies where theory has the tripled wait', () => {
    const knee = kneeOf('rate', rates(5, 95).map(mm1));
    // Three times the wait at 5/s is at 100 - 95/3 = 68.3/s.
    expect(knee).toEqual({
      value: '65',
      x: 65,
      why: 'p99 is 48.5 ms at rate 5 and 132 ms at 65; at 70 it is 154 ms, 3.17 times that at 5',
    });
  });

  test('does not move with how far the sweep went on', () => {
    expect(kneeOf('rate', rates(5, 80).map(mm1))?.x).toBe(65);
    expect(kneeOf('rate', rates(5, 95).map(mm1).reverse())?.x).toBe(65);
  });

  test('is where offered load is no longer achieved, however late requests are', () => {
    const points = [point(1, 10, 100), point(2, 11, 200), point(3, 12, 300, 290)];
    expect(kneeOf('rate', points)).toMatchObject({
      x: 2,
      why: 'p99 is 10 ms at rate 1 and 11 ms at 2; at 3 only 290 of 300 requests a second are served (96.7 %)',
    });
  });

  test('does not take for unserved what is under way at the end of a short load', () => {
    // A request takes half a second at most, so of three seconds' load a sixth may be under way.
    const short = (x: number, p99: number, achievedPerSec: number) => ({
      ...point(x, p99, x, achievedPerSec),
      loadSeconds: 3,
    });
    const well = [short(10, 500, 8.5), short(20, 550, 16.5), short(30, 600, 25)];
    expect(kneeOf('rate', well)).toBeNull();
    expect(kneeOf('rate', [...well, short(40, 700, 30)])).toMatchObject({ x: 30 });
  });

  test('of a sweep over capacity is the least that is enough', () => {
    const points = [point(1, 900, 100, 60), point(2, 80), point(3, 12), point(4, 10), point(5, 10)];
    expect(kneeOf('api.instances', points)).toMatchObject({
      x: 3,
      why: 'p99 is 10 ms at api.instances 5 and 12 ms at 3; at 2 it is 80 ms, 8 times that at 5',
    });
  });

  test('is nowhere on a flat curve, a hopeless one, or in two points', () => {
    expect(kneeOf('n', [point(1, 10), point(2, 11), point(3, 29)])).toBeNull();
    expect(
      kneeOf(
        'n',
        [1, 2, 3].map((x) => point(x, 10, 100, 50)),
      ),
    ).toBeNull();
    expect(kneeOf('n', [point(1, 10), point(2, 100)])).toBeNull();
  });
});

describe('a sweep', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sweep-'));
    const design = {
      name: 'queue',
      blocks: [
        { kind: 'service', name: 'api', instances: 1, cost: { cpu: { exponential: '10ms' } } },
      ],
      entry: 'api',
      users: { rate: '50/s' },
    };
    writeFileSync(join(folder, 'design.json'), JSON.stringify(design));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const options = (more: Partial<SweepOptions>): SweepOptions => ({
    over: 'rate',
    values: '10/s..90/s step 20/s',
    seedCount: 2,
    seed: 1,
    faults: [],
    ownFaults: true,
    forUs: 60_000_000,
    ...more,
  });

  test('of a single queue follows theory up to its knee', async () => {
    const told: string[] = [];
    const report = await runner.sweep(folder, options({}), {
      onPoint: ({ value }) => told.push(value),
    });
    expect(told.sort()).toEqual(['10/s', '30/s', '50/s', '70/s', '90/s']);
    expect(report.points.map(({ x }) => x)).toEqual([10, 30, 50, 70, 90]);
    for (const { x, latencyMs, offeredPerSec, utilisation, busiest, seedCount } of report.points) {
      expect(seedCount).toBe(2);
      expect(busiest).toBe('api');
      expect(offeredPerSec / x).toBeCloseTo(1, 0);
      expect(utilisation.mean).toBeGreaterThan(x / 100 - 0.1);
      const theoryMs = 1_000 / (100 - x);
      expect(latencyMs.mean.mean / theoryMs).toBeGreaterThan(0.6);
      expect(latencyMs.mean.mean / theoryMs).toBeLessThan(1.6);
    }
    expect(report.knee?.value).toBe('70/s');
  });

  test('over an option runs the same seeds at each value, as `sim --set` does', async () => {
    const asked = options({
      over: 'api.instances',
      values: '1..2',
      forUs: 2_000_000,
      seedCount: 1,
    });
    const { points } = await runner.sweep(folder, asked);
    const { seed, faults, ownFaults, forUs } = asked;
    const alone = await runner.simulate(folder, {
      seed,
      faults,
      ownFaults,
      forUs,
      set: { 'api.instances': 2 },
      check: false,
      isolatePackages: false,
    });
    expect(points[1]!.latencyMs.p99.mean).toBe(alone.latencyMs.p99);
    expect(points[0]!.latencyMs.p99.mean).not.toBe(alone.latencyMs.p99);
  });

  test('refuses before it runs what some value cannot be', async () => {
    const sweeping = (more: Partial<SweepOptions>) => runner.sweep(folder, options(more));
    await expect(sweeping({ over: 'api.instances', values: '1, many, 0' })).rejects.toThrow(
      /api.instances = many: must be a whole number.*\n.*api.instances = 0: must be/,
    );
    await expect(sweeping({ over: 'apu.instances' })).rejects.toThrow('did you mean api?');
    await expect(sweeping({ over: 'rate', values: 'fast, slow' })).rejects.toThrow(
      'must be a rate',
    );
    await expect(sweeping({ values: '9..1' })).rejects.toThrow("must be values such as '1..8'");
  });

  test('that is stopped tells what had ended by then', async () => {
    const controller = new AbortController();
    const asked = options({ values: '20/s, 40/s, 60/s, 80/s', workers: 1, seedCount: 1 });
    const report = await runner.sweep(folder, asked, {
      signal: controller.signal,
      onPoint: () => controller.abort(),
    });
    expect(report.points.map(({ value }) => value)).toEqual(['20/s']);
    expect(report.knee).toBeNull();
  });
});
