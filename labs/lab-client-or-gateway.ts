/** Who keeps the list of addresses: every client, or a gateway that all of them ask. */
import { gateway, registry, service, simulate, system, users } from 'loadpath';
import { bars, digits, estimate, lab, ms, table, within } from 'loadpath/lab';

const clients = 20;
const ratePerSec = 200;
const ways = ['every client has a list', 'a gateway has it'] as const;
type Way = (typeof ways)[number];

/** Long after a registry that has just begun knows that it knows everybody. */
const hurtAtS = 40;
/** Of six instances three die without a word; the registry is away; a gateway dies. */
const troubles = {
  calm: [],
  died: [
    `start 3 api at ${hurtAtS - 6}s`,
    ...[0, 1, 2].map((index) => `kill api/${index} at ${hurtAtS}s`),
  ],
  blind: [`kill names/0 at ${hurtAtS}s, restart after 8s`],
  lone: [`kill inside/0 at ${hurtAtS}s, restart after 8s`],
} as const;

function design(way: Way, faults: readonly string[]) {
  const names = registry('names', { follow: 'poll', poll: '5s', refetch: 'each' });
  // Whoever has the list tries twice.
  const api = service('api', {
    instances: 3,
    cost: '2ms',
    discovery: names,
    policy: { timeout: '1s', retry: { attempts: 2 } },
  });
  const inside = service('inside', {
    instances: 2,
    cost: { cpu: '50us' },
    env: { api },
    policy: { timeout: '2s', retry: { attempts: 1 } },
    fetch: (request, env) => env.api.fetch(request),
  });
  const client = service('client', {
    instances: clients,
    env: { target: way === 'a gateway has it' ? inside : api },
    policy: { timeout: '3s', retry: { attempts: 1 } },
    fetch: (_request, env) => env.target.fetch('/'),
  });
  return system('who-keeps-the-list', {
    entry: gateway('edge', { routes: { '/': client } }),
    faults: [...faults],
    workload: users({ rate: `${ratePerSec}/s`, timeout: '5s' }),
  });
}

interface Found {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly askedPerSec: number;
  readonly died: number;
  readonly blind: number;
  readonly lone: number;
}

export default lab({
  id: 'lab-client-or-gateway',
  claims: ['client-side-discovery', 'server-side-discovery'],
  title: 'Who keeps the list of addresses',
  claim:
    'With client-side discovery every client keeps the list and balances itself; with server-side discovery it asks a gateway that does so for all.',
  question: `${clients} instances of a client call a service of three instances. What does a call take, what does the registry have to do, and how many calls fail, when each client follows the registry and when two gateways do?`,
  method: `${ratePerSec} calls a second of 2 ms each; lists are polled every 5 s and fetched again at a failure, and who has one tries twice. The gateway is one that forwards every call, for 50 µs of its processor. Then at ${hurtAtS} s: three more instances have come, and the first three die without a word; the only registry is away for 8 s; one of the two gateways is.`,
  advice:
    'Lists in the clients save a hop and a thing that can die, and cost the registry a question of each client, and a library in each language. A gateway keeps the list in one place, for clients that know nothing of it; run two, and let callers try again, as these do not. What dies without a word is listed until its lease ends: who sees many calls notices first that one address answers no more. Neither needs the registry for what it knows already.',
  expected: 'compare',
  seeds: { full: 4, small: 1 },
  design: design('a gateway has it', []),
  async measure({ seeds }) {
    const found = [];
    for (const way of ways) {
      const runs: Found[] = [];
      for (const seed of seeds) {
        const run = (faults: readonly string[]) =>
          simulate(design(way, faults), { seed, for: '55s' });
        const calm = await run(troubles.calm);
        const lone = way === 'a gateway has it' ? await run(troubles.lone) : undefined;
        runs.push({
          meanMs: calm.latencyMs.mean,
          p99Ms: calm.latencyMs.p99,
          askedPerSec: calm.blocks.names!.requestsPerSec,
          died: (await run(troubles.died)).failed,
          blind: (await run(troubles.blind)).failed,
          lone: lone?.failed ?? 0,
        });
      }
      const of = (name: keyof Found) => estimate(runs.map((one) => one[name]));
      found.push({
        way,
        mean: of('meanMs'),
        p99: of('p99Ms'),
        asked: of('askedPerSec'),
        died: of('died'),
        blind: of('blind'),
        lone: of('lone'),
      });
    }
    return found;
  },
  verdict([own, through]) {
    return {
      verdict: 'compare',
      why: `Through a gateway a call takes ${within(through!.mean, ms)} on average instead of ${within(own!.mean, ms)}, and the registry hears ${digits(through!.asked.mean)} messages a second instead of ${digits(own!.asked.mean)}. Of some ${55 * ratePerSec} calls ${digits(own!.died.mean)} fail with lists in the clients when three of six instances die, ${digits(through!.died.mean)} with the list in the gateways; ${digits(own!.blind.mean)} and ${digits(through!.blind.mean)} while the registry is away; ${digits(through!.lone.mean)} when a gateway dies.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'What a call takes, without a fault',
      x: { label: 'time', unit: 'ms' },
      groups: found.map(({ way }) => way),
      series: [
        { name: 'mean', values: found.map(({ mean }) => mean.mean) },
        { name: 'p99', values: found.map(({ p99 }) => p99.mean) },
      ],
    }),
    table({
      title: 'In numbers',
      head: [
        '',
        'mean',
        'p99',
        'messages at the registry',
        'failed: 3 of 6 instances die',
        'registry away',
        'a gateway dies',
      ],
      rows: found.map(({ way, mean, p99, asked, died, blind, lone }) => [
        way,
        within(mean, ms),
        within(p99, ms),
        `${digits(asked.mean)} /s`,
        within(died),
        within(blind),
        way === 'a gateway has it' ? within(lone) : '',
      ]),
    }),
  ],
});
