/** A page is corrected: for how long is the old one shown, when copies only grow old, and when they are removed. */
import { cdn, purges, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, percent, table } from 'loadpath/lab';

const ways = ['lifetime of 10 s', 'lifetime of 2 s', 'purge', 'purge, an edge cut off'] as const;
type Way = (typeof ways)[number];
/** No multiple of a lifetime, so that corrections come at any age of a copy. */
const everyMs = 17_000;

interface Read {
  /** Since the correction; the page before it was shown. */
  readonly sinceMs: number;
  readonly isOld: boolean;
}

/** One page, corrected every 17 seconds; five edges, and readers beside each. */
function design(way: Way) {
  const reads: Read[] = [];
  const pages = purges('pages', { lease: '3s' });
  const isPurged = way.startsWith('purge');
  const maxAge = isPurged ? 3_600 : way === 'lifetime of 2 s' ? 2 : 10;
  /** When it was corrected, in milliseconds; the origin has one instance, whose memory the page is. */
  let correctedAt = 0;
  let version = 0;
  const web = service('web', {
    instances: 1,
    env: { pages },
    async fetch(request, env) {
      if (request.method === 'PUT') {
        version++;
        correctedAt = Date.now();
        if (isPurged) await env.pages.purge({ tag: 'page' });
        return new Response('corrected');
      }
      const headers = { 'cache-control': `public, max-age=${maxAge}`, 'surrogate-key': 'page' };
      return new Response(String(version), { headers });
    },
  });
  const regions = ['europe', 'america', 'asia', 'africa', 'oceania'];
  let nextAt = 0;
  const made = system('corrections', {
    entry: cdn('site', { origin: web, per: 'region', ...(isPurged ? { purges: pages } : {}) }),
    zones: regions.map((region) => ({ name: `${region}-a`, region })),
    workload: users({
      rate: '100/s',
      from: Object.fromEntries(regions.map((region) => [region, 1])),
      timeout: '15s',
      async act(user) {
        const now = Date.now();
        if (now >= nextAt) {
          const isFirst = nextAt === 0;
          nextAt = now + everyMs;
          if (!isFirst) return void (await user.fetch('/page', { method: 'PUT', body: '' }));
        }
        const [is, since] = [version, correctedAt];
        const reply = await user.fetch('/page');
        if (since === 0 || !reply.ok) return;
        reads.push({ sinceMs: now - since, isOld: Number(await reply.text()) < is });
      },
    }),
  });
  return { design: made, reads };
}

const edgesMs = Array.from({ length: 15 }, (_, index) => 1_000 * index);

export default lab({
  id: 'lab-cdn-purge',
  claims: ['lab-cdn-purge'],
  title: 'A purge removes, a lifetime forgets',
  claim: 'A purge must remove content everywhere.',
  question:
    'A page is corrected while five edges hold it. Who is shown the old page, and for how long, when copies live for ten seconds, for two, and when the origin purges them, also when an edge cannot be reached?',
  method:
    'One page, a correction every 17 seconds, readers beside five edges on five continents. A reader counts as shown the old page when the correction was at the origin before the reader asked. In the last case the edge in Asia is cut off from the log of purges a second before each of the first three corrections, for eight seconds.',
  advice:
    'Give what changes a long life and purge it: fresher than any lifetime that spares the origin. Insist that a purge is acknowledged by every edge, or by the lease of one that is silent; one that is sent and hoped for leaves old pages where the network failed.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design('purge').design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of ways) {
      const cut = [16, 33, 50].map((at) => `cut site/2 from pages at ${at}s for 8s`);
      const runs = [];
      for (const seed of seeds) {
        const { design: made, reads } = design(way);
        const faults = way === 'purge, an edge cut off' ? cut : [];
        const report = await simulate(made, {
          seed,
          for: pick('100s', '40s'),
          faults,
        });
        runs.push({ reads, origin: report.blocks.web!.requestsPerSec });
      }
      const all = runs.flatMap(({ reads }) => reads);
      const old = all.filter(({ isOld }) => isOld);
      found.push({
        way,
        share: old.length / all.length,
        longestMs: Math.max(0, ...old.map(({ sinceMs }) => sinceMs)),
        origin: estimate(runs.map(({ origin }) => origin)).mean,
        byAge: edgesMs.slice(1).map((to, index) => {
          const within = all.filter(({ sinceMs }) => sinceMs >= edgesMs[index]! && sinceMs < to);
          return [
            to / 1_000,
            (100 * within.filter(({ isOld }) => isOld).length) / Math.max(1, within.length),
          ] as const;
        }),
      });
    }
    return found;
  },
  verdict(found) {
    const [long, , purge, cut] = found;
    const isSo = long!.longestMs > 5_000 && purge!.longestMs < 1_000 && cut!.longestMs < 4_000;
    return {
      verdict: isSo ? 'true' : purge!.longestMs < long!.longestMs ? 'partly' : 'false',
      why: `With a lifetime of 10 s the old page is shown for up to ${digits(long!.longestMs / 1_000)} s, with a purge for ${digits(purge!.longestMs / 1_000)} s, and for ${digits(cut!.longestMs / 1_000)} s where an edge could not be told and its lease of 3 s had to end.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Readers who are shown the old page',
      x: { label: 'time since the correction', unit: 's' },
      y: { label: 'of all readers', unit: '%', min: 0, max: 100 },
      series: found.map(({ way, byAge }) => ({ name: way, points: byAge })),
    }),
    bars({
      title: 'The last who was',
      x: { label: 'time since the correction', unit: 's' },
      groups: found.map(({ way }) => way),
      series: [{ name: 'old page', values: found.map(({ longestMs }) => longestMs / 1_000) }],
    }),
    table({
      title: 'In numbers',
      head: ['', 'shown the old page', 'longest', 'requests at the origin'],
      rows: found.map(({ way, share, longestMs, origin }) => [
        way,
        percent(share),
        `${digits(longestMs / 1_000)} s`,
        `${digits(origin)}/s`,
      ]),
    }),
  ],
});
