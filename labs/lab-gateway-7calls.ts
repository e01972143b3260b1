/** A product page out of seven services: asked by the client one by one, at once, or by the gateway for it. */
import { type Fetcher, gateway, service, simulate, system, users } from 'loadpath';
import { bars, estimate, lab, ms, table } from 'loadpath/lab';

const parts = ['product', 'price', 'stock', 'ratings', 'reviews', 'delivery', 'seller'] as const;
const ways = ['one by one', 'at once', 'by one call'] as const;
type Way = (typeof ways)[number];

/** Half of the way there and back, in milliseconds, which a design does not know: clients stand outside. */
const clientWayMs = 50;

function design(way: Way) {
  const seen: { calls: number; bytes: number; tookMs: number }[] = [];
  const made = parts.map((name, index) =>
    service(name, {
      instances: 2,
      cost: { cpu: '1ms' },
      async fetch() {
        // Each takes its own time: 5 to 35 ms.
        await new Promise((done) => setTimeout(done, 5 * (index + 1)));
        return Response.json({ part: name, text: 'x'.repeat(200) });
      },
    }),
  );
  const env = Object.fromEntries(made.map((one, index) => [parts[index]!, one]));
  const page = service('page', {
    instances: 2,
    cost: { cpu: '1ms' },
    env,
    async fetch(_request, bound) {
      const fetchers = bound as unknown as Readonly<Record<string, Fetcher>>;
      const replies = await Promise.all(parts.map((part) => fetchers[part]!.fetch('/')));
      return Response.json(await Promise.all(replies.map((reply) => reply.json())));
    },
  });
  const routes = Object.fromEntries(made.map((one, index) => [`/${parts[index]}`, one]));
  const system_ = system('product-page', {
    entry: gateway('edge', { routes: { ...routes, '/page': page }, policy: { timeout: '5s' } }),
    workload: users({
      rate: '20/s',
      async act(user) {
        const startedAt = performance.now();
        let bytes = 0;
        const ask = async (path: string) => {
          await user.sleep(clientWayMs);
          const reply = await user.fetch(path);
          bytes += (await reply.text()).length;
          await user.sleep(clientWayMs);
        };
        const paths = way === 'by one call' ? ['/page'] : parts.map((part) => `/${part}`);
        if (way === 'one by one') for (const path of paths) await ask(path);
        else await Promise.all(paths.map(ask));
        seen.push({ calls: paths.length, bytes, tookMs: performance.now() - startedAt });
      },
    }),
  });
  return { design: system_, seen };
}

export default lab({
  id: 'lab-gateway-7calls',
  claims: ['lab-gateway-7calls'],
  title: 'Seven calls, or one that makes seven',
  claim:
    'One call to a gateway that asks seven services at once is faster than seven calls of the client.',
  question:
    'A page needs seven services that take 5 to 35 ms each. The client is 100 ms away, there and back. How long does it wait when it asks for them one after the other, all at once, or through one call?',
  method:
    'The same seven services behind the same gateway; a client’s way of 50 ms each direction is waited before and after every call. The one call goes to a service beside the gateway that asks the seven at once and joins what they say.',
  advice:
    'What matters is not to wait for one answer before asking for the next: over a long way that multiplies the way. One call saves little time against seven at once, but six requests with their headers, connections and radio; and it is one place where a missing part can be left out.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design('by one call').design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const way of ways) {
      const runs: { mean: number; calls: number; bytes: number }[] = [];
      for (const seed of seeds) {
        const { design: made, seen } = design(way);
        await simulate(made, { seed, for: pick('20s', '5s') });
        const over = (read: (one: (typeof seen)[number]) => number) =>
          seen.reduce((sum, one) => sum + read(one), 0) / seen.length;
        runs.push({
          mean: over(({ tookMs }) => tookMs),
          calls: over(({ calls }) => calls),
          bytes: over(({ bytes }) => bytes),
        });
      }
      found.push({
        way,
        mean: estimate(runs.map(({ mean }) => mean)),
        calls: runs[0]!.calls,
        bytes: runs[0]!.bytes,
      });
    }
    return found;
  },
  verdict([serial, parallel, one]) {
    const faster = one!.mean.mean < serial!.mean.mean / 3;
    return {
      verdict: faster ? 'true' : 'false',
      why: `One by one the client waits ${ms(serial!.mean.mean)}, through one call ${ms(one!.mean.mean)}; but seven calls at once take ${ms(parallel!.mean.mean)}: against a client that can do that, one call saves ${parallel!.calls - one!.calls} requests and hardly any time.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'What the client waits for its page',
      x: { label: 'time', unit: 'ms' },
      groups: found.map(({ way }) => way),
      series: [
        {
          name: 'mean',
          values: found.map(({ mean }) => mean.mean),
          plusMinus: found.map(({ mean }) => mean.plusMinus),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['', 'time', 'calls', 'bytes of answers'],
      rows: found.map(({ way, mean, calls, bytes }) => [
        way,
        ms(mean.mean),
        calls,
        Math.round(bytes),
      ]),
    }),
  ],
});
