/** What `proxies.test.ts` asks of every gateway. The services are the test's own: `origins.ts`. */
import { external, gateway, system } from 'loadpath';

const nowhere = 'http://127.0.0.1:9';
const web = external('web', { url: process.env.LOADPATH_TEST_WEB ?? nowhere });
const api = external('api', { url: process.env.LOADPATH_TEST_API ?? nowhere });
const nobody = external('nobody', { url: process.env.LOADPATH_TEST_NOBODY ?? nowhere });

export default system('proxies', {
  entry: gateway('edge', {
    bodyMax: '10kB',
    replyHeaders: { 'x-frame-options': 'DENY' },
    cors: { origins: ['https://shop.example'], methods: ['GET', 'PUT'], credentials: true },
    compress: {},
    trace: {},
    policy: {
      timeout: '20s',
      attemptTimeout: '10s',
      balance: 'round-robin',
      retry: { attempts: 2, budget: 1 },
    },
    routes: [
      { path: '/web', to: web },
      { path: '/api', to: api, rewrite: { strip: '/api' } },
      { path: '/api/v2', to: web },
      { path: '/api/exact', exact: true, to: web },
      { path: '/users/:id', to: api, rewrite: { path: '/people/:id' } },
      { path: '/users/me', to: web },
      { path: '/old/*', redirect: '/*' },
      { host: 'shop.example.com', path: '/', to: api },
      { host: '*.example.com', path: '/below', to: api, rewrite: { host: 'inner.example.org' } },
      { path: '/write', methods: ['POST'], to: api },
      { path: '/beta', headers: { 'x-beta': 'yes*' }, to: api },
      { path: '/beta', query: { v: '2' }, cookies: { who: true }, to: web },
      { path: '/limited', to: web, limits: { few: { rate: '1/min', burst: 5, by: 'ip' } } },
      {
        path: '/slow',
        to: web,
        policy: { timeout: '400ms', attemptTimeout: '400ms', retry: { attempts: 1 } },
      },
      { path: '/nobody', to: nobody },
    ],
  }),
});
