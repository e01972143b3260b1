/** A bot, a service that scales with its load, and the bill: with and without a limit for each caller. */
import {
  fleet,
  gateway,
  type Report,
  registry,
  service,
  simulate,
  system,
  tokenBucket,
  users,
} from 'loadpath';
import { bars, digits, estimate, lab, lines, percent, table } from 'loadpath/lab';

const usersPerSec = 40;
const ways = ['no bot', 'bot', 'bot, limited'] as const;
type Way = (typeof ways)[number];

/** An instance does 50 a second at its best, and one more is started when they are busy for 60 %. */
function design(way: Way) {
  const total = way === 'no bot' ? usersPerSec : 11 * usersPerSec;
  const isBot = (id: number): boolean => way !== 'no bot' && id % 11 !== 0;
  const names = registry('names', { ttl: '5s', renewEvery: '1s' });
  const api = service('api', {
    instances: 2,
    openMax: 200,
    discovery: names,
    cost: { cpu: '20ms' },
    fetch: () => new Response('here you are'),
  });
  const keeper = fleet('keeper', {
    of: api,
    min: 2,
    max: 30,
    every: '1s',
    scale: { cpu: 0.6, warmUp: '3s', cooldownUp: '3s', cooldownDown: '20s' },
  });
  const limit = tokenBucket({ rate: '10/s', burst: 20, by: 'ip' });
  return system('bot-and-bill', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '5s' },
      ...(way === 'bot, limited' ? { limit } : {}),
    }),
    blocks: [keeper],
    workload: users({
      rate: `${total}/s`,
      population: 110_000,
      ip: (id) => (isBot(id) ? '10.9.9.9' : `10.1.${(id >> 8) & 255}.${id & 255}`),
      act: async (user) => void (await user.fetch('/')),
    }),
  });
}

export default lab({
  id: 'lab-rl-scaleout-bill',
  claims: ['lab-rl-scaleout-bill'],
  title: 'Who may ask without limit writes your bill',
  claim: 'Callers without a limit raise the cost of what scales by itself.',
  question:
    'Users ask for 40 requests a second, and a bot for ten times as much from one address. The service starts instances until each is busy for 60 %. How many instance hours does an hour cost, with and without a limit of ten a second for each address?',
  method:
    'One core an instance and 20 ms a request, two to thirty instances, kept by a fleet that looks every second. Counted is how long instances ran, over the whole run, and put to an hour of it.',
  advice:
    'Let nobody scale your system who does not pay for it: a limit for each caller before what scales, and an upper bound for how far it does.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design('bot'),
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of ways) {
      const reports: Report[] = [];
      for (const seed of seeds) {
        reports.push(await simulate(design(way), { seed, for: pick('120s', '40s') }));
      }
      const of = (read: (report: Report) => number) => estimate(reports.map(read)).mean;
      found.push({
        way,
        /** Instances that ran on average: hours an hour. */
        instances: of(
          ({ blocks, simulatedSeconds }) => (3_600 * blocks.api!.nodeHours) / simulatedSeconds,
        ),
        served: of(({ blocks }) => blocks.api!.requestsPerSec),
        refused: of(({ rejected, generated }) => rejected / generated),
        byTime: reports[0]!.series.throughput.map((perSec, second) => [second, perSec] as const),
      });
    }
    return found;
  },
  verdict(found) {
    const [calm, free, limited] = found;
    const isSo =
      free!.instances > 2 * calm!.instances && limited!.instances < 1.5 * calm!.instances;
    return {
      verdict: isSo ? 'true' : free!.instances > 1.5 * limited!.instances ? 'partly' : 'false',
      why: `Without a bot ${digits(calm!.instances)} instances run on average, with one ${digits(free!.instances)}, and with one that is limited ${digits(limited!.instances)}: its ${percent(limited!.refused)} of all requests are refused at the gateway.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Instance hours for an hour',
      x: { label: 'instance hours' },
      groups: found.map(({ way }) => way),
      series: [{ name: 'hours', values: found.map(({ instances }) => instances) }],
    }),
    lines({
      title: 'Requests answered, the limit’s refusals included',
      x: { label: 'time', unit: 's' },
      y: { label: 'requests', unit: '/s', min: 0 },
      series: found.map(({ way, byTime }) => ({ name: way, points: byTime })),
    }),
    table({
      title: 'In numbers',
      head: ['', 'instance hours an hour', 'requests at the service', 'refused at the gateway'],
      rows: found.map(({ way, instances, served, refused }) => [
        way,
        digits(instances),
        `${digits(served)}/s`,
        percent(refused),
      ]),
    }),
  ],
});
