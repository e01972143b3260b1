import fc from 'fast-check';
import { expect, test } from 'vitest';
import { processNow } from './clocks.ts';
import { Turn } from './turn.ts';
import { Wheel } from './wheel.ts';

test('timers fire in order of their instants, never early, and not when cancelled', async () => {
  const wheel = new Wheel(processNow, (fire) => fire());
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ delayUs: fc.nat(30_000), cancel: fc.boolean() }), { maxLength: 60 }),
      async (wanted) => {
        const startedAt = processNow();
        const fired: {
          readonly dueAt: number;
          readonly at: number;
          readonly cancelled: boolean;
        }[] = [];
        let last = 0;
        for (const { delayUs, cancel } of wanted) {
          const dueAt = processNow() + delayUs;
          last = Math.max(last, delayUs);
          const timer = wheel.after(delayUs, () =>
            fired.push({ dueAt, at: processNow(), cancelled: cancel }),
          );
          if (cancel) timer.cancel();
        }
        await new Promise<void>((resolve) => {
          wheel.after(last + 1_000, resolve);
        });
        expect(fired.length).toBe(wanted.filter(({ cancel }) => !cancel).length);
        for (const [i, { dueAt, at, cancelled }] of fired.entries()) {
          expect(cancelled).toBe(false);
          expect(at).toBeGreaterThanOrEqual(dueAt);
          // Whole milliseconds: within one, the order is that of the instants.
          if (i > 0) expect(dueAt + 1_000).toBeGreaterThan(fired[i - 1]!.dueAt);
        }
        expect(wheel.size).toBe(0);
        expect(processNow()).toBeGreaterThan(startedAt);
      },
    ),
    { numRuns: 20 },
  );
});

test('a timer may cancel one that is due at the same moment', async () => {
  const wheel = new Wheel(processNow, (fire) => fire());
  const fired: string[] = [];
  await new Promise<void>((resolve) => {
    wheel.after(2_000, () => {
      fired.push('first');
      second.cancel();
    });
    const second = wheel.after(2_000, () => fired.push('second'));
    wheel.after(5_000, resolve);
  });
  expect(fired).toEqual(['first']);
});

test('timers longer than a round of the wheel wait their time', async () => {
  let now = 0;
  const wheel = new Wheel(
    () => now,
    (fire) => fire(),
  );
  const fired: number[] = [];
  wheel.after(5_000_000, () => fired.push(5));
  wheel.after(904_000, () => fired.push(1));
  now = 1_000_000;
  await new Promise<void>((resolve) => {
    wheel.after(1_000, () => {
      now = 1_100_000;
      resolve();
    });
    now = 1_002_000;
  });
  expect(fired).toEqual([1]);
  expect(wheel.size).toBe(1);
  wheel.close();
  expect(wheel.size).toBe(0);
});

test('a closed wheel fires nothing', async () => {
  const wheel = new Wheel(processNow, (fire) => fire());
  let fired = false;
  wheel.after(1_000, () => {
    fired = true;
  });
  wheel.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(fired).toBe(false);
});

test('one without a delay comes before what falls due while the process stands still', async () => {
  for (const setLate of [false, true]) {
    const wheel = new Wheel(processNow, (fire) => fire());
    const fired: string[] = [];
    const stand = (): void => {
      const until = processNow() + 20_000;
      while (processNow() < until);
    };
    await new Promise<void>((resolve) => {
      wheel.after(5_000, () => fired.push('delayed'));
      if (!setLate) wheel.after(0, () => fired.push('at once'));
      wheel.after(0, () => fired.push('cancelled')).cancel();
      stand();
      if (setLate) wheel.after(0, () => fired.push('at once'));
      wheel.after(30_000, resolve);
    });
    expect(fired).toEqual(setLate ? ['delayed', 'at once'] : ['at once', 'delayed']);
    expect(wheel.size).toBe(0);
  }
});

test('what a turn leaves to do happens after its handlers and before its end, in order', async () => {
  const order: string[] = [];
  const turn = new Turn((error) => order.push(`error ${String(error)}`));
  await new Promise<void>((resolve) => {
    turn.atEnd(() => order.push('history'));
    turn.atEnd(() => {
      order.push('frames');
      resolve();
    });
    turn.enter(
      () => {
        turn.later(() => order.push('later'));
        turn.soon(() => order.push('soon'));
        order.push('handler');
      },
      undefined,
      undefined,
    );
    order.push('after');
  });
  expect(order).toEqual(['handler', 'soon', 'after', 'later', 'history', 'frames']);
});

test('what a handler throws is heard, and a closed turn runs nothing more', () => {
  const heard: unknown[] = [];
  const turn = new Turn((error) => {
    heard.push(error);
    turn.close();
  });
  const fail = () => {
    throw new Error('no');
  };
  turn.enter(fail, undefined, undefined);
  turn.enter(fail, undefined, undefined);
  expect(heard).toEqual([new Error('no')]);
});
