import { describe, expect, test } from 'vitest';
import { scaleOf } from './axis.ts';
import { chartSvg } from './chart.ts';
import { bars, lines, marks, table } from './figure.ts';
import { lab } from './lab.ts';
import { indexPage, labPage, tableText } from './page.ts';
import { digits, ms, percent } from './words.ts';

const measured = (passed: number) => ({
  id: 'lab-coin',
  claims: ['lab-coin'],
  title: 'A coin',
  claim: 'A coin falls on heads half of the time.',
  question: 'Does it?',
  method: 'It is thrown.',
  advice: 'Throw coins.',
  expected: 'true' as const,
  measure: () => ({ passed }),
  verdict: (found: { readonly passed: number }) => ({
    verdict: found.passed === 10 ? ('true' as const) : ('false' as const),
    why: `${found.passed} of 20 are heads.`,
  }),
  figures: (found: { readonly passed: number }) => [
    bars({
      title: 'Heads & tails',
      x: { label: 'throws' },
      groups: ['heads', 'tails'],
      series: [{ name: 'throws', values: [found.passed, 20 - found.passed] }],
    }),
    table({ title: 'In numbers', head: ['side', 'throws'], rows: [['heads', found.passed]] }),
  ],
});

describe('a lab', () => {
  test('comes to its verdict by what it measured', async () => {
    expect(await lab(measured(10)).run(true)).toMatchObject({ verdict: 'true', expected: 'true' });
    expect(await lab(measured(3)).run(true)).toMatchObject({ verdict: 'false', expected: 'true' });
  });

  test('that comes out other than expected says so on its page and in the list', async () => {
    const asExpected = await lab(measured(10)).run(true);
    const surprise = await lab(measured(3)).run(true);
    expect(labPage(asExpected)).not.toContain('finding');
    expect(labPage(surprise)).toContain('This is a finding: expected was *true*.');
    expect(indexPage([surprise])).toContain('Other than expected: [A coin](lab-coin.md)');
  });

  test('tells all its mistakes at once', () => {
    expect(() => lab({ ...measured(1), id: 'Coin', claims: [] })).toThrow(
      /2 mistakes[\s\S]*must be like 'lab-fixed-boundary'[\s\S]*must name a claim/,
    );
  });

  test('gets as many seeds as its setting has', async () => {
    const seen: (readonly number[])[] = [];
    const drawn = lab({
      ...measured(10),
      seeds: { full: 5, small: 2 },
      measure: ({ seeds }) => {
        seen.push(seeds);
        return { passed: 10 };
      },
    });
    expect((await drawn.run(true)).seedCount).toBe(5);
    expect((await drawn.run(false)).seedCount).toBe(2);
    expect(seen).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2],
    ]);
  });
});

describe('a chart', () => {
  const curve = lines({
    title: 'p99 < 1 s?',
    x: { label: 'load', min: 0.5, max: 1 },
    y: { label: 'p99', unit: 'ms', scale: 'log' },
    series: [
      {
        name: 'one',
        points: [
          [0.5, 10],
          [1, 1_000],
        ],
      },
      {
        name: 'other',
        points: [
          [0.5, 20],
          [1, Number.POSITIVE_INFINITY],
        ],
        plusMinus: [2, null],
      },
    ],
  });

  test('is well-formed, the same each time, and holds no number that is none', () => {
    const instants = marks({
      title: 'When',
      x: { label: 'time', unit: 's' },
      goodName: 'admitted',
      badName: 'refused',
      rows: [{ name: 'all', good: [1, 2], bad: [1.5] }],
    });
    for (const chart of [curve, instants, measured(3).figures({ passed: 3 })[0]!]) {
      if (chart.kind === 'table') continue;
      const svg = chartSvg(chart);
      expect(svg).toBe(chartSvg(chart));
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      const opened = svg.match(/<[a-z]+(?=[ >])(?:[^<>]*[^/])?>/g) ?? [];
      const closed = svg.match(/<\/[a-z]+>/g) ?? [];
      expect(opened.length).toBe(closed.length);
    }
  });

  test('escapes what would be markup', () => {
    expect(chartSvg(curve)).toContain('p99 &lt; 1 s?');
    expect(chartSvg(curve)).not.toContain('p99 < 1');
  });

  test('has ticks inside of its axis, at round numbers', () => {
    const linear = scaleOf({ label: '', min: 58.8, max: 60.8 }, [59, 60], [0, 100]);
    expect(linear.ticks.map(({ text }) => text)).toEqual(['59', '59.5', '60', '60.5']);
    const log = scaleOf({ label: '', scale: 'log' }, [1, 10_000], [0, 100]);
    expect(log.ticks.map(({ at }) => at)).toEqual([1, 10, 100, 1_000, 10_000]);
    expect(log.place(100)).toBeCloseTo(50);
  });
});

describe('words', () => {
  test('keep three digits, and never round to certainty', () => {
    expect([digits(12_345.6), digits(1.2345), digits(0.04567)]).toEqual([
      '12,346',
      '1.23',
      '0.0457',
    ]);
    expect([ms(0.4213), ms(85), ms(12_300), ms(300_000)]).toEqual([
      '0.421 ms',
      '85 ms',
      '12.3 s',
      '5 min',
    ]);
    expect([percent(1), percent(0.9999999), percent(0.123456)]).toEqual([
      '100 %',
      '> 99.999 %',
      '12.3 %',
    ]);
  });

  test('of a table stand right where they are figures', () => {
    expect(tableText(table({ title: '', head: ['a', 'b'], rows: [['x|y', 1]] }))).toBe(
      '| a | b |\n| --- | ---: |\n| x\\|y | 1 |',
    );
  });
});
