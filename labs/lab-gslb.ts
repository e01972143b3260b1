/** Three regions, names that lead to the nearest, and the day on which one of them is lost. */
import { constant, dns, type Report, service, simulate, system, users } from 'loadpath';
import { digits, estimate, lab, lines, ms, percent, table } from 'loadpath/lab';

const regions = ['asia', 'europe', 'america'] as const;
const lostAtSec = 20;

/** An instance does 100 a second; a third of `perSec` comes from each region. */
function design(how: 'one region' | 'nearest', perSec: number) {
  const isOne = how === 'one region';
  const api = service('api', {
    instances: isOne ? 1 : 3,
    cores: isOne ? 3 : 1,
    openMax: 250,
    cost: { cpu: '10ms' },
    fetch: () => new Response('here you are'),
  });
  const names = dns('names', {
    records: { 'shop.test': api },
    servers: 3,
    ttl: '5s',
    distances: { asia: { europe: '160ms', america: '210ms' }, europe: { america: '90ms' } },
  });
  const link = (way: '1ms' | '45ms') => ({ delay: constant(way), lossRatio: 0, duplicateRatio: 0 });
  const order = isOne ? ['europe', 'asia', 'america'] : regions;
  return system('three-regions', {
    entry: api,
    zones: order.map((region) => ({ name: `${region}-a`, region })),
    network: { sameZone: link('1ms'), betweenRegions: link('45ms') },
    faults: [
      'delay 35ms between region asia and region europe at 0s',
      'delay 60ms between region asia and region america at 0s',
    ],
    workload: users({
      rate: `${perSec}/s`,
      population: 5_000,
      timeout: '3s',
      from: Object.fromEntries(regions.map((region) => [region, 1])),
      ...(isOne ? {} : { resolver: names }),
    }),
  });
}

const loads = [0.3, 0.6, 0.8] as const;

export default lab({
  id: 'lab-gslb',
  claims: ['lab-gslb'],
  title: 'The nearest region, and the next when it is lost',
  claim: 'Global balancing improves latency and survives a region.',
  question:
    'Users on three continents. What do they wait with all servers in Europe, and with a third of them in each region and names that lead to the nearest? And when Asia is lost, who fails, for how long, and do the other two bear the rest, by how busy all were before?',
  method:
    'Round trips of 160 ms between Asia and Europe, 210 ms between Asia and America, 90 ms between Europe and America, 2 ms within a region. Instances that do 300 requests a second in all, in both cases; names lead straight to them. Names may be remembered for 5 s; health checks take a region out after three bad answers. The site in Asia loses power 20 s into the load; resolvers there are those of users’ providers, and stay.',
  advice:
    'Users of a lost region go to the next nearest one, all of them: that one needs as much free as the lost one had in use, not a third of it. Where it has not, spread them over all that remain (weights, or distances that are alike), or shed. Short lifetimes of names decide how long users go on to a region that is not there, and what a lookup costs in between. Not measured here: a region that takes its users’ resolvers with it. They then wait for a resolver first, and a client that waits no longer than its resolver does goes on failing.',
  expected: 'conditional',
  seeds: { full: 3, small: 1 },
  design: design('nearest', 180),
  async measure({ seeds, pick }) {
    const length = pick('80s', '42s');
    const run = async (make: () => ReturnType<typeof design>, faults: readonly string[]) => {
      const reports: Report[] = [];
      for (const seed of seeds) reports.push(await simulate(make(), { seed, for: length, faults }));
      const of = (read: (report: Report) => number) => estimate(reports.map(read)).mean;
      const late = ({ series }: Report) => series.errors.slice(lostAtSec + 15);
      return {
        p50: of(({ latencyMs }) => latencyMs.p50),
        p99: of(({ latencyMs }) => latencyMs.p99),
        mean: of(({ latencyMs }) => latencyMs.mean),
        failed: of(({ failed, generated }) => failed / generated),
        failedLate: of((report) => late(report).reduce((a, b) => a + b, 0) / late(report).length),
        errors: reports[0]!.series.errors.map((errors, second) => [second, errors] as const),
      };
    };
    const lost = [`power off api/0 at ${lostAtSec}s`];
    const one = await run(() => design('one region', 180), []);
    const near = await run(() => design('nearest', 180), []);
    const byLoad = [];
    for (const load of loads) {
      byLoad.push({ load, ...(await run(() => design('nearest', 300 * load), lost)) });
    }
    return { one, near, byLoad };
  },
  verdict({ one, near, byLoad }) {
    const [light, middle, heavy] = byLoad;
    const isFaster = near.mean < 0.4 * one.mean;
    const survives = light!.failedLate < 0.01 * 300 * light!.load;
    const isFull = heavy!.failedLate > 0.05 * 300 * heavy!.load;
    return {
      verdict: isFaster && survives ? (isFull ? 'conditional' : 'true') : 'false',
      why: `It is faster, and the loss is survived where the next nearest has room. The mean falls from ${ms(one.mean)} to ${ms(near.mean)}. When Asia is lost while all are busy for ${percent(light!.load)}, ${percent(light!.failed)} of all requests fail, and ${digits(light!.failedLate)} a second once names have moved. At ${percent(middle!.load)} it is ${digits(middle!.failedLate)} a second, although the other two could bear it together: Europe, the next nearest, gets all of Asia’s users. At ${percent(heavy!.load)} it is ${digits(heavy!.failedLate)}.`,
    };
  },
  figures: ({ one, near, byLoad }) => [
    lines({
      title: `Requests that fail; Asia is lost at ${lostAtSec} s`,
      x: { label: 'time', unit: 's' },
      y: { label: 'failed', unit: '/s', min: 0 },
      series: byLoad.map(({ load, errors }) => ({
        name: `${percent(load)} busy before`,
        points: errors,
      })),
    }),
    table({
      title: 'In numbers',
      note: 'p99 with names is that of who finds their lifetime over, and waits for a lookup.',
      head: ['', 'mean', 'p50', 'p99', 'failed', 'failed a second, 15 s later'],
      rows: [
        [
          'all in Europe',
          ms(one.mean),
          ms(one.p50),
          ms(one.p99),
          percent(one.failed),
          digits(one.failedLate),
        ],
        [
          'the nearest',
          ms(near.mean),
          ms(near.p50),
          ms(near.p99),
          percent(near.failed),
          digits(near.failedLate),
        ],
        ...byLoad.map(({ load, mean, p50, p99, failed, failedLate }) => [
          `Asia lost at ${percent(load)}`,
          ms(mean),
          ms(p50),
          ms(p99),
          percent(failed),
          digits(failedLate),
        ]),
      ],
    }),
  ],
});
