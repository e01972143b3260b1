/** A design file for tests of the command line: one note that everybody writes and reads. */

/** `notes` are the options of its store, `api` those of its service, as they stand in a design. */
export function padDesign(notes: string, api = ''): string {
  return `
import { gateway, kv, service, system, users } from 'loadpath';
import { linearizable } from 'loadpath/verify';
const notes = kv('notes', { ${notes} });
const api = service('api', {
  instances: 1,
  ${api}
  env: { notes },
  async fetch(request, env) {
    if (request.method !== 'PUT') return Response.json((await env.notes.get('n')) ?? null);
    await env.notes.put('n', await request.text());
    return new Response(null, { status: 204 });
  },
});
export default system('pad', {
  entry: gateway('edge', { routes: { '/': api } }),
  workload: users({
    rate: '50/s',
    async act(user) {
      const options = user.random.chance(0.5) ? { method: 'PUT', body: String(user.random.next()) } : {};
      await user.fetch('/n', options);
    },
  }),
  invariants: [linearizable(notes)],
});
`;
}
