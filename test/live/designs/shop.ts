/**
 * A small shortener for trouble: every kind of node, three of the store, and doors through which an
 * outside client can ask afterwards what became of what was acknowledged.
 */
import { cache, gateway, ids, kv, service, system, topic, users } from 'loadpath';
import { linearizable, noLoss, uniqueIds } from 'loadpath/verify';

type Link = { readonly url: string };
type Click = { readonly code: string; readonly id: string };
type Seen = { readonly ids: readonly string[] };

const links = kv<Link>('links', { replicas: 3, consistency: 'atomic', timeout: '2s' });
const hot = cache<Link>('hot', { nodes: 1, ttl: '1s' });
const codes = ids('codes', { block: 1_000 });
const clicks = topic<Click>('clicks', { partitions: 2, nodes: 1, key: (click) => click.code });
const seen = kv<Seen>('seen', { replicas: 1, consistency: 'atomic', timeout: '2s' });

const api = service('api', {
  instances: 2,
  env: { links, hot, codes, clicks, seen },
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const [, what, name = ''] = pathname.split('/');
    if (what === 'links' && request.method === 'POST') {
      const code = await env.codes.next();
      await env.links.put(code, { url: name });
      return Response.json({ code }, { status: 201 });
    }
    if (what === 'links') {
      const link = await env.hot.through(name, () => env.links.get(name));
      return link ? Response.json(link) : new Response('none', { status: 404 });
    }
    if (what === 'claims') {
      const owner = searchParams.get('owner') ?? '';
      return Response.json({ claimed: await env.codes.claim(name, { owner }) });
    }
    if (what === 'clicks' && request.method === 'POST') {
      await env.clicks.publish({ code: name, id: searchParams.get('id') ?? '' });
      return new Response(null, { status: 204 });
    }
    if (what === 'clicks') {
      return Response.json((await env.seen.get(name))?.ids ?? []);
    }
    return new Response('hello');
  },
});

/** One key a code, one partition a key: read, add, write needs no lock. */
const counter = service('counter', {
  instances: 1,
  env: { clicks, seen },
  on: {
    async clicks(batch, env) {
      for (const { value } of batch) {
        const before = (await env.seen.get(value.code))?.ids ?? [];
        if (before.includes(value.id)) continue;
        await env.seen.put(value.code, { ids: [...before, value.id] });
      }
    },
  },
});

export default system('shop', {
  entry: gateway('edge', {
    routes: { '/': api },
    policy: { timeout: '5s', retry: { attempts: 2, budget: 0.1 } },
  }),
  blocks: [counter],
  workload: users({
    rate: '40/s',
    setup: async (user) => {
      await user.fetch('/links/setup', { method: 'POST' });
      await user.sleep(300);
    },
    act: async (user) => {
      const reply = await user.fetch(`/links/of-${user.id}`, { method: 'POST' });
      if (reply.status !== 201) return;
      const { code } = (await reply.json()) as { readonly code: string };
      const found = await user.fetch(`/links/${code}`);
      if (found.status === 404) user.complain('a link that was posted is not found');
    },
  }),
  objectives: { availability: 0.1 },
  invariants: [linearizable(links), uniqueIds(codes), noLoss(clicks)],
  tryIt: ['curl -X POST {url}/links/first'],
});
