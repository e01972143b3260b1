import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bulkhead } from './bulkhead.ts';

test('does what a list and a counter do, and loses nobody', () => {
  const actions = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 400 });
  fc.assert(
    fc.property(
      actions,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 20 }),
      (steps, slots, queueMax) => {
        const bulkhead = new Bulkhead<{ id: number }>({ slots, queueMax });
        const queue: { id: number }[] = [];
        let entered = 0;
        for (const [id, step] of steps.entries()) {
          if (step < 5) {
            const caller = { id };
            const expected =
              entered < slots ? 'entered' : queue.length < queueMax ? 'queued' : 'full';
            if (expected === 'entered') entered++;
            if (expected === 'queued') queue.push(caller);
            if (bulkhead.enter(caller) !== expected) return false;
          } else if (step < 8 && entered > 0) {
            const next = queue.shift();
            if (next === undefined) entered--;
            if (bulkhead.leave() !== next) return false;
          } else if (queue.length > 0) {
            const [gone] = queue.splice(id % queue.length, 1);
            if (!bulkhead.withdraw(gone!) || bulkhead.withdraw(gone!)) return false;
          }
          if (bulkhead.entered !== entered || bulkhead.waiting !== queue.length) return false;
        }
        return true;
      },
    ),
  );
});

test('nobody leaves who did not enter', () => {
  expect(() => new Bulkhead({ slots: 1, queueMax: 0 }).leave()).toThrow(/only what entered/);
});
