/** TLS that ends at the edge, and TLS that ends at the services. */
import { balancer, gateway, type Report, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, ms, percent, table } from 'loadpath/lab';

const perSec = 200;
const instances = 4;

interface Way {
  readonly name: string;
  readonly ends: 'nowhere' | 'edge' | 'services';
  readonly inside: string;
}

const ways: readonly Way[] = [
  { name: 'no TLS', ends: 'nowhere', inside: 'plain everywhere' },
  { name: 'ends at the edge', ends: 'edge', inside: 'plain behind the edge' },
  { name: 'ends at the services', ends: 'services', inside: 'encrypted up to the services' },
];

/** `few` requests a connection: most users come once. `many`: the same ones come again and again. */
const crowds = { few: 20_000, many: 200 } as const;
type Crowd = keyof typeof crowds;

function design({ ends }: Way, crowd: Crowd) {
  const api = service('api', {
    instances,
    cost: { cpu: '1ms' },
    ...(ends === 'services' ? { tls: true as const } : {}),
  });
  return system('tls', {
    entry:
      ends === 'services'
        ? balancer('door', { to: api })
        : gateway('door', { routes: { '/': api }, ...(ends === 'edge' ? { tls: true } : {}) }),
    workload: users({ rate: `${perSec}/s`, population: crowds[crowd] }),
  });
}

/** Core time for each request, in microseconds. */
function workUs({ blocks }: Report, block: string): number {
  const { nodes } = blocks[block]!;
  const busy = nodes.reduce((sum, { utilisation }) => sum + utilisation, 0);
  return (busy * 1_000_000) / blocks.api!.requestsPerSec;
}

export default lab({
  id: 'lab-tls-offload',
  claims: ['lab-tls-offload'],
  title: 'Ending TLS at the edge spares the services',
  claim: 'Terminating TLS at the edge lowers the load of the servers behind it.',
  question:
    'Services do a millisecond of work a request. How much more do they do when they end TLS themselves, by how many requests come over a connection, and what does the edge do for them otherwise?',
  method:
    'A handshake costs 800 µs of a core, a resumed one 250 µs, and a round trip (the knobs of `tls`); ciphering itself, under a microsecond a kilobyte, is left out. 200 requests a second of 20,000 users, who mostly come once, or of 200, who come again on the same connection. TLS ends at a gateway that speaks plain HTTP to the services, or a layer-4 balancer passes it on to them.',
  advice:
    'End TLS at the edge to keep handshakes, certificates and keys in one place, and where connections are short. It costs what stands in the table: whoever can listen behind the edge reads everything, so encrypt inside, too, where that network is not yours alone; kept connections make that cheap.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(ways[2]!, 'few'),
  async measure({ seeds, pick }) {
    const found = [];
    for (const crowd of ['few', 'many'] as const) {
      for (const way of ways) {
        const reports: Report[] = [];
        for (const seed of seeds) {
          reports.push(await simulate(design(way, crowd), { seed, for: pick('20s', '5s') }));
        }
        const over = (read: (report: Report) => number) => estimate(reports.map(read)).mean;
        found.push({
          crowd,
          name: way.name,
          inside: way.inside,
          servicesUs: over((report) => workUs(report, 'api')),
          doorUs: over((report) => workUs(report, 'door')),
          p50: over(({ latencyMs }) => latencyMs.p50),
          p99: over(({ latencyMs }) => latencyMs.p99),
        });
      }
    }
    return found;
  },
  verdict(found) {
    const of = (crowd: Crowd, name: string) =>
      found.find((one) => one.crowd === crowd && one.name === name)!;
    const [edge, services] = [of('few', ways[1]!.name), of('few', ways[2]!.name)];
    const [kept, keptEdge] = [of('many', ways[2]!.name), of('many', ways[1]!.name)];
    const lowers = services.servicesUs > 1.3 * edge.servicesUs;
    return {
      verdict: lowers ? 'true' : 'false',
      why: `Where users come once, services work ${digits(services.servicesUs)} µs a request when they end TLS and ${digits(edge.servicesUs)} µs when the edge does, ${percent(services.servicesUs / edge.servicesUs - 1)} more; the edge then works ${digits(edge.doorUs)} µs instead of the ${digits(services.doorUs)} µs of a layer-4 balancer. Where users keep their connections it is ${digits(kept.servicesUs)} µs against ${digits(keptEdge.servicesUs)} µs. The price: behind the edge everything is plain text.`,
    };
  },
  figures: (found) => {
    const titles = { few: 'Users come once', many: 'Users keep their connections' } as const;
    return [
      ...(['few', 'many'] as const).map((crowd) =>
        bars({
          title: `${titles[crowd]}: core time for each request`,
          x: { label: 'work', unit: 'µs' },
          groups: ways.map(({ name }) => name),
          series: [
            {
              name: 'services',
              values: found.filter((one) => one.crowd === crowd).map((one) => one.servicesUs),
            },
            {
              name: 'edge',
              values: found.filter((one) => one.crowd === crowd).map((one) => one.doorUs),
            },
          ],
        }),
      ),
      table({
        title: 'In numbers',
        head: ['users', 'TLS', 'services (µs)', 'edge (µs)', 'median', 'p99', 'who listens inside'],
        rows: found.map((one) => [
          one.crowd === 'few' ? 'come once' : 'keep connections',
          one.name,
          digits(one.servicesUs),
          digits(one.doorUs),
          ms(one.p50),
          ms(one.p99),
          one.inside,
        ]),
      }),
    ];
  },
});
