/** M3 is overloaded for four seconds, and five attempts a hop keep it so: does a breaker let it recover? */
import { simulate } from 'loadpath';
import { bars, estimate, lab, lines, listed, percent, table, within } from 'loadpath/lab';
import { type Chain, chain, pulseFromS, pulseToS, recoveredAfter } from './m3.ts';

const unbounded = 1_000_000_000;
const often = {
  attempts: 5,
  budget: 1,
  reserve: unbounded,
  backoff: '0ms',
  backoffMax: '0ms',
} as const;
const breaker = { volumeMin: 20, window: '2s', openFor: '2s' } as const;

interface Way extends Omit<Chain, 'isDead' | 'refreshes'> {
  readonly name: string;
}

const bare = 'five attempts, no breaker';
const broken = 'five attempts, a breaker';
const ways: readonly Way[] = [
  { name: bare, retry: often },
  { name: broken, retry: often, breaker },
  {
    name: 'a breaker and the last answer',
    retry: often,
    breaker,
    fallback: { staleMax: '60s' },
  },
  { name: 'a budget of 10 %, no breaker', retry: { ...often, budget: 0.1, reserve: 10 } },
  { name: 'M3 sheds load, no breaker', retry: often, shed: true },
];

function design({ name: _, ...way }: Way) {
  return chain({ ...way, isDead: false, refreshes: true });
}

const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);

export default lab({
  id: 'lab-breaker-heals',
  claims: ['lab-breaker-heals'],
  title: 'A breaker gives M3 the time to recover',
  claim: 'A breaker between M2 and M3 lets an overloaded M3 recover.',
  question:
    'M1 calls M2 calls M3, each hop trying five times, and users who see an error refresh twice. M3 is four times slower for four seconds. What does M3 get after that, when does it serve everybody again, and who gets what meanwhile, without a breaker and with one?',
  method:
    'M3 can do 200 requests a second and gets 120 from users; attempts wait 200 ms. It is slow between 8 s and 12 s. The breaker stands at each M2, opens when half of at least 20 calls within 2 s failed, and tries again after 2 s. Recovered is when 95 % of answers are good for three seconds. Beside it: the same breaker with the last good answer in place of an error, a retry budget, and an M3 that sheds load.',
  advice:
    'A breaker ends an overload that feeds itself: while it is open the queue of M3 runs dry. It is no cure for the retries that fed it: bound those too, though a budget does not bound users who refresh. What stands in for the answer meanwhile hides the errors from users, who then do not refresh, and must be an answer that may be old.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(ways[1]!),
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of pick(ways, ways.slice(0, 2))) {
      const runs = [];
      for (const seed of seeds) {
        const report = await simulate(design(way), { seed, for: pick('30s', '20s') });
        const { series, blocks, generated, failed } = report;
        const m3 = series.blocks.m3 ?? [];
        const after = m3.slice(pulseToS, pulseToS + 8);
        runs.push({
          after: recoveredAfter(series.throughput, series.errors),
          offered: sum(after) / after.length,
          failed: failed / generated,
          stale: (blocks.m2!.meters['stale answers m3'] ?? 0) / generated,
          m3,
        });
      }
      found.push({
        name: way.name,
        after: Math.max(...runs.map(({ after }) => after)),
        offered: estimate(runs.map(({ offered }) => offered)),
        failed: estimate(runs.map(({ failed }) => failed)),
        stale: estimate(runs.map(({ stale }) => stale)),
        m3: runs[0]!.m3,
      });
    }
    return found;
  },
  verdict(found) {
    const of = (name: string) => found.find((one) => one.name === name)!;
    const [without, with_] = [of(bare), of(broken)];
    const heals = with_.after < Number.POSITIVE_INFINITY && with_.after < without.after;
    const others = found.filter(({ name }) => name !== bare && name !== broken);
    const said = others.map(({ name, after }) => `with “${name}” ${shown(after)}`);
    return {
      verdict: heals ? 'true' : with_.after < Number.POSITIVE_INFINITY ? 'partly' : 'false',
      why: `In the eight seconds after its hard time M3 gets ${within(without.offered)} calls a second without a breaker (it can do 200) and recovers ${shown(without.after)}. With a breaker it gets ${within(with_.offered)} and recovers ${shown(with_.after)}; ${percent(with_.failed.mean)} of requests fail instead of ${percent(without.failed.mean)}. It recovers ${listed(said)}.`,
    };
  },
  figures: (found) => [
    lines({
      title: `Calls that reach M3, which is slow from ${pulseFromS} s to ${pulseToS} s`,
      x: { label: 'time', unit: 's' },
      y: { label: 'calls', unit: '/s' },
      series: found.slice(0, 4).map(({ name, m3 }) => ({
        name,
        points: m3.map((calls, second) => [second, calls] as const),
      })),
      level: { at: 200, name: 'what M3 can do' },
    }),
    bars({
      title: 'Requests that fail or get an old answer',
      x: { label: 'share of requests', unit: '%' },
      groups: found.map(({ name }) => name),
      series: [
        {
          name: 'failed',
          values: found.map(({ failed }) => 100 * failed.mean),
          plusMinus: found.map(({ failed }) =>
            failed.plusMinus === null ? null : 100 * failed.plusMinus,
          ),
        },
        { name: 'old answer', values: found.map(({ stale }) => 100 * stale.mean) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['', 'recovered after', 'calls at M3 in the 8 s after', 'failed', 'old answers'],
      rows: found.map(({ name, after, offered, failed, stale }) => [
        name,
        shown(after),
        `${within(offered)}/s`,
        within(failed, percent),
        within(stale, percent),
      ]),
    }),
  ],
});

function shown(after: number): string {
  return after === Number.POSITIVE_INFINITY ? 'not within the run' : `after ${after} s`;
}
