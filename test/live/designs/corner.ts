/** As few processes as a system can have: for what goes wrong whatever it is made of. */
import { gateway, kv, service, system, users } from 'loadpath';
import { linearizable } from 'loadpath/verify';

const notes = kv<string>('notes', { replicas: 1, consistency: 'atomic' });

const api = service('api', {
  env: { notes },
  async fetch(request, env) {
    const name = new URL(request.url).pathname;
    if (request.method === 'POST') await env.notes.put(name, 'written');
    return new Response((await env.notes.get(name)) ?? 'hello');
  },
});

export default system('corner', {
  entry: gateway('edge', { routes: { '/': api } }),
  workload: users({
    rate: '40/s',
    act: async (user) => {
      await user.fetch(`/notes/${user.id}`, { method: 'POST' });
    },
  }),
  objectives: { availability: 0.1 },
  invariants: [linearizable(notes)],
});
