/** A chain of one to seven services, each of which waits for the next. */
import { gateway, type Service, service, simulate, system, users } from 'loadpath';
import { digits, estimate, lab, lines, ms, percent, table } from 'loadpath/lab';

const depths = [1, 2, 3, 4, 5, 6, 7];
/** Of one service: a request in a thousand fails there. */
const own = 0.999;

async function work(): Promise<boolean> {
  await new Promise((done) => setTimeout(done, 9));
  return Math.random() < own;
}

/** Service `at` of a chain that ends with service `depth`. */
function link(at: number, depth: number): Service {
  const options = { instances: 2, cost: { cpu: '1ms' } } as const;
  if (at === depth) {
    const fetch = async () => new Response(null, { status: (await work()) ? 200 : 500 });
    return service(`s${at}`, { ...options, fetch });
  }
  return service(`s${at}`, {
    ...options,
    env: { next: link(at + 1, depth) },
    async fetch(_request, { next }) {
      if (!(await work())) return new Response(null, { status: 500 });
      const reply = await next.fetch('/');
      return new Response(null, { status: reply.ok ? 200 : 502 });
    },
  });
}

function design(depth: number) {
  return system('chain', {
    entry: gateway('edge', { routes: { '/': link(1, depth) }, policy: { timeout: '5s' } }),
    workload: users({ rate: '100/s' }),
  });
}

export default lab({
  id: 'lab-chain-latency',
  claims: ['lab-chain-latency'],
  title: 'A chain is as slow as its sum and as available as its product',
  claim: 'A synchronous chain of services adds up latency, and needs all of them up.',
  question:
    'One to seven services, each taking 10 ms and failing once in a thousand requests, wait for one another. What does the first one’s caller see?',
  method:
    'Each service works 1 ms, waits 9 ms, fails with a chance of 0.001 and then calls the next. Mean latency is compared with the sum of the parts, the share of good answers with 0.999ⁿ.',
  advice:
    'Count the services that must answer before the user gets his answer. What need not be waited for goes into a queue; what may be missing is optional; what can be asked at the same time is.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(5),
  async measure({ seeds, pick }) {
    const found = [];
    for (const depth of depths) {
      const reports = [];
      for (const seed of seeds) {
        reports.push(await simulate(design(depth), { seed, for: pick('40s', '4s') }));
      }
      found.push({
        depth,
        mean: estimate(reports.map(({ latencyMs }) => latencyMs.mean)),
        p99: estimate(reports.map(({ latencyMs }) => latencyMs.p99)),
        good: estimate(reports.map(({ availability }) => availability)),
      });
    }
    return found;
  },
  verdict(found) {
    const [one, seven] = [found[0]!, found.at(-1)!];
    const slope = (seven.mean.mean - one.mean.mean) / 6;
    const adds =
      Math.abs(seven.mean.mean - (one.mean.mean + 6 * slope)) < 1 && slope > 9 && slope < 13;
    const multiplies = Math.abs(seven.good.mean - own ** 7) < 0.004;
    return {
      verdict: adds && multiplies ? 'true' : 'partly',
      why: `Each further service adds ${digits(slope)} ms: one answers in ${ms(one.mean.mean)} on average, seven in ${ms(seven.mean.mean)}; of seven ${percent(seven.good.mean)} of requests succeed where 0.999⁷ is ${percent(own ** 7)}.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Latency of a chain',
      x: { label: 'services', min: 1, max: 7 },
      y: { label: 'time', unit: 'ms' },
      series: [
        { name: 'mean', points: found.map(({ depth, mean }) => [depth, mean.mean]) },
        { name: 'p99', points: found.map(({ depth, p99 }) => [depth, p99.mean]) },
      ],
    }),
    lines({
      title: 'Requests that fail',
      x: { label: 'services', min: 1, max: 7 },
      y: { label: 'share', unit: '%' },
      series: [
        {
          name: 'measured',
          points: found.map(({ depth, good }) => [depth, 100 * (1 - good.mean)]),
          plusMinus: found.map(({ good }) => 100 * (good.plusMinus ?? 0)),
        },
        { name: '1 − 0.999ⁿ', points: depths.map((depth) => [depth, 100 * (1 - own ** depth)]) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['services', 'mean', 'p99', 'succeed', '0.999ⁿ'],
      rows: found.map(({ depth, mean, p99, good }) => [
        depth,
        ms(mean.mean),
        ms(p99.mean),
        percent(good.mean),
        percent(own ** depth),
      ]),
    }),
  ],
});
