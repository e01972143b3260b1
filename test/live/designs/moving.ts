/** Instances that come and go behind two gateways, in a mesh, found in a registry, kept well by a fleet: for `moving.test.ts`. */
import { fleet, gateway, mesh, registry, service, system } from 'loadpath';

// State of a module: every instance has its own.
const instance = Math.random().toString(36).slice(2);

// api may be called by whom the mesh knows; front, besides, by gateways.
const net = mesh('net', { sync: '200ms', identity: 'required', allow: { front: ['edge'] } });
const names = registry('names', { ttl: '2s', renewEvery: '500ms', wait: '5s' });
const retry = { attempts: 4, reserve: 1_000 } as const;
const both = { mesh: net, discovery: names } as const;

const api = service('api', {
  ...both,
  instances: 2,
  policy: { timeout: '8s', attemptTimeout: '1s', retry },
  fetch: () => Response.json([instance]),
});
const front = service('front', {
  ...both,
  instances: 1,
  policy: { timeout: '12s', attemptTimeout: '10s', retry },
  env: { api },
  async fetch(_request, env) {
    const behind = await env.api.fetch('/');
    if (!behind.ok) return behind;
    return Response.json([instance, ...((await behind.json()) as string[])]);
  },
});
const keeper = fleet('keeper', {
  of: api,
  min: 2,
  max: 3,
  every: '500ms',
  startDelay: '0ms',
  scale: { rate: '1/s', cooldownUp: '500ms', warmUp: '500ms', stepUp: 1 },
  health: { interval: '200ms', timeout: '400ms', fall: 3 },
});

export default system('moving', {
  entry: gateway('edge', { nodes: 2, port: 0, routes: { '/': front }, policy: { timeout: '15s' } }),
  blocks: [keeper],
});
