import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Report } from '../run/report.ts';
import { summarise } from '../run/summary.ts';
import { bars, fold, lanes } from './chart.ts';
import { clock, ms, percent, perSec } from './figures.ts';
import { columnsMax, faultSpans, renderReport, renderSummary } from './render.ts';
import { Screen } from './screen.ts';
import { cut, styleFor, table, widthOf, wrap } from './style.ts';

const seconds = Array.from({ length: 30 }, (_, i) => i);

const report: Report = {
  version: '0.0.0',
  design: 'shop',
  world: 'simulated',
  seed: 7,
  digest: '51bd0ae9d0d0c749',
  simulatedSeconds: 30,
  wallSeconds: 1.5,
  generated: 3_000,
  completed: 2_950,
  rejected: 20,
  failed: 30,
  inFlight: 0,
  throughputPerSec: 98.33,
  availability: 2_950 / 2_980,
  latencyMs: { p50: 1.2, p90: 3.4, p99: 12.1, p999: 40.25, max: 61, mean: 1.9 },
  objectives: [
    { name: 'p99', unit: 'ms', target: 50, measured: 12.1, holds: true },
    { name: 'availability', unit: 'ratio', target: 0.999, measured: 0.98993, holds: false },
  ],
  invariants: [
    {
      name: 'links is linearizable',
      verdict: 'violated',
      detail: 'a read returned an old value',
      counterexample: ['0  put 1  ├──┤', '1  get = null  ├──┤  ◀ here'],
    },
    { name: 'clicks loses no message', verdict: 'unknown', detail: 'gave up after 10 steps' },
  ],
  errors: { timeout: 30, 'status 429': 20 },
  blocks: {
    api: {
      kind: 'service',
      nodeHours: 0.05,
      requestsPerSec: 99,
      utilisation: 0.42,
      queueMax: 7,
      p99Ms: 8,
      errors: 30,
      meters: { shed: 3, quiet: 0 },
      nodes: [],
    },
  },
  series: {
    at: seconds,
    throughput: seconds.map((second) => (second >= 10 && second < 15 ? 60 : 106)),
    p50Ms: seconds.map(() => 1.2),
    p99Ms: seconds.map((second) => (second === 10 ? 61 : 10)),
    errors: seconds.map((second) => (second >= 10 && second < 15 ? 10 : 0)),
    blocks: {},
  },
  events: [
    { type: 'fault', at: 10_000_000, text: 'kill links/1', began: true },
    { type: 'fault', at: 15_000_000, text: 'kill links/1', began: false },
    { type: 'fault', at: 20_000_000, text: 'slow hot by 10x', began: true },
  ],
  notes: ['user code never finished: api/0: GET /x'],
};

