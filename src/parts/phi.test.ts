import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { seeded } from '../kit/random.ts';
import { PhiDetector, phiKnobs } from './phi.ts';

const second = 1_000_000;

function detectorOf(options: OptionsOf<typeof phiKnobs>): PhiDetector {
  const { config, problems } = configure('phi', phiKnobs, options);
  expect(problems).toEqual([]);
  return new PhiDetector(config);
}

/** Heartbeats a second apart, give or take `jitterUs`; how long after the last one it is suspected. */
function suspectedAfterUs(detector: PhiDetector, jitterUs: number): number {
  const random = seeded(5);
  let now = 0;
  for (let i = 0; i < 300; i++) {
    detector.heard(now);
    now += second + random.between(-jitterUs, jitterUs);
  }
  detector.heard(now);
  for (let silentUs = 0; ; silentUs += 10_000)
    if (detector.isSuspect(now + silentUs)) return silentUs;
}

describe('phi', () => {
  test('is what the normal distribution says: 0.3 at the mean, 1 and 8 where they belong', () => {
    const detector = detectorOf({ pauseMax: '0ms', deviationMin: '100ms' });
    for (let i = 0; i <= 300; i++) detector.heard(i * second);
    const at = (gapUs: number) => detector.phi(300 * second + gapUs);
    expect(at(second)).toBeCloseTo(Math.log10(2), 5);
    // One of ten gaps is more than 1.2816 deviations above the mean, one of 10^8 more than 5.6120.
    expect(at(second + 128_155)).toBeCloseTo(1, 3);
    expect(at(second + 561_200)).toBeCloseTo(8, 3);
  });

  test('only ever grows with silence', () => {
    const detector = detectorOf({});
    for (let i = 0; i <= 20; i++) detector.heard(i * second);
    fc.assert(
      fc.property(fc.nat({ max: 60 * second }), fc.nat({ max: second }), (silentUs, moreUs) => {
        const now = 20 * second + silentUs;
        const phi = detector.phi(now);
        return phi >= 0 && detector.phi(now + moreUs) >= phi;
      }),
      { numRuns: 1_000 },
    );
  });

  test('gives an unsteady sender longer than a steady one', () => {
    const steady = suspectedAfterUs(detectorOf({ pauseMax: '0ms' }), 1_000);
    const unsteady = suspectedAfterUs(detectorOf({ pauseMax: '0ms' }), 600_000);
    expect(steady).toBeLessThan(1_700_000);
    expect(unsteady).toBeGreaterThan(2_500_000);
  });

  test('bears the pause that it was told to bear', () => {
    expect(suspectedAfterUs(detectorOf({ pauseMax: '3s' }), 1_000)).toBeGreaterThan(4 * second);
  });

  test('does not miss who was never there, and believes who comes back', () => {
    const detector = detectorOf({});
    expect(detector.phi(1e15)).toBe(0);
    detector.heard(0);
    expect(detector.isSuspect(100 * second)).toBe(true);
    detector.heard(100 * second);
    expect(detector.isSuspect(101 * second)).toBe(false);
    // The long absence did not teach it to wait longer.
    expect(detector.isSuspect(107 * second)).toBe(true);
  });
});
