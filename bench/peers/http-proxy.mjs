/** The proxy that most of npm is built on: node bench/peers/http-proxy.mjs <port> <origin> */
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port, target] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const proxy = httpProxy.createProxyServer({ target, agent, xfwd: true });
proxy.on('error', (_error, _request, response) => response.writeHead(502).end());
createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
