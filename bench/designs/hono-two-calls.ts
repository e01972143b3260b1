/** User code at speed: a Hono handler that reads and writes a store, both awaited. */
import { Hono } from 'hono';
import { type Env, kv, service, system, users } from 'loadpath';

const replicas = 1;
const store = kv<{ readonly count: number }>('store', { replicas, consistency: 'quorum' });
const env = { store };

const app = new Hono<{ Bindings: Env<typeof env> }>().get('/:key', async (c) => {
  const key = c.req.param('key');
  const before = await c.env.store.get(key);
  await c.env.store.put(key, { count: (before?.count ?? 0) + 1 });
  return c.json({ key });
});

export default system('hono-two-calls', {
  entry: service('api', { instances: 3, env, fetch: app.fetch }),
  workload: users({
    rate: '5000/s',
    act: async (user) => {
      await user.fetch(`/${user.random.below(10_000)}`);
    },
  }),
});
