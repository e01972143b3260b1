/**
 * A limit that holds over three regions: 10 a minute and 100 an hour for every user, whichever region
 * answers, while a bot asks seventy times as much. `--set limits.mode=…` picks how regions agree.
 */
import { type Env, gateway, limiter, service, system, type User, users } from 'loadpath';

export const perMinute = 10;

const limits = limiter('limits', {
  limit: `${perMinute}/min`,
  also: ['100/h'],
  mode: 'central',
  durable: true,
});

const env = { limits };

const api = service('api', {
  instances: 3,
  cost: { cpu: '0.2ms' },
  env,
  async fetch(request, { limits }: Env<typeof env>) {
    const user = request.headers.get('x-user');
    if (!user) return new Response('who are you?', { status: 401 });
    const { allowed, remaining, retryAfterMs, by } = await limits.take(user);
    if (!allowed) {
      const headers = {
        'retry-after': String(Math.ceil(Math.min(retryAfterMs, 3_600_000) / 1_000)),
      };
      return new Response('slow down', { status: 429, headers });
    }
    return Response.json({ for: user, remaining, by });
  },
});

/** When the bot's requests were admitted, as it sees that itself. */
export const botAdmittedAt: number[] = [];

export default system('rate-limiter', {
  entry: gateway('edge', {
    routes: { '/': api },
    port: 8081,
    // Any region may get the next request of a user: that is what makes the limit hard to keep.
    policy: { timeout: '2s', balance: 'random' },
  }),
  zones: ['asia', 'europe', 'america'].map((region) => ({ name: `${region}-a`, region })),
  workload: users({
    rate: '12/s',
    population: 200,
    act: async (user) => {
      // The bot comes five times at once, in all 720 a minute; each of the others asks three times.
      if (user.random.chance(0.2)) await Promise.all([1, 2, 3, 4, 5].map(() => abuse(user)));
      else await user.fetch('/', { headers: { 'x-user': `user ${user.id}` } });
    },
  }),
  objectives: { availability: 0.999 },
  tryIt: ["for i in 1 2 3 4 5 6 7 8 9 10 11; do curl -s {url} -H 'x-user: me'; echo; done"],
});

/** A minute less what a reply may be late: what falls into it was certainly decided within a minute. */
const surelyMs = 58_000;

async function abuse(user: User): Promise<void> {
  const reply = await user.fetch('/', { headers: { 'x-user': 'bot' } });
  if (reply.status !== 200) return;
  // What nobody counted is another matter: see `whenUnreachable`.
  if (((await reply.json()) as { readonly by: string }).by === 'policy') return;
  const now = Date.now();
  botAdmittedAt.push(now);
  const within = botAdmittedAt.filter((at) => at > now - surelyMs).length;
  if (within > perMinute) user.complain(`the bot got more than ${perMinute} into a minute`);
}
