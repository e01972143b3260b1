/** Ten calls one after the other from service to service for each visit, on a network that loses some. */
import { service, system, users } from 'loadpath';

export const callsPerVisit = 10;

const back = service('back', {
  instances: 2,
  fetch: (request) => new Response(request.url.slice(-1)),
});

const front = service('front', {
  instances: 2,
  env: { back },
  async fetch(_request, env) {
    let last = '';
    for (let i = 0; i < callsPerVisit; i++) {
      const reply = await env.back.fetch(`/${i}`);
      last = await reply.text();
    }
    return new Response(last);
  },
});

export default system('two-services', {
  entry: front,
  workload: users({ rate: '1000/s' }),
  faults: [
    'lose 0.5% between front and back at 1s for 60s',
    'kill back/1 at 2s, restart after 1s',
    'delay 2ms between front and back at 4s for 1s',
  ],
});
