/** Four servers behind a balancer of connections, and behind one of requests. */
import { balancer, gateway, type Report, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, ms, percent, table } from 'loadpath/lab';

const servers = 4;
const counts = [2, 6, 10, 40, 160] as const;
type Layer = 'layer 4' | 'layer 7';
const layers: readonly Layer[] = ['layer 4', 'layer 7'];

/** Together they ask for about 320 a second, however many they are: 40 % of what four servers can do. */
function design(layer: Layer, clients: number) {
  const api = service('api', { instances: servers, cost: { cpu: '5ms' } });
  return system('layers', {
    entry:
      layer === 'layer 4'
        ? balancer('door', { to: api, balance: 'least-connections' })
        : gateway('door', { routes: { '/': api }, policy: { balance: 'least-requests' } }),
    workload: users({ closed: { users: clients, think: `${(clients * 1_000) / 320}ms` } }),
  });
}

/** Seconds of a core at the door for each request. */
function doorUs({ blocks }: Report): number {
  const { utilisation, requestsPerSec } = blocks.door!;
  const requests = blocks.api!.requestsPerSec;
  return requestsPerSec >= 0 && requests > 0 ? (utilisation * 1_000_000) / requests : 0;
}

export default lab({
  id: 'lab-l4l7',
  claims: ['lab-l4l7'],
  title: 'Connections are coarse, requests are fine',
  claim: 'Balancing at layer 4 and at layer 7 differ.',
  question:
    'Two to 160 clients keep their connections and ask for 320 requests a second together. How evenly do four servers share the work, what do users wait, and what does the door work for each request, by connection (layer 4) and by request (layer 7)?',
  method:
    'Each client has one connection, sends a request, waits for the answer and thinks. Requests take 5 ms of a core. At layer 4 a connection goes to the server that has fewest; at layer 7 a request to the one that has fewest open. Costs of the door are those that the blocks declare: 15 µs a connection and 3 µs a chunk passed on; 20 µs a request that is read.',
  advice:
    'Layer 4 where connections are many, short or opaque (TLS to be ended behind, other protocols), and as the first tier before several layer-7 gateways: it does a fraction of the work. Layer 7 where few clients hold long connections, as between services, and wherever a path, a header or a user decides: layer 4 sees none of them.',
  expected: 'compare',
  seeds: { full: 3, small: 1 },
  design: design('layer 4', 6),
  async measure({ seeds, pick }) {
    const found = [];
    for (const clients of pick<readonly number[]>(counts, [2, 6, 160])) {
      for (const layer of layers) {
        const reports: Report[] = [];
        for (const seed of seeds) {
          reports.push(await simulate(design(layer, clients), { seed, for: pick('20s', '5s') }));
        }
        const over = (read: (report: Report) => number) => estimate(reports.map(read)).mean;
        found.push({
          clients,
          layer,
          most: over(({ blocks }) => {
            const { nodes, requestsPerSec } = blocks.api!;
            return Math.max(...nodes.map((node) => node.requestsPerSec)) / requestsPerSec;
          }),
          least: over(({ blocks }) => {
            const { nodes, requestsPerSec } = blocks.api!;
            return Math.min(...nodes.map((node) => node.requestsPerSec)) / requestsPerSec;
          }),
          p50: over(({ latencyMs }) => latencyMs.p50),
          p99: over(({ latencyMs }) => latencyMs.p99),
          doorUs: over(doorUs),
        });
      }
    }
    return found;
  },
  verdict(found) {
    const of = (layer: Layer, clients: number) =>
      found.find((one) => one.layer === layer && one.clients === clients)!;
    const few = layers.map((layer) => of(layer, 6));
    const many = layers.map((layer) => of(layer, 160));
    const [low, high] = few as [(typeof found)[number], (typeof found)[number]];
    const [manyLow, manyHigh] = many as typeof few as [typeof low, typeof high];
    return {
      verdict: 'compare',
      why: `With six clients the busiest of four servers gets ${percent(low.most)} of the requests at layer 4 and ${percent(high.most)} at layer 7, p99 is ${ms(low.p99)} against ${ms(high.p99)}; with two clients two servers get nothing at layer 4. With 160 clients it is ${percent(manyLow.most)} against ${percent(manyHigh.most)}. The door works ${digits(manyLow.doorUs)} µs a request at layer 4 and ${digits(manyHigh.doorUs)} µs at layer 7. Only layer 7 can choose by path.`,
    };
  },
  figures: (found) => {
    const clients = [...new Set(found.map((one) => one.clients))];
    const by = (layer: Layer, read: (one: (typeof found)[number]) => number) => ({
      name: layer,
      values: found.filter((one) => one.layer === layer).map(read),
    });
    return [
      bars({
        title: 'Share of requests at the busiest of four servers',
        x: { label: 'share', unit: '%' },
        groups: clients.map((count) => `${count} clients`),
        series: layers.map((layer) => by(layer, ({ most }) => 100 * most)),
      }),
      lines({
        title: 'What users wait (p99)',
        x: { label: 'clients', scale: 'log' },
        y: { label: 'p99', unit: 'ms' },
        series: layers.map((layer) => ({
          name: layer,
          points: found
            .filter((one) => one.layer === layer)
            .map((one) => [one.clients, one.p99] as const),
        })),
      }),
      table({
        title: 'In numbers',
        head: ['clients', 'door', 'busiest', 'idlest', 'median', 'p99', 'work of the door (µs)'],
        rows: found.map((one) => [
          one.clients,
          one.layer,
          percent(one.most),
          percent(one.least),
          ms(one.p50),
          ms(one.p99),
          digits(one.doorUs),
        ]),
      }),
    ];
  },
});
