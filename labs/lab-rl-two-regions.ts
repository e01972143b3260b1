/** Two regions know of four out of five; each lets one more through. */
import { estimate, lab, lines, percent, table, whole } from 'loadpath/lab';
import { admittedOf, limit, type Mode, regions, type VisitSeen, visits } from './regions.ts';

const modes: readonly Mode[] = ['replicated', 'central', 'sticky', 'lock'];
const edgesMs = [0, 25, 50, 75, 100, 125, 150, 175, 200, 250, 300];

/** Visits whose last two requests went to different regions, with the time between them there. */
function crossed(seen: readonly VisitSeen[]) {
  return seen.flatMap((visit) => {
    const [first, second] = visit.takes.slice(-2);
    if (!first || !second || first.region === second.region) return [];
    return [{ gapMs: Math.abs(second.atMs - first.atMs), admitted: admittedOf(visit) }];
  });
}

const options = (mode: Mode) => ({ mode, before: 4, gapMs: (random: number) => 260 * random });

export default lab({
  id: 'lab-rl-two-regions',
  claims: ['lab-rl-two-regions'],
  title: 'Two regions admit six of five',
  claim:
    'With a limit of 5 and counts replicated asynchronously, both regions know of 4, each admits one, and 6 are served.',
  question:
    'How likely is the sixth, by the time between the two requests, and do the remedies (sticky, lock, central) really exclude it?',
  method:
    'Two regions, 40 ms one way apart; each tells the other every 100 ms what it counted. A user makes four requests a second apart, so that both regions know of all four, then two more with a random gap. Counted are visits whose last two requests were decided in different regions. The same users meet each of the four ways to keep counts.',
  advice:
    'The excess is what others admit within one delay of replication: here at most one, under attack up to the limit for each further region. If six of five is harmless, take the asynchronous counts, which cost no time; if not, pick a remedy by what it costs (the labs on sticky routing and on locks).',
  expected: 'true',
  seeds: { full: 6, small: 1 },
  design: regions(options('replicated')).design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const mode of modes) {
      const runs = [];
      for (const seed of seeds) {
        const seen = await visits(options(mode), { seed, for: pick('40s', '8s') });
        runs.push(crossed(seen));
      }
      const all = runs.flat();
      const six = (list: typeof all) => list.filter(({ admitted }) => admitted > limit).length;
      found.push({
        mode,
        visits: all.length,
        most: Math.max(...all.map(({ admitted }) => admitted)),
        share: estimate(runs.map((run) => six(run) / run.length)),
        byGap: edgesMs.slice(1).map((to, index) => {
          const from = edgesMs[index]!;
          const within = all.filter(({ gapMs }) => gapMs >= from && gapMs < to);
          const share = within.length === 0 ? Number.NaN : six(within) / within.length;
          return { at: (from + to) / 2, share, count: within.length };
        }),
      });
    }
    return found;
  },
  verdict(found) {
    const [lazy, ...others] = found;
    const soon = lazy!.byGap[0]!;
    const late = lazy!.byGap.filter(({ at }) => at > 200);
    const isSo = lazy!.most === 6 && soon.share > 0.9 && others.every(({ most }) => most <= limit);
    return {
      verdict: isSo ? 'true' : lazy!.most > limit ? 'partly' : 'false',
      why: `${percent(soon.share)} of ${soon.count} visits whose last two requests reached different regions within 25 ms got ${lazy!.most} of ${limit}; from 200 ms on ${percent(Math.max(...late.map(({ share }) => (Number.isNaN(share) ? 0 : share))))}. With sticky counts, a lock or one central count none of ${whole(others.reduce((sum, one) => sum + one.visits, 0))} visits got more than ${Math.max(...others.map(({ most }) => most))}.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Six of five, by the time between two requests in different regions',
      x: { label: 'time between them', unit: 'ms' },
      y: { label: 'visits that get six', unit: '%', min: 0, max: 100 },
      series: found.map(({ mode, byGap }) => ({
        name: mode,
        points: byGap
          .filter(({ share }) => !Number.isNaN(share))
          .map(({ at, share }) => [at, 100 * share] as const),
      })),
      note: 'Counts are told every 100 ms and travel for 40 ms: what is closer together than that may go unseen.',
    }),
    table({
      title: 'In numbers',
      head: ['counts', 'visits over both regions', 'most admitted of 5', 'got more than 5'],
      rows: found.map(({ mode, visits: count, most, share }) => [
        mode,
        whole(count),
        most,
        percent(share.mean),
      ]),
    }),
  ],
});
