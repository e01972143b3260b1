/** One route and nothing else: for `gateway.mjs`. */
import { external, gateway, system, users } from 'loadpath';

const origin = external('origin', {
  url: process.env.LOADPATH_BENCH_ORIGIN ?? 'http://127.0.0.1:9',
});

export default system('gateway-bare', {
  entry: gateway('edge', {
    openMax: 20_000,
    routes: { '/': origin },
    policy: { timeout: '10s', balance: 'round-robin' },
  }),
  // The bench brings its own; simulated, these show that a seed matters.
  workload: users({ rate: '100/s' }),
});
