import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

test('a fifo gives what an array gives, in the same order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -20, max: 30 }), { maxLength: 60 }), (bursts) => {
      const fifo = new Fifo<number>();
      const twin: number[] = [];
      let next = 0;
      for (const burst of bursts) {
        for (let i = 0; i < burst * 40; i++) {
          fifo.push(next);
          twin.push(next++);
        }
        for (let i = 0; i < -burst * 40; i++) {
          if (fifo.shift() !== twin.shift()) return false;
        }
        if (fifo.size !== twin.length) return false;
      }
      return true;
    }),
    { numRuns: 50 },
  );
});

test('an empty fifo gives nothing, again and again', () => {
  const fifo = new Fifo<string>();
  expect([fifo.shift(), fifo.shift(), fifo.size]).toEqual([undefined, undefined, 0]);
  fifo.push('a');
  expect([fifo.shift(), fifo.shift(), fifo.size]).toEqual(['a', undefined, 0]);
});
