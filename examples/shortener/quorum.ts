/**
 * The shortener with the cheaper store: `links` as a quorum, one round trip instead of two, and
 * campaigns, whose links are pointed somewhere else again and again. What that costs:
 *
 *   npx loadpath hunt examples/shortener/quorum.ts
 *
 * finds visitors who are sent to a page that had been replaced.
 */
import { cache, gateway, kv, service, system, type User, users } from 'loadpath';
import { linearizable } from 'loadpath/verify';
import { addressOf } from './addresses.ts';
import { api } from './api.ts';
import { blocks, type Link } from './blocks.ts';
import { realUrls } from './urls.ts';

const links = kv<Link>('links', { replicas: 3, consistency: 'quorum' });
/** Short-lived: what moves must not be remembered for ten minutes. */
const hot = cache<Link>('hot', { nodes: 2, capacity: 50_000, ttl: '20ms' });

const web = service('api', {
  instances: 3,
  cost: { cpu: '0.4ms' },
  env: { ...blocks, links, hot },
  fetch: api.fetch,
});

const campaigns = ['spring', 'summer', 'autumn'];

/** Half of the visits follow a campaign's link, the others move it. */
async function act(user: User): Promise<void> {
  const alias = user.random.pick(campaigns);
  if (user.random.chance(0.5)) {
    await user.fetch(`/${alias}`);
    return;
  }
  await user.fetch('/links', {
    method: 'POST',
    // Whoever has the key owns the alias, and may post it again.
    headers: { 'content-type': 'application/json', 'idempotency-key': 'marketing' },
    body: JSON.stringify({ alias, url: user.random.pick(realUrls) }),
  });
}

export default system('shortener-quorum', {
  entry: gateway('edge', {
    routes: { '/': web },
    policy: { timeout: '1s', retry: { attempts: 2, budget: 0.1 }, balance: 'least-requests' },
  }),
  workload: users({ rate: '500/s', population: 2_000, ip: addressOf, act }),
  invariants: [linearizable(links)],
});
