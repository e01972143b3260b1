/** One of three servers dies: how many requests fail until the balancer has noticed. */
import { gateway, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, percent, table, within } from 'loadpath/lab';

const intervalsMs = [250, 500, 1_000, 2_000] as const;
const falls = [1, 2, 3] as const;
const usersPerSec = 120;
const servers = 3;
const diesAtS = 5;

interface Way {
  readonly name: string;
  readonly policy: Partial<NonNullable<Parameters<typeof gateway>[1]['policy']>>;
  /** Without power it is silent; a killed process refuses. */
  readonly fault: 'power off' | 'kill';
}

function probed(intervalMs: number, fall: number): Way['policy'] {
  const interval = `${intervalMs}ms` as const;
  return { health: { interval, intervalUndecided: interval, timeout: '200ms', fall, jitter: 0 } };
}

const others: readonly Way[] = [
  { name: 'silent, no health checks', fault: 'power off', policy: {} },
  { name: 'silent, outliers ejected', fault: 'power off', policy: { outliers: {} } },
  {
    name: 'silent, breaker for each',
    fault: 'power off',
    policy: { breaker: { consecutive: 5, openFor: '5s' } },
  },
  {
    name: 'silent, probes each second, one retry',
    fault: 'power off',
    policy: { ...probed(1_000, 3), timeout: '600ms', retry: { budget: 1, reserve: 1_000 } },
  },
  { name: 'refusing (killed), no health checks', fault: 'kill', policy: {} },
  { name: 'refusing (killed), one retry', fault: 'kill', policy: { retry: {} } },
];

function design({ policy, fault }: Pick<Way, 'policy' | 'fault'>) {
  const api = service('api', { instances: servers, openMax: 100, cost: { cpu: '5ms' } });
  return system('failover', {
    entry: gateway('edge', {
      routes: { '/': api },
      // By turn: least requests would turn away from who does not answer by itself.
      policy: { timeout: '300ms', balance: 'round-robin', ...policy },
    }),
    faults: [`${fault} api/2 at ${diesAtS}s`],
    workload: users({ rate: `${usersPerSec}/s` }),
  });
}

async function failures(way: Pick<Way, 'policy' | 'fault'>, seeds: readonly number[]) {
  const runs = [];
  for (const seed of seeds) {
    const { series, failed } = await simulate(design(way), { seed, for: '18s' });
    const last = series.errors.findLastIndex((errors) => errors > 0);
    runs.push({ failed, forS: Math.max(0, last + 1 - diesAtS) });
  }
  return {
    failed: estimate(runs.map(({ failed }) => failed)),
    forS: estimate(runs.map(({ forS }) => forS)),
  };
}

/** A third of the requests until the last of `fall` checks has failed, half an interval later or sooner. */
function foretold(intervalMs: number, fall: number): number {
  const seconds = (intervalMs * (fall - 0.5)) / 1_000 + 0.2;
  return (usersPerSec / servers) * seconds;
}

export default lab({
  id: 'lab-lb-failover',
  claims: ['lab-lb-failover'],
  title: 'A dead server is noticed, after a while',
  claim: 'When a server dies, the balancer sends its traffic to those that are healthy.',
  question:
    'One of three servers dies under 120 requests a second. How many requests fail until the balancer leaves it out, by how often it asks servers how they are and how many bad answers it takes, and what do passive means and a retry change?',
  method:
    'The server loses power at 5 s, so that it neither answers nor refuses; calls wait 300 ms and are not tried again. Probes go out each 250 ms to 2 s, and one, two or three in a row must fail. The forecast is a third of the traffic for (fall - ½) intervals and the 200 ms that the last probe waits. Beside it: no probes, ejection of outliers, breakers, a retry, and a process that was killed, which refuses at once.',
  advice:
    'The time until a dead server is left out is interval × threshold, and until then its share of requests fails. Shorten it as far as probes are cheap, and let one retry hide what is left. Passive means (outliers, breakers) notice by the traffic itself and are the faster the more of it there is; a process that refuses is noticed at once.',
  expected: 'conditional',
  seeds: { full: 4, small: 1 },
  design: design({ fault: 'power off', policy: probed(1_000, 3) }),
  async measure({ seeds, pick }) {
    const grid = [];
    for (const intervalMs of pick<readonly number[]>(intervalsMs, [500, 2_000])) {
      for (const fall of pick<readonly number[]>(falls, [1, 3])) {
        const way = { fault: 'power off', policy: probed(intervalMs, fall) } as const;
        grid.push({
          intervalMs,
          fall,
          ...(await failures(way, seeds)),
          foretold: foretold(intervalMs, fall),
        });
      }
    }
    const ways = [];
    for (const way of others) ways.push({ name: way.name, ...(await failures(way, seeds)) });
    return { grid, ways };
  },
  verdict({ grid, ways }) {
    const of = (name: string) => ways.find((one) => one.name === name)!;
    const [blind, tried] = [of(others[0]!.name), of(others[3]!.name)];
    const longest = grid.at(-1)!;
    const shortest = grid[0]!;
    const isLeftOut = grid.every(({ failed }) => failed.mean < blind.failed.mean / 2);
    const grows = longest.failed.mean > 3 * shortest.failed.mean;
    const errors = grid.map(({ failed, foretold: said }) => Math.abs(failed.mean - said) / said);
    return {
      verdict: !isLeftOut ? 'false' : grows ? 'conditional' : 'true',
      why: `With probes each ${longest.intervalMs} ms of which ${longest.fall} must fail ${within(longest.failed)} requests fail (${digits(longest.foretold)} foretold), each ${shortest.intervalMs} ms and ${shortest.fall} ${within(shortest.failed)} (${digits(shortest.foretold)}); without probes ${within(blind.failed)} in 13 s. The forecast, interval × threshold, is off by at most ${percent(Math.max(...errors))}. With a retry ${within(tried.failed)} fail, and when the server refuses ${within(of(others[4]!.name).failed)}.`,
    };
  },
  figures: ({ grid, ways }) => [
    lines({
      title: 'Requests that fail until the dead server is left out',
      x: { label: 'interval of probes', unit: 'ms' },
      y: { label: 'failed requests' },
      series: [...new Set(grid.map(({ fall }) => fall))].map((fall) => {
        const own = grid.filter((one) => one.fall === fall);
        return {
          name: `${fall} bad answers`,
          points: own.map(({ intervalMs, failed }) => [intervalMs, failed.mean] as const),
          plusMinus: own.map(({ failed }) => failed.plusMinus),
        };
      }),
    }),
    bars({
      title: 'Requests that fail otherwise',
      x: { label: 'failed requests' },
      groups: ways.map(({ name }) => name),
      series: [
        {
          name: 'failed',
          values: ways.map(({ failed }) => failed.mean),
          plusMinus: ways.map(({ failed }) => failed.plusMinus),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['how it is noticed', 'failed', 'foretold', 'errors for'],
      rows: [
        ...grid.map(
          ({ intervalMs, fall, failed, foretold: said, forS }) =>
            [
              `silent, probes each ${intervalMs} ms, ${fall} bad`,
              within(failed),
              digits(said),
              `${within(forS)} s`,
            ] as const,
        ),
        ...ways.map(
          ({ name, failed, forS }) => [name, within(failed), '', `${within(forS)} s`] as const,
        ),
      ],
    }),
  ],
});
