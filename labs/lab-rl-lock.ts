/** A lock for each user over two regions: what it costs, and what a dead holder costs. */
import { bars, estimate, lab, lines, ms, percent, table } from 'loadpath/lab';
import {
  limit,
  type Mode,
  type RegionsOptions,
  regions,
  type VisitSeen,
  visits,
} from './regions.ts';

const modes: readonly Mode[] = ['replicated', 'sticky', 'central', 'lock'];
const options = (mode: Mode): RegionsOptions => ({
  mode,
  before: 4,
  gapMs: (random) => 100 * random,
  rate: '40/s',
});

function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? 0;
}

const times = (seen: readonly VisitSeen[]) =>
  seen.flatMap(({ takes }) =>
    takes.filter(({ by }) => by === 'limiter').map(({ tookMs }) => tookMs),
  );

export default lab({
  id: 'lab-rl-lock',
  claims: ['lab-rl-lock'],
  title: 'A lock fixes the race and costs two trips',
  claim:
    'A lock for each user, held during check and update, fixes the race at the price of latency.',
  question:
    'How much time does a verdict take with a lock, beside counts kept in one place, and how long do others wait when a node dies with the lock?',
  method:
    'Two regions 40 ms apart one way. Users ask six times, the last two at nearly the same time; timed is each question to the limiter. For the dead holder, a limiter node is killed every two seconds under load, and the questions that got no verdict within 2 s are counted, for leases of 100 ms to 1.5 s.',
  advice:
    'A lock adds a trip to its owner and one to the farthest region, and nothing can be admitted while a region is away: a central count gives the same guarantee for half of the time and with less that can fail. Take the lock when the counts must also be in every region, and make its lease longer than the trips that it covers: a shorter one is over before its holder is done.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: regions(options('lock')).design,
  async measure({ seeds, pick }) {
    const forText = pick('15s', '5s');
    const found = [];
    for (const mode of modes) {
      const runs = [];
      let most = 0;
      for (const seed of seeds) {
        const seen = await visits(options(mode), { seed, for: forText });
        runs.push(times(seen));
        for (const { takes } of seen) {
          most = Math.max(most, takes.filter(({ allowed }) => allowed).length);
        }
      }
      found.push({
        mode,
        most,
        mean: estimate(runs.map((run) => run.reduce((sum, took) => sum + took, 0) / run.length)),
        p99: estimate(runs.map((run) => percentile(run, 99))),
      });
    }
    const leases = [];
    const faults = Array.from(
      { length: pick(6, 2) },
      (_, index) => `kill limits/${index % 2} at ${1 + 2 * index}s, restart after 200ms`,
    );
    for (const lease of [100, 500, 1_500] as const) {
      const runs = [];
      for (const seed of seeds) {
        const lost = await visits(
          { ...options('lock'), lease: `${lease}ms`, timeout: '2000ms' },
          { seed, for: forText, faults },
        );
        const takes = lost.flatMap((visit) => visit.takes);
        runs.push(takes.filter(({ by }) => by === 'policy').length / takes.length);
      }
      leases.push({ lease, undecided: estimate(runs) });
    }
    return { found, leases };
  },
  verdict({ found, leases }) {
    const of = (mode: Mode) => found.find((one) => one.mode === mode)!;
    const [lock, central, local] = [of('lock'), of('central'), of('replicated')];
    const isSo = lock.most <= limit && lock.mean.mean > central.mean.mean && lock.p99.mean > 75;
    return {
      verdict: isSo ? 'true' : lock.most <= limit ? 'partly' : 'false',
      why: `With the lock nobody got more than ${lock.most} of ${limit}; a verdict took ${ms(lock.mean.mean)} on average and ${ms(lock.p99.mean)} at p99, a central count ${ms(central.mean.mean)} and ${ms(central.p99.mean)}, the region’s own count ${ms(local.mean.mean)}. While holders die every two seconds, ${percent(leases[0]!.undecided.mean)} of questions get no verdict with a lease of ${leases[0]!.lease} ms and ${percent(leases.at(-1)!.undecided.mean)} with ${leases.at(-1)!.lease} ms.`,
    };
  },
  figures: ({ found, leases }) => [
    bars({
      title: 'How long a verdict takes',
      x: { label: 'time', unit: 'ms' },
      groups: found.map(({ mode }) => mode),
      series: [
        {
          name: 'mean',
          values: found.map(({ mean }) => mean.mean),
          plusMinus: found.map(({ mean }) => mean.plusMinus),
        },
        {
          name: 'p99',
          values: found.map(({ p99 }) => p99.mean),
          plusMinus: found.map(({ p99 }) => p99.plusMinus),
        },
      ],
    }),
    lines({
      title: 'Questions without a verdict while nodes die, by the lease',
      x: { label: 'lease', unit: 'ms' },
      y: { label: 'no verdict within 2 s', unit: '%' },
      series: [
        {
          name: 'lock',
          points: leases.map(({ lease, undecided }) => [lease, 100 * undecided.mean]),
          plusMinus: leases.map(({ undecided }) => 100 * (undecided.plusMinus ?? 0)),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['counts', 'mean', 'p99', 'most admitted of 5'],
      rows: found.map(({ mode, mean, p99, most }) => [mode, ms(mean.mean), ms(p99.mean), most]),
    }),
  ],
});
