import { describe, expect, test } from 'vitest';
import { clockText, countText, durationText, plural, rateText, shareText } from './format.ts';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('figures', () => {
  test('durations have three digits and a unit', () => {
    expect(plain(durationText(412))).toBe('412 µs');
    expect(plain(durationText(3_274))).toBe('3.27 ms');
    expect(plain(durationText(90_000_000))).toBe('1.5 min');
    expect(plain(durationText(0))).toBe('0 µs');
  });

  test('a clock shows tenths below an hour', () => {
    expect(clockText(12_300_000)).toBe('0:12.3');
    expect(clockText(62_000_000, false)).toBe('1:02');
    expect(clockText(3_723_000_000)).toBe('1:02:03');
    expect(clockText(100_000)).toBe('0:00.1');
  });

  test('counts stay short', () => {
    expect(countText(0)).toBe('0');
    expect(countText(4.5)).toBe('4.5');
    expect(countText(1_204)).toBe('1,204');
    expect(countText(12_345)).toBe('12.3k');
    expect(countText(10_000_000)).toBe('10M');
    expect(rateText(502.4)).toBe('502/s');
  });

  test('a share is 100 % or 0 % only when it is', () => {
    expect(plain(shareText(1))).toBe('100 %');
    expect(plain(shareText(0.99997))).toBe('99.997 %');
    expect(plain(shareText(0.9123))).toBe('91.2 %');
    expect(plain(shareText(0.0123))).toBe('1.23 %');
    expect(plain(shareText(0.00001))).toBe('< 0.01 %');
    expect(plain(shareText(0))).toBe('0 %');
  });

  test('one is not many', () => {
    expect(plural(1, 'fault')).toBe('1 fault');
    expect(plural(1_200, 'fault')).toBe('1,200 faults');
  });
});
