import { Histogram } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import { placeOn } from '../parts/plot/axis.ts';
import { frame, frames } from '../state/fixture.ts';
import type { Mark } from '../state/marks.ts';
import { bandsOf, clustersOf, clusterText } from './lanes.ts';
import { figuresNow } from './now.ts';
import { ticksOf, usOf, wholePixels, xOf } from './scale.ts';
import { latencyAxis, niceCeiling, sparkOf } from './spark.ts';

const scale = { fromUs: 0, untilUs: 60_000_000, width: 600 };

describe('the scale', () => {
  test('goes both ways and stays within the run', () => {
    expect(xOf(scale, 30_000_000)).toBe(300);
    expect(usOf(scale, 300)).toBe(30_000_000);
    expect(usOf(scale, -50)).toBe(0);
    expect(usOf(scale, 5_000)).toBe(60_000_000);
    expect(xOf({ ...scale, untilUs: 0 }, 5)).toBe(0);
  });

  test('ticks are round and far enough apart to be read', () => {
    expect(ticksOf(scale)).toEqual([0, 10e6, 20e6, 30e6, 40e6, 50e6, 60e6]);
    expect(ticksOf({ ...scale, fromUs: 25_000_000 }, 100)[0]).toBe(30_000_000);
    expect(ticksOf({ ...scale, width: 0 })).toEqual([]);
  });
});

const fault = (atUs: number, untilUs: number): Mark => ({
  type: 'fault',
  atUs,
  untilUs,
  text: 'kill',
});

describe('a moving playhead', () => {
  const scale = { fromUs: 0, untilUs: 10_000_000, width: 100 };

  test('stays on its pixel until it has come to the next', () => {
    expect([2_000_000, 2_050_000, 2_099_999].map((us) => wholePixels(scale, 0, us, 1))).toEqual([
      2_000_000, 2_000_000, 2_000_000,
    ]);
    expect(wholePixels(scale, 0, 2_050_000, 2)).toBe(2_050_000);
    expect(wholePixels(scale, 0, 2_100_001, 1)).toBe(2_100_000);
  });

  test('stands exactly where it was sent, between two pixels too', () => {
    const ats = [2_345_678, 2_445_677, 2_445_678].map((us) => wholePixels(scale, 2_345_678, us, 1));
    expect(ats).toEqual([2_345_678, 2_345_678, 2_445_678]);
  });

  test('is where it is on a track that has no width yet', () => {
    expect(wholePixels({ ...scale, width: 0 }, 0, 2_345_678, 1)).toBe(2_345_678);
  });
});

describe('faults and marks', () => {
  test('faults at the same time stand in rows', () => {
    const faults = [fault(0, 10e6), fault(5e6, 8e6), fault(9e6, 12e6), fault(20e6, 21e6)];
    expect(bandsOf(faults, scale, 3).map(({ row }) => row)).toEqual([0, 1, 1, 0]);
  });

  test('only those that overlap are thin', () => {
    const faults = [fault(0, 5e6), fault(6e6, 10e6), fault(8e6, 12e6), fault(20e6, 21e6)];
    expect(bandsOf(faults, scale, 3).map(({ isThin }) => isThin)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('a hundred faults at once take no more rows than there are', () => {
    const faults = Array.from({ length: 100 }, () => fault(0, 60e6));
    const rows = bandsOf(faults, scale, 3).map(({ row }) => row);
    expect(new Set(rows)).toEqual(new Set([0, 1, 2]));
  });

  test('signs that would cover one another become one, with the gravest on top', () => {
    const marks: Mark[] = [
      { type: 'note', atUs: 1_000_000, text: 'elected' },
      { type: 'crash', atUs: 1_200_000, text: 'crashed' },
      { type: 'boot', atUs: 30_000_000, text: 'up again' },
    ];
    const clusters = clustersOf(marks, scale);
    expect(clusters.map(({ type, marks }) => [type, marks.length])).toEqual([
      ['crash', 2],
      ['boot', 1],
    ]);
    expect(clusterText(clusters[0]!)).toBe('elected · crashed');
  });
});

test('figures of now are a second’s: a rate does not jump with every frame', () => {
  const uneven = frames(30).map((one, index) => ({
    ...one,
    users: { ...one.users, completed: index % 2 === 0 ? 40 : 60, rejected: 1 },
  }));
  const rates = [20, 21, 22].map((end) => figuresNow(uneven.slice(end - 10, end)));
  expect(rates.map(({ completedPerSec }) => completedPerSec)).toEqual([500, 500, 500]);
  expect(rates[0]).toMatchObject({ errorsPerSec: 10 });
  expect(Math.abs(rates[0]!.p99Us - 3_000)).toBeLessThan(60);
  expect(figuresNow([])).toEqual({ completedPerSec: 0, errorsPerSec: 0, p99Us: 0 });
});

describe('the sparkline', () => {
  test('has a column a frame where there is room', () => {
    const spark = sparkOf(frames(10), { ...scale, untilUs: 1_000_000 });
    expect(spark.columns.length).toBe(10);
    expect(spark.columns[0]).toMatchObject({ completedPerSec: 500, errorsPerSec: 0 });
  });

  test('puts frames together where there is none', () => {
    const spark = sparkOf(frames(100), { fromUs: 0, untilUs: 10_000_000, width: 20 });
    expect(spark.columns.length).toBe(10);
  });

  test('p99 is that of a whole second, not of the slowest frame in it', () => {
    // One in fifty of its frame, one in five hundred of its second.
    const slow = frame(15, { latencyUs: 90_000 });
    const latency = new Histogram();
    latency.record(3_000, 49);
    latency.record(90_000, 1);
    const film = frames(30).map((one, index) =>
      index === 15 ? { ...slow, users: { ...slow.users, latency: latency.toJSON() } } : one,
    );
    const { steps, p99PeakUs } = sparkOf(film, scale);
    expect(steps.map(({ x, width }) => [x, width])).toEqual([
      [0, 10],
      [10, 10],
      [20, 10],
    ]);
    expect(p99PeakUs).toBeLessThan(3_100);
    const outage = [
      ...frames(10),
      ...frames(20)
        .slice(10)
        .map(({ index }) => frame(index, { latencyUs: 90_000 })),
    ];
    expect(sparkOf(outage, scale).p99PeakUs).toBeGreaterThan(80_000);
  });

  test('windows of p99 are as long as can be told apart, in whole seconds', () => {
    const { steps } = sparkOf(frames(100), { ...scale, width: 60 });
    expect(steps.map(({ width }) => width)).toEqual([2, 2, 2, 2, 2]);
  });

  test('an ordinary second is seen beside an outage', () => {
    const film = [
      ...frames(10),
      ...frames(20)
        .slice(10)
        .map(({ index }) => frame(index, { latencyUs: 2_500_000 })),
    ];
    const axis = latencyAxis(sparkOf(film, scale));
    expect(axis.min).toBe(1_000);
    expect(placeOn(axis, 3_000)).toBeGreaterThan(0.1);
    expect(latencyAxis(sparkOf([], scale)).max).toBeGreaterThan(0);
  });

  test('its top is a round number', () => {
    expect([0, 3, 87, 502, 1_000].map(niceCeiling)).toEqual([1, 3, 100, 600, 1_000]);
  });
});
