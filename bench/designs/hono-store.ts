/** A Hono service that reads a key and writes it back: two store calls a request. */
import { Hono } from 'hono';
import { type Env, gateway, kv, type System, service, system, users } from 'loadpath';

export interface Shape {
  readonly name: string;
  readonly replicas: number;
  readonly instances?: number;
  /** Through a gateway, or straight to the service. */
  readonly door: boolean;
  readonly faults?: readonly string[];
}

export function honoStore({ name, replicas, instances = 4, door, faults = [] }: Shape): System {
  const store = kv<{ readonly count: number }>('store', { replicas, consistency: 'quorum' });
  const env = { store };
  const app = new Hono<{ Bindings: Env<typeof env> }>();
  app.get('/count/:key', async (c) => {
    const key = c.req.param('key');
    const before = await c.env.store.get(key);
    const count = (before?.count ?? 0) + 1;
    await c.env.store.put(key, { count });
    return c.json({ count });
  });
  const api = service('api', { instances, env, fetch: app.fetch });
  return system(name, {
    entry: door ? gateway('edge', { routes: { '/': api } }) : api,
    workload: users({
      rate: '5000/s',
      act: async (user) => {
        const reply = await user.fetch(`/count/${user.random.below(10_000)}`);
        await reply.json();
      },
    }),
    faults,
  });
}
