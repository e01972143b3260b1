/** Three services that know nothing of retries or breakers, bare and in a mesh, under the same faults. */
import { gateway, mesh, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, ms, percent, table } from 'loadpath/lab';

interface Variant {
  readonly name: string;
  readonly isMeshed: boolean;
  /** The operator gives one policy to all, with one call. */
  readonly hasPolicy: boolean;
}

const variants: readonly Variant[] = [
  { name: 'bare', isMeshed: false, hasPolicy: false },
  { name: 'mesh, nothing set', isMeshed: true, hasPolicy: false },
  { name: 'mesh, one policy for all', isMeshed: true, hasPolicy: true },
];

interface Run {
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
  readonly counted: number;
  readonly pairs: number;
  readonly asked: number;
}

const faults = [
  'kill m3/0 at 10s, restart after 5s',
  'pause m2/1 at 20s for 5s',
  'fail 20% of calls to m3 with 503 at 30s for 5s',
];

/** What the control plane says in the end: calls between each pair. */
interface Told {
  pairs: Readonly<Record<string, { readonly calls: number; readonly errors: number }>>;
}

/** What code without a library does: one attempt, and thirty seconds of patience. */
const bare = {
  timeout: '30s',
  attemptTimeout: '30s',
  retry: { attempts: 1, budget: 0, reserve: 1 },
} as const;

function design({ isMeshed, hasPolicy }: Variant, told: Told = { pairs: {} }, ratePerSec = 100) {
  const net = mesh('net', { sync: '500ms', stageFor: '0ms' });
  const inMesh = isMeshed ? { mesh: net } : {};
  const each = { ...inMesh, instances: 3, cost: '2ms', policy: bare } as const;
  const m3 = service('m3', { ...each, fetch: () => new Response('done') });
  const m2 = service('m2', { ...each, env: { m3 }, fetch: (_asked, env) => env.m3.fetch('/') });
  const m1 = service('m1', { ...each, env: { m2 }, fetch: (_asked, env) => env.m2.fetch('/') });
  const ops = service('ops', {
    instances: 1,
    env: { net },
    async fetch(request, env) {
      if (request.url.endsWith('/apply')) {
        const policy = {
          timeout: '2s',
          attemptTimeout: '150ms',
          retry: { attempts: 3, budget: 1 },
          breaker: {},
        } as const;
        await env.net.apply({ m2: { policy }, m3: { policy } });
      } else told.pairs = (await env.net.state()).pairs;
      return new Response();
    },
  });
  return system('m1-m2-m3', {
    entry: gateway('edge', {
      routes: { '/': m1, ...(isMeshed ? { '/ops': ops } : {}) },
      policy: { timeout: '5s', attemptTimeout: '5s', retry: { attempts: 1 } },
    }),
    workload: users({
      rate: `${ratePerSec}/s`,
      timeout: '10s',
      setup: async (user) => {
        if (hasPolicy) await user.fetch('/ops/apply');
      },
      async act(user) {
        // Now and then somebody looks at the figures of the mesh.
        if (isMeshed && user.random.chance(0.01)) await user.fetch('/ops/state');
        else await user.fetch('/');
      },
    }),
  });
}

export default lab({
  id: 'lab-mesh',
  claims: ['lab-mesh'],
  title: 'A mesh, and what its two hops cost',
  claim:
    'A mesh takes the logic that every service repeats out of them, and metrics come for free.',
  question:
    'Three services call one another without any retry, short timeout or breaker. One instance dies, one hangs, some calls fail. What do users see without a mesh, and what with one that is given a policy?',
  method:
    'The same handlers in all variants. M3 loses an instance for 5 s, an instance of M2 hangs for 5 s, and a fifth of the calls to M3 fail for 5 s. The policy is set by one call to the control plane; the cost of a hop is read from a run without faults.',
  advice:
    'What a mesh gives is one place to change how calls are made, and figures for every pair, without a line in the services. It gives nothing by merely being there, and costs two proxies on each call: where one team owns three services in one language, a library does the same for less.',
  expected: 'true',
  seeds: { full: 4, small: 1 },
  design: design(variants[2]!),
  async measure({ seeds, pick }) {
    const found = [];
    for (const variant of variants) {
      const runs: Run[] = [];
      for (const seed of seeds) {
        const told: Told = { pairs: {} };
        const rate = pick(100, 40);
        const report = await simulate(design(variant, told, rate), { seed, for: '40s', faults });
        const calm = await simulate(design(variant, undefined, rate), {
          seed,
          for: pick('20s', '5s'),
        });
        runs.push({
          failed: report.failed / report.generated,
          p50: calm.latencyMs.p50,
          p99: report.latencyMs.p99,
          counted: told.pairs['m1 → m2']?.calls ?? 0,
          pairs: Object.keys(told.pairs).length,
          asked: report.generated,
        });
      }
      const mean = (of: (run: (typeof runs)[number]) => number) => estimate(runs.map(of)).mean;
      found.push({
        name: variant.name,
        failed: estimate(runs.map(({ failed }) => failed)),
        p50: mean(({ p50 }) => p50),
        p99: mean(({ p99 }) => p99),
        counted: mean(({ counted, asked }) => counted / asked),
        pairs: mean(({ pairs }) => pairs),
      });
    }
    return found;
  },
  verdict(found) {
    const [none, idle, policy] = found as [(typeof found)[0], (typeof found)[0], (typeof found)[0]];
    const helps = policy.failed.mean < none.failed.mean / 5;
    const counts = policy.pairs === 2 && policy.counted > 0.9;
    const costs = policy.p50 - none.p50;
    return {
      verdict: helps && counts ? 'true' : helps || counts ? 'partly' : 'false',
      why: `Bare ${percent(none.failed.mean)} of requests fail, in a mesh with one policy ${percent(policy.failed.mean)}, without a line changed in a service; a mesh in which nothing is set leaves ${percent(idle.failed.mean)}. Its figures name both pairs and ${percent(policy.counted)} of the visits by when they were last read. Two calls through proxies cost ${ms(costs)} at the median.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'Requests that fail',
      x: { label: 'failed', unit: '%' },
      groups: found.map(({ name }) => name),
      series: [
        {
          name: 'failed',
          values: found.map(({ failed }) => failed.mean * 100),
          plusMinus: found.map(({ failed }) =>
            failed.plusMinus === null ? null : failed.plusMinus * 100,
          ),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['', 'failed', 'p99 under faults', 'median when calm', 'pairs that it counts'],
      rows: found.map(({ name, failed, p99, p50, pairs }) => [
        name,
        percent(failed.mean),
        ms(p99),
        ms(p50),
        digits(pairs),
      ]),
    }),
  ],
});
