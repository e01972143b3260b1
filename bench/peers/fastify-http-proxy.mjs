/** Fastify with its proxy, on undici: node bench/peers/fastify-http-proxy.mjs <port> <origin> */
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, upstream] = process.argv.slice(2);
const app = fastify();
await app.register(proxy, { upstream, undici: { connections: 256, pipelining: 1 } });
await app.listen({ port: Number(port), host: '127.0.0.1' });
