/** Every block with state, and services of every form, with their operations open to HTTP: for `scenes.ts`. */
import {
  aggregate,
  apiKeys,
  balancer,
  cache,
  cdn,
  dns,
  fleet,
  forwardProxy,
  gateway,
  ids,
  jwt,
  kv,
  limiter,
  mesh,
  purges,
  registry,
  service,
  system,
  topic,
  upgradeWebSocket,
  users,
} from 'loadpath';
import { after, before, type Scene } from './scenes.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type Seen = { readonly values: readonly string[] };

const stores = {
  atomic: kv<Json>('atomic', { consistency: 'atomic', timeout: '2s' }),
  quorum: kv<Json>('quorum', { consistency: 'quorum', timeout: '2s' }),
};
const near = cache<string>('near', { timeout: '1s', wait: '500ms', lease: '5s' });
const codes = ids('codes', { block: 100 });
// Fewer than a scene takes, in a window that outlasts all of them.
const limits = limiter('limits', { limit: '5/d', also: ['3/d'], durable: true, timeout: '2s' });
const log = topic<{ key: string; value: string }>('log', {
  partitions: 2,
  nodes: 1,
  key: ({ key }) => key,
  redeliver: '50ms',
});
const seen = kv<Seen>('seen', { consistency: 'atomic', replicas: 1, timeout: '2s' });

// State of a module: every instance has its own, and a crash takes it away.
const instance = Math.random().toString(36).slice(2);
let visits = 0;
const failed = new Set<string>();

const who = registry('who', { renewEvery: '500ms', ttl: '2s', wait: '5s' });
const net = mesh('net', {
  sync: '100ms',
  stageFor: '0ms',
  identity: 'required',
  allow: { api: ['edge'], inner: ['api', 'edge'] },
});
const kept = service('kept', { instances: 1, discovery: who, fetch: () => new Response('kept') });
/** A second one as soon as anybody asks, and for good. */
const keeper = fleet('keeper', {
  of: kept,
  max: 2,
  every: '500ms',
  startDelay: '0ms',
  scale: { rate: '1/s', cooldownUp: '0ms', cooldownDown: '1h', warmUp: '0ms' },
});

const inner = service('inner', {
  mesh: net,
  discovery: who,
  instances: 2,
  releases: {
    v1: { fetch: (request) => new Response(`v1 ${new URL(request.url).pathname}`) },
    v2: { fetch: () => new Response('v2') },
  },
  traffic: { v1: 0.8, v2: 0.2 },
});

/** Asked for a way to let an error fall, it does so once its answer is made. */
let asked = 0;
const frail = service('frail', {
  instances: 1,
  fetch(request) {
    const { pathname } = new URL(request.url);
    const fall = () => {
      throw new Error(`nobody catches what ${pathname} throws`);
    };
    if (pathname === '/rejects') void Promise.resolve().then(fall);
    if (pathname === '/ticks') process.nextTick(fall);
    if (pathname === '/microtasks') queueMicrotask(fall);
    return Response.json(++asked);
  },
});

const pages = purges('pages', { lease: '1s', timeout: '8s' });
let made = 0;
const origin = service('origin', {
  instances: 1,
  fetch(request) {
    const control = request.url.includes('/own/') ? 'private' : 'max-age=600';
    const headers = { 'cache-control': control, 'cache-tag': 'made' };
    return new Response(String(++made), { headers });
  },
});
const site = cdn('site', { origin, purges: pages, shield: 'a', port: 0 });

const names = dns('names', {
  servers: 1,
  timeout: '2s',
  records: {
    'inner.test': inner,
    'www.inner.test': { alias: 'inner.test' },
    'note.test': { text: 'a note' },
  },
});

const egress = forwardProxy('egress', {
  sites: { 'origin.test': origin, '*.blocked.test': origin },
  rules: [{ do: 'block', hosts: ['*.blocked.test'] }],
  cache: {},
  port: 0,
  policy: { timeout: '5s' },
});

const env = {
  ...stores,
  near,
  codes,
  limits,
  log,
  seen,
  inner,
  pages,
  names,
  who,
  net,
  kept,
  egress,
  frail,
};

