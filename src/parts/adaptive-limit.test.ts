import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { AdaptiveLimit, adaptiveLimitKnobs, seeded } from './adaptive-limit.ts';

function limitOf(options: OptionsOf<typeof adaptiveLimitKnobs>): AdaptiveLimit {
  const { config, problems } = configure('limit', adaptiveLimitKnobs, options);
  expect(problems).toEqual([]);
  return new AdaptiveLimit(config, seeded(1));
}

/**
 * A callee with `slots(now)` servers of 10 ms and a queue, offered more than it can do: each
 * millisecond `offered` callers come, and those that the limit lets in are served in turn.
 */
function overload(
  limit: AdaptiveLimit,
  slots: (now: number) => number,
  options: { readonly forUs?: number; readonly serviceUs?: (now: number) => number } = {},
) {
  const { forUs = 120_000_000, serviceUs = () => 10_000 } = options;
  const offered = 10;
  const queue: number[] = [];
  let working: { readonly cameAt: number; readonly doneAt: number }[] = [];
  const limits: number[] = [];
  let slowestUs = 0;
  for (let now = 0; now < forUs; now += 1_000) {
    const rest: typeof working = [];
    for (const job of working) {
      if (job.doneAt > now) {
        rest.push(job);
        continue;
      }
      const tookUs = now - job.cameAt;
      if (now > forUs / 2) slowestUs = Math.max(slowestUs, tookUs);
      limit.leave(now, tookUs, 'ok');
    }
    working = rest;
    for (let i = 0; i < offered; i++) if (limit.enter()) queue.push(now);
    while (working.length < slots(now) && queue.length > 0) {
      working.push({ cameAt: queue.shift()!, doneAt: now + serviceUs(now) });
    }
    if (now % 1_000_000 === 0) limits.push(limit.limit);
  }
  return { limits, last: limits.at(-1)!, slowestUs };
}

describe('an adaptive limit', () => {
  test('never lets more in than it says, and those that leave make room', () => {
    const limit = limitOf({ limitStart: 5 });
    const entered = Array.from({ length: 9 }, () => limit.enter());
    expect(entered.filter((ok) => ok)).toHaveLength(5);
    limit.leave(1, 10, 'ignored');
    expect([limit.open, limit.enter(), limit.enter()]).toEqual([4, true, false]);
    expect(() => limitOf({}).leave(0, 1, 'ok')).toThrow(/only what entered/);
  });

  test.each(['gradient', 'vegas'] as const)('%s finds about what 40 servers bear', (algorithm) => {
    const { limits, slowestUs } = overload(limitOf({ algorithm }), () => 40, { forUs: 300e6 });
    // A probe is not what it has found.
    const found = limits.filter((_, i) => i > 60 && limits[i]! > 4);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...found)).toBeLessThan(100);
    expect(found.length).toBeGreaterThan(0.95 * (limits.length - 61));
    expect(slowestUs).toBeLessThan(30_000);
  });

  test.each(['gradient', 'vegas'] as const)(
    '%s finds it too when it has never seen anything but a queue',
    (algorithm) => {
      const limit = limitOf({ algorithm, limitStart: 300 });
      const { limits } = overload(limit, () => 40, { forUs: 150e6 });
      expect(limits[2]).toBeGreaterThan(200);
      expect(Math.max(...limits.slice(130))).toBeLessThan(100);
    },
  );

  test.each(['gradient', 'vegas'] as const)(
    '%s learns by a probe that every call has become slower, and lets as many in again',
    (algorithm) => {
      const limit = limitOf({ algorithm });
      const serviceUs = (now: number) => (now < 100e6 ? 10_000 : 20_000);
      const { limits } = overload(limit, () => 40, { forUs: 250e6, serviceUs });
      const before = limits.slice(60, 100).filter((found) => found > 4);
      const after = limits.slice(190).filter((found) => found > 4);
      expect(Math.min(...before)).toBeGreaterThanOrEqual(40);
      expect(Math.min(...limits.slice(105, 160))).toBeLessThan(40);
      expect(Math.min(...after)).toBeGreaterThanOrEqual(40);
      expect(Math.max(...after)).toBeLessThan(100);
    },
  );

  test.each(['gradient', 'vegas'] as const)(
    '%s follows when half of them are lost',
    (algorithm) => {
      const half = 60_000_000;
      const { limits, last } = overload(limitOf({ algorithm }), (now) => (now < half ? 40 : 20), {
        forUs: 2 * half,
      });
      expect(last).toBeLessThan(limits[59]!);
      expect(last).toBeGreaterThanOrEqual(20);
    },
  );

  test('aimd hovers below where calls begin to time out', () => {
    const limit = limitOf({ algorithm: 'aimd', slowCall: '30ms' });
    const { last } = overload(limit, () => 40);
    expect(last).toBeGreaterThan(60);
    expect(last).toBeLessThan(140);
  });

  test.each(['gradient', 'vegas', 'aimd'] as const)(
    '%s learns nothing from a callee that nobody needs',
    (algorithm) => {
      const limit = limitOf({ algorithm, limitStart: 50 });
      for (let i = 0; i < 10_000; i++) {
        limit.enter();
        limit.leave(i * 1_000, 5_000, 'ok');
      }
      expect(limit.limit).toBe(50);
    },
  );

  test.each(['gradient', 'vegas', 'aimd'] as const)(
    '%s keeps within its bounds when everything fails, and when all goes well',
    (algorithm) => {
      const failing = limitOf({ algorithm, limitMin: 4 });
      const well = limitOf({ algorithm, limitMax: 60 });
      for (let i = 0; i < 50_000; i++) {
        while (failing.enter());
        failing.leave(i * 1_000, 5_000, 'failed');
        while (well.enter());
        well.leave(i * 1_000, 5_000, 'ok');
      }
      expect([failing.limit, well.limit]).toEqual([4, 60]);
    },
  );
});
