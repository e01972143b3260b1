import { expect, test } from 'vitest';
import { Meters } from '../kit/meters.ts';
import { SeriesTable } from './series.ts';
import { member, planWith } from './testdata/plan.ts';

const plan = planWith([member('users/0', 'a'), member('api/0', 'a'), member('api/1', 'b')]);

function counted() {
  const meters = new Meters();
  const users = meters.meter('users/0', 'users', () => {});
  const api = meters.meter('api/0', 'api', () => {});
  const client = meters.meter('users/0', 'api', () => {});
  let at = 0;
  return (completed: number, latencyUs: number) => {
    users.counter('completed').add(completed);
    users.counter('failed').add(1);
    users.counter('rejected').add(1);
    for (let i = 0; i < completed; i++) users.histogram('latency').record(latencyUs);
    api.counter('requests').add(completed);
    // The half of a block on another node is not its member.
    client.counter('requests').add(100);
    at += 1_000_000;
    return meters.window(at).readings;
  };
}

test('a second is what was counted in it, in as many pieces as it came', () => {
  const count = counted();
  const table = new SeriesTable(plan);
  table.add(0, count(10, 1_000));
  table.add(1, count(10, 2_000));
  table.add(1, count(30, 4_000));
  table.add(2, []);
  expect(table.series()).toEqual({
    at: [0, 1, 2],
    throughput: [10, 40, 0],
    errors: [2, 4, 0],
    p50Ms: [1, expect.closeTo(4, 1), 0],
    p99Ms: [1, 4, 0],
    blocks: { api: [10, 40, 0] },
  });
});

test('what comes late is counted where it belongs', () => {
  const count = counted();
  const table = new SeriesTable(plan);
  table.add(0, count(10, 1_000));
  table.add(20, count(1, 1_000));
  table.add(0, count(10, 9_000));
  const { throughput, p99Ms } = table.series();
  expect(throughput.slice(0, 2)).toEqual([20, 0]);
  expect(p99Ms[0]).toBe(9);
});

test('a day of seconds keeps its figures, and only those', () => {
  const count = counted();
  const table = new SeriesTable(plan);
  const readings = count(50, 3_000);
  const before = process.memoryUsage().heapUsed;
  for (let second = 0; second < 86_400; second++) table.add(second, structuredClone(readings));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
  const { p99Ms, throughput } = table.series(86_402);
  expect([p99Ms[0], p99Ms[86_399], p99Ms[86_401]]).toEqual([3, 3, 0]);
  expect(throughput[1]).toBe(50);
});
