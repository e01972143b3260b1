/** Two runs side by side: only what intervals or exact equality support is claimed. */
import { describe, expect, test } from 'vitest';
import { type Compared, compareReports } from './compare.ts';
import type { BlockReport, Report } from './report.ts';
import { summarise } from './summary.ts';

function block(change: Partial<BlockReport> & { readonly nodeCount?: number }): BlockReport {
  const { nodeCount = 2, ...rest } = change;
  const figures = {
    requestsPerSec: 100,
    utilisation: 0.2,
    queueMax: 3,
    p99Ms: 5,
    errors: 0,
    meters: {},
    ...rest,
  };
  const nodes = Array.from({ length: nodeCount }, (_, index) => ({
    ...figures,
    id: `links/${index}`,
    zone: 'a',
    boots: 1,
  }));
  return { kind: 'kv', nodeHours: 0.01, ...figures, nodes };
}

function run(seed: number, change: Partial<Report> = {}, p99 = 48): Report {
  return {
    version: '1.0.0',
    design: 'shop',
    world: 'simulated',
    seed,
    digest: `d${seed}-${p99}`,
    simulatedSeconds: 10,
    wallSeconds: 1,
    generated: 1_000,
    completed: 990,
    rejected: 0,
    failed: 10,
    inFlight: 0,
    throughputPerSec: 99,
    availability: 0.99,
    latencyMs: { p50: 10, p90: 20, p99, p999: 80, max: 100, mean: 12 },
    objectives: [{ name: 'p99', unit: 'ms', target: 40, measured: p99, holds: p99 <= 40 }],
    invariants: [],
    errors: {},
    blocks: { links: block({}) },
    series: { at: [], throughput: [], p50Ms: [], p99Ms: [], errors: [], blocks: {} },
    events: [],
    notes: [],
    ...change,
  };
}

const over = (p99s: readonly number[], firstSeed = 1): Compared => {
  const reports = p99s.map((p99, index) => run(firstSeed + index, {}, p99));
  return { ...summarise(reports), reports };
};
const rowOf = (a: Compared, b: Compared, what = 'p99', of: string | null = null) =>
  compareReports(a, b).rows.find((row) => row.what === what && row.block === of)!;

describe('single runs', () => {
  test('name what moved by more than 5 %, with the figures, and say what they are', () => {
    const { sentences, evidence } = compareReports(run(1), run(1, {}, 31));
    expect(evidence).toBe('one seed');
    expect(sentences).toEqual([
      'p99 at most 40 ms is kept now: 48 → 31 ms',
      'p99 fell from 48 to 31 ms (-35 %)',
      'One seed each: differences beyond 5 % are named, and other seeds may show others.',
    ]);
    expect(rowOf(run(1), run(1, {}, 31))).toMatchObject({ difference: 'better', change: null });
  });

  test('say nothing of less', () => {
    expect(rowOf(run(1), run(1, {}, 49)).difference).toBe('unclear');
    expect(compareReports(run(1), run(2, { digest: 'other' })).sentences).toEqual([
      'Nothing differs by more than 5 %.',
      expect.stringContaining('One seed each'),
    ]);
  });

  test('of one digest are the same run', () => {
    expect(compareReports(run(1), run(1)).sentences).toEqual([
      'Both are the same run, event by event.',
    ]);
  });

  test('do not round small shares away', () => {
    const available = (availability: number) => run(1, { digest: null, availability });
    expect(compareReports(available(0.0012), available(0.2)).sentences[0]).toBe(
      'availability rose from 0.12 % to 20 %',
    );
  });

  test('do not make much of a few failures more', () => {
    const failing = (failed: number) => run(1, { digest: null, failed });
    expect(rowOf(failing(10), failing(15), 'failed').difference).toBe('unclear');
    expect(rowOf(failing(10), failing(40), 'failed').difference).toBe('worse');
  });

  test('tell availability by what is missing from it', () => {
    const available = (availability: number) => run(1, { digest: null, availability });
    expect(rowOf(available(0.9995), available(0.992), 'availability').difference).toBe('worse');
    expect(compareReports(available(0.9995), available(0.992)).sentences[0]).toBe(
      'availability fell from 99.95 % to 99.2 %',
    );
  });

  test('tell what was set, and blocks by how far they moved', () => {
    const before = run(1, { blocks: { links: block({ nodeCount: 4 }) } });
    const after = run(1, {
      digest: 'x',
      blocks: { links: block({ nodeCount: 2, requestsPerSec: 105, utilisation: 0.41 }) },
      notes: ['with links.replicas = 2 instead of 4', 'with love'],
    });
    const { sentences, b } = compareReports(before, after);
    expect(b.changes).toEqual(['links.replicas = 2 instead of 4']);
    expect(sentences.slice(0, -1)).toEqual([
      'The second ran with links.replicas = 2 instead of 4.',
      'links: 2.1x the requests a node (25 → 52.5/s)',
      'links: utilisation rose from 20 % to 41 %',
    ]);
  });

  test('tell what went wrong in one of them only', () => {
    const failing = (...texts: string[]) =>
      run(1, {
        digest: null,
        events: [
          { type: 'phase', at: 0, phase: 'load' },
          ...texts.map((text) => ({ type: 'fault', at: 2_000_000, text, began: true }) as const),
        ],
      });
    const sentences = (a: Report, b: Report) => compareReports(a, b).sentences;
    expect(sentences(failing('kill links/1'), failing('kill links/1', 'slow links by 3x'))[0]).toBe(
      'Only the second had slow links by 3x at 2 s.',
    );
    expect(sentences(failing('a', 'b', 'c', 'd'), failing())[0]).toBe(
      'Only the first had a at 2 s, b at 2 s, c at 2 s, 1 more fault.',
    );
    // Seeds told one by one come without their events: nobody knows what they had.
    expect(sentences(failing('kill links/1'), run(1, { digest: null }))[0]).toMatch(/^Nothing/);
  });

  test('do not tell how much more or less somebody idles', () => {
    const busy = (utilisation: number) =>
      run(1, { digest: null, blocks: { links: block({ utilisation }) } });
    expect(compareReports(busy(0.000056), busy(0.000047)).sentences[0]).toMatch(/^Nothing/);
    expect(compareReports(busy(0.005), busy(0.05)).sentences[0]).toBe(
      'links: utilisation rose from 0.5 % to 5 %',
    );
  });

  test('of another load say so first, and not of the same one by luck', () => {
    const sent = (generated: number, seed = 1) => run(seed, { digest: null, generated });
    expect(compareReports(sent(5_040), sent(496)).cautions).toEqual([
      'The loads differ: 504/s and 49.6/s.',
    ]);
    expect(compareReports(sent(100), sent(120)).cautions).toEqual([]);
    expect(compareReports(sent(1_000), sent(1_000, 2)).cautions).toEqual([
      'The seeds differ: 1 and 2.',
    ]);
  });

  test('that cannot be compared without a thought say so first', () => {
    const { cautions } = compareReports(
      run(1),
      run(1, { design: 'store', world: 'live', simulatedSeconds: 20, generated: 2_000 }),
    );
    expect(cautions).toEqual([
      'The designs differ: shop and store.',
      'The worlds differ: simulated and live.',
      'The lengths of the load differ: 10 s and 20 s.',
    ]);
  });
});

