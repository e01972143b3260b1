/** Load shedding, a breaker and a rate limit, each alone and all together, under three kinds of trouble. */
import { gateway, type Report, service, simulate, system, tokenBucket, users } from 'loadpath';
import { bars, estimate, lab, listed, ms, percent, table, within } from 'loadpath/lab';

const troubles = ['too many honest users', 'one abuser', 'a dead dependency'] as const;
type Trouble = (typeof troubles)[number];
const tools = ['none', 'shedding', 'breaker', 'limiter', 'all three'] as const;
type Tool = (typeof tools)[number];

/** As long as a user of this shop waits gladly. An answer after that is none. */
const patienceMs = 500;

interface Seen {
  readonly isAbuser: boolean;
  readonly ok: boolean;
  readonly tookMs: number;
}

/**
 * Two instances can do 400 a second together. Half of the requests need the ratings, which can do 1,000
 * a second as long as they are well. Honest users ask for 200, or 600 when they are too many.
 */
function design(trouble: Trouble, tool: Tool) {
  const seen: Seen[] = [];
  const has = (one: Tool) => tool === one || tool === 'all three';
  const ratings = service('ratings', {
    instances: 2,
    openMax: 1_000,
    cost: { cpu: '2ms' },
    policy: {
      timeout: '2s',
      ...(has('breaker') ? { breaker: { window: '2s', openFor: '2s' } } : {}),
    },
    fetch: () => new Response('five stars'),
  });
  const shop = service('shop', {
    instances: 2,
    openMax: 200,
    cost: { cpu: '5ms' },
    env: { ratings },
    ...(has('shedding') ? { shed: { levels: 1, level: 0, target: '20ms' } } : {}),
    async fetch(request, env) {
      if (new URL(request.url).pathname === '/list') return new Response('the list');
      const stars = await env.ratings.fetch('/').catch(() => undefined);
      return new Response(stars?.ok ? await stars.text() : 'no stars now');
    },
  });
  const honest = trouble === 'too many honest users' ? 600 : 200;
  const abuser = trouble === 'one abuser' ? 600 : 0;
  const total = honest + abuser;
  const isAbuser = (id: number) => (id * 7919) % total < abuser;
  const made = system('overload', {
    entry: gateway('edge', {
      routes: { '/': shop },
      policy: { timeout: '3s' },
      ...(has('limiter') ? { limit: tokenBucket({ rate: '20/s', burst: 20, by: 'ip' }) } : {}),
    }),
    faults: trouble === 'a dead dependency' ? ['pause ratings at 3s for 30s'] : [],
    workload: users({
      rate: `${total}/s`,
      population: 100_000,
      timeout: '3s',
      ip: (id) =>
        isAbuser(id) ? '10.9.9.9' : `10.${1 + (id >> 16)}.${(id >> 8) & 255}.${id & 255}`,
      async act(user) {
        const from = performance.now();
        const path = user.random.chance(0.5) ? '/list' : '/page';
        const ok = await user.fetch(path).then(
          (reply) => reply.ok,
          () => false,
        );
        seen.push({ isAbuser: isAbuser(user.id), ok, tookMs: performance.now() - from });
      },
    }),
  });
  return { design: made, seen };
}

function ofHonest(seen: readonly Seen[]) {
  const own = seen.filter(({ isAbuser }) => !isAbuser);
  const good = own.filter(({ ok, tookMs }) => ok && tookMs <= patienceMs).length;
  const times = own
    .filter(({ ok }) => ok)
    .map(({ tookMs }) => tookMs)
    .sort((a, b) => a - b);
  return {
    good: good / Math.max(1, own.length),
    p99: times[Math.floor(0.99 * times.length)] ?? 0,
    errors: own.filter(({ ok }) => !ok).length / Math.max(1, own.length),
  };
}

export default lab({
  id: 'lab-shed-break-limit',
  claims: ['lab-shed-break-limit'],
  title: 'Shedding, breaker, limiter: three tools for three troubles',
  claim: 'Load shedding, a circuit breaker and a rate limit are different tools.',
  question:
    'A shop that can serve 400 requests a second is asked for 600 by honest users, or for 200 by them and 600 by one abuser, or has a dependency that no longer answers. What share of honest requests is answered within half a second with each tool alone, with none, and with all three?',
  method:
    'The same shop for ten seconds; the ratings stop after three. Shedding stands at the shop and looks at how long requests wait in line; the breaker stands between the shop and the ratings that half of its pages need and can do without; the limiter at the gateway gives each address 20 a second. Calls to ratings wait 2 s, users 3 s.',
  advice:
    'Each tool knows one thing: the limiter who asks, the breaker who answers, the shedder how much there is to do. A limit per caller does nothing against many callers, shedding does not tell the honest from the abuser, and neither notices that the one who is asked has died. Have all three; they do not get in each other’s way.',
  expected: 'compare',
  seeds: { full: 3, small: 1 },
  design: design('too many honest users', 'all three').design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const trouble of troubles) {
      for (const tool of tools) {
        const runs = [];
        const reports: Report[] = [];
        for (const seed of seeds) {
          const { design: made, seen } = design(trouble, tool);
          reports.push(await simulate(made, { seed, for: pick('15s', '6s') }));
          runs.push(ofHonest(seen));
        }
        found.push({
          trouble,
          tool,
          good: estimate(runs.map(({ good }) => good)),
          p99: estimate(runs.map(({ p99 }) => p99)),
          errors: estimate(runs.map(({ errors }) => errors)),
          perSec: estimate(reports.map(({ throughputPerSec }) => throughputPerSec)),
        });
      }
    }
    return found;
  },
  verdict(found) {
    const good = (trouble: Trouble, tool: Tool) =>
      found.find((one) => one.trouble === trouble && one.tool === tool)!.good;
    const alone = tools.slice(1, 4);
    const cures = troubles.map((trouble) => {
      const best = alone.toSorted((a, b) => good(trouble, b).mean - good(trouble, a).mean)[0]!;
      const text = `against ${trouble} ${best} (${within(good(trouble, best), percent)} instead of ${percent(good(trouble, 'none').mean)})`;
      return { trouble, best, text };
    });
    const allDiffer = new Set(cures.map(({ best }) => best)).size === troubles.length;
    const together = troubles.every(
      (trouble, index) =>
        good(trouble, 'all three').mean > 0.9 * good(trouble, cures[index]!.best).mean,
    );
    return {
      verdict: allDiffer && together ? 'compare' : allDiffer ? 'partly' : 'false',
      why: `Of honest requests answered within half a second, most are so ${listed(cures.map(({ text }) => text))}. All three together: ${listed(troubles.map((trouble) => percent(good(trouble, 'all three').mean)))}.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Honest requests that are answered within half a second',
      x: { label: 'share of requests', unit: '%', max: 100 },
      groups: [...troubles],
      series: tools.map((tool) => {
        const own = found.filter((one) => one.tool === tool);
        return {
          name: tool,
          values: own.map(({ good }) => 100 * good.mean),
          plusMinus: own.map(({ good }) => 100 * (good.plusMinus ?? 0)),
        };
      }),
    }),
    table({
      title: 'In numbers, for honest users',
      head: ['trouble', 'tool', 'answered in time', 'p99 of answers', 'errors', 'served, of all'],
      rows: found.map(({ trouble, tool, good, p99, errors, perSec }) => [
        trouble,
        tool,
        within(good, percent),
        ms(p99.mean),
        percent(errors.mean),
        `${Math.round(perSec.mean)}/s`,
      ]),
    }),
  ],
});
