/** What deadlines promise, on a clock that the test moves, beside a twin with a timer for each. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Timer } from '../host/host.ts';
import { Deadlines } from './deadlines.ts';

/** Timers as a list. */
class Bench {
  time = 0;
  setCount = 0;
  timers: { readonly at: number; readonly fire: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(delayUs: number, fire: () => void): Timer {
    this.setCount++;
    const timer = { at: this.time + delayUs, fire };
    this.timers.push(timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((one) => one !== timer);
      },
    };
  }

  runUntil(time: number): void {
    for (;;) {
      const [first] = this.timers.filter(({ at }) => at <= time).sort((a, b) => a.at - b.at);
      if (!first) break;
      this.timers = this.timers.filter((one) => one !== first);
      this.time = Math.max(this.time, first.at);
      first.fire();
    }
    this.time = time;
  }
}

interface Waiting {
  readonly until: number;
}

function made() {
  const bench = new Bench();
  const waiting = new Map<number, Waiting>();
  const came: (readonly [id: number, at: number])[] = [];
  const due = (id: number): void => {
    waiting.delete(id);
    came.push([id, bench.time]);
  };
  const deadlines = new Deadlines(bench, { waiting, due });
  const set = (id: number, until: number): void => {
    waiting.set(id, { until });
    deadlines.set(id, until);
  };
  return { bench, waiting, came, set };
}

describe('deadlines', () => {
  test('come at their instant, in their order, unless lifted or moved', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), id: fc.nat(40), in: fc.nat(50) }),
      fc.record({ do: fc.constant('lift' as const), id: fc.nat(40) }),
      fc.record({ do: fc.constant('pass' as const), us: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { bench, waiting, came, set } = made();
        const twin = new Map<number, number>();
        const expected: (readonly [number, number])[] = [];
        const pass = (us: number): void => {
          const until = bench.time + us;
          const over = [...twin].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b);
          for (const [id, at] of over) {
            twin.delete(id);
            expected.push([id, at]);
          }
          bench.runUntil(until);
        };
        for (const each of steps) {
          if (each.do === 'pass') pass(each.us);
          else if (each.do === 'lift') {
            waiting.delete(each.id);
            twin.delete(each.id);
          } else {
            // Whole microseconds from now, and one at least: what is due at once has its own order.
            set(each.id, bench.time + each.in + 1);
            twin.set(each.id, bench.time + each.in + 1);
          }
        }
        pass(1_000);
        const inOrder = (list: readonly (readonly [number, number])[]) =>
          [...list].sort(([a, s], [b, t]) => s - t || a - b);
        expect(inOrder(came)).toEqual(inOrder(expected));
        expect(came.map(([, at]) => at)).toEqual(inOrder(came).map(([, at]) => at));
      }),
    );
  });

  test('take a timer for all of them, not one each', () => {
    const { bench, waiting, came, set } = made();
    for (let id = 0; id < 100_000; id++) {
      set(id, bench.time + 1_000_000);
      bench.runUntil(bench.time + 100);
      waiting.delete(id);
    }
    bench.runUntil(bench.time + 2_000_000);
    expect(came).toEqual([]);
    expect(bench.setCount).toBeLessThan(50);
  });

  test('that are set when one comes are waited for as well', () => {
    const bench = new Bench();
    const waiting = new Map<number, Waiting>();
    const came: number[] = [];
    const deadlines: Deadlines = new Deadlines(bench, {
      waiting,
      due(id) {
        came.push(bench.time);
        waiting.delete(id);
        if (id >= 3) return;
        waiting.set(id + 1, { until: bench.time + 10 });
        deadlines.set(id + 1, bench.time + 10);
      },
    });
    waiting.set(0, { until: 5 });
    deadlines.set(0, 5);
    bench.runUntil(100);
    expect(came).toEqual([5, 15, 25, 35]);
  });
});
