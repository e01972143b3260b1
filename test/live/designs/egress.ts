/** A forward proxy, who is asked through it, and what tunnels through it lead to: for `egress.test.ts`. */
import { external, forwardProxy, gateway, service, system } from 'loadpath';

const news = service('news', {
  instances: 1,
  fetch: (request) => Response.json([request.url, request.headers.get('via')]),
});
const bank = service('bank', {
  instances: 1,
  tls: true,
  fetch: async (request) => new Response(await request.arrayBuffer()),
});
const door = gateway('door', { port: 0, routes: { '/': news } });

export default system('egress', {
  entry: forwardProxy('egress', {
    port: 0,
    sites: {
      'news.example': news,
      'bank.example': bank,
      'door.example': door,
      'away.example': external('away', { url: 'http://127.0.0.1:1' }),
    },
    rules: [{ do: 'block', hosts: ['bank.example'], from: ['10.0.0.0/8'] }],
    tunnels: { ports: [443, 8443] },
  }),
});
