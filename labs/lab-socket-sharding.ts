/** Worker processes on one port: one line of new connections for all of them, or a line each. */
import { balancer, type Report, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, ms, percent, table, within } from 'loadpath/lab';

const ways = ['shared', 'sharded'] as const;
type Way = (typeof ways)[number];
const workers = 4;
/** What a worker does for a new connection, as for the handshake of one with TLS. */
const costMs = 8;
const loads = [0.5, 0.7, 0.9] as const;
const counts = [1, 2, 4, 8] as const;
const again = 'all are restarted in turn';
const troubles = {
  nothing: [],
  'a worker hangs for 1 s': ['pause front/1 at 1s for 1s'],
  [again]: [0, 1, 2, 3].map((at) => `restart front/${at} at ${500 + 1_000 * at}ms`),
  'a worker is killed': ['kill front/1 at 1s, restart after 500ms'],
} as const;
type Trouble = keyof typeof troubles;

function capacityPerSec(nodes: number): number {
  return (nodes * 1_000) / costMs;
}

function design(way: Way, nodes: number, load: number, faults: readonly string[] = []) {
  const api = service('api', { instances: 4, cost: '100us' });
  return system('front', {
    entry: balancer('front', { to: api, nodes, listen: way, cost: `${costMs}ms` }),
    faults: [...faults],
    // So many that hardly anybody comes twice: each request is a new connection.
    workload: users({
      rate: `${Math.round(load * capacityPerSec(nodes))}/s`,
      population: 1_000_000,
      timeout: '5s',
    }),
  });
}

function busiest({ blocks }: Report): number {
  const { nodes, requestsPerSec } = blocks.front!;
  return Math.max(...nodes.map((node) => node.requestsPerSec)) / requestsPerSec;
}

