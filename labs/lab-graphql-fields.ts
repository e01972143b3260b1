/** What comes over the line when clients name the fields they want, and what that asks of the services behind. */
import { gateway, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, table, whole, within } from 'loadpath/lab';

const ways = ['REST', 'fields, one by one', 'fields, in batches'] as const;
type Way = (typeof ways)[number];

const reviewCount = 20;
const authorCount = 12;

type Fields = Readonly<Record<string, unknown>>;

/** What of an object is asked for, and nothing else: the one thing a GraphQL server promises. */
function select(of: Fields, fields: readonly string[]): Fields {
  return Object.fromEntries(fields.map((field) => [field, of[field]]));
}

const author = (id: number): Fields => ({
  id,
  name: `author ${id}`,
  about: 'a'.repeat(600),
  joined: '2019-04-01',
  picture: `/pictures/${id}.avif`,
});

const product: Fields = {
  name: 'a chair',
  price: 8_900,
  text: 't'.repeat(3_000),
  measures: [60, 60, 110],
  materials: Array.from({ length: 20 }, (_, i) => `material ${i}`),
};

const reviews: readonly Fields[] = Array.from({ length: reviewCount }, (_, i) => ({
  id: i,
  stars: 1 + (i % 5),
  text: 'r'.repeat(400),
  author: i % authorCount,
  at: '2024-01-01T00:00:00Z',
}));

function design(way: Way) {
  const seen = { bytes: 0, fromUser: 0, calls: 0, pages: 0 };
  const counted = (body: unknown): Response => {
    seen.calls++;
    return Response.json(body);
  };
  const cost = '2ms';
  const products = service('products', { cost, fetch: () => counted(product) });
  const comments = service('comments', { cost, fetch: () => counted(reviews) });
  const authors = service('authors', {
    cost,
    fetch(request) {
      const ids = new URL(request.url).searchParams.get('ids')?.split(',') ?? [];
      const found = ids.map((id) => author(Number(id)));
      return counted(found.length === 1 ? found[0] : found);
    },
  });
  const json = async (reply: Promise<Response>) => (await (await reply).json()) as unknown;
  /** The page's query, resolved: a product, its reviews, and who wrote each of them. */
  const graph = service('graph', {
    env: { products, comments, authors },
    async fetch(_request, { products, comments, authors }) {
      const [thing, list] = (await Promise.all([
        json(products.fetch('/7')),
        json(comments.fetch('/7')),
      ])) as [Fields, readonly Fields[]];
      const ids = list.map((one) => Number(one.author));
      const writers =
        way === 'fields, in batches'
          ? await batch(ids)
          : // A resolver knows its own review only: one call for each.
            ((await Promise.all(ids.map((id) => json(authors.fetch(`/?ids=${id}`))))) as Fields[]);
      async function batch(all: readonly number[]): Promise<readonly Fields[]> {
        const once = [...new Set(all)];
        const found = (await json(authors.fetch(`/?ids=${once.join(',')}`))) as Fields[];
        return all.map((id) => found[once.indexOf(id)]!);
      }
      return Response.json({
        ...select(thing, ['name', 'price']),
        reviews: list.map((one, i) => ({
          ...select(one, ['stars']),
          author: select(writers[i]!, ['name']),
        })),
      });
    },
  });
  const made = system('fields', {
    entry: gateway('edge', {
      routes: {
        '/products': products,
        '/comments': comments,
        '/authors': authors,
        '/graph': graph,
      },
    }),
    workload: users({
      rate: '5/s',
      arrivals: 'even',
      async act(user) {
        const read = async (path: string) => {
          seen.fromUser++;
          const text = await (await user.fetch(path)).text();
          seen.bytes += text.length;
          return JSON.parse(text) as unknown;
        };
        seen.pages++;
        if (way !== 'REST') return void (await read('/graph?fields=name,price,reviews'));
        const [, list] = await Promise.all([read('/products/7'), read('/comments/7')]);
        const ids = new Set((list as readonly Fields[]).map((one) => Number(one.author)));
        await Promise.all([...ids].map((id) => read(`/authors?ids=${id}`)));
      },
    }),
  });
  return { made, seen };
}

export default lab({
  id: 'lab-graphql-fields',
  claims: ['lab-graphql-fields'],
  title: 'Fields that were asked for, and what asking for them costs behind',
  claim: 'GraphQL returns exactly what is asked.',
  question:
    'How many bytes and requests does a page take that needs two fields of a product and one of each of its reviews and their authors, over REST and by naming fields, and how many calls of services stand behind it?',
  method:
    'A product, 20 reviews by 12 authors. Over REST the page reads the product, its reviews, and each author once, whole. By fields it asks one service once, which gathers the same objects and gives back only the fields named: resolving the author of each review by a call of its own, as a resolver written without thought does, or collecting the ids and asking once. There is no GraphQL parser in it; what is measured is selecting and resolving.',
  advice:
    'Naming fields saves bytes and round trips on the line that is slow, and moves the work behind the door. Batch what resolvers ask for (DataLoader), bound depth and cost of queries, and do not expect caches between to help: every query is another address, or none.',
  expected: 'conditional',
  seeds: { full: 2, small: 1 },
  design: design('fields, one by one').made,
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of ways) {
      const runs = [];
      for (const seed of seeds) {
        const { made, seen } = design(way);
        await simulate(made, { seed, for: pick('10s', '4s') });
        runs.push({
          bytes: seen.bytes / seen.pages,
          fromUser: seen.fromUser / seen.pages,
          calls: seen.calls / seen.pages,
        });
      }
      found.push({
        way,
        bytes: estimate(runs.map(({ bytes }) => bytes)),
        fromUser: estimate(runs.map(({ fromUser }) => fromUser)),
        calls: estimate(runs.map(({ calls }) => calls)),
      });
    }
    return found;
  },
  verdict(found) {
    const [rest, single, batched] = found;
    const isSmaller = single!.bytes.mean < rest!.bytes.mean / 5;
    const isDearer = single!.calls.mean > rest!.calls.mean;
    const isCheaper = batched!.calls.mean < rest!.calls.mean;
    return {
      verdict: isSmaller && isDearer && isCheaper ? 'conditional' : isSmaller ? 'true' : 'false',
      why: `A page takes ${within(rest!.bytes, whole)} bytes in ${within(rest!.fromUser, whole)} requests over REST and ${within(single!.bytes, whole)} in ${within(single!.fromUser, whole)} by fields, ${digits(rest!.bytes.mean / single!.bytes.mean)} times less. Behind it stand ${within(rest!.calls, whole)} calls of services over REST, ${within(single!.calls, whole)} where each review asks for its author, and ${within(batched!.calls, whole)} where they are asked for together.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Calls of services behind one page',
      x: { label: 'calls' },
      groups: found.map(({ way }) => way),
      series: [{ name: 'calls', values: found.map(({ calls }) => calls.mean) }],
    }),
    table({
      title: 'One page',
      head: ['', 'bytes to the client', 'requests of the client', 'calls behind'],
      rows: found.map(({ way, bytes, fromUser, calls }) => [
        way,
        within(bytes, whole),
        within(fromUser, whole),
        within(calls, whole),
      ]),
    }),
  ],
});
