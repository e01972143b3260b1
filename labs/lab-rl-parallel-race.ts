/** Several calls of one user at once, against counts that are fetched, then written back. */
import { cache, gateway, limiter, service, simulate, system, users } from 'loadpath';
import { estimate, lab, lines, percent, table, within } from 'loadpath/lab';

const limit = 5;
const parallels = [1, 5, 6, 10, 20, 40];
const waits = ['200us', '5ms'] as const;

/** What a visit got with `k` calls at once, of each kind of counting. */
interface Got {
  readonly k: number;
  readonly how: string;
  readonly admitted: number;
}

function design(wait: string) {
  const got: Got[] = [];
  const counts = cache<number>('counts', { nodes: 1, ttl: '1h' });
  const limits = limiter('limits', { limit: `${limit}/min` });
  const api = service('api', {
    instances: 3,
    env: { counts, limits },
    async fetch(request, env) {
      const url = new URL(request.url);
      const user = url.searchParams.get('user') ?? '';
      if (url.pathname === '/atomic') {
        const { allowed } = await env.limits.take(user);
        return new Response(null, { status: allowed ? 200 : 429 });
      }
      // Fetch the token, see whether one is left, write back what remains: as it stands in the books.
      const left = (await env.counts.get(user)) ?? limit;
      if (left === 0) return new Response(null, { status: 429 });
      await env.counts.set(user, left - 1);
      return new Response(null, { status: 200 });
    },
  });
  const made = system('parallel-race', {
    entry: gateway('edge', { routes: { '/': api }, policy: { timeout: '5s', balance: 'random' } }),
    network: {
      sameRegion: {
        delay: {
          kind: 'lognormal',
          median: wait === '5ms' ? 5_000 : 200,
          p99: wait === '5ms' ? 15_000 : 600,
        },
        lossRatio: 0,
        duplicateRatio: 0,
      },
    },
    workload: users({
      rate: '40/s',
      population: 1_000_000,
      async act(user) {
        const k = user.random.pick(parallels);
        for (const how of ['fetched', 'atomic']) {
          const name = `${how} ${user.random.next()}`;
          const calls = Array.from({ length: k }, () =>
            user.fetch(`/${how}?user=${encodeURIComponent(name)}`),
          );
          const replies = await Promise.all(calls);
          got.push({ k, how, admitted: replies.filter(({ status }) => status === 200).length });
        }
      },
    }),
  });
  return { design: made, got };
}

export default lab({
  id: 'lab-rl-parallel-race',
  claims: ['lab-rl-parallel-race'],
  title: 'Fetch, then update: parallel calls slip through',
  claim: 'To fetch a user’s tokens and then to update them races when the user calls in parallel.',
  question:
    'A user with five tokens makes k calls at once. How many pass when counts are read from a store, checked and written back, and how many when one node takes them?',
  method:
    'Three instances of a service count in a shared store, once by get and set, once by the limiter block, which checks and counts in one step. Users make 1 to 40 calls at once, each with a fresh allowance of five; on a fast network (200 µs a hop) and on a slow one (5 ms).',
  advice:
    'Check and count in one step where the count is: a limiter node, a Lua script, an atomic increment with the comparison after it. A faster store makes the race rarer for polite users, not for who calls in parallel on purpose.',
  expected: 'true',
  seeds: { full: 5, small: 1 },
  design: design('200us').design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const wait of waits) {
      const runs: Got[][] = [];
      for (const seed of seeds) {
        const { design: made, got } = design(wait);
        await simulate(made, { seed, for: pick('10s', '3s') });
        runs.push(got);
      }
      const curve = (how: string) =>
        parallels.map((k) => ({
          k,
          admitted: estimate(
            runs
              .flat()
              .filter((one) => one.how === how && one.k === k)
              .map(({ admitted }) => admitted),
          ),
        }));
      found.push({ wait, fetched: curve('fetched'), atomic: curve('atomic') });
    }
    return found;
  },
  verdict(found) {
    const [fast, slow] = found;
    const at = (list: NonNullable<typeof fast>['fetched'], k: number) =>
      list.find((one) => one.k === k)!;
    const worst = Math.max(
      ...found.flatMap(({ atomic }) => atomic.map(({ admitted }) => admitted.max)),
    );
    const races = at(fast!.fetched, 20).admitted.mean > limit;
    return {
      verdict: races && worst <= limit ? 'true' : races ? 'partly' : 'false',
      why: `Of 20 calls at once with ${limit} tokens ${within(at(fast!.fetched, 20).admitted)} pass by fetch and update on the fast network and ${within(at(slow!.fetched, 20).admitted)} on the slow one; counted in one step never more than ${worst}. Calls one after the other (k = 1) pass as they should.`,
    };
  },
  figures: (found) => [
    lines({
      title: 'Calls that pass, of k at once with five tokens',
      x: { label: 'k, calls at once' },
      y: { label: 'admitted' },
      series: [
        ...found.map(({ wait, fetched }) => ({
          name: `fetch, then update (${wait} a hop)`,
          points: fetched.map(({ k, admitted }) => [k, admitted.mean] as const),
          plusMinus: fetched.map(({ admitted }) => admitted.plusMinus),
        })),
        {
          name: 'in one step',
          points: found[0]!.atomic.map(({ k, admitted }) => [k, admitted.mean] as const),
        },
      ],
      level: { at: limit, name: 'tokens' },
    }),
    table({
      title: 'Means with 95 % intervals',
      head: [
        'k',
        ...found.map(({ wait }) => `fetch and update, ${wait}`),
        'in one step',
        'over the limit',
      ],
      rows: parallels.map((k, index) => [
        k,
        ...found.map(({ fetched }) => within(fetched[index]!.admitted)),
        within(found[0]!.atomic[index]!.admitted),
        percent(Math.max(0, found[0]!.fetched[index]!.admitted.mean / limit - 1)),
      ]),
    }),
  ],
});