export default lab({
  id: 'lab-socket-sharding',
  claims: ['lab-socket-sharding'],
  title: 'A line each is for the lock, not for those who wait',
  claim: 'Sharding the listening socket helps accept throughput.',
  question:
    'Four worker processes listen on one port. What do new connections wait, how evenly are they spread, how many are accepted a second when there are too many, and what is lost when a worker hangs or is killed and when all are restarted: with one line for all, and with a line each, to which a hash of address and port deals (SO_REUSEPORT)?',
  method: `Each request comes on a new connection, for which a worker works ${costMs} ms before it takes the next from its line. Load is in shares of what the workers can do together; for accepts a second it is 130 % of that. Troubles come at 70 % load; restarts come one a second, and drain first. The simulated line costs nothing to take from, however many workers do: what a kernel loses to the lock of one shared line is not in these figures.`,
  advice:
    'More workers accept more, and a line each does not add to it. Shard when a profile shows the lock of the one line (hundreds of thousands of short connections a second, many cores), or to keep each core with its own connections. Otherwise share: nobody waits for a busy worker while another is free, one that hangs takes nobody with it, and a restart loses nothing. With a line each, to drain is not enough: a worker that stops has to hand its socket, with what waits there, to its successor.',
  expected: 'conditional',
  seeds: { full: 5, small: 1 },
  design: design('sharded', workers, 0.7),
  async measure({ seeds, pick }) {
    const length = pick('4s', '1s');
    const waits = [];
    for (const load of pick<readonly number[]>(loads, [0.9])) {
      for (const way of ways) {
        const reports: Report[] = [];
        for (const seed of seeds) {
          reports.push(await simulate(design(way, workers, load), { seed, for: length }));
        }
        const over = (read: (report: Report) => number) => estimate(reports.map(read));
        waits.push({
          load,
          way,
          p50: over(({ latencyMs }) => latencyMs.p50),
          p99: over(({ latencyMs }) => latencyMs.p99),
          busiest: over(busiest),
        });
      }
    }
    const accepts = [];
    for (const nodes of pick<readonly number[]>(counts, [1, 4])) {
      for (const way of ways) {
        const report = await simulate(design(way, nodes, 1.3), {
          seed: seeds[0]!,
          for: pick('2s', '500ms'),
        });
        accepts.push({ nodes, way, perSec: report.blocks.front!.requestsPerSec });
      }
    }
    const lost = [];
    const chosen = pick<readonly Trouble[]>(Object.keys(troubles) as Trouble[], [
      'a worker hangs for 1 s',
      again,
    ]);
    for (const trouble of chosen) {
      for (const way of ways) {
        const runs = [];
        for (const seed of seeds) {
          const broken = design(way, workers, 0.7, troubles[trouble]);
          const { failed, latencyMs } = await simulate(broken, { seed, for: pick('5s', '2500ms') });
          runs.push({ failed, p99: latencyMs.p99 });
        }
        lost.push({
          trouble,
          way,
          failed: estimate(runs.map(({ failed }) => failed)),
          p99: estimate(runs.map(({ p99 }) => p99)),
        });
      }
    }
    return { waits, accepts, lost };
  },
  verdict({ waits, accepts, lost }) {
    const waitOf = (way: Way) => waits.filter((one) => one.way === way).at(-1)!;
    const [shared, sharded] = [waitOf('shared'), waitOf('sharded')];
    const rateOf = (nodes: number, way: Way) =>
      accepts.find((one) => one.nodes === nodes && one.way === way)!.perSec;
    const lossOf = (trouble: Trouble, way: Way) =>
      lost.find((one) => one.trouble === trouble && one.way === way)!;
    const gain = rateOf(4, 'sharded') / rateOf(1, 'sharded');
    const apart = rateOf(4, 'sharded') / rateOf(4, 'shared');
    const costs = sharded.p99.mean > shared.p99.mean;
    const [hangShared, hangSharded] = ways.map((way) => lossOf('a worker hangs for 1 s', way));
    const [againShared, againSharded] = ways.map((way) => lossOf(again, way));
    return {
      verdict: apart > 1.1 ? 'true' : gain > 2 && costs ? 'conditional' : 'false',
      why: `Four workers accept ${digits(gain)} times as many as one, and with a line each ${digits(apart)} times as many as with one for all: sharding adds nothing where the line itself costs nothing. At ${percent(sharded.load)} load p99 is ${ms(sharded.p99.mean)} with a line each and ${ms(shared.p99.mean)} with one, while the busiest of four gets ${percent(sharded.busiest.mean)} and ${percent(shared.busiest.mean)}. When a worker hangs for a second, p99 is ${ms(hangSharded!.p99.mean)} against ${ms(hangShared!.p99.mean)}; when all are restarted, one a second, ${within(againSharded!.failed)} connections are lost against ${within(againShared!.failed)}.`,
    };
  },
  figures: ({ waits, accepts, lost }) => [
    lines({
      title: 'What new connections wait (p99)',
      x: { label: 'load', unit: '%' },
      y: { label: 'p99', unit: 'ms' },
      series: ways.map((way) => {
        const own = waits.filter((one) => one.way === way);
        return {
          name: way,
          points: own.map(({ load, p99 }) => [100 * load, p99.mean] as const),
          plusMinus: own.map(({ p99 }) => p99.plusMinus),
        };
      }),
    }),
    lines({
      title: 'Accepted a second when too many come',
      x: { label: 'workers' },
      y: { label: 'connections', unit: '/s' },
      series: ways.map((way) => ({
        name: way,
        points: accepts
          .filter((one) => one.way === way)
          .map(({ nodes, perSec }) => [nodes, perSec] as const),
      })),
    }),
    bars({
      title: 'Connections lost at 70 % load',
      x: { label: 'lost connections' },
      groups: [...new Set(lost.map(({ trouble }) => trouble))],
      series: ways.map((way) => {
        const own = lost.filter((one) => one.way === way);
        return {
          name: way,
          values: own.map(({ failed }) => failed.mean),
          plusMinus: own.map(({ failed }) => failed.plusMinus),
        };
      }),
    }),
    table({
      title: 'In numbers',
      head: ['what', 'line', 'median', 'p99', 'busiest of four', 'lost'],
      rows: [
        ...waits.map(
          ({ load, way, p50, p99, busiest: most }) =>
            [
              `load ${percent(load)}`,
              way,
              ms(p50.mean),
              ms(p99.mean),
              percent(most.mean),
              '',
            ] as const,
        ),
        ...lost.map(
          ({ trouble, way, failed, p99 }) =>
            [trouble, way, '', ms(p99.mean), '', within(failed)] as const,
        ),
      ],
    }),
  ],
});
