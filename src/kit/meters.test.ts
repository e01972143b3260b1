import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';
import { Meters, mergeSnapshots } from './meters.ts';

const ignore = () => {};

function filled(node: string, values: readonly number[]): Meters {
  const meters = new Meters();
  const meter = meters.meter(node, 'api', ignore);
  for (const value of values) {
    meter.counter('requests').add();
    meter.histogram('latency').record(value);
    meter.gauge('queue').set(value);
  }
  return meters;
}

test('a snapshot has everything since the start, a window what happened in it', () => {
  const meters = new Meters();
  const meter = meters.meter('api/0', 'api', ignore);
  const [requests, queue, latency] = [
    meter.counter('requests'),
    meter.gauge('queue'),
    meter.histogram('latency'),
  ];
  requests.add();
  requests.add(4);
  queue.set(7);
  queue.set(2);
  latency.record(100);
  const first = meters.window(1_000_000);
  expect(first).toMatchObject({
    fromUs: 0,
    toUs: 1_000_000,
    readings: [
      {
        node: 'api/0',
        block: 'api',
        counters: { requests: 5 },
        gauges: { queue: { last: 2, min: 0, max: 7 } },
        histograms: { latency: { count: 1, min: 100, max: 100 } },
      },
    ],
  });
  requests.add();
  latency.record(300);
  const second = meters.window(2_000_000);
  expect(second.readings[0]).toMatchObject({
    counters: { requests: 1 },
    gauges: { queue: { last: 2, min: 2, max: 2 } },
    histograms: { latency: { count: 1, min: 300, max: 300 } },
  });
  requests.add();
  latency.record(200);
  expect(meters.snapshot()[0]).toMatchObject({
    counters: { requests: 7 },
    gauges: { queue: { last: 2, min: 0, max: 7 } },
    histograms: { latency: { count: 3, min: 100, max: 300, sum: 600 } },
  });
});

test('a node in which nothing happened is not in the window', () => {
  const meters = new Meters();
  meters.meter('quiet/0', 'quiet', ignore).counter('requests');
  meters.meter('busy/0', 'busy', ignore).counter('requests').add();
  expect(meters.window(1).readings.map(({ node }) => node)).toEqual(['busy/0']);
  expect(meters.window(2).readings).toEqual([]);
});

test('lives of a node and programs of a block share their meters', () => {
  const meters = new Meters();
  for (let life = 1; life <= 3; life++) {
    meters.meter('api/0', 'api', ignore).counter('requests').add();
  }
  meters.meter('api/0', 'links', ignore).counter('requests').add();
  expect(meters.snapshot().map(({ block, counters }) => [block, counters.requests])).toEqual([
    ['api', 3],
    ['links', 1],
  ]);
});

test('after a warm-up, counts begin again', () => {
  const meters = filled('api/0', [5, 9]);
  meters.clear(500);
  expect(meters.snapshot()[0]).toMatchObject({
    counters: { requests: 0 },
    gauges: { queue: { last: 9, min: 9, max: 9 } },
    histograms: { latency: { count: 0 } },
  });
  expect(meters.window(900)).toMatchObject({ fromUs: 500, toUs: 900 });
});

test('snapshots of several processes add up', () => {
  const merged = mergeSnapshots([
    filled('api/0', [10, 20]).snapshot(),
    filled('api/1', [50]).snapshot(),
    filled('api/0', [30]).snapshot(),
  ]);
  expect(merged.map(({ node, counters }) => [node, counters.requests])).toEqual([
    ['api/0', 3],
    ['api/1', 1],
  ]);
  const latency = Histogram.fromJSON(merged[0]!.histograms.latency!);
  expect([latency.count, latency.min, latency.mean, latency.max]).toEqual([3, 10, 20, 30]);
  expect(merged[0]!.gauges.queue).toEqual({ last: 30, min: 0, max: 30 });
});

test('notes are handed on as they are', () => {
  const notes: string[] = [];
  new Meters().meter('a', 'b', (text) => notes.push(text)).note('elected');
  expect(notes).toEqual(['elected']);
});
