/** What stands behind every proxy of `gateway.mjs`, where there is no nginx: node bench/peers/origin.mjs <port> */
import { createServer } from 'node:http';

const body = 'x'.repeat(200);
createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
