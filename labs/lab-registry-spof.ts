/** The registry dies for a while: who knows the list goes on, who starts meanwhile has none. */
import { gateway, registry, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, percent, table } from 'loadpath/lab';

const diesAtS = 10;
const backAtS = 40;
const startsAtS = 15;

interface Variant {
  readonly name: string;
  readonly registries: number;
  readonly dies: boolean;
}

const variants: readonly Variant[] = [
  { name: 'one registry, up', registries: 1, dies: false },
  { name: 'one registry, dead for 30 s', registries: 1, dies: true },
  { name: 'two registries, one dead for 30 s', registries: 2, dies: true },
];

/** Two gateways: edge/0 has its list, edge/1 starts anew while the registry is away. */
function design({ registries, dies }: Variant, ratePerSec = 100) {
  const names = registry('names', { nodes: registries, renewEvery: '5s', ttl: '15s' });
  const api = service('api', { instances: 3, cost: '2ms', discovery: names });
  return system('nameless', {
    entry: gateway('edge', { nodes: 2, routes: { '/': api }, policy: { timeout: '2s' } }),
    faults: [
      ...(dies ? [`kill names/0 at ${diesAtS}s, restart after ${backAtS - diesAtS}s`] : []),
      `kill edge/1 at ${startsAtS}s, restart after 500ms`,
    ],
    workload: users({ rate: `${ratePerSec}/s` }),
  });
}

export default lab({
  id: 'lab-registry-spof',
  claims: ['lab-registry-spof'],
  title: 'A dead registry stops beginners only',
  claim: 'When the registry dies, callers that have a list go on, and new ones fail.',
  question:
    'The registry is dead for half a minute. Two gateways call through it: one has its list, the other is started again five seconds into the outage. What fails at which?',
  method:
    'A gateway that was killed is back within half a second; what is refused while it is away fails in every variant alike. Compared are a registry that stays up, one that dies for 30 s, and two side by side of which one dies.',
  advice:
    'A cached list carries every caller over the loss of a registry, so the registry needs no better availability than a deploy takes. What it blocks is starting: run two registries, or keep deploys and scaling from happening while it is away.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design(variants[1]!),
  async measure({ seeds, pick }) {
    const found = [];
    for (const variant of variants) {
      const runs = [];
      for (const seed of seeds) {
        const { blocks, series } = await simulate(design(variant, pick(100, 30)), {
          seed,
          for: '60s',
        });
        const share = (index: number) => {
          const { requestsPerSec, errors } = blocks.edge!.nodes[index]!;
          return errors / Math.max(1, requestsPerSec * 60);
        };
        const after = series.errors.slice(backAtS + 2);
        runs.push({
          known: share(0),
          fresh: share(1),
          failedAfter: after.reduce((sum, errors) => sum + errors, 0),
        });
      }
      found.push({
        name: variant.name,
        known: estimate(runs.map(({ known }) => known)),
        fresh: estimate(runs.map(({ fresh }) => fresh)),
        failedAfter: Math.max(...runs.map(({ failedAfter }) => failedAfter)),
      });
    }
    return found;
  },
  verdict(found) {
    const [up, dead, two] = found as [(typeof found)[0], (typeof found)[0], (typeof found)[0]];
    const goesOn = dead.known.mean === 0;
    const stops = dead.fresh.mean > 0.2 && up.fresh.mean < 0.02;
    return {
      verdict: goesOn && stops ? 'true' : goesOn ? 'partly' : 'false',
      why: `With the only registry dead for 30 of 60 s the gateway that has its list fails ${percent(dead.known.mean)} of its calls, the one that started meanwhile ${percent(dead.fresh.mean)}; two seconds after the registry is back ${digits(dead.failedAfter)} calls fail. With a second registry the newcomer fails ${percent(two.fresh.mean)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Calls that fail, by gateway',
      x: { label: 'failed', unit: '%' },
      groups: found.map(({ name }) => name),
      series: [
        { name: 'has its list', values: found.map(({ known }) => known.mean * 100) },
        { name: 'started meanwhile', values: found.map(({ fresh }) => fresh.mean * 100) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['registry', 'has its list', 'started meanwhile', 'failed once it was back'],
      rows: found.map(({ name, known, fresh, failedAfter }) => [
        name,
        percent(known.mean),
        percent(fresh.mean),
        digits(failedAfter),
      ]),
    }),
  ],
});
