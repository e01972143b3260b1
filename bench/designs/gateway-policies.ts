/**
 * Whatever a gateway of a real system has on the path of a request, none of which refuses here: for `gateway.mjs`. No
 * cache, since what it answers itself would not be a proxy's work.
 */
import { apiKeys, external, gateway, secureHeaders, system, users } from 'loadpath';

const origin = external('origin', {
  url: process.env.LOADPATH_BENCH_ORIGIN ?? 'http://127.0.0.1:9',
});

/** Of the key that the bench shows. */
const sha256 = 'b0962662e937d44c699c8305d90cbf190b3150c59b13863d1380b5cc3c711bb7';
/** Of an exported design callers stay unknown: what knows no keys would refuse every one of them. */
const isExported = process.env.LOADPATH_BENCH_EXPORT === '1';
const callers = {
  auth: apiKeys({ users: { bench: { sha256, tier: 'partner' } } }),
  identity: {},
  usage: {},
  quotas: { month: { calls: 1_000_000_000, per: '30d', reserve: 1_000_000 } },
} as const;
const plenty = { rate: '1000000/s', burst: 1_000_000 } as const;

export default system('gateway-policies', {
  entry: gateway('edge', {
    openMax: 20_000,
    ...(isExported ? {} : callers),
    limits: {
      perAddress: { ...plenty, by: 'ip' },
      perUser: { ...plenty, by: 'user' },
      together: { ...plenty, by: 'all', algorithm: 'sliding-window' },
      atOnce: { algorithm: 'concurrency', openMax: 20_000 },
    },
    waf: {},
    flood: {},
    requests: {},
    cors: { origins: ['https://shop.example.com'] },
    compress: {},
    trace: {},
    replyHeaders: secureHeaders,
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
      breaker: {},
      bulkhead: { slots: 10_000, queueMax: 10_000 },
      fallback: { staleMax: '0ms' },
    },
  }),
  // The bench brings its own; simulated, these show that a seed matters.
  workload: users({
    rate: '100/s',
    act: async (user) => void (await user.fetch('/', { headers: { 'x-api-key': 'bench-key' } })),
  }),
});
