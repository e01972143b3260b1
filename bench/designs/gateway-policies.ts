/** What a gateway of a real system has on the path of a request, none of which refuses here: for `gateway.mjs`. */
import { external, gateway, system, users } from 'loadpath';

const origin = external('origin', {
  url: process.env.LOADPATH_BENCH_ORIGIN ?? 'http://127.0.0.1:9',
});

export default system('gateway-policies', {
  entry: gateway('edge', {
    openMax: 20_000,
    limits: {
      perAddress: { rate: '1000000/s', burst: 1_000_000, by: 'ip' },
      together: { rate: '1000000/s', burst: 1_000_000, by: 'all', algorithm: 'sliding-window' },
    },
    routes: [
      { host: 'shop.example.com', path: '/', to: origin },
      { path: '/api/v2', to: origin, rewrite: { strip: '/api' } },
      { path: '/users/:id', to: origin },
      { path: '/admin', headers: { 'x-admin': true }, to: origin },
      { path: '/', to: origin },
    ],
    policy: {
      timeout: '10s',
      balance: 'least-requests',
      retry: { attempts: 2, budget: 0.1 },
    },
  }),
  // The bench brings its own; simulated, these show that a seed matters.
  workload: users({ rate: '100/s' }),
});
