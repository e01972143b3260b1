/** What a gateway costs: a hop on every request, and one more thing that can die. */
import { gateway, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, ms, percent, table, within } from 'loadpath/lab';

const usersPerSec = 100;
const downFromS = 6;
const downForS = 6;
const ways = ['straight to the service', 'one gateway', 'two gateways'] as const;
type Way = (typeof ways)[number];

function design(way: Way, faults: readonly string[]) {
  const api = service('api', { instances: 2, cost: { cpu: '2ms' } });
  const entry =
    way === 'straight to the service'
      ? api
      : gateway('edge', {
          nodes: way === 'one gateway' ? 1 : 2,
          routes: { '/': api },
          policy: { timeout: '2s' },
        });
  return system('the-hop', {
    entry,
    faults: [...faults],
    workload: users({ rate: `${usersPerSec}/s`, timeout: '2s' }),
  });
}

const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);

export default lab({
  id: 'lab-gateway-hop',
  claims: ['lab-gateway-hop'],
  title: 'A gateway is a hop, and may be the single point of failure',
  claim: 'A gateway adds a hop, and is itself a single point of failure.',
  question:
    'What does a request wait longer because it goes through a gateway, and what share of requests fails while a gateway is down for six seconds, when it is the only one and when there are two?',
  method:
    'Two instances that need 2 ms for a request, 100 requests a second: users ask them straight, through one gateway, or through two of them. First without a fault, then with `edge/0` killed at 6 s and back 6 s later.',
  advice:
    'The hop costs a fraction of a millisecond inside a region and is seldom worth a thought. That everything goes through it is: run two at least, and let clients or what is before them know both.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design('one gateway', []),
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of ways) {
      const runs = [];
      for (const seed of seeds) {
        const calm = await simulate(design(way, []), { seed, for: pick('30s', '12s') });
        const fault = `kill edge/0 at ${downFromS}s, restart after ${downForS}s`;
        const hurt =
          way === 'straight to the service'
            ? undefined
            : await simulate(design(way, [fault]), { seed, for: '18s' });
        const during = (list: readonly number[]) =>
          sum(list.slice(downFromS, downFromS + downForS));
        const [good, bad] = hurt
          ? [during(hurt.series.throughput), during(hurt.series.errors)]
          : [1, 0];
        runs.push({
          p50: calm.latencyMs.p50,
          p99: calm.latencyMs.p99,
          mean: calm.latencyMs.mean,
          failed: bad / Math.max(1, good + bad),
          errors: hurt?.series.errors ?? [],
        });
      }
      found.push({
        way,
        mean: estimate(runs.map(({ mean }) => mean)),
        p50: estimate(runs.map(({ p50 }) => p50)),
        p99: estimate(runs.map(({ p99 }) => p99)),
        failed: estimate(runs.map(({ failed }) => failed)),
        errors: runs[0]!.errors,
      });
    }
    return found;
  },
  verdict(found) {
    const [straight, one, two] = found;
    const addsMs = one!.mean.mean - straight!.mean.mean;
    const isSpof = one!.failed.mean > 0.9;
    const helps = two!.failed.mean < one!.failed.mean / 2;
    return {
      verdict: addsMs > 0.05 && isSpof && helps ? 'true' : isSpof ? 'partly' : 'false',
      why: `Through the gateway a request takes ${within(one!.mean, ms)} on average instead of ${within(straight!.mean, ms)}, ${digits(addsMs)} ms more (p99 ${within(one!.p99, ms)} instead of ${within(straight!.p99, ms)}). While the only gateway is down ${within(one!.failed, percent)} of requests fail, while one of two is down ${within(two!.failed, percent)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'What a request takes, without a fault',
      x: { label: 'time', unit: 'ms' },
      groups: found.map(({ way }) => way),
      series: [
        { name: 'mean', values: found.map(({ mean }) => mean.mean) },
        { name: 'p99', values: found.map(({ p99 }) => p99.mean) },
      ],
    }),
    lines({
      title: 'Errors while a gateway is down from 6 s to 12 s',
      x: { label: 'time', unit: 's' },
      y: { label: 'errors', unit: '/s' },
      series: found.slice(1).map(({ way, errors }) => ({
        name: way,
        points: errors.map((count, second) => [second, count] as const),
      })),
    }),
    table({
      title: 'In numbers',
      head: ['', 'mean', 'median', 'p99', 'failed while one is down'],
      rows: found.map(({ way, mean, p50, p99, failed }) => [
        way,
        within(mean, ms),
        ms(p50.mean),
        within(p99, ms),
        way === 'straight to the service' ? '' : within(failed, percent),
      ]),
    }),
  ],
});
