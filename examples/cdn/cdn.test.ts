/** What README.md says of the newspaper: pages come from edges, and what was corrected is never shown again. */
import { type Report, simulate } from 'loadpath';
import { describe, expect, test } from 'vitest';

const design = new URL('./design.ts', import.meta.url);
const quick = { for: '12s', rate: '100/s' } as const;
const broken = ({ invariants }: Report) => invariants.filter(({ verdict }) => verdict !== 'holds');

describe('the newspaper', () => {
  test('asks its origin for one page in ten, and shows none that was corrected, though an edge hears of nothing', async () => {
    const faults = ['cut site/2 from pages at 3s for 4s', 'kill site/1 at 6s, restart after 2s'];
    const report = await simulate(design, { ...quick, faults });
    expect(broken(report)).toEqual([]);
    const { site, web, pages } = report.blocks;
    expect(web!.requestsPerSec).toBeLessThan(0.25 * site!.requestsPerSec);
    expect(Number(pages!.requestsPerSec)).toBeGreaterThan(0.2);
    expect(report.availability).toBeGreaterThan(0.97);
  });

  test('is there while its origin is not: only what changes something, or is private, fails', async () => {
    const faults = [0, 1].map((index) => `kill web/${index} at 6s, restart after 4s`);
    const report = await simulate(design, { ...quick, faults });
    expect(broken(report)).toEqual([]);
    const during = (list: readonly number[]) =>
      list.slice(6, 10).reduce((sum, value) => sum + value, 0);
    const [failed, served] = [during(report.series.errors), during(report.series.throughput)];
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(0.3 * served);
  });
});
