import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { seeded } from '../kit/random.ts';
import { Hedge, hedgeKnobs } from './hedge.ts';

function hedgeOf(options: OptionsOf<typeof hedgeKnobs>): Hedge {
  const { config, problems } = configure('hedge', hedgeKnobs, options);
  expect(problems).toEqual([]);
  return new Hedge(config);
}

describe('hedging', () => {
  test('waits for as long as the percentile says, and follows when answers change', () => {
    const hedge = hedgeOf({ percentile: 95, window: '10s' });
    const random = seeded(1);
    for (let i = 0; i < 2_000; i++) hedge.answered(0, random.between(0, 10_000));
    expect(hedge.delayUs(0)).toBeGreaterThan(9_000);
    expect(hedge.delayUs(0)).toBeLessThan(9_900);
    for (let i = 0; i < 4_000; i++) {
      hedge.answered(30_000_000 + i * 10_000, random.between(0, 100_000));
    }
    expect(hedge.delayUs(70_000_000)).toBeGreaterThan(90_000);
  });

  test('knows nothing when nothing was heard for long', () => {
    const hedge = hedgeOf({});
    for (let i = 0; i < 500; i++) hedge.answered(0, 5_000);
    expect(hedge.delayUs(0)).toBe(5_000);
    expect(hedge.delayUs(90_000_000)).toBe(Number.POSITIVE_INFINITY);
  });

  test('never sooner than is worth it', () => {
    const hedge = hedgeOf({ delayMin: '2ms' });
    for (let i = 0; i < 500; i++) hedge.answered(0, 100);
    expect(hedge.delayUs(0)).toBe(2_000);
  });

  test('adds no more than its budget to the traffic, however slow everything is', () => {
    const hedge = hedgeOf({ budget: 0.05, reserve: 10 });
    let hedged = 0;
    for (let i = 0; i < 10_000; i++) {
      hedge.began();
      if (hedge.spend()) hedged++;
    }
    expect(hedged).toBeGreaterThan(490);
    expect(hedged).toBeLessThanOrEqual(510);
  });
});
