/** All three instances are replaced: how long callers with a cached list call those that are gone. */
import { gateway, registry, service, simulate, system, users } from 'loadpath';
import { digits, estimate, lab, lines, table, within } from 'loadpath/lab';

interface Variant {
  readonly name: string;
  readonly options: Parameters<typeof registry>[1];
}

const cached = { follow: 'poll', poll: '10min' } as const;
const variants: readonly Variant[] = [
  {
    name: 'cached, fetched after 10 s without success',
    options: { ...cached, refreshAfter: '10s' },
  },
  { name: 'cached, fetched after 2 s', options: { ...cached, refreshAfter: '2s' } },
  { name: 'cached, fetched at each failure', options: { ...cached, refetch: 'each' } },
  { name: 'polled every 5 s', options: { follow: 'poll', poll: '5s', refreshAfter: '1h' } },
  { name: 'watched', options: { follow: 'watch' } },
];

/** Long after a registry that has just begun knows that it knows everybody. */
const replacedAtS = 40;

/** Three new ones start; a second later the three old ones leave, all at once. */
function design({ options }: Variant) {
  const names = registry('names', options);
  const api = service('api', { instances: 3, cost: '2ms', discovery: names });
  return system('replaced', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '1s', retry: { attempts: 2 } },
    }),
    faults: [
      `start 3 api at ${replacedAtS - 1}s`,
      ...[0, 1, 2].map((index) => `stop api/${index} at ${replacedAtS}s`),
    ],
    workload: users({ rate: '100/s' }),
  });
}

export default lab({
  id: 'lab-discovery-cache',
  claims: ['lab-discovery-cache'],
  title: 'A cached list is wrong until somebody looks',
  claim: 'A client caches the addresses and fetches them again after 10 s without success.',
  question:
    'A client has three addresses. All three instances are replaced by three others. How long is it without service, by when it fetches the list again?',
  method:
    'The old ones leave the registry properly, a second after the new ones have come. A caller that caches learns nothing of it: its calls are refused until it fetches. Measured is from the first failed second to the last.',
  advice:
    'Ten seconds without success is what the rule costs each time everything moves. Ask again at the first failure (one question at a time, or a dead service makes everybody ask at once), or watch, which costs a connection each and no outage at all. A retry at another address helps only while some of the list is still right.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design(variants[0]!),
  async measure({ seeds }) {
    const found = [];
    for (const variant of variants) {
      const runs = [];
      for (const seed of seeds) {
        const { series, failed, blocks } = await simulate(design(variant), { seed, for: '65s' });
        runs.push({ series, failed, asked: blocks.names!.requestsPerSec });
      }
      found.push({
        name: variant.name,
        // At 100 calls a second, all of which fail: seconds.
        outageS: estimate(runs.map(({ failed }) => failed / 100)),
        askedPerSec: estimate(runs.map(({ asked }) => asked)),
        errors: runs[0]!.series.errors,
      });
    }
    return found;
  },
  verdict(found) {
    const [ten, two, each, polled, watched] = found.map(({ outageS }) => outageS.mean);
    const isTen = ten! > 9 && ten! < 11.5;
    return {
      verdict: isTen ? 'true' : 'false',
      why: `Where the list is fetched after 10 s without success, ${digits(ten!)} s of calls fail; after 2 s ${digits(two!)} s, at each failure ${digits(each!)} s; polled every 5 s ${digits(polled!)} s, watched ${digits(watched!)} s.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Calls that fail while all three instances are replaced',
      x: { label: 'time', unit: 's', min: replacedAtS - 5 },
      y: { label: 'failed', unit: '/s' },
      series: found.map(({ name, errors }) => ({
        name,
        isStepped: true,
        points: errors
          .map((count, second) => [second, count] as const)
          .slice(replacedAtS - 5, replacedAtS + 15),
      })),
    }),
    table({
      title: 'In numbers',
      head: ['list', 'without service', 'messages at the registry'],
      rows: found.map(({ name, outageS, askedPerSec }) => [
        name,
        `${within(outageS)} s`,
        `${digits(askedPerSec.mean)} /s`,
      ]),
    }),
  ],
});
