import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attemptUs, earlier, leftUs, parseTimeout, timeoutText } from './deadline.ts';

describe('a deadline', () => {
  test('leaves nothing once it has come, and less by what the way back takes', () => {
    expect([leftUs(100, 60), leftUs(100, 60, 30), leftUs(100, 80, 30), leftUs(100, 130)]).toEqual([
      40, 10, 0, 0,
    ]);
    expect([earlier(100, undefined), earlier(100, 90), earlier(100, 200)]).toEqual([100, 90, 100]);
  });

  test('is never passed by an attempt, and attempts without a timeout share it', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10_000_000 }),
        fc.option(fc.integer({ min: 1, max: 10_000_000 }), { nil: undefined }),
        fc.integer({ min: 1, max: 5 }),
        (left, attemptTimeoutUs, attemptsLeft) => {
          const us = attemptUs({ leftUs: left, attemptTimeoutUs, attemptsLeft });
          if (us > left || (left > 0 && us < 1)) return false;
          return attemptTimeoutUs === undefined || us === Math.min(left, attemptTimeoutUs);
        },
      ),
    );
    expect(attemptUs({ leftUs: 900, attemptTimeoutUs: undefined, attemptsLeft: 3 })).toBe(300);
  });

  test('crosses as text: exactly where eight digits allow, never longer than it was', () => {
    fc.assert(
      fc.property(fc.nat({ max: 50_000_000_000 }), (timeoutUs) => {
        const text = timeoutText(timeoutUs);
        const read = parseTimeout(text)!;
        if (!/^\d{1,8}[umSMH]$/.test(text) || read > timeoutUs) return false;
        return timeoutUs > 99_999_999 ? read > timeoutUs - 1_000_000 : read === timeoutUs;
      }),
    );
    expect([timeoutText(0), timeoutText(60_000_000), timeoutText(1_500)]).toEqual([
      '0u',
      '1M',
      '1500u',
    ]);
  });

  test('what is no timeout is none', () => {
    const texts = ['', '5', 'S', '-1S', '1.5S', '123456789S', '5s', '5 S'];
    expect(texts.map(parseTimeout)).toEqual(texts.map(() => undefined));
    expect(parseTimeout('2500n')).toBe(2);
  });
});
