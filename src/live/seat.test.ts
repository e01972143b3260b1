/** What the supervisor keeps of a node. */
import { expect, test } from 'vitest';
import { Seat } from './seat.ts';
import { nodePlan } from './testdata/programs.ts';

const reading = {
  processBusyUs: 0,
  meters: undefined,
  window: { fromUs: 0, toUs: 0, readings: [] },
  historyEvents: 0,
  transport: {
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    framesOverLimit: 0,
    malformed: 0,
    strangers: 0,
  },
};

async function later(ms = 5): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

test('the longest silence of a node counts, also once it speaks again', async () => {
  const seat = new Seat(nodePlan('a/0', 'echo'));
  expect(seat.silentMs).toBe(0);
  seat.state = 'up';
  seat.heard();
  await later(40);
  seat.read(reading);
  const longest = seat.silentMs;
  expect(longest).toBeGreaterThan(0);
  seat.read(reading);
  expect(seat.silentMs).toBe(longest);
});

test('who is down, or made to stand still, need not speak', async () => {
  const seat = new Seat(nodePlan('a/0', 'echo'));
  seat.state = 'up';
  seat.pauses = 1;
  await later();
  expect(seat.silentMs).toBe(0);
  seat.pauses = 0;
  seat.state = 'down';
  expect(seat.silentMs).toBe(0);
});
