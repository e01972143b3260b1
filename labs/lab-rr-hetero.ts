/** Three servers, one of them four times slower, at 80 % of what they can do together. */
import { gateway, type Report, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, ms, percent, table } from 'loadpath/lab';

const policies = ['round-robin', 'random', 'two-choices', 'least-requests'] as const;
type Policy = (typeof policies)[number];

/** 100/s + 100/s + 25/s can be served; 180/s are asked for. */
function design(balance: Policy) {
  const api = service('api', {
    instances: 3,
    openMax: 100,
    cost: { cpu: '10ms' },
    fetch: () => new Response('done'),
  });
  return system('one-slow-server', {
    entry: gateway('edge', { routes: { '/': api }, policy: { timeout: '5s', balance } }),
    faults: ['slow api/2 by 4x at 0s'],
    workload: users({ rate: '180/s' }),
  });
}

export default lab({
  id: 'lab-rr-hetero',
  claims: ['lab-rr-hetero'],
  title: 'Even counts overload the slow server',
  claim:
    'Round robin is wrong when capacities or response times differ; weights or least connections do better.',
  question:
    'Three servers, one four times slower, get 80 % of what they can do together. What do users wait, how long do queues become, and who fails, by how the next server is picked?',
  method:
    'Poisson arrivals, 10 ms of a core for each request (40 ms at the slow server), a queue of 100 a server. The gateway picks by turn, by lot, by the better of two lots, or by what it has open; it is told nothing of speeds.',
  advice:
    'Use least requests or two choices wherever servers or requests may differ, which is nearly everywhere: what is open tells a balancer about speed without being told. Round robin wants like servers and like requests.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design('round-robin'),
  async measure({ seeds, pick }) {
    const found = [];
    for (const policy of policies) {
      const reports: Report[] = [];
      for (const seed of seeds) {
        reports.push(await simulate(design(policy), { seed, for: pick('30s', '10s') }));
      }
      const over = (read: (report: Report) => number) => estimate(reports.map(read));
      found.push({
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
    return found;
  },
  verdict(found) {
    const of = (policy: Policy) => found.find((one) => one.policy === policy)!;
    const [turn, least] = [of('round-robin'), of('least-requests')];
    const better = turn.p99.mean > 3 * least.p99.mean;
    return {
      verdict: better ? 'true' : 'false',
      why: `By turn the slow server gets ${percent(turn.slowShare.mean)} of the requests, p99 is ${ms(turn.p99.mean)} and ${percent(turn.failed.mean)} fail; by least requests it gets ${percent(least.slowShare.mean)}, p99 is ${ms(least.p99.mean)} and ${percent(least.failed.mean)} fail. Two choices come to ${ms(of('two-choices').p99.mean)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'What users wait, with one server four times slower',
      x: { label: 'time', unit: 'ms', scale: 'log', min: 1 },
      groups: found.map(({ policy }) => policy),
      series: [
        { name: 'median', values: found.map(({ p50 }) => p50.mean) },
        { name: 'p99', values: found.map(({ p99 }) => p99.mean) },
      ],
    }),
    bars({
      title: 'Share of requests that the slow server gets (it can do 11 % of them)',
      x: { label: 'share', unit: '%' },
      groups: found.map(({ policy }) => policy),
      series: [{ name: 'slow server', values: found.map(({ slowShare }) => 100 * slowShare.mean) }],
    }),
    table({
      title: 'In numbers',
      head: ['picked by', 'median', 'p99', 'failed', 'longest queue', 'slow server gets'],
      rows: found.map(({ policy, p50, p99, failed, queue, slowShare }) => [
        policy,
        ms(p50.mean),
        ms(p99.mean),
        percent(failed.mean),
        Math.round(queue.mean),
        percent(slowShare.mean),
      ]),
    }),
  ],
});
