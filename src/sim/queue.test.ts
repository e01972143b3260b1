import { describe, expect, test } from 'vitest';
import { type Random, seeded } from '../kit/random.ts';
import { EventQueue } from './queue.ts';

/** How far ahead of now an event is pushed: shapes that lead a ladder into different corners. */
const shapes: Readonly<Record<string, (random: Random) => number>> = {
  'a few ties': (random) => random.below(50),
  'wide and flat': (random) => random.below(1_000_000),
  'mostly now': (random) => (random.chance(0.7) ? 0 : random.below(10)),
  'near and very far': (random) =>
    random.chance(0.8) ? random.below(100) : 30_000_000 + random.below(1_000),
  'all at the same distance': () => 500,
  exponential: (random) => Math.round(-1000 * Math.log(1 - random.next())),
  'fractions of a microsecond': (random) => random.next() / 1000,
};

interface Event {
  readonly time: number;
  readonly id: number;
  readonly slot: number;
  readonly generation: number;
}

describe.each(Object.entries(shapes))('the queue, %s', (_name, ahead) => {
  test.each([1, 2, 3, 4, 5])('gives events in order of time, then of arrival (seed %i)', (seed) => {
    const random = seeded(seed);
    const queue = new EventQueue();
    // The dumb twin: a sorted array.
    const waiting: Event[] = [];
    let id = 0;
    const push = () => {
      const time = queue.now + ahead(random);
      const slot = queue.push(time, 1, 0, 0, id, undefined);
      let low = 0;
      let high = waiting.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (waiting[middle]!.time <= time) low = middle + 1;
        else high = middle;
      }
      waiting.splice(low, 0, { time, id: id++, slot, generation: queue.generation(slot) });
    };
    // Collected and compared once: an assertion an event would take longer than the queue.
    const popped: unknown[] = [];
    const expected: unknown[] = [];
    for (let round = 0; round < 60; round++) {
      // Swings between nearly empty and thousands, so that rungs open and close.
      const burst = random.chance(0.1) ? 3000 : random.below(100);
      for (let i = 0; i < burst; i++) push();
      const drains = random.chance(0.1) ? waiting.length : random.below(burst + 50);
      for (let i = 0; i < drains; i++) {
        if (waiting.length > 0 && random.chance(0.3)) {
          const [dropped] = waiting.splice(random.below(waiting.length), 1);
          popped.push(queue.cancel(dropped!.slot, dropped!.generation));
          popped.push(queue.cancel(dropped!.slot, dropped!.generation));
          expected.push(true, false);
        }
        if (random.chance(0.3)) push();
        const first = waiting.shift();
        if (random.chance(0.2)) {
          popped.push(queue.peek());
          expected.push(first?.time ?? Number.POSITIVE_INFINITY);
        }
        popped.push(queue.pop(Number.POSITIVE_INFINITY));
        expected.push(first !== undefined);
        if (!first) break;
        popped.push(queue.a, queue.now);
        expected.push(first.id, first.time);
      }
      popped.push(queue.size);
      expected.push(waiting.length);
    }
    expect(popped).toEqual(expected);
  });
});

test('an event later than asked for stays where it is', () => {
  const queue = new EventQueue();
  queue.push(10, 1, 0, 0, 'ten', undefined);
  expect(queue.pop(9)).toBe(false);
  expect(queue.now).toBe(0);
  expect(queue.pop(10)).toBe(true);
  expect([queue.now, queue.a]).toEqual([10, 'ten']);
});

test('what was pushed for an instant before it came goes before what is pushed in it', () => {
  const queue = new EventQueue();
  for (const name of ['first', 'second', 'third']) queue.push(5, 1, 0, 0, name, undefined);
  const seen: unknown[] = [];
  while (queue.pop(5)) {
    seen.push(queue.a);
    if (queue.a === 'first') queue.push(5, 1, 0, 0, 'now', undefined);
  }
  expect(seen).toEqual(['first', 'second', 'third', 'now']);
});

test('cancelled events do not pile up: memory follows what waits', () => {
  const queue = new EventQueue();
  // 20,000 requests a second, each with a 30 s timeout that is cancelled after 5 ms.
  const open: { slot: number; generation: number }[] = [];
  let capacityMax = 0;
  // What waits over the whole minute spreads the ladder over it: the timeouts fall into buckets that
  // are not looked at for half a minute.
  for (let i = 1; i <= 60; i++) queue.push(i * 1_000_000, 1, 0, 0, undefined, undefined);
  for (let request = 0; request < 200_000; request++) {
    const at = request * 50;
    while (queue.pop(at));
    queue.now = at;
    const slot = queue.push(at + 30_000_000, 1, 0, 0, undefined, undefined);
    open.push({ slot, generation: queue.generation(slot) });
    if (open.length > 100) {
      const done = open.shift()!;
      queue.cancel(done.slot, done.generation);
    }
    capacityMax = Math.max(capacityMax, queue.capacity);
  }
  expect(queue.size).toBe(100 + 60 - 9);
  expect(capacityMax).toBeLessThanOrEqual(4096);
});
