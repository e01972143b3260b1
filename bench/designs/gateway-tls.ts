/** A gateway that ends TLS with a certificate of the bench: for `tls.mjs`. */
import { gateway, service, system, users } from 'loadpath';

const api = service('api', { instances: 1, fetch: () => new Response('fine') });
const [cert, key] = [process.env.LOADPATH_BENCH_CERT, process.env.LOADPATH_BENCH_KEY];

export default system('gateway-tls', {
  entry: gateway('edge', {
    openMax: 20_000,
    routes: { '/': api },
    tls: cert && key ? { cert, key } : true,
  }),
  workload: users({ rate: '100/s' }),
});
