/** What a forward proxy hides, keeps and filters, and what leaks through it all the same. */
import { forwardProxy, gateway, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, percent, table, whole, within } from 'loadpath/lab';

const ways = ['straight', 'hidden', 'added'] as const;
type Way = (typeof ways)[number];

const population = 200;
const pages = 60;
const adsShare = 0.25;

function design(way: Way) {
  const seen = {
    addresses: new Set<string>(),
    cookies: new Set<string>(),
    site: 0,
    ads: 0,
    /** Of what got there: with an address, with a cookie. */
    named: 0,
    known: 0,
    asked: 0,
    askedAds: 0,
  };
  const see = ({ headers }: Request) => {
    const address = headers.get('x-forwarded-for');
    if (address) {
      seen.addresses.add(address);
      seen.named++;
    }
    const cookie = headers.get('cookie');
    if (cookie) {
      seen.cookies.add(cookie);
      seen.known++;
    }
  };
  const site = service('site', {
    cost: '5ms',
    fetch(request) {
      see(request);
      seen.site++;
      return new Response('x'.repeat(2_000), { headers: { 'cache-control': 'max-age=60' } });
    },
  });
  const ads = service('ads', {
    cost: '5ms',
    fetch(request) {
      see(request);
      seen.ads++;
      return new Response('buy', { headers: { 'cache-control': 'no-store' } });
    },
  });
  // The door of the sites writes down whom it hears from, as any server does.
  const internet = gateway('internet', {
    routes: [
      { path: '/', to: site },
      { host: '*.ads.example', path: '/', to: ads },
    ],
  });
  const entry =
    way === 'straight'
      ? internet
      : forwardProxy('egress', {
          forwarded: way,
          sites: { 'news.example': internet, '*.ads.example': internet },
          rules: [{ do: 'block', hosts: ['*.ads.example'] }],
          cache: {},
        });
  const made = system('mask', {
    entry,
    workload: users({
      rate: '100/s',
      population,
      async act(user) {
        // What a client or a proxy inside says of itself, and what a site once gave it.
        const headers = {
          'x-forwarded-for': `192.168.7.${1 + (user.id % 250)}`,
          cookie: `id=${user.id}`,
        };
        const page = Math.floor(pages * user.random.next() ** 2);
        seen.asked++;
        await user.fetch(`http://news.example/${page}`, { headers });
        if (!user.random.chance(adsShare)) return;
        seen.askedAds++;
        await user.fetch('http://a.ads.example/banner', { headers });
      },
    }),
  });
  return { made, seen };
}

export default lab({
  id: 'lab-proxy-mask',
  claims: ['lab-proxy-mask'],
  title: 'What a forward proxy hides, keeps and filters',
  claim: 'Proxies hide IPs, cache, filter.',
  question:
    'How many of 200 users can a site tell apart by address, with and without a forward proxy before them, what share of requests never gets to it, and does anything reach a host that is on the block list?',
  method:
    '200 users read 60 pages of one site, some far more often than others, 100 visits a second; every fourth visit asks for a banner of a host that the proxy blocks. They go straight, or through a proxy that keeps what may be kept for a minute: once it hides who asks, once it adds the address to X-Forwarded-For. The site counts addresses and cookies that it sees. Clients say an X-Forwarded-For of their own, as a careless proxy inside would.',
  advice:
    'A proxy hides the address and nothing else: cookies, logins and what a browser tells of itself go through, since the site needs them. Look at what it says in X-Forwarded-For before you call it a mask, and remember that who can go round it will.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design('hidden').made,
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of ways) {
      const runs = [];
      for (const seed of seeds) {
        const { made, seen } = design(way);
        await simulate(made, { seed, for: pick('30s', '8s') });
        runs.push({
          addresses: seen.addresses.size,
          cookies: seen.cookies.size,
          named: seen.named / (seen.site + seen.ads),
          known: seen.known / (seen.site + seen.ads),
          spared: 1 - seen.site / seen.asked,
          banners: seen.askedAds === 0 ? 0 : seen.ads / seen.askedAds,
        });
      }
      found.push({
        way,
        addresses: estimate(runs.map(({ addresses }) => addresses)),
        cookies: estimate(runs.map(({ cookies }) => cookies)),
        named: estimate(runs.map(({ named }) => named)),
        known: estimate(runs.map(({ known }) => known)),
        spared: estimate(runs.map(({ spared }) => spared)),
        banners: estimate(runs.map(({ banners }) => banners)),
      });
    }
    return found;
  },
  verdict(found) {
    const [straight, hidden, added] = found;
    const hides = straight!.named.mean > 0.99 && hidden!.named.mean === 0;
    const leaks = added!.named.mean > 0.99;
    const keeps = hidden!.spared.mean > 0.5;
    const filters = hidden!.banners.mean === 0 && straight!.banners.mean > 0.9;
    return {
      verdict: hides && keeps && filters ? 'true' : 'partly',
      why: `Straight, every request tells the site an address, ${within(straight!.addresses, whole)} in all; through the proxy that hides them ${within(hidden!.named, percent)} of the requests that get there do. Where it adds them to X-Forwarded-For, ${within(added!.named, percent)} do${leaks ? ': nothing is hidden' : ''}. ${within(hidden!.spared, percent)} of page views never reach the site, and of blocked banners ${within(hidden!.banners, percent)} do. A cookie goes through all the same: ${within(hidden!.known, percent)} of what reaches the site names its user by one.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Of the requests that reach the site, how many name who asks',
      x: { label: 'share', unit: '%' },
      groups: found.map(({ way }) => way),
      series: [
        { name: 'by address', values: found.map(({ named }) => 100 * named.mean) },
        { name: 'by cookie', values: found.map(({ known }) => 100 * known.mean) },
      ],
    }),
    table({
      title: 'What gets through',
      head: [
        '',
        'with an address',
        'with a cookie',
        'addresses seen',
        'cookies seen',
        'views spared',
        'banners that got there',
      ],
      rows: found.map(({ way, addresses, cookies, named, known, spared, banners }) => [
        way,
        within(named, percent),
        within(known, percent),
        within(addresses, whole),
        within(cookies, whole),
        within(spared, percent),
        within(banners, percent),
      ]),
    }),
  ],
});
