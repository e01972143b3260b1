/** How far away the origin is, and what an edge beside the reader makes of it, by what share of pages may be kept. */
import { cdn, constant, type Report, service, simulate, system, users } from 'loadpath';
import { digits, estimate, lab, lines, ms, percent, table } from 'loadpath/lab';

const shares = [0, 0.5, 0.9, 1] as const;
const objects = 1_000;
const bodyBytes = 20_000;

const away = (way: '5ms' | '75ms') => ({ delay: constant(way), lossRatio: 0, duplicateRatio: 0 });

/** Readers in one region, the origin in the other: 10 ms to the edge and back, 150 ms to the origin. */
function design(share: number, withCdn: boolean) {
  const web = service('web', {
    instances: 1,
    cores: 8,
    cost: { cpu: '1ms' },
    fetch(request) {
      const number = Number(new URL(request.url).pathname.slice(1));
      // The same ones each time, popular or not.
      const mayKeep = (number * 7_919) % 1_000 < 1_000 * share;
      const headers = { 'cache-control': mayKeep ? 'public, max-age=3600' : 'private, no-store' };
      return new Response('x'.repeat(bodyBytes), { headers });
    },
  });
  return system(withCdn ? 'with-edges' : 'origin-alone', {
    entry: withCdn ? cdn('site', { origin: web, per: 'region' }) : web,
    zones: [
      { name: 'origin-a', region: 'origin' },
      { name: 'near-a', region: 'near' },
      { name: 'near-b', region: 'near' },
    ],
    network: { sameZone: away('5ms'), sameRegion: away('5ms'), betweenRegions: away('75ms') },
    workload: users({
      rate: '100/s',
      from: { near: 1 },
      act: async (user) => void (await user.fetch(`/${user.zipf(objects)}`)),
    }),
  });
}

function hitRatio(meters: Report['blocks'][string]['meters']): number {
  const of = (name: string): number => Number(meters[name] ?? 0);
  const others = of('misses') + of('collapsed') + of('passed') + of('validated') + of('stale');
  return of('hits') / Math.max(1, of('hits') + others);
}

export default lab({
  id: 'lab-cdn-latency',
  claims: ['lab-cdn-latency'],
  title: 'An edge helps as far as pages may be kept',
  claim: 'A CDN lowers latency by distance, and takes load off the origin.',
  question:
    'Readers are 10 ms from an edge and 150 ms from the origin, both ways together. What do they wait, and what is left for the origin, when none, half, nine in ten or all of a thousand pages may be kept?',
  method:
    'Zipf popularity over a thousand pages of 20 kB, caches empty at the start. Which pages may be kept has nothing to do with how popular they are. Beside it the same readers with the origin alone.',
  advice:
    'Put edges before what may be kept, and say how long. What may not be kept goes through them at the price of a hop: serve that from another name, or from the regions themselves.',
  expected: 'conditional',
  seeds: { full: 3, small: 1 },
  design: design(0.9, true),
  async measure({ seeds, pick }) {
    const found = [];
    for (const share of shares) {
      const by = async (withCdn: boolean) => {
        const reports: Report[] = [];
        for (const seed of seeds) {
          reports.push(await simulate(design(share, withCdn), { seed, for: pick('60s', '6s') }));
        }
        const of = (read: (report: Report) => number) => estimate(reports.map(read)).mean;
        return {
          p50: of(({ latencyMs }) => latencyMs.p50),
          p99: of(({ latencyMs }) => latencyMs.p99),
          mean: of(({ latencyMs }) => latencyMs.mean),
          origin: of(({ blocks }) => blocks.web!.requestsPerSec),
          hits: of(({ blocks }) => hitRatio(blocks.site?.meters ?? {})),
        };
      };
      found.push({ share, alone: await by(false), edges: await by(true) });
    }
    return found;
  },
  verdict(found) {
    const [none, , most] = found;
    const isSlower = none!.edges.mean > none!.alone.mean;
    const isFaster =
      most!.edges.p50 < 0.2 * most!.alone.p50 && most!.edges.origin < 0.6 * most!.alone.origin;
    return {
      verdict: isSlower && isFaster ? 'conditional' : isFaster ? 'true' : 'false',
      why: `With nine in ten pages that may be kept the median falls from ${ms(most!.alone.p50)} to ${ms(most!.edges.p50)} and the origin is asked for ${digits(most!.edges.origin)} instead of ${digits(most!.alone.origin)} pages a second; with none the mean rises from ${ms(none!.alone.mean)} to ${ms(none!.edges.mean)}, the hop.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'What readers wait, on average',
      x: { label: 'pages that may be kept', unit: '%' },
      y: { label: 'time', unit: 'ms', min: 0 },
      series: [
        {
          name: 'origin alone',
          points: found.map(({ share, alone }) => [100 * share, alone.mean]),
        },
        { name: 'with edges', points: found.map(({ share, edges }) => [100 * share, edges.mean]) },
      ],
    }),
    table({
      title: 'In numbers',
      head: [
        'may be kept',
        'hits',
        'p50',
        'p99',
        'mean',
        'origin asked',
        'MB/s from the origin',
        'p50 without',
        'mean without',
      ],
      rows: found.map(({ share, alone, edges }) => [
        percent(share),
        percent(edges.hits),
        ms(edges.p50),
        ms(edges.p99),
        ms(edges.mean),
        `${digits(edges.origin)}/s`,
        digits((edges.origin * bodyBytes) / 1e6),
        ms(alone.p50),
        ms(alone.mean),
      ]),
      note: 'Caches start empty: a longer run has more hits. p99 with edges is that of a miss, which is dearer than without.',
    }),
  ],
});
