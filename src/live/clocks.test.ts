import { expect, test } from 'vitest';
import { machineNow, offsetUs } from './clocks.ts';

test('a process that stands still between two readings does not get a clock of its own', () => {
  // The clocks are 1,000 us apart; the first two tries are interrupted for 8 ms.
  let now = 0;
  let readings = 0;
  const ours = () => {
    now += 1;
    return now;
  };
  const theirs = () => {
    now += 1;
    const seen = now + 1_000;
    if (readings++ < 2) now += 8_000;
    return seen;
  };
  expect(offsetUs(ours, theirs)).toBe(1_000);
});

test('the machine’s clock is the one that every process reads', () => {
  const atUs = () => Number(process.hrtime.bigint() / 1_000n);
  // An interruption between the three readings only widens what is allowed.
  const before = atUs();
  const now = machineNow();
  const after = atUs();
  expect(now).toBeGreaterThanOrEqual(before - 10);
  expect(now).toBeLessThanOrEqual(after + 10);
});
