/** A service is split in two: clients that ask services themselves notice, those of a gateway do not. */
import { aggregate, gateway, service, simulate, system, users } from 'loadpath';
import { bars, lab, percent, table } from 'loadpath/lab';

const ways = ['services themselves', 'gateway'] as const;
type Way = (typeof ways)[number];
const topologies = ['reviews hold ratings', 'ratings apart'] as const;
type Topology = (typeof topologies)[number];

const json = (of: unknown) => () => Response.json(of);
const texts = ['good', 'as described'];

/** What the client of the first day wants to show. */
interface Page {
  readonly title: string;
  readonly stars: number;
  readonly texts: readonly string[];
}

function isPage(told: Partial<Page>): boolean {
  return told.title === 'a book' && told.stars === 4 && told.texts?.length === texts.length;
}

function design(topology: Topology, way: Way) {
  const seen: boolean[] = [];
  const products = service('products', { cost: '2ms', fetch: json({ name: 'a book' }) });
  const isSplit = topology === 'ratings apart';
  const reviews = service('reviews', {
    cost: '2ms',
    fetch: json(isSplit ? { texts } : { stars: 4, texts }),
  });
  const ratings = service('ratings', { cost: '2ms', fetch: json({ stars: 4 }) });
  const product = { from: products, path: '/products/:id', required: true } as const;
  const review = { from: reviews, path: '/reviews/:id' } as const;
  // All that changes behind the gateway, and nobody in front of it is told.
  const page = isSplit
    ? aggregate({
        parts: {
          product,
          review,
          rating: { from: ratings, path: '/ratings/:id' },
        },
        shape: { title: '$product.name', stars: '$rating.stars', texts: '$review.texts' },
      })
    : aggregate({
        parts: { product, review },
        shape: { title: '$product.name', stars: '$review.stars', texts: '$review.texts' },
      });
  const made = system('split-behind-a-gateway', {
    entry: gateway('edge', {
      routes: [
        { path: '/page/:id', to: page },
        { path: '/products', to: products },
        { path: '/reviews', to: reviews },
        ...(isSplit ? [{ path: '/ratings', to: ratings }] : []),
      ],
    }),
    workload: users({
      rate: '20/s',
      arrivals: 'even',
      async act(user) {
        const read = async <T>(path: string) => (await (await user.fetch(path)).json()) as T;
        if (way === 'gateway') return void seen.push(isPage(await read<Page>('/page/7')));
        const [{ name }, more] = await Promise.all([
          read<{ readonly name: string }>('/products/7'),
          read<Partial<Page>>('/reviews/7'),
        ]);
        seen.push(isPage({ title: name, ...more }));
      },
    }),
  });
  return { design: made, seen };
}

export default lab({
  id: 'lab-gateway-insulation',
  claims: ['lab-gateway-insulation'],
  title: 'Services split, clients stay',
  claim: 'Behind a gateway, ratings can be split from reviews without a change in any client.',
  question:
    'A client of the first day shows title, stars and reviews of a product. The reviews service is then split, and ratings live on their own. What share of its pages is still whole, when it asks the services itself and when it asks a gateway for the page?',
  method:
    'The same client before and after the split. By itself it asks `products` and `reviews`, from which it knows the stars to come; the gateway has one route that asks the services and makes the page of their answers, and that route alone is changed with the split.',
  advice:
    'What clients know of your services you cannot change without them, and clients that are installed on telephones stay for years. Give them what they need under one address, and keep how it is made to yourself.',
  expected: 'true',
  design: design('ratings apart', 'gateway').design,
  async measure() {
    const found = [];
    for (const way of ways) {
      for (const topology of topologies) {
        const { design: made, seen } = design(topology, way);
        await simulate(made, { for: '3s' });
        found.push({
          way,
          topology,
          pages: seen.length,
          whole: seen.filter(Boolean).length / Math.max(1, seen.length),
        });
      }
    }
    return found;
  },
  verdict(found) {
    const of = (way: Way, topology: Topology) =>
      found.find((one) => one.way === way && one.topology === topology)!.whole;
    const [own, byGateway] = ways;
    const before = of(own, topologies[0]) === 1 && of(byGateway, topologies[0]) === 1;
    const breaks = of(own, topologies[1]) < 1;
    const stays = of(byGateway, topologies[1]) === 1;
    return {
      verdict: before && breaks && stays ? 'true' : stays ? 'partly' : 'false',
      why: `Before the split ${percent(of(own, topologies[0]))} and ${percent(of(byGateway, topologies[0]))} of the pages are whole; after it ${percent(of(own, topologies[1]))} where the client asks the services itself, and ${percent(of(byGateway, topologies[1]))} through the gateway.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Pages that are whole, with the client of the first day',
      x: { label: 'share of pages', unit: '%', max: 100 },
      groups: topologies.map((topology) => topology),
      series: ways.map((way) => ({
        name: `the client asks the ${way}`,
        values: found.filter((one) => one.way === way).map(({ whole }) => 100 * whole),
      })),
    }),
    table({
      title: 'In numbers',
      head: ['the client asks', 'services', 'pages', 'whole'],
      rows: found.map(({ way, topology, pages, whole }) => [way, topology, pages, percent(whole)]),
    }),
  ],
});
