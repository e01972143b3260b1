/** Two balancers that share an address, for `pair.test.ts`: one has it, the other stands by. */
import { balancer, service, system } from 'loadpath';

const api = service('api', {
  instances: 1,
  async fetch(request) {
    // Long enough that a kill finds some of them under way.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new Response(new URL(request.url).pathname);
  },
});

export default system('pair', {
  entry: balancer('lb', { to: api, nodes: 2, port: 0, standby: true }),
});
