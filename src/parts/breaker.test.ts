import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { Breaker, type BreakerChange, breakerKnobs } from './breaker.ts';

function breakerOf(
  options: OptionsOf<typeof breakerKnobs>,
  onChange?: (change: BreakerChange) => void,
): Breaker {
  const { config, problems } = configure('breaker', breakerKnobs, options);
  expect(problems).toEqual([]);
  return new Breaker(config, onChange);
}

const ms = 1_000;
const second = 1_000_000;

function call(breaker: Breaker, now: number, ok: boolean, tookUs = 500): boolean {
  const permit = breaker.enter(now);
  if (permit === 0) return false;
  if (ok) breaker.succeeded(permit, now, tookUs);
  else breaker.failed(permit, now, tookUs);
  return true;
}

describe('a breaker', () => {
  test('opens at the share of failures, not below, and not before there are enough calls', () => {
    const breaker = breakerOf({ failureRatio: 0.5, volumeMin: 10 });
    for (let i = 0; i < 9; i++) call(breaker, i, false);
    expect(breaker.phaseAt(9)).toBe('closed');
    call(breaker, 9, true);
    expect(breaker.phaseAt(9)).toBe('closed');
    call(breaker, 10, false);
    expect(breaker.phaseAt(10)).toBe('open');

    const calm = breakerOf({ failureRatio: 0.5, volumeMin: 10 });
    for (let i = 0; i < 1_000; i++) call(calm, i, i % 2 === 0 || i % 20 === 1);
    expect(calm.phaseAt(1_000)).toBe('closed');
  });

  test('forgets what has left the window', () => {
    const breaker = breakerOf({ volumeMin: 10, window: '10s' });
    for (let i = 0; i < 9; i++) call(breaker, i, false);
    for (let i = 0; i < 9; i++) call(breaker, 11 * second + i, false);
    expect(breaker.phaseAt(11 * second + 9)).toBe('closed');
    call(breaker, 11 * second + 9, false);
    expect(breaker.phaseAt(11 * second + 9)).toBe('open');
  });

  test('old failures do not open it among new successes', () => {
    const breaker = breakerOf({ volumeMin: 10, window: '10s' });
    for (let i = 0; i < 9; i++) call(breaker, i, false);
    for (let i = 0; i < 9; i++) call(breaker, 11 * second + i, true);
    call(breaker, 11 * second + 9, false);
    expect(breaker.phaseAt(11 * second + 9)).toBe('closed');
  });

  test('opens after so many failures in a row, which a success interrupts', () => {
    const breaker = breakerOf({ consecutive: 3 });
    for (const ok of [false, false, true, false, false]) call(breaker, 0, ok);
    expect(breaker.phaseAt(0)).toBe('closed');
    call(breaker, 0, false);
    expect(breaker.phaseAt(0)).toBe('open');
  });

  test('opens when too many are slow, although they succeed', () => {
    const breaker = breakerOf({ slowCall: '100ms', slowRatio: 0.8, volumeMin: 10 });
    for (let i = 0; i < 10; i++) call(breaker, i, true, i < 3 ? 5 * ms : 200 * ms);
    expect(breaker.phaseAt(10)).toBe('closed');
    for (let i = 0; i < 5; i++) call(breaker, i, true, 100 * ms);
    expect(breaker.phaseAt(10)).toBe('open');
  });

  test('while open nothing passes; then as many as it tries, and no more', () => {
    const breaker = breakerOf({ consecutive: 1, openFor: '5s', trials: 2 });
    call(breaker, 0, false);
    expect(breaker.enter(5 * second - 1)).toBe(0);
    expect(breaker.retryAfterUs(2 * second)).toBe(3 * second);
    const first = breaker.enter(5 * second);
    const second2 = breaker.enter(5 * second);
    expect([first > 0, second2 > 0, breaker.enter(5 * second)]).toEqual([true, true, 0]);
    breaker.succeeded(first, 6 * second, 1);
    expect(breaker.phaseAt(6 * second)).toBe('half-open');
    breaker.succeeded(second2, 6 * second, 1);
    expect(breaker.phaseAt(6 * second)).toBe('closed');
  });

  test('one failed trial opens it again, a slow one too', () => {
    const breaker = breakerOf({ consecutive: 1, openFor: '5s', trials: 2, slowCall: '1s' });
    call(breaker, 0, false);
    call(breaker, 5 * second, false);
    expect(breaker.phaseAt(9 * second)).toBe('open');
    call(breaker, 10 * second, true, 2 * second);
    expect(breaker.phaseAt(14 * second)).toBe('open');
  });

  test('a trial that was given up leaves its place to another', () => {
    const breaker = breakerOf({ consecutive: 1, openFor: '1s' });
    call(breaker, 0, false);
    const trial = breaker.enter(second);
    expect(breaker.enter(second)).toBe(0);
    breaker.abandoned(trial);
    expect(breaker.enter(second)).toBeGreaterThan(0);
  });

  test('late failures of calls from before it opened do not spoil a trial', () => {
    const breaker = breakerOf({ consecutive: 1, openFor: '1s' });
    const late = breaker.enter(0);
    call(breaker, 0, false);
    const trial = breaker.enter(second);
    breaker.failed(late, second, second);
    expect(breaker.phaseAt(second)).toBe('half-open');
    breaker.succeeded(trial, second, 5);
    breaker.failed(late, second, second);
    expect(breaker.phaseAt(second)).toBe('closed');
  });

  test('forced by hand it stays so, until it is let go', () => {
    const breaker = breakerOf({ consecutive: 1 });
    breaker.force('open', 0);
    expect([breaker.enter(900 * second), breaker.retryAfterUs(0)]).toEqual([
      0,
      Number.POSITIVE_INFINITY,
    ]);
    breaker.force('closed', 0);
    for (let i = 0; i < 50; i++) expect(call(breaker, i, false)).toBe(true);
    expect(breaker.phaseAt(50)).toBe('forced-closed');
    breaker.force(undefined, 50);
    call(breaker, 51, false);
    expect(breaker.phaseAt(51)).toBe('open');
  });

  test('tells each change once, in order', () => {
    const changes: BreakerChange[] = [];
    const breaker = breakerOf({ consecutive: 1, openFor: '1s' }, (change) => changes.push(change));
    call(breaker, 5, false);
    call(breaker, second + 5, true);
    expect(changes).toEqual([
      { from: 'closed', to: 'open', at: 5 },
      { from: 'open', to: 'half-open', at: second + 5 },
      { from: 'half-open', to: 'closed', at: second + 5 },
    ]);
  });

  test('whatever happens, no more than its trials pass in any time that it is open for', () => {
    const steps = fc.array(
      fc.record({
        gapUs: fc.oneof(fc.nat({ max: 1_000 }), fc.nat({ max: 400 * ms })),
        ok: fc.boolean(),
        delay: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), (asked, trials) => {
        let phase = 'closed';
        let since = 0;
        let passed = 0;
        const breaker = breakerOf({ consecutive: 2, openFor: '200ms', trials }, (change) => {
          if (change.to === 'open') {
            since = change.at;
            passed = 0;
          }
          phase = change.to;
        });
        const waiting: { due: number; permit: number; ok: boolean }[] = [];
        let now = 0;
        for (const [i, { gapUs, ok, delay }] of asked.entries()) {
          now += gapUs;
          for (const one of waiting.filter(({ due }) => due === i)) {
            if (one.ok) breaker.succeeded(one.permit, now, 5);
            else breaker.failed(one.permit, now, 5);
          }
          const permit = breaker.enter(now);
          if (phase !== 'closed' && permit > 0) {
            passed++;
            if (now - since < 200 * ms || passed > trials) return false;
          }
          if (phase === 'open' && now - since >= 200 * ms) return false;
          if (permit > 0) waiting.push({ due: i + 1 + delay, permit, ok });
        }
        return true;
      }),
    );
  });
});
