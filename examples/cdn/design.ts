/**
 * A newspaper with readers on three continents and its origin in Europe: an edge in each region, one of which is the
 * shield that alone asks the origin.
 *
 *   asia ───▶ site/2 ─┐
 *   america ▶ site/1 ─┼─miss─▶ site/0 (shield) ─miss─▶ web ─▶ articles
 *   europe ─▶ site/0 ─┘            ▲                     │
 *                                  └──── pages ◀─ purge ─┘
 */
import { cdn, service, system, users } from 'loadpath';
import { linearizable } from 'loadpath/verify';
import { blocks, newspaper } from './newspaper.ts';
import { act } from './readers.ts';

const web = service('web', {
  instances: 2,
  cost: { cpu: '4ms' },
  env: blocks,
  fetch: newspaper.fetch,
});

export const site = cdn('site', {
  origin: web,
  purges: blocks.pages,
  per: 'region',
  shield: 'europe',
  port: 8083,
  rules: {
    // Parameters that only tell where a reader comes from make no other page.
    '/articles/': { query: 'none' },
  },
  policy: {
    timeout: '8s',
    attemptTimeout: '4s',
    retry: { attempts: 2, budget: 0.1 },
    breaker: { per: 'service', openFor: '1s', window: '5s' },
  },
});

export default system('newspaper', {
  entry: site,
  zones: [
    { name: 'europe-a', region: 'europe' },
    { name: 'america-a', region: 'america' },
    { name: 'asia-a', region: 'asia' },
    { name: 'europe-b', region: 'europe' },
  ],
  workload: users({
    rate: '200/s',
    population: 20_000,
    from: { europe: 0.4, america: 0.35, asia: 0.25 },
    act,
  }),
  objectives: { p50: '5ms', availability: 0.99 },
  invariants: [linearizable(blocks.articles)],
  tryIt: [
    'curl -i {url}/articles/7',
    `curl -X PUT {url}/articles/7 -d '{"text":"corrected"}'`,
    'curl -i {url}/articles/7',
    'curl {url}/.well-known/cdn-analytics',
  ],
});
