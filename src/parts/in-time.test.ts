import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inTime } from './in-time.ts';

type Event = readonly [at: number, lane: string, what: 'call' | 'return', nth: number];

const order = {
  at: ([at]: Event) => at,
  lane: ([, lane]: Event) => lane,
  isCall: ([, , what]: Event) => what === 'call',
};

test('calls of an instant stand before returns of others', () => {
  const logs: Event[] = [
    [1, 'one', 'call', 1],
    [5, 'one', 'return', 2],
    [5, 'one', 'call', 3],
    [9, 'one', 'return', 4],
    [5, 'two', 'call', 5],
    [5, 'two', 'return', 6],
  ];
  expect(inTime(logs, order).map(([, , , nth]) => nth)).toEqual([1, 5, 2, 6, 3, 4]);
});

test('nothing is lost, times do not fall, and a lane keeps its order, whatever the logs', () => {
  const event = fc.tuple(
    fc.nat(3),
    fc.constantFrom('one', 'two', 'three'),
    fc.constantFrom('call' as const, 'return' as const),
  );
  fc.assert(
    fc.property(fc.array(event), (drawn) => {
      const events = drawn.map((one, nth): Event => [...one, nth]);
      const found = inTime(events, order);
      expect(found.toSorted((a, b) => a[3] - b[3])).toEqual(events);
      for (const [i, after] of found.entries()) {
        const before = found[i - 1];
        if (before) expect(after[0]).toBeGreaterThanOrEqual(before[0]);
      }
      for (const name of ['one', 'two', 'three']) {
        const own = found.filter(([, lane]) => lane === name);
        expect(own).toEqual(own.toSorted((a, b) => a[0] - b[0] || a[3] - b[3]));
      }
    }),
  );
});