describe('a report on a terminal', () => {
  test('reads like this', () => {
    expect(renderReport(report)).toBe(
      `shop simulated · 30s simulated in 1.5s · seed 7 · digest 51bd0ae9d0d0c749
VIOLATED: availability, links is linearizable

Objectives
  holds     p99           12.1ms  at most 50ms
  VIOLATED  availability     99%  at least 99.9%

Invariants
  VIOLATED  links is linearizable: a read returned an old value
              0  put 1  ├──┤
              1  get = null  ├──┤  ◀ here
  unknown   clicks loses no message: gave up after 10 steps

Requests
  3,000 generated = 2,950 completed + 20 rejected + 30 failed + 0 in flight
  98.3/s served, 99% available

Latency
  p50 1.2ms   p90 3.4ms   p99 12.1ms   p99.9 40.3ms   max 61ms   mean 1.9ms

Errors
  30  timeout
  20  status 429

Blocks
  block  kind     nodes  requests  busy  queue  p99  errors
  api    service      0      99/s   42%      7  8ms      30  shed 3

Timeline
  completed      106/s ████████████████████▁▁▁▁▁▁▁▁▁▁██████████████████████████████
                       ████████████████████████████████████████████████████████████
  p99             61ms                     ██
                       ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃██▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃
  errors a second   10                     ██████████
  faults                                   A━━━━━━━━━          B━━━━━━━━━━━━━━━━━━━
                    A 0:10-0:15 kill links/1
                    B 0:20- slow hot by 10x
  2 columns = 1 s      0:00                                                    0:30

Notes
  - user code never finished: api/0: GET /x
`,
    );
  });

  test('never takes more than 100 columns, whatever it is about', () => {
    const long = 'word '.repeat(60).trim();
    const wide: Report = {
      ...report,
      design: 'a-design-with-a-rather-long-name',
      invariants: [
        { name: long, verdict: 'violated', detail: long, counterexample: ['x'.repeat(300)] },
      ],
      errors: { [long]: 1 },
      notes: [long],
      blocks: Object.fromEntries(
        ['a'.repeat(60), 'b'].map((name) => [
          name,
          {
            ...report.blocks.api!,
            requestsPerSec: 123_456_789,
            meters: Object.fromEntries(seconds.map((i) => [`meter number ${i}`, i + 1])),
          },
        ]),
      ),
      series: {
        ...report.series,
        at: Array.from({ length: 5_000 }, (_, i) => i),
        throughput: Array.from({ length: 5_000 }, (_, i) => i % 700),
      },
      events: seconds.map((second) => ({
        type: 'fault',
        at: second * 100_000_000,
        text: long,
        began: true,
      })),
    };
    for (const line of renderReport(wide).split('\n')) {
      expect(widthOf(line), line).toBeLessThanOrEqual(columnsMax);
    }
  });

  test('says the same with colours', () => {
    const style = styleFor({ isTTY: true }, {});
    const colour = String.fromCharCode(27);
    const coloured = renderReport(report, style);
    expect(coloured).toContain(colour);
    expect(coloured.replace(new RegExp(`${colour}\\[\\d+m`, 'g'), '')).toBe(renderReport(report));
  });

  test('of several seeds names those that broke something', () => {
    const text = renderSummary(summarise([report, { ...report, seed: 8 }]));
    expect(text).toContain('VIOLATED in some of the runs');
    expect(text).toContain('at least 99.9%  broken by seed 7, 8');
    expect(text).toContain('links is linearizable  violated by seed 7, 8');
  });
});

