import { Histogram } from 'loadpath/studio';
import { describe, expect, test } from 'vitest';
import {
  framesWithin,
  groupFrames,
  mergedLatency,
  percentilesOf,
  pointLength,
} from '../parts/plot/series.ts';
import { framesOf, layout } from '../parts/run.fixture.ts';
import { plotsFor, type Subject } from './catalogue.ts';
import { barsInWords, latencyBars } from './histogram.ts';
import { histogramCsv, histogramSvg } from './save-histogram.ts';
import { limitsOf, subjectOf } from './subject.ts';

const frames = framesOf();
const minute = groupFrames(frames, 1_000_000);
const plotOf = (subject: Subject, id: string) =>
  plotsFor(layout, minute, subject, []).find((plot) => plot.id === id)!;
const valuesOf = (subject: Subject, id: string, curve: string) =>
  plotOf(subject, id).curves.find(({ name }) => name === curve)!.values;

describe('points', () => {
  test('are as long as a panel can show, in whole frames', () => {
    expect(pointLength(100_000, 60_000_000)).toBe(500_000);
    expect(pointLength(100_000, 5_000_000)).toBe(100_000);
    expect(pointLength(100_000, 3_600_000_000)).toBe(50_000_000);
  });

  test('begin at multiples of their length, so that zooming shifts nothing', () => {
    const late = groupFrames(frames.slice(7), 1_000_000);
    expect(late[1]!.fromUs).toBe(1_000_000);
    expect(late[0]!.frames.length).toBe(3);
    expect(groupFrames([], 1_000_000)).toEqual([]);
  });

  test('percentiles over a group are those of all its requests, not a mean of percentiles', () => {
    const group = minute[25]!;
    const all = new Histogram();
    for (const { users } of group.frames) all.merge(Histogram.fromJSON(users.latency));
    expect(percentilesOf(group).p99).toBe(all.percentile(99));
    expect(percentilesOf(group)).toBe(percentilesOf(groupFrames(frames, 1_000_000)[25]!));
  });

  test('a group without a completed request has no percentiles', () => {
    const silent = {
      ...frames[0]!,
      users: { ...frames[0]!.users, latency: new Histogram().toJSON() },
    };
    expect(percentilesOf(groupFrames([silent], 100_000)[0]!).p50).toBeNull();
  });
});

describe('charts', () => {
  test('rates are a second, whatever a point lasts', () => {
    const sent = valuesOf({ type: 'everything' }, 'rate', 'sent');
    const counted = minute[12]!.frames.reduce((total, frame) => total + frame.users.generated, 0);
    expect(sent[12]).toBe(counted);
    const halves = plotsFor(layout, groupFrames(frames, 500_000), { type: 'everything' }, []);
    expect(halves[0]!.curves[0]!.values[24]).toBeGreaterThan(counted * 0.7);
  });

  test('percentiles are over a second where points are shorter, and the chart says so', () => {
    const charts = plotsFor(layout, groupFrames(frames, 100_000), { type: 'everything' }, []);
    const latency = charts.find(({ id }) => id === 'latency')!;
    expect(latency.x.length).toBe(60);
    expect(latency.caption).toBe('over windows of 1 s');
    expect(latency.curves[2]!.values[25]).toBe(percentilesOf(minute[25]!).p99);
    const long = plotsFor(layout, groupFrames(frames, 2_000_000), { type: 'everything' }, []);
    expect(long.find(({ id }) => id === 'latency')!.x.length).toBe(30);
  });

  test('p99 of nodes says over what it is', () => {
    const caption = (pointUs: number) =>
      plotsFor(layout, groupFrames(frames, pointUs), { type: 'zone', name: 'b' }, [])[1]!.caption;
    expect(caption(100_000)).toBe('over every 0.1 s');
    expect(caption(1_000_000)).toBe('the highest of any 0.1 s within each point');
  });

  test('errors are told by reason, and only while there are any', () => {
    const errors = plotOf({ type: 'everything' }, 'errors');
    expect(errors.stacked).toBe(true);
    expect(errors.curves.map((curve) => curve.name)).toEqual([
      'status 429',
      'status 503',
      'timeout',
    ]);
    const calm = plotsFor(layout, groupFrames(framesOf(100), 1e6), { type: 'everything' }, []);
    expect(calm.map((plot) => plot.id)).not.toContain('errors');
  });

  test('a block has its meters under their own names, and a hit ratio where hits are counted', () => {
    expect(plotOf({ type: 'block', name: 'links' }, 'meter-repairs').title).toBe('Repairs');
    expect(valuesOf({ type: 'block', name: 'hot' }, 'hits', 'hot')[10]).toBe(0.8);
    expect(plotOf({ type: 'block', name: 'links' }, 'hits')).toBeUndefined();
  });

  test('a node that serves nothing has no latency instead of a latency of zero', () => {
    expect(valuesOf({ type: 'node', id: 'links/1' }, 'latency', 'links/1')[25]).toBeNull();
  });

  test('zones and paths have theirs', () => {
    expect(plotOf({ type: 'zone', name: 'b' }, 'rate').curves[0]!.values[5]).toBeGreaterThan(0);
    const calls = valuesOf({ type: 'path', from: 'api', to: 'links' }, 'rate', 'calls');
    const fromOne = valuesOf({ type: 'path', from: 'api/1', to: 'links' }, 'rate', 'calls');
    expect(calls[3]! / fromOne[3]!).toBeCloseTo(25 / 8);
  });

  test('the selection on the page says what is charted', () => {
    expect(subjectOf(null)).toBeNull();
    expect(subjectOf({ type: 'users', id: 'users' })).toEqual({ type: 'everything' });
    expect(subjectOf({ type: 'path', id: 'api->links' })).toEqual({
      type: 'path',
      from: 'api',
      to: 'links',
    });
  });

  test('latency objectives are lines, others have no place on an axis of time', () => {
    expect(limitsOf({ p99: '50ms', availability: 0.99 })).toEqual([
      { name: 'p99 target', value: 50_000 },
    ]);
  });
});

describe('histogram', () => {
  const surge = mergedLatency(framesWithin(frames, 40_000_000, 48_000_000));

  test('holds every request of the span', () => {
    const bars = latencyBars(surge)!;
    const counted = bars.bars.reduce((total, bar) => total + bar.count, 0);
    expect(counted).toBe(surge.count);
    expect(framesWithin(frames, 40_000_000, 48_000_000)).toHaveLength(80);
    expect(barsInWords(bars)).toMatch(/^\d+ completed requests: p50 /);
  });

  test('is saved as what it shows', () => {
    const bars = latencyBars(surge)!;
    const colours = { paper: '#fff', text: '#000', faint: '#777', line: '#ddd', bar: '#07b' };
    expect(histogramSvg(bars, colours)).not.toContain('NaN');
    expect(histogramCsv(bars).split('\n')).toHaveLength(bars.bars.length + 2);
  });

  test('of nothing is nothing; of one value is one bar', () => {
    expect(latencyBars(new Histogram())).toBeUndefined();
    const one = new Histogram();
    one.record(0);
    expect(latencyBars(one)!.bars.filter((bar) => bar.count > 0)).toHaveLength(1);
  });
});