describe('several seeds', () => {
  const noisy = [40, 60, 45, 55, 50];

  test('each compared with itself show what their spread would hide', () => {
    const paired = compareReports(over(noisy), over(noisy.map((p99) => p99 * 0.9)));
    expect(paired.evidence).toBe('same seeds');
    const row = paired.rows.find(({ what }) => what === 'p99')!;
    expect(row).toMatchObject({ difference: 'better', ratio: expect.closeTo(0.9, 6) });
    expect(row.change!.to).toBeLessThan(0);
    expect(paired.sentences).toContainEqual(
      expect.stringMatching(/^p99 fell from 50 to 45 ms \(-10 % ±\d/),
    );
    const apart = rowOf(
      over(noisy),
      over(
        noisy.map((p99) => p99 * 0.9),
        6,
      ),
    );
    expect(apart.difference).toBe('unclear');
  });

  test('of other numbers claim what Welch’s interval does', () => {
    // By hand: 24.143 - 20.800 = 3.343, and t of 8 degrees of freedom times the root of 0.5985.
    const few = summarise([19, 20, 21, 22, 22].map((p99, seed) => run(seed, {}, p99)));
    const many = summarise([22, 23, 24, 24, 25, 25, 26].map((p99, seed) => run(seed, {}, p99)));
    const row = rowOf(few, many);
    expect(row.change!.from).toBeCloseTo(1.559, 2);
    expect(row.change!.to).toBeCloseTo(5.127, 2);
    expect(row.difference).toBe('worse');
  });

  test('within 2 % of each other are the same, and within noise unclear', () => {
    const tight = [50, 50.1, 49.9, 50, 50.05];
    expect(rowOf(over(tight), over(tight.map((p99) => p99 + 0.2))).difference).toBe('same');
    expect(rowOf(over(noisy), over([60, 40, 55, 45, 52])).difference).toBe('unclear');
  });

  test('say which promise broke', () => {
    const { promises, sentences } = compareReports(over([30, 31, 32]), over([38, 39, 41]));
    expect(promises).toEqual([
      {
        name: 'p99 at most 40 ms',
        a: 'kept',
        b: 'broken',
        measured: { a: 31, b: expect.closeTo(39.3, 1), unit: 'ms' },
      },
    ]);
    expect(sentences[0]).toBe('p99 at most 40 ms is broken now: 31 → 39.3 ms');
  });

  test('a summary alone has no blocks, and is compared all the same', () => {
    const { reports: _one, ...a } = over(noisy) as { readonly reports: readonly Report[] };
    const { rows } = compareReports(a as Compared, over([20, 21, 22, 20, 21]));
    expect(rows.every((row) => row.block === null)).toBe(true);
    expect(rows.find(({ what }) => what === 'p99')!.difference).toBe('better');
  });
});
