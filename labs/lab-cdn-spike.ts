/** Fifty times the load, all at once, on an origin that can do twice what it usually gets. */
import { cdn, type Report, service, simulate, spike, system, users } from 'loadpath';
import { bars, digits, estimate, lab, ms, percent, table, whole } from 'loadpath/lab';

const ways = ['origin alone', 'edges', 'edges and a shield'] as const;
type Way = (typeof ways)[number];
const usualPerSec = 50;

/** Ten pages that live for two seconds: each has to be fetched anew all through the spike. */
function design(way: Way) {
  const web = service('web', {
    instances: 1,
    cost: { cpu: '10ms' },
    openMax: 200,
    fetch: () => new Response('page', { headers: { 'cache-control': 'public, max-age=2' } }),
  });
  const shielded = way === 'edges and a shield' ? { shield: 'home' } : {};
  return system('spike', {
    entry: way === 'origin alone' ? web : cdn('site', { origin: web, per: 'zone', ...shielded }),
    zones: [
      { name: 'home-a', region: 'home' },
      ...['b', 'c', 'd', 'e'].map((zone) => ({ name: `far-${zone}`, region: `far-${zone}` })),
    ],
    workload: users({
      rate: spike({ base: `${usualPerSec}/s`, peak: `${50 * usualPerSec}/s`, at: '4s', for: '2s' }),
      from: { 'home-a': 1, 'far-b': 1, 'far-c': 1, 'far-d': 1, 'far-e': 1 },
      timeout: '3s',
      act: async (user) => void (await user.fetch(`/${user.random.below(10)}`)),
    }),
  });
}

export default lab({
  id: 'lab-cdn-spike',
  claims: ['lab-cdn-spike'],
  title: 'Without a CDN a spike takes the origin down',
  claim: 'Without a CDN a spike can fail the origin.',
  question:
    'An origin can serve 100 pages a second and is asked for 50. For two seconds fifty times as many readers come. How many of them are served, and what reaches the origin, without edges, with five, and with a shield among them?',
  method:
    'Ten pages that may be kept for two seconds, so that all of them go out of date during the spike. At an edge the first who misses asks for all who wait (request collapsing); with a shield the edges do the same to one of them.',
  advice:
    'Let pages be kept, if only for a second or two: then the origin is asked by edges and lives, not by readers. A shield divides that once more by the number of edges.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design('edges'),
  async measure({ seeds }) {
    const found = [];
    for (const way of ways) {
      const reports: Report[] = [];
      for (const seed of seeds) reports.push(await simulate(design(way), { seed, for: '10s' }));
      const of = (read: (report: Report) => number) => estimate(reports.map(read)).mean;
      found.push({
        way,
        failed: of(({ failed, generated }) => failed / generated),
        p99: of(({ latencyMs }) => latencyMs.p99),
        origin: of(({ blocks }) => blocks.web!.requestsPerSec * 10),
        waited: of(({ blocks }) => Number(blocks.site?.meters.collapsed ?? 0)),
      });
    }
    return found;
  },
  verdict(found) {
    const [alone, edges, shield] = found;
    const isSo = alone!.failed > 0.3 && edges!.failed < 0.01 && shield!.origin < edges!.origin;
    return {
      verdict: isSo ? 'true' : alone!.failed > edges!.failed ? 'partly' : 'false',
      why: `Without edges ${percent(alone!.failed)} of all requests fail; with five edges ${percent(edges!.failed)} do, and the origin gets ${whole(edges!.origin)} requests in ten seconds, with a shield ${whole(shield!.origin)}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Requests that fail',
      x: { label: 'of all requests', unit: '%' },
      groups: found.map(({ way }) => way),
      series: [{ name: 'failed', values: found.map(({ failed }) => 100 * failed) }],
    }),
    table({
      title: 'In numbers',
      head: ['', 'failed', 'p99', 'requests at the origin', 'waited for another’s fetch'],
      rows: found.map(({ way, failed, p99, origin, waited }) => [
        way,
        percent(failed),
        ms(p99),
        whole(origin),
        digits(waited),
      ]),
    }),
  ],
});
