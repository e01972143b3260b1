/** Equal counts, unequal work: what round robin evens out when requests cost differently. */
import { bars, digits, estimate, lab, lines, percent, table, within } from 'loadpath/lab';
import { Balancer, type Balancing, seeded } from 'loadpath/parts/balance';

const servers = 4;
/** Costs with a mean of 1: alike, spread, and a few that are a hundred times the usual. */
const costs = [
  ['all alike', () => 1],
  ['exponential', (u: number) => -Math.log(1 - u)],
  // Pareto with shape 1.2, cut at 500 times its least, scaled to a mean of about 1.
  ['heavy tail', (u: number) => Math.min(500, (1 - u) ** (-1 / 1.2)) / 4.24],
] as const;
const policies: readonly Balancing[] = ['round-robin', 'two-choices', 'least-requests'];
const load = 0.7;

/** A queue for each server, first come first served, with balancing by what is open. */
function run(costOf: (u: number) => number, by: Balancing, seed: number, requests: number) {
  const random = seeded(seed).fork('work');
  const balancer = new Balancer<{ open: number; avoidUntil: number; busy: number; freeAt: number }>(
    by,
    seeded(seed),
  );
  const targets = Array.from({ length: servers }, () => ({
    open: 0,
    avoidUntil: 0,
    busy: 0,
    freeAt: 0,
  }));
  const ends: { at: number; target: (typeof targets)[number] }[][] = targets.map(() => []);
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < requests; i++) {
    now += -Math.log(1 - random.next()) / (servers * load);
    targets.forEach((target, index) => {
      const queue = ends[index]!;
      while (queue.length > 0 && queue[0]!.at <= now) {
        queue.shift();
        target.open--;
      }
    });
    const cost = costOf(random.next());
    const target = balancer.pick(targets, 0)!;
    target.open++;
    target.busy += cost;
    waits.push(Math.max(0, target.freeAt - now));
    target.freeAt = Math.max(target.freeAt, now) + cost;
    ends[targets.indexOf(target)]!.push({ at: target.freeAt, target });
  }
  const work = targets.map(({ busy }) => busy);
  const mean = work.reduce((sum, one) => sum + one, 0) / servers;
  waits.sort((a, b) => a - b);
  return { busiest: Math.max(...work) / mean, p99: waits[Math.floor(0.99 * waits.length)]! };
}

export default lab({
  id: 'lab-rr-cost-variance',
  claims: ['lab-rr-cost-variance'],
  title: 'Equal counts are not equal load',
  claim: 'Equal counts mean equal load.',
  question:
    'Round robin gives four servers the same number of requests. How much more work does the busiest do, and what do requests wait, when their costs differ?',
  method:
    'Requests arrive at random at 70 % load; their costs have the same mean and are all alike, exponential, or heavy-tailed (Pareto with shape 1.2). Work is the time that a server was busy over 10,000 requests; waiting is in units of the mean cost.',
  advice:
    'Balance by what is open, not by turns, as soon as requests differ. Against heavy tails no balancer helps much: bound the cost of a request, or give the expensive ones servers of their own.',
  expected: 'false',
  seeds: { full: 30, small: 6 },
  measure: ({ seeds, pick }) =>
    costs.map(([name, costOf]) => ({
      name,
      by: policies.map((policy) => {
        const runs = seeds.map((seed) => run(costOf, policy, seed, pick(10_000, 4_000)));
        return {
          policy,
          busiest: estimate(runs.map(({ busiest }) => busiest)),
          p99: estimate(runs.map(({ p99 }) => p99)),
        };
      }),
    })),
  verdict(found) {
    const turn = (name: string) => found.find((one) => one.name === name)!.by[0]!;
    const least = found.find((one) => one.name === 'heavy tail')!.by[2]!;
    const [alike, heavy] = [turn('all alike'), turn('heavy tail')];
    return {
      verdict: heavy.busiest.mean > 1.05 && heavy.p99.mean > 2 * alike.p99.mean ? 'false' : 'true',
      why: `With the same number of requests the busiest of four servers works ${percent(heavy.busiest.mean - 1)} more than the mean when costs have a heavy tail (${percent(alike.busiest.mean - 1)} when all cost alike), and p99 of waiting is ${digits(heavy.p99.mean)} mean costs instead of ${digits(alike.p99.mean)}; by least requests it is ${digits(least.p99.mean)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Work of the busiest server under round robin, over the mean',
      x: { label: 'times the mean', min: 0.9 },
      groups: found.map(({ name }) => name),
      series: [
        {
          name: 'round robin',
          values: found.map(({ by }) => by[0]!.busiest.mean),
          plusMinus: found.map(({ by }) => by[0]!.busiest.plusMinus),
        },
      ],
      level: { at: 1, name: 'even' },
    }),
    lines({
      title: 'What requests wait, p99',
      x: { label: 'costs: alike, exponential, heavy tail', min: 1, max: 3 },
      y: { label: 'mean costs', scale: 'log' },
      series: policies.map((policy, index) => ({
        name: policy,
        points: found.map(({ by }, at) => [at + 1, Math.max(0.01, by[index]!.p99.mean)] as const),
      })),
    }),
    table({
      title: 'p99 of waiting, in mean costs, with 95 % intervals',
      head: ['costs', ...policies],
      rows: found.map(({ name, by }) => [name, ...by.map(({ p99 }) => within(p99))]),
    }),
  ],
});
