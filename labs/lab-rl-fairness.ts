/** One caller who asks for everything, beside users who do not, with and without a limit for each. */
import { gateway, service, simulate, system, tokenBucket, users } from 'loadpath';
import { bars, estimate, lab, ms, percent, table } from 'loadpath/lab';

const bots = [0, 100, 200, 400];

interface Asked {
  readonly isBot: boolean;
  readonly ok: boolean;
  readonly tookMs: number;
}

/** 200 a second can be served; users ask for 60, the bot for `botPerSec`. */
function design(botPerSec: number, isLimited: boolean) {
  const asked: Asked[] = [];
  const api = service('api', {
    instances: 1,
    openMax: 200,
    cost: { cpu: '5ms' },
    fetch: () => new Response('here you are'),
  });
  const total = 60 + botPerSec;
  const made = system('one-abuser', {
    entry: gateway('edge', {
      routes: { '/': api },
      policy: { timeout: '3s' },
      ...(isLimited ? { limit: tokenBucket({ rate: '20/s', burst: 20, by: 'ip' }) } : {}),
    }),
    workload: users({
      rate: `${total}/s`,
      population: 100_000,
      // Of all visits the bot's share comes from one address.
      ip: (id) => ((id * 7919) % total < botPerSec ? '10.9.9.9' : `10.1.${id >> 8}.${id & 255}`),
      async act(user) {
        const isBot = (user.id * 7919) % total < botPerSec;
        const from = performance.now();
        const ok = await user.fetch('/').then(
          (reply) => reply.status === 200,
          () => false,
        );
        asked.push({ isBot, ok, tookMs: performance.now() - from });
      },
    }),
  });
  return { design: made, asked };
}

function seenByUsers(asked: readonly Asked[]) {
  const own = asked.filter(({ isBot }) => !isBot);
  const sorted = own
    .filter(({ ok }) => ok)
    .map(({ tookMs }) => tookMs)
    .sort((a, b) => a - b);
  return {
    p99: sorted[Math.floor(0.99 * sorted.length)] ?? Number.POSITIVE_INFINITY,
    failed: own.filter(({ ok }) => !ok).length / Math.max(1, own.length),
  };
}

export default lab({
  id: 'lab-rl-fairness',
  claims: ['lab-rl-fairness'],
  title: 'One heavy user spoils it for all, unless limited',
  claim: 'Without limits one heavy user spoils the service for the others.',
  question:
    'A service gets through 200 requests a second and its users ask for 60. What do they see when somebody asks for 100 to 400 more, with and without a limit of 20 a second for each address?',
  method:
    'Poisson arrivals at a gateway in front of one instance that needs 5 ms of its core for each request. The abuser has one address. Figures are those of the other users alone.',
  advice:
    'Give every caller a limit well below what the service can do, and well above what honest callers ask. It protects against one caller; against many at once, shed load.',
  expected: 'true',
  seeds: { full: 3, small: 1 },
  design: design(200, false).design,
  async measure({ seeds, pick }) {
    const found = [];
    for (const bot of bots) {
      const run = async (isLimited: boolean) => {
        const runs: ReturnType<typeof seenByUsers>[] = [];
        for (const seed of seeds) {
          const { design: made, asked } = design(bot, isLimited);
          await simulate(made, { seed, for: pick('15s', '6s') });
          runs.push(seenByUsers(asked));
        }
        return {
          p99: estimate(runs.map(({ p99 }) => p99)),
          failed: estimate(runs.map(({ failed }) => failed)),
        };
      };
      found.push({ bot, free: await run(false), limited: await run(true) });
    }
    return found;
  },
  verdict(found) {
    const calm = found[0]!;
    const heavy = found.find(({ bot }) => bot === 200)!;
    const spoils = heavy.free.p99.mean > 5 * calm.free.p99.mean || heavy.free.failed.mean > 0.05;
    const cures =
      heavy.limited.p99.mean < 3 * calm.free.p99.mean && heavy.limited.failed.mean < 0.01;
    return {
      verdict: spoils && cures ? 'true' : spoils ? 'partly' : 'false',
      why: `Without an abuser the other users’ p99 is ${ms(calm.free.p99.mean)}; with one that asks for 200 a second it is ${ms(heavy.free.p99.mean)} and ${percent(heavy.free.failed.mean)} of their requests fail; with a limit for each address it is ${ms(heavy.limited.p99.mean)} and ${percent(heavy.limited.failed.mean)} fail.`,
    };
  },
  figures: (found) => [
    bars({
      title: 'What honest users wait, p99',
      x: { label: 'time', unit: 'ms', scale: 'log', min: 1 },
      groups: found.map(({ bot }) => (bot === 0 ? 'no abuser' : `abuser: ${bot}/s`)),
      series: [
        { name: 'no limit', values: found.map(({ free }) => free.p99.mean) },
        { name: 'limit for each address', values: found.map(({ limited }) => limited.p99.mean) },
      ],
    }),
    bars({
      title: 'What honest users lose',
      x: { label: 'failed requests', unit: '%' },
      groups: found.map(({ bot }) => (bot === 0 ? 'no abuser' : `abuser: ${bot}/s`)),
      series: [
        { name: 'no limit', values: found.map(({ free }) => 100 * free.failed.mean) },
        {
          name: 'limit for each address',
          values: found.map(({ limited }) => 100 * limited.failed.mean),
        },
      ],
    }),
    table({
      title: 'In numbers',
      head: ['abuser', 'p99 without', 'failed without', 'p99 with', 'failed with'],
      rows: found.map(({ bot, free, limited }) => [
        `${bot}/s`,
        ms(free.p99.mean),
        percent(free.failed.mean),
        ms(limited.p99.mean),
        percent(limited.failed.mean),
      ]),
    }),
  ],
});
