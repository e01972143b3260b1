import { describe, expect, test } from 'vitest';
import {
  constant,
  drawText,
  exponential,
  gamma,
  lognormal,
  observed,
  pareto,
  parseDraw,
  readDraw,
  uniform,
} from './draw.ts';

describe('a draw', () => {
  test('written bare is always the same', () => {
    expect(parseDraw('5ms')).toEqual({ kind: 'constant', value: 5_000 });
    expect(parseDraw('5ms')).toEqual(constant('5ms'));
  });

  test('written as a distribution is kept, in microseconds', () => {
    const drawn = [
      uniform('1ms', '2ms'),
      exponential('5ms'),
      gamma('5ms', { cv: 0.5 }),
      lognormal({ median: '5ms', p99: '40ms' }),
      pareto({ min: '1ms', alpha: 1.5 }),
      observed(['3ms', '1ms', '2ms']),
    ];
    for (const draw of drawn) expect(parseDraw(draw)).toBe(draw);
    expect(drawn.at(-1)).toEqual({ kind: 'empirical', samples: [1_000, 2_000, 3_000] });
  });

  test.each([
    ['a number', 5],
    ['no duration', '5 parsecs'],
    ['nothing', undefined],
    ['null', null],
    ['an unknown kind', { kind: 'bell' }],
    ['a range upside down', uniform('2ms', '1ms')],
    ['a mean of zero', exponential('0ms')],
    ['a negative variation', gamma('5ms', { cv: -1 })],
    ['a p99 below the median', lognormal({ median: '5ms', p99: '4ms' })],
    ['no tail', pareto({ min: '1ms', alpha: 0 })],
    ['no samples', observed([])],
    ['a variation that is no number', gamma('5ms', { cv: Number.NaN })],
  ])('%s is none', (_name, given) => {
    expect(parseDraw(given)).toBeUndefined();
  });

  test('refuses what is not a duration where it is written', () => {
    expect(() => exponential('5 parsecs' as '5ms')).toThrow("'5 parsecs' is not a duration");
  });
});

describe('a draw in one line', () => {
  test.each([
    '5ms',
    '1234.567ms',
    'exponential(2ms)',
    'uniform(1ms, 2s)',
    'gamma(5ms, 0.5)',
    'lognormal(20ms, 90ms)',
    'pareto(1ms, 2)',
  ])('%s is read as it is written', (line) => {
    expect(drawText(readDraw(line)!)).toBe(line);
  });

  test('what is none is refused', () => {
    for (const line of ['', 'soon', 'gamma(5ms)', 'gamma(x, 1)', 'zipf(1, 2)', 'uniform(2ms, 1ms)'])
      expect(readDraw(line), line).toBeUndefined();
    expect(drawText({ kind: 'empirical', samples: [1] })).toBeUndefined();
  });
});
