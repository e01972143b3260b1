/** One face for all clients, or one for each kind: what comes over the line, and what is asked behind it. */
import { aggregate, gateway, service, simulate, system, users } from 'loadpath';
import { bars, digits, lab, listed, percent, table, whole } from 'loadpath/lab';

const clients = ['telephone', 'browser', 'partner'] as const;
type Client = (typeof clients)[number];
const faces = ['one for all', 'one for each'] as const;
type Face = (typeof faces)[number];

const json = (of: unknown) => () => Response.json(of);

/** What the telephone shows is a line of a page of the browser; the partner wants prices and nothing else. */
const paths: Readonly<Record<Client, string>> = {
  telephone: '/telephone/products/7',
  browser: '/browser/products/7',
  partner: '/partner/products/7',
};

function design(client: Client, face: Face) {
  const seen: number[] = [];
  const product = service('product', {
    cost: '1ms',
    fetch: json({ name: 'a chair', text: 'x'.repeat(2_000), measures: [60, 60, 110] }),
  });
  const price = service('price', { cost: '1ms', fetch: json({ amount: 8_900, currency: 'EUR' }) });
  const images = service('images', {
    cost: '1ms',
    fetch: json({
      thumbnail: '/t/7.avif',
      all: Array.from({ length: 12 }, (_, i) => `/i/7-${i}.avif`),
    }),
  });
  const reviews = service('reviews', {
    cost: '1ms',
    fetch: json({ stars: 4.2, items: Array.from({ length: 20 }, () => 'y'.repeat(150)) }),
  });
  const parts = {
    product: { from: product, path: '/products/:id' },
    price: { from: price, path: '/prices/:id' },
    images: { from: images, path: '/images/:id' },
    reviews: { from: reviews, path: '/reviews/:id' },
  } as const;
  const everything = aggregate({ parts });
  const shaped = {
    telephone: aggregate({
      parts: {
        product: parts.product,
        price: parts.price,
        images: parts.images,
        reviews: parts.reviews,
      },
      shape: {
        name: '$product.name',
        price: '$price.amount',
        image: '$images.thumbnail',
        stars: '$reviews.stars',
      },
    }),
    browser: everything,
    partner: aggregate({
      parts: { price: parts.price },
      shape: { price: '$price.amount', currency: '$price.currency' },
    }),
  };
  const made = system('faces', {
    entry: gateway('edge', {
      routes: clients.map((one) => ({
        path: `/${one}/products/:id`,
        to: face === 'one for all' ? everything : shaped[one],
      })),
    }),
    workload: users({
      rate: '20/s',
      arrivals: 'even',
      async act(user) {
        const reply = await user.fetch(paths[client]);
        if (reply.ok) seen.push((await reply.text()).length);
      },
    }),
  });
  return { design: made, seen };
}

export default lab({
  id: 'lab-bff',
  claims: ['lab-bff'],
  title: 'A face for each kind of client',
  claim: 'A gateway for each kind of client returns what fits that client, from the same services.',
  question:
    'A telephone, a browser and a partner ask for a product. How many bytes does each get, and how many calls does it cost behind the gateway, with one answer for all of them and with one made for each?',
  method:
    'Four services (product, price, images, reviews) behind a gateway. The one face answers with all that they say; those of each kind ask only the services they need, and pick out of the answers what the client shows.',
  advice:
    'Shape answers where clients differ much and lines are thin: telephones and partners gain most, the browser that shows everything nothing. The price is a route for each kind that somebody must own; give it to the people who make that client.',
  expected: 'true',
  design: design('telephone', 'one for each').design,
  async measure() {
    const found = [];
    for (const client of clients) {
      const by = async (face: Face) => {
        const { design: made, seen } = design(client, face);
        const { blocks, completed } = await simulate(made, { for: '3s' });
        const calls = ['product', 'price', 'images', 'reviews'].map(
          (name) => (blocks[name]?.requestsPerSec ?? 0) * 3,
        );
        return {
          bytes: seen.reduce((total, one) => total + one, 0) / seen.length,
          calls: calls.reduce((total, one) => total + one, 0) / completed,
        };
      };
      found.push({ client, all: await by('one for all'), each: await by('one for each') });
    }
    return found;
  },
  verdict(found) {
    const saved = found.map(({ all, each }) => 1 - each.bytes / all.bytes);
    const [telephone, browser, partner] = found;
    const fits = saved[0]! > 0.5 && saved[2]! > 0.5 && partner!.each.calls < partner!.all.calls;
    return {
      verdict: fits ? 'true' : saved.some((share) => share > 0.5) ? 'partly' : 'false',
      why: `${listed(
        found.map(
          ({ client, all, each }) =>
            `the ${client} gets ${whole(each.bytes)} bytes instead of ${whole(all.bytes)}`,
        ),
      )}; behind the gateway that costs ${digits(telephone!.each.calls)}, ${digits(browser!.each.calls)} and ${digits(partner!.each.calls)} calls a page instead of ${digits(telephone!.all.calls)}.`.replace(
        /^t/,
        'T',
      ),
    };
  },
  figures: (found) => [
    bars({
      title: 'Bytes of an answer',
      x: { label: 'size', unit: 'B', scale: 'log', min: 10 },
      groups: found.map(({ client }) => client),
      series: [
        { name: 'one face for all', values: found.map(({ all }) => all.bytes) },
        { name: 'one for each', values: found.map(({ each }) => each.bytes) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['client', 'bytes, one for all', 'bytes, one for each', 'saved', 'calls', 'calls, own'],
      rows: found.map(({ client, all, each }) => [
        client,
        whole(all.bytes),
        whole(each.bytes),
        percent(1 - each.bytes / all.bytes),
        digits(all.calls),
        digits(each.calls),
      ]),
    }),
  ],
});