const api = service('api', {
  mesh: net,
  instances: 2,
  env,
  async fetch(request, env) {
    const { near, codes, log, seen, inner } = env;
    const url = new URL(request.url);
    const [, what = '', name = '', key = ''] = url.pathname.split('/');
    const { method } = request;
    if (what === 'kv') {
      const store = name === 'quorum' ? env.quorum : env.atomic;
      if (method === 'PUT') await store.put(key, (await request.json()) as Json);
      else if (method === 'DELETE') await store.delete(key);
      else if (method === 'POST') {
        const refused = await Promise.allSettled(
          [new Map(), undefined, () => 1, Number.NaN, new Date(0)].map((bad) =>
            store.put(key, bad as unknown as Json),
          ),
        );
        return Response.json(
          refused.map((one) => one.status === 'rejected' && `${one.reason.name}`),
        );
      }
      return Response.json({ value: (await store.get(key)) ?? null });
    }
    if (what === 'cache') {
      const ttl = url.searchParams.get('ttl') === 'short' ? '100ms' : '1h';
      if (method === 'PUT') await near.set(name, await request.text(), { ttl });
      else if (method === 'DELETE') await near.delete(name);
      return Response.json({ value: (await near.get(name)) ?? null });
    }
    if (what === 'through') {
      let loads = 0;
      const load = async () => {
        loads++;
        return (await env.atomic.get('source')) as string | undefined;
      };
      const got = await Promise.all(Array.from({ length: 8 }, () => near.through(name, load)));
      return Response.json({ loads, got });
    }
    if (what === 'codes') {
      return Response.json(await Promise.all(Array.from({ length: 30 }, () => codes.next())));
    }
    if (what === 'take') {
      const cost = Number(key);
      const { allowed, remaining, by } = await env.limits.take(name, { cost });
      return Response.json([allowed, remaining, by]);
    }
    if (what === 'claims') return Response.json(await codes.claim(name, { owner: key }));
    if (what === 'publish') {
      return Response.json(await log.publish({ key: name, value: key }));
    }
    if (what === 'replay') return Response.json(await log.replayFrom('reader', Number(name), 0));
    if (what === 'seen') return Response.json((await seen.get(name))?.values ?? []);
    if (what === 'purge') {
      await env.pages.purge(
        name === 'tag' ? { tag: key } : { prefix: `${url.origin}/site/${key}` },
      );
      return Response.json(true);
    }
    if (what === 'talk') {
      const { socket, response } = upgradeWebSocket(request);
      socket.addEventListener('message', ({ data }) => {
        if (data === 'bye') socket.close(3002, 'as you wish');
        else socket.send(String(data).toUpperCase());
      });
      return response;
    }
    if (what === 'name') return Response.json(await env.names.resolve(name));
    if (what === 'egress') {
      const reply = await env.egress.fetch(`http://${name}/${key}`);
      return Response.json([reply.status, await reply.text(), reply.headers.get('via')]);
    }
    if (what === 'kept') return env.kept.fetch('/');
    if (what === 'frail') return env.frail.fetch(`/${name}`);
    if (what === 'who') {
      const entries = await env.who.instances(name);
      return Response.json(entries.map(({ release, status }) => `${release} ${status}`).sort());
    }
    if (what === 'mesh') {
      if (name === 'shift') await env.net.apply({ inner: { traffic: { [key]: 1 } } });
      if (name === 'back') await env.net.rollBack();
      return Response.json((await env.net.state()).version);
    }
    if (what === 'inner') return inner.fetch('/asked');
    if (what === 'instance') return Response.json({ instance, visits: ++visits });
    if (what === 'throws') throw new Error('a mistake in the handler');
    return new Response('nothing here', { status: 404 });
  },
});

const reader = service('reader', {
  instances: 1,
  env: { log, seen },
  on: {
    async log(batch, { seen }) {
      for (const { value } of batch) {
        const before = (await seen.get(value.key))?.values ?? [];
        await seen.put(value.key, { values: [...before, value.value] });
        if (value.value === 'poison' && !failed.has(value.key)) {
          failed.add(value.key);
          throw new TypeError('the first time it cannot be digested');
        }
      }
    },
  },
});

/** When the nodes that keep something are killed in the simulated world: long after the first scenes. */
export const killsAtMs = 60_000;
let ran = false;

/** Of the key that a scene shows. */
const digest = 'db967788df725d2e43640856ada333767c775916b0fbd83fb04773ee5bf72457';

const edge = gateway('edge', {
  routes: [
    { path: '/', auth: 'none', to: api },
    { path: '/site', auth: 'none', to: site },
    { path: '/mine', to: api, rewrite: { path: '/codes' } },
    {
      path: '/page',
      auth: 'none',
      to: aggregate({
        parts: {
          codes: { from: api, path: '/codes', required: true, timeout: '5s' },
          text: { from: inner, path: '/text', timeout: '5s' },
        },
        shape: { of: ['$codes.0', '$text'], first: '$codes.0' },
      }),
    },
    { path: '/moved/*', auth: 'none', redirect: '/*' },
  ],
  auth: [
    apiKeys({ users: { ann: { sha256: digest } } }),
    jwt({ secret: 'a secret of this conformance design' }),
  ],
  quotas: { day: { calls: 2, per: '1000d', reserve: 1 } },
  waf: {},
  compress: { min: '1B' },
  port: 0,
  policy: { timeout: '10s' },
});

export default system('conformance', {
  // Every scene comes through it: what is true of requests is true of their bytes.
  entry: balancer('lb', { to: edge, nodes: 2, listen: 'sharded' }),
  blocks: [reader, keeper],
  workload: users({
    closed: { users: 1, think: '1s' },
    timeout: '20s',
    act: async (user) => {
      if (ran) return;
      ran = true;
      const world = {
        fetch: (path: string, init?: RequestInit) => user.fetch(path, init),
        sleep: (ms: number) => user.sleep(ms),
        connect: async (path: string) => {
          const socket = await user.connect(path);
          return {
            send: (text: string) => socket.send(text),
            receive: async () => (await socket.receive()) as string | undefined,
            code: () => socket.closed?.code,
            close: (code: number) => socket.close(code),
          };
        },
      };
      const told = async (scenes: readonly Scene[]) => {
        for (const scene of scenes) {
          const failure = await scene.play(world).then(
            () => 'as it should be',
            (error: unknown) => String(error),
          );
          console.log(`${scene.title} => ${failure}`);
        }
      };
      await told(before);
      await user.sleep(killsAtMs + 10_000);
      await told(after);
    },
  }),
});
