import { fleet, gateway, mesh, registry, service, system, users } from 'loadpath';

const net = mesh('net', { sync: '200ms' });
const names = registry('names', { ttl: '3s', renewEvery: '1s' });
const both = {
  mesh: net,
  discovery: names,
  cost: '2ms',
  policy: { timeout: '1s', retry: { attempts: 3 } },
} as const;
const m2 = service('m2', { ...both, instances: 3, fetch: () => new Response('') });
const m1 = service('m1', {
  ...both,
  instances: 3,
  env: { m2 },
  fetch: (_r, env) => env.m2.fetch('/'),
});
const keeper = fleet('keeper', {
  of: m2,
  min: 2,
  max: 6,
  scale: { rate: '60/s' },
  every: '1s',
  startDelay: '500ms',
});
export default system('moving', {
  entry: gateway('edge', {
    routes: { '/': m1 },
    policy: { timeout: '2s', retry: { attempts: 3 } },
  }),
  blocks: [keeper],
  workload: users({ rate: '100/s', act: async (user) => void (await user.fetch('/')) }),
});
