import { describe, expect, test } from 'vitest';
import { configure, type OptionsOf } from '../kit/config.ts';
import { type Region, RegionChooser, regionKnobs, seeded } from './regions.ts';

const second = 1_000_000;
const fromAsia = { asia: 30_000, europe: 160_000, america: 210_000 };

function chooserOf(options: OptionsOf<typeof regionKnobs> = {}, priorities = [0, 0, 0]) {
  const { config, problems } = configure('gslb', regionKnobs, options);
  expect(problems).toEqual([]);
  const regions: Region[] = ['asia', 'europe', 'america'].map((name, i) => ({
    name,
    priority: priorities[i]!,
    healthy: 1,
  }));
  return new RegionChooser(config, regions, seeded(1));
}

function shares(
  chooser: RegionChooser<Region>,
  now: number,
  latenciesUs: Readonly<Record<string, number>> = fromAsia,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < 1_000; i++) {
    const { name } = chooser.choose(now, latenciesUs, i / 1_000)!;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('the choice of a region', () => {
  test('takes the nearest while it can serve its users', () => {
    const chooser = chooserOf();
    expect(shares(chooser, 0)).toEqual({ asia: 1_000 });
    chooser.report('asia', 0.8, 0);
    expect(shares(chooser, 0)).toEqual({ asia: 1_000 });
  });

  test('moves no more users than the region cannot serve, and the same ones each time', () => {
    const chooser = chooserOf({ spare: 1.4 });
    chooser.report('asia', 0.5, 0);
    expect(shares(chooser, 0)).toEqual({ asia: 700, europe: 300 });
    expect(chooser.choose(0, fromAsia, 0.69)!.name).toBe('asia');
    expect(chooser.choose(0, fromAsia, 0.7)!.name).toBe('europe');
    chooser.report('europe', 0.5, 0);
    expect(shares(chooser, 0)).toEqual({ asia: 700, europe: 210, america: 90 });
  });

  test('a disaster moves everybody to the next nearest, and they return only when it has been well for long', () => {
    const chooser = chooserOf({ holdDown: '60s' });
    chooser.report('asia', 0, 10 * second);
    expect(shares(chooser, 10 * second)).toEqual({ europe: 1_000 });
    chooser.report('asia', 1, 20 * second);
    expect(shares(chooser, 79 * second)).toEqual({ europe: 1_000 });
    expect(shares(chooser, 80 * second)).toEqual({ asia: 1_000 });
  });

  test('one that flaps stays away', () => {
    const chooser = chooserOf({ holdDown: '60s' });
    for (let at = 0; at < 300; at += 30) {
      chooser.report('asia', at % 60 === 0 ? 0 : 1, at * second);
      expect(shares(chooser, at * second)).toEqual({ europe: 1_000 });
    }
  });

  test('by priority the backup is used only when the first is down', () => {
    const chooser = chooserOf({ by: 'priority' }, [1, 0, 1]);
    expect(shares(chooser, 0)).toEqual({ europe: 1_000 });
    chooser.report('europe', 0, 0);
    expect(shares(chooser, 0)).toEqual({ asia: 500, america: 500 });
  });

  test('regions that are as good as equally near share, whichever is listed first', () => {
    const near = { asia: 31_000, europe: 30_000, america: 90_000 };
    expect(shares(chooserOf({ nearBy: '5ms' }), 0, near)).toEqual({ asia: 500, europe: 500 });
  });

  test('when all together are too weak each gets what it has', () => {
    const chooser = chooserOf();
    chooser.report('asia', 0.1, 0);
    chooser.report('europe', 0.2, 0);
    chooser.report('america', 0.1, 0);
    const spread = shares(chooser, 0);
    expect(Object.values(spread).reduce((sum, count) => sum + count, 0)).toBe(1_000);
    expect(Object.keys(spread)).toHaveLength(3);
  });

  test('with nothing up there is nothing to choose; one that has just come back is better than that', () => {
    const chooser = chooserOf();
    for (const name of ['asia', 'europe', 'america']) chooser.report(name, 0, 0);
    expect(chooser.choose(0, fromAsia)).toBeUndefined();
    chooser.report('america', 1, second);
    expect(chooser.choose(second, fromAsia)!.name).toBe('america');
  });
});
