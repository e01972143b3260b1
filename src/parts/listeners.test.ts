import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Listeners } from './listeners.ts';

type How = 'shared' | 'sharded';

/** Listeners that take nothing until they are told to. */
function crowd(how: How, ids: readonly string[], backlog = 100) {
  const woken: string[] = [];
  const dropped: string[] = [];
  const taken = new Map<string, number[]>();
  const listeners = new Listeners<number>({
    lines: { how, backlog },
    wake: (id) => woken.push(id),
    drop: (item, why) => dropped.push(`${item} ${why}`),
  });
  for (const id of ids) listeners.joined(id);
  return {
    listeners,
    woken,
    dropped,
    taken,
    come: (item: number) => listeners.came(`10.0.0.${item % 250}:${40_000 + item}`, item),
    turn: (id: string) =>
      listeners.turn(id, (item) => taken.set(id, [...(taken.get(id) ?? []), item])),
  };
}

describe('one line for all', () => {
  test('whoever gets round to it takes the next, in the order of coming', () => {
    const { come, turn, taken } = crowd('shared', ['a', 'b']);
    for (const item of [1, 2, 3]) come(item);
    turn('b');
    turn('b');
    turn('a');
    expect([...taken]).toEqual([
      ['b', [1, 2]],
      ['a', [3]],
    ]);
  });

  test('what waits outlives a listener, but not the last', () => {
    const { listeners, come, dropped } = crowd('shared', ['a', 'b']);
    come(1);
    listeners.left('a');
    expect(dropped).toEqual([]);
    listeners.left('b');
    come(2);
    expect(dropped).toEqual(['1 gone', '2 nobody']);
  });

  test('equals are woken by turns, and who comes late finds what waits', () => {
    const { listeners, come, turn, woken } = crowd('shared', ['a', 'b', 'c']);
    come(1);
    for (const id of ['a', 'b', 'c']) turn(id);
    come(2);
    expect(woken).toEqual(['a', 'b', 'c', 'b', 'c', 'a']);
    listeners.joined('d');
    expect(woken.at(-1)).toBe('d');
  });
});

describe('a line each', () => {
  test('a client is dealt to one, and to the same one again', () => {
    const { listeners } = crowd('sharded', ['a', 'b', 'c']);
    const client = '10.0.0.7:40001';
    expect(new Set([1, 2, 3].map(() => listeners.dealt(client))).size).toBe(1);
  });

  test('many clients spread evenly', () => {
    const { come, woken, turn, taken } = crowd('sharded', ['a', 'b', 'c', 'd']);
    for (let item = 0; item < 4_000; item++) {
      come(item);
      turn(woken.pop()!);
    }
    const shares = [...taken.values()].map(({ length }) => length);
    // Three standard deviations of a fair deal are 82.
    for (const share of shares) expect(Math.abs(share - 1_000)).toBeLessThan(100);
  });

  test('what waits for a listener is lost with it, and nothing else', () => {
    const { listeners, come, dropped } = crowd('sharded', ['a', 'b']);
    for (let item = 0; item < 20; item++) come(item);
    const before = listeners.size;
    listeners.left('a');
    expect(dropped.length).toBeGreaterThan(0);
    expect(dropped.every((line) => line.endsWith('gone'))).toBe(true);
    expect(before - listeners.size).toBe(dropped.length);
  });
});

test('a line that is full refuses', () => {
  const { come, dropped } = crowd('shared', ['a'], 2);
  for (const item of [1, 2, 3]) come(item);
  expect(dropped).toEqual(['3 full']);
});

test.each(['shared', 'sharded'] as const)(
  'whatever happens, each connection ends once, and nothing waits while all that are woken had their turn (%s)',
  (how) => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('come' as const) }) },
      {
        weight: 8,
        arbitrary: fc.record({ do: fc.constant('turn' as const), pick: fc.nat(9) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom('left' as const, 'joined' as const),
          id: fc.constantFrom('a', 'b', 'c'),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { listeners, come, turn, woken, taken, dropped } = crowd(how, ['a', 'b'], 5);
        let count = 0;
        for (const one of steps) {
          if (one.do === 'come') come(count++);
          else if (one.do === 'turn') {
            const [id] = woken.splice(one.pick % Math.max(1, woken.length), 1);
            if (id) turn(id);
          } else {
            if (one.do === 'left')
              for (const id of woken.splice(0)) if (id !== one.id) woken.push(id);
            listeners[one.do](one.id);
          }
        }
        while (woken.length > 0) turn(woken.shift()!);
        expect(listeners.size).toBe(0);
        const takenCount = [...taken.values()].reduce((sum, { length }) => sum + length, 0);
        expect(takenCount + dropped.length).toBe(count);
      }),
    );
  },
);
