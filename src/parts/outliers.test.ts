import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { Outliers, outlierKnobs } from './outliers.ts';

const second = 1_000_000;

function outliersOf(options: OptionsOf<typeof outlierKnobs>, targets: number) {
  const { config, problems } = configure('outliers', outlierKnobs, options);
  expect(problems).toEqual([]);
  const outliers = new Outliers(config);
  return { outliers, slots: Array.from({ length: targets }, () => outliers.add()) };
}

describe('outlier ejection', () => {
  test('takes failures in a row, which a success interrupts', () => {
    const { outliers, slots } = outliersOf({ consecutive: 3 }, 3);
    const [sick, flaky] = slots;
    for (let i = 0; i < 9; i++) {
      if (i % 3 === 2) outliers.succeeded(flaky!, i);
      else outliers.failed(flaky!, i);
    }
    for (let i = 0; i < 3; i++) outliers.failed(sick!, i);
    expect(slots.map((slot) => outliers.isEjected(slot, 9))).toEqual([true, false, false]);
  });

  test('who is ejected again stays out longer, up to the most, and good conduct is remembered', () => {
    const { outliers, slots } = outliersOf(
      { consecutive: 1, interval: '1000s', ejectFor: '10s', ejectForMax: '25s' },
      2,
    );
    const out: number[] = [];
    let now = 0;
    for (let times = 0; times < 4; times++) {
      outliers.failed(slots[0]!, now);
      const from = now;
      while (outliers.isEjected(slots[0]!, now)) now += second;
      out.push((now - from) / second);
    }
    expect(out).toEqual([10, 20, 25, 25]);
    for (const later of [2_000, 4_000, 6_000, 8_000]) outliers.succeeded(slots[0]!, later * second);
    outliers.failed(slots[0]!, 8_001 * second);
    expect(outliers.isEjected(slots[0]!, 8_012 * second)).toBe(false);
  });

  test('compares success rates: the one far below the others goes, ordinary ones stay', () => {
    const { outliers, slots } = outliersOf({ consecutive: 1_000 }, 6);
    for (let i = 0; i < 200; i++) {
      for (const [place, slot] of slots.entries()) {
        const fails = place === 4 ? i % 2 === 0 : i % 50 === place;
        if (fails) outliers.failed(slot, i);
        else outliers.succeeded(slot, i);
      }
    }
    outliers.succeeded(slots[0]!, 11 * second);
    expect(slots.map((slot) => outliers.isEjected(slot, 11 * second))).toEqual([
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  test('never more than its share is out, never the last one, and nobody for ever', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0, 0.1, 0.5, 1),
        fc.array(fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: second }), fc.boolean()), {
          maxLength: 200,
        }),
        (size, ejectedMax, calls) => {
          const { outliers, slots } = outliersOf({ consecutive: 2, ejectedMax }, size);
          let now = 0;
          for (const [target, gapUs, ok] of calls) {
            now += gapUs;
            const slot = slots[target % size]!;
            if (ok) outliers.succeeded(slot, now);
            else outliers.failed(slot, now);
            const most = Math.min(size - 1, Math.max(1, Math.floor(size * ejectedMax)));
            if (outliers.ejectedCount(now) > most) return false;
          }
          return outliers.ejectedCount(now + 300 * second) === 0;
        },
      ),
    );
  });

  test('a place that was given back begins anew', () => {
    const { outliers, slots } = outliersOf({ consecutive: 1 }, 20);
    outliers.failed(slots[3]!, 0);
    outliers.remove(slots[3]!);
    expect(outliers.ejectedCount(1)).toBe(0);
    const again = outliers.add();
    expect([again, outliers.isEjected(again, 1)]).toEqual([slots[3], false]);
  });
});
