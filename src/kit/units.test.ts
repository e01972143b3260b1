import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatRate,
  parseBytes,
  parseDuration,
  parseRate,
  ratePerSec,
} from './units.ts';

describe('durations', () => {
  test.each([
    ['1us', 1],
    ['0.4ms', 400],
    ['250ms', 250_000],
    ['1.5s', 1_500_000],
    ['2m', 120_000_000],
    ['2min', 120_000_000],
    ['24h', 86_400_000_000],
    ['7d', 604_800_000_000],
    [' 5 ms ', 5_000],
    ['0.3us', 0],
  ])('%j is %i us', (text, us) => {
    expect(parseDuration(text)).toBe(us);
  });

  test.each(['', '5', 'ms', '-5ms', '5 parsecs', '1e3ms', '1,5s', '5ms 3us', '.5s', '5MS'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test.each([
    [0, '0us'],
    [999, '999us'],
    [1_500, '1.5ms'],
    [250_000, '250ms'],
    [61_000_000, '1.02min'],
    [-1_500, '-1.5ms'],
    [5_400_000_000, '1.5h'],
    [172_800_000_000, '2d'],
  ])('%i us is told as %s', (us, text) => {
    expect(formatDuration(us)).toBe(text);
  });
});

describe('rates', () => {
  test.each([
    ['100/s', { count: 100, periodUs: 1_000_000 }],
    ['10/min', { count: 10, periodUs: 60_000_000 }],
    ['3 / h', { count: 3, periodUs: 3_600_000_000 }],
    ['0.5/s', { count: 5, periodUs: 10_000_000 }],
    ['2.25/ms', { count: 225, periodUs: 100_000 }],
  ])('%j keeps whole counts', (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });

  test.each(['', '100', '/s', '100/', '100/year', '-1/s', '1e3/s'])('%j is none', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });

  test('a fraction is widened and not lost', () => {
    for (const text of ['0.1/s', '33.3/s', '0.125/min', '1.000001/s']) {
      const rate = parseRate(text)!;
      expect(Number.isInteger(rate.count)).toBe(true);
      const [number, unit] = text.split('/');
      expect(ratePerSec(rate)).toBeCloseTo(Number(number) / (unit === 'min' ? 60 : 1), 9);
    }
  });

  test('are told in the unit they were given in, or a second', () => {
    expect(formatRate(parseRate('100/s')!)).toBe('100/s');
    expect(formatRate(parseRate('10/min')!)).toBe('10/min');
    expect(formatRate(parseRate('0.5/s')!)).toBe('0.5/s');
  });
});

describe('sizes', () => {
  test.each([
    ['64MB', 64_000_000],
    ['1kB', 1_000],
    ['1KB', 1_000],
    ['1KiB', 1_024],
    ['1.5GiB', 1_610_612_736],
    ['7B', 7],
  ])('%j is %i bytes', (text, size) => {
    expect(parseBytes(text)).toBe(size);
  });

  test.each(['', '64', '64mb', 'MB', '-1MB', '64 M'])('%j is none', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });

  test.each([
    [999, '999B'],
    [1_500, '1.5kB'],
    [64_000_000, '64MB'],
    [2e9, '2GB'],
    [5e12, '5TB'],
  ])('%i bytes are told as %s', (size, text) => {
    expect(formatBytes(size)).toBe(text);
  });
});
