/** A popular entry expires: how many loads reach the store, with and without one loading for all. */
import { cache, gateway, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, lines, ms, table } from 'loadpath/lab';

const rates = [100, 200, 400] as const;

/** Ten popular entries that live for two seconds; loading one takes 100 ms of the database. */
function design(how: 'each for himself' | 'one for all', perSec: number) {
  const hot = cache<string>('hot', { nodes: 1, ttl: '2s', wait: '300ms', lease: '2s' });
  const db = service('db', {
    instances: 1,
    cores: 4,
    openMax: 400,
    cost: { cpu: '100ms' },
    fetch: () => new Response('row'),
  });
  const api = service('api', {
    instances: 4,
    env: { hot, db },
    async fetch(request, env) {
      const key = new URL(request.url).pathname;
      const load = async () => (await env.db.fetch(key)).text();
      if (how === 'one for all') return new Response(await env.hot.through(key, load));
      const found = await env.hot.get(key);
      if (found !== undefined) return new Response(found);
      const loaded = await load();
      await env.hot.set(key, loaded);
      return new Response(loaded);
    },
  });
  return system('stampede', {
    entry: gateway('edge', { routes: { '/': api }, policy: { timeout: '5s' } }),
    workload: users({
      rate: `${perSec}/s`,
      act: async (user) => void (await user.fetch(`/${user.random.below(10)}`)),
    }),
  });
}

export default lab({
  id: 'lab-stampede',
  claims: ['lab-stampede'],
  title: 'When a popular entry expires, let one load it',
  claim:
    'When a popular cache entry expires, everybody loads it at once; collapsing the misses prevents that.',
  question:
    'Ten popular entries expire every two seconds and take 100 ms to load. How many loads reach the store for each expiry, and what do users wait, when each loads for himself and when the first loads for all?',
  method:
    'Four instances behind a gateway share a cache. Once they get, load and set, each request for itself; once they use `through`, by which a lease makes the first one load while the others wait for what it finds. The store can do forty loads a second; without a cache it would be asked for all requests.',
  advice:
    'Collapse misses wherever a load is dear: leases in the cache (across instances), one flight a process at least. Give entries that are set together different lives, so that they do not expire together.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design('each for himself', 200),
  async measure({ seeds, pick }) {
    const found = [];
    for (const perSec of rates) {
      const by = async (how: Parameters<typeof design>[0]) => {
        const reports = [];
        for (const seed of seeds) {
          reports.push(await simulate(design(how, perSec), { seed, for: pick('20s', '8s') }));
        }
        return {
          loads: estimate(reports.map(({ blocks }) => blocks.db!.requestsPerSec)),
          p99: estimate(reports.map(({ latencyMs }) => latencyMs.p99)),
          failed: estimate(reports.map(({ failed, generated }) => failed / generated)),
        };
      };
      found.push({ perSec, each: await by('each for himself'), one: await by('one for all') });
    }
    return found;
  },
  verdict(found) {
    const most = found.at(-1)!;
    const cured = most.one.loads.mean < 7 && most.each.loads.mean > 2 * most.one.loads.mean;
    return {
      verdict: cured ? 'true' : 'false',
      why: `At ${most.perSec} requests a second ${digits(most.each.loads.mean)} loads a second reach the store when each loads for himself, and ${digits(most.one.loads.mean)} when one loads for all (ten entries every two seconds are five); p99 falls from ${ms(most.each.p99.mean)} to ${ms(most.one.p99.mean)}.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Loads that reach the store',
      x: { label: 'requests', unit: '/s' },
      y: { label: 'loads', unit: '/s' },
      series: [
        { name: 'each for himself', points: found.map((one) => [one.perSec, one.each.loads.mean]) },
        { name: 'one for all', points: found.map((one) => [one.perSec, one.one.loads.mean]) },
      ],
      level: { at: 40, name: 'what the store can do' },
    }),
    bars({
      title: 'What users wait, p99',
      x: { label: 'time', unit: 'ms' },
      groups: found.map(({ perSec }) => `${perSec}/s`),
      series: [
        { name: 'each for himself', values: found.map(({ each }) => each.p99.mean) },
        { name: 'one for all', values: found.map(({ one }) => one.p99.mean) },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['requests', 'loads, each', 'loads, one for all', 'p99, each', 'p99, one for all'],
      rows: found.map(({ perSec, each, one }) => [
        `${perSec}/s`,
        `${digits(each.loads.mean)}/s`,
        `${digits(one.loads.mean)}/s`,
        ms(each.p99.mean),
        ms(one.p99.mean),
      ]),
    }),
  ],
});
