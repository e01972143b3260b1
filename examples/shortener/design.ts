/**
 * A URL shortener: post a link, follow it, count the clicks.
 *
 *   users ─▶ edge ─▶ api ─┬─▶ hot (cache) ─▶ links (3 copies)
 *                         ├─▶ codes (ranges)
 *                         └─▶ clicks (topic) ─▶ counter ─▶ counts (3 copies)
 */
import { gateway, service, system, tokenBucket, users } from 'loadpath';
import { linearizable, noLoss, uniqueIds } from 'loadpath/verify';
import { addressOf } from './addresses.ts';
import { api } from './api.ts';
import { blocks } from './blocks.ts';
import { countClicks } from './count-clicks.ts';
import { act, prepare } from './visitors.ts';

const { links, codes, clicks, counts } = blocks;

const web = service('api', {
  instances: 3,
  cost: { cpu: '0.4ms' },
  env: blocks,
  fetch: api.fetch,
});

const counter = service('counter', {
  instances: 2,
  cost: { cpu: '0.1ms' },
  env: { clicks, counts },
  on: { clicks: countClicks },
});

export default system('shortener', {
  entry: gateway('edge', {
    routes: { '/': web },
    limit: tokenBucket({ rate: '100/s', burst: 200, by: 'ip' }),
    policy: { timeout: '1s', retry: { attempts: 2, budget: 0.1 }, balance: 'least-requests' },
  }),
  blocks: [counter],
  workload: users({ rate: '500/s', population: 2_000, ip: addressOf, setup: prepare, act }),
  objectives: { p99: '50ms', availability: 0.99 },
  invariants: [linearizable(links), uniqueIds(codes), noLoss(clicks)],
  tryIt: [
    `curl {url}/links -d '{"url":"https://example.com/","alias":"hello"}'`,
    'curl -i {url}/hello',
    'curl {url}/top',
  ],
});
