/** One server four times slower, or requests of very uneven cost, at 80 % of what three servers can do. */
import { gamma, gateway, type Report, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, ms, percent, table, within } from 'loadpath/lab';

const policies = [
  'round-robin',
  'weighted',
  'random',
  'two-choices',
  'least-requests',
  'latency',
] as const;
type Policy = (typeof policies)[number];

const names: Readonly<Record<Policy, string>> = {
  'round-robin': 'round robin',
  weighted: 'round robin, weights 4 : 4 : 1',
  random: 'random',
  'two-choices': 'two choices',
  'least-requests': 'least requests',
  latency: 'latency (peak EWMA)',
};

const shapes = ['one slow server', 'uneven requests'] as const;
type Shape = (typeof shapes)[number];

/**
 * One slow: 100/s + 100/s + 25/s can be served, 180/s are asked for. Uneven: 300/s can be served and 240/s
 * are asked for, with a standard deviation of the cost three times its mean.
 */
function design(balance: Policy, shape: Shape) {
  const isSlow = shape === 'one slow server';
  const api = service('api', {
    instances: 3,
    openMax: 100,
    cost: { cpu: isSlow ? '10ms' : gamma('10ms', { cv: 3 }) },
    ...(balance === 'weighted' && isSlow ? { weights: [4, 4, 1] } : {}),
    fetch: () => new Response('done'),
  });
  const by = balance === 'weighted' ? 'round-robin' : balance;
  return system('one-slow-server', {
    entry: gateway('edge', { routes: { '/': api }, policy: { timeout: '5s', balance: by } }),
    faults: isSlow ? ['slow api/2 by 4x at 0s'] : [],
    workload: users({ rate: isSlow ? '180/s' : '240/s' }),
  });
}

export default lab({
  id: 'lab-rr-hetero',
  claims: ['lab-rr-hetero'],
  title: 'Even counts overload the slow server',
  claim:
    'Round robin is wrong when capacities or response times differ; weights or least connections do better.',
  question:
    'Three servers get 80 % of what they can do together. What do users wait, how long do queues become, and who fails, by how the next server is picked, when one server is four times slower, and when the servers are alike but requests are not?',
  method:
    'Poisson arrivals, a queue of 100 a server, 10 ms of a core for a request: 40 ms at the slow server, or drawn with a standard deviation of 30 ms. The gateway picks by turn, by turn with weights that it was told, by lot, by the better of two lots, by what it has open, or by how long answers took of late times what is open.',
  advice:
    'Use least requests or two choices wherever servers or requests may differ, which is nearly everywhere: what is open tells a balancer about speed without being told. Weights do as well where they are right and stay right, and know nothing of uneven requests. Going by latency avoids a slow server most; with uneven requests it takes the luck of the last ones for speed.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design('round-robin', 'one slow server'),
  async measure({ seeds, pick }) {
    const found = [];
    for (const shape of shapes) {
      for (const policy of policies) {
        if (policy === 'weighted' && shape === 'uneven requests') continue;
        const reports: Report[] = [];
        for (const seed of seeds) {
          reports.push(await simulate(design(policy, shape), { seed, for: pick('25s', '8s') }));
        }
        const over = (read: (report: Report) => number) => estimate(reports.map(read));
        found.push({
          shape,
          policy,
          p50: over((report) => report.latencyMs.p50),
          p99: over((report) => report.latencyMs.p99),
          failed: over((report) => report.failed / report.generated),
          queue: over((report) => report.blocks.api!.queueMax),
          slowShare: over((report) => {
            const { nodes, requestsPerSec } = report.blocks.api!;
            return nodes[2]!.requestsPerSec / requestsPerSec;
          }),
        });
      }
    }
    return found;
  },
  verdict(found) {
    const of = (policy: Policy, shape: Shape = 'one slow server') =>
      found.find((one) => one.policy === policy && one.shape === shape)!;
    const [turn, told, least] = [of('round-robin'), of('weighted'), of('least-requests')];
    const uneven = (policy: Policy) => within(of(policy, 'uneven requests').p99, ms);
    const better = turn.p99.mean > 3 * least.p99.mean && turn.p99.mean > 3 * told.p99.mean;
    return {
      verdict: better ? 'true' : turn.p99.mean > 3 * least.p99.mean ? 'partly' : 'false',
      why: `By turn the slow server gets ${percent(turn.slowShare.mean)} of the requests, p99 is ${within(turn.p99, ms)} and ${percent(turn.failed.mean)} fail; with the right weights p99 is ${within(told.p99, ms)}, by least requests ${within(least.p99, ms)} with ${percent(least.slowShare.mean)} at the slow one, by two choices ${within(of('two-choices').p99, ms)}, by latency ${within(of('latency').p99, ms)}. With like servers and uneven requests p99 is ${uneven('round-robin')} by turn, ${uneven('least-requests')} by least requests, ${uneven('two-choices')} by two choices and ${uneven('latency')} by latency.`,
    };
  },
  figures: (found) => [
    ...shapes.map((shape) => {
      const own = found.filter((one) => one.shape === shape);
      return bars({
        title: `What users wait: ${shape}`,
        x: { label: 'time', unit: 'ms', scale: 'log', min: 1 },
        groups: own.map(({ policy }) => names[policy]),
        series: [
          { name: 'median', values: own.map(({ p50 }) => p50.mean) },
          { name: 'p99', values: own.map(({ p99 }) => p99.mean) },
        ],
      });
    }),
    bars({
      title: 'Share of requests that the slow server gets (it can do 11 % of them)',
      x: { label: 'share', unit: '%' },
      groups: slowOnes(found).map(({ policy }) => names[policy]),
      series: [
        {
          name: 'slow server',
          values: slowOnes(found).map(({ slowShare }) => 100 * slowShare.mean),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['', 'picked by', 'median', 'p99', 'failed', 'longest queue', 'third server gets'],
      rows: found.map(({ shape, policy, p50, p99, failed, queue, slowShare }) => [
        shape,
        names[policy],
        ms(p50.mean),
        within(p99, ms),
        percent(failed.mean),
        Math.round(queue.mean),
        percent(slowShare.mean),
      ]),
    }),
  ],
});

function slowOnes<T extends { readonly shape: Shape }>(found: readonly T[]): readonly T[] {
  return found.filter(({ shape }) => shape === 'one slow server');
}
