import { expect, test } from 'vitest';
import { Meters } from '../kit/meters.ts';
import { Progressing } from './progress.ts';

test('progress sums what users saw so far, and tells the last second apart', () => {
  const meters = new Meters();
  const users = meters.meter('users/0', 'users', () => {});
  const progressing = new Progressing(10_000_000);
  const second = (at: number, completed: number) => {
    users.counter('generated').add(completed + 1);
    users.counter('completed').add(completed);
    users.counter('failed').add(1);
    if (completed > 0) users.histogram('latency').record(4_000);
    return progressing.after(at * 1_000_000, meters.window(at * 1_000_000));
  };
  expect(second(1, 30)).toMatchObject({
    generated: 31,
    completed: 30,
    failed: 1,
    throughputPerSec: 30,
  });
  expect(second(2, 50)).toMatchObject({
    phase: 'load',
    at: 2_000_000,
    endsAt: 10_000_000,
    generated: 82,
    completed: 80,
    failed: 2,
    rejected: 0,
    throughputPerSec: 50,
    p99Ms: expect.closeTo(4, 0),
  });
  expect(second(3, 0)).toMatchObject({ throughputPerSec: 0, p99Ms: 0 });
});