describe('colour', () => {
  test('is for terminals, and NO_COLOR wins', () => {
    const paints = (stream: { isTTY?: boolean }, env: Record<string, string>) =>
      styleFor(stream, env).good('x') !== 'x';
    expect(paints({ isTTY: true }, {})).toBe(true);
    expect(paints({}, {})).toBe(false);
    expect(paints({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(paints({}, { FORCE_COLOR: '1' })).toBe(true);
    expect(paints({}, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
    expect(paints({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  });
});

describe('figures', () => {
  test('round without claiming too much', () => {
    expect(percent(1)).toBe('100%');
    expect(percent(0.9999999)).toBe('> 99.999%');
    expect(percent(0.000001)).toBe('< 0.01%');
    expect(percent(0.9995)).toBe('99.95%');
    expect(ms(0.0421)).toBe('42.1us');
    expect(ms(12_345)).toBe('12.3s');
    expect(perSec(1_234.5)).toBe('1,235/s');
    expect(clock(3_725)).toBe('1:02:05');
  });
});

describe('a chart', () => {
  test('folds seconds into columns without losing a spike', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i === 501 ? 100 : 1));
    expect(Math.max(...fold(values, 40, 'max'))).toBe(100);
    expect(fold(values, 40, 'sum').reduce((a, b) => a + b)).toBe(1_099);
    expect(fold([1, 2, 3], 40, 'mean')).toEqual([1, 2, 3]);
  });

  test('shows the smallest value above zero', () => {
    expect(bars([0, 1, 500, 1_000], 1_000, 1)).toEqual([' ▁▄█']);
    expect(bars([0, 1_000], 1_000, 2)).toEqual([' █', ' █']);
    expect(bars([0, 0], 0, 1)).toEqual(['  ']);
  });

  test('puts spans that overlap on different lanes', () => {
    const spans = [
      { label: 'A', from: 0, to: 5 },
      { label: 'B', from: 3, to: undefined },
      { label: 'C', from: 7, to: 8 },
    ];
    expect(lanes(spans, 10, 10, 6)).toEqual(['A━━━━  C', '   B━━━━━━']);
  });

  test('never draws outside of itself', () => {
    const span = fc.record({
      label: fc.constant('A'),
      from: fc.double({ min: 0, max: 200, noNaN: true }),
      to: fc.option(fc.double({ min: 0, max: 200, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(span), fc.integer({ min: 1, max: 80 }), (spans, columns) => {
        for (const lane of lanes(spans, 100, columns, 4)) {
          expect(lane.length).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });

  test('a fault that reads like another ends where its own number says', () => {
    const event = (id: number, at: number, began: boolean) =>
      ({ type: 'fault', text: 'a', at: at * 1e6, began, id }) as const;
    const events = [event(1, 1, true), event(2, 2, true), event(2, 3, false)];
    expect(faultSpans(events).map(({ from, to }) => [from, to])).toEqual([
      [1, undefined],
      [2, 3],
    ]);
  });

  test('pairs the begin of a fault with its own end', () => {
    const event = (text: string, at: number, began: boolean) =>
      ({ type: 'fault', text, at: at * 1e6, began }) as const;
    const events = [event('a', 1, true), event('b', 2, true), event('a', 3, false)];
    expect(faultSpans(events)).toEqual([
      { label: 'a', from: 1, to: 3 },
      { label: 'b', from: 2, to: undefined },
    ]);
  });
});

describe('text', () => {
  test('is wrapped at spaces and loses nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 200 }), (text) => {
        const lines = wrap(text, 20).split('\n');
        expect(lines.join(' ')).toBe(text);
        for (const line of lines) {
          expect(line.length <= 20 || !line.trim().includes(' ')).toBe(true);
        }
      }),
    );
    expect(wrap('    a b c', 7, '    ')).toBe('    a b\n    c');
  });

  test('in a table lines up, colours or not', () => {
    const red = '\u001b[31mbad\u001b[39m';
    expect(
      table(
        [
          [red, '1'],
          ['fine', '10'],
        ],
        [false, true],
      ),
    ).toEqual([`${red}    1`, 'fine  10']);
    expect(cut('ab🙂cd', 4)).toBe('ab🙂…');
  });
});

describe('the status line', () => {
  function terminal(isTTY: boolean) {
    let text = '';
    let now = 0;
    const out = { isTTY, columns: 20, write: (piece: string) => (text += piece) };
    const screen = new Screen(out, {}, () => now);
    return {
      screen,
      pass: (milliseconds: number) => {
        now += milliseconds;
      },
      take: () => {
        const taken = text;
        text = '';
        return taken;
      },
    };
  }

  test('is rewritten in place on a terminal, no wider than it', () => {
    const { screen, take, pass } = terminal(true);
    screen.status('one');
    pass(200);
    screen.status('a status that is far too long');
    expect(take()).toBe('\r\u001b[2Kone\r\u001b[2Ka status that is f…');
  });

  test('makes way for lines that stay', () => {
    const { screen, take } = terminal(true);
    screen.status('status');
    take();
    screen.line('a fault');
    expect(take()).toBe('\r\u001b[2Ka fault\n\r\u001b[2Kstatus');
    screen.clear();
    expect(take()).toBe('\r\u001b[2K');
  });

  test('is a line every five seconds elsewhere', () => {
    const { screen, take, pass } = terminal(false);
    for (let second = 0; second <= 12; second++) {
      screen.status(`second ${second}`);
      pass(1_000);
    }
    expect(take()).toBe('second 5\nsecond 10\n');
  });
});
