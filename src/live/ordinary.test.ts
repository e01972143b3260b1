import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readOrdinary } from './ordinary.ts';

const limits = {
  headersMaxBytes: 4_000,
  headersMax: 20,
  urlMaxBytes: 1_000,
  bodyMaxBytes: 1_000,
};
const read = (text: string) => readOrdinary(Buffer.from(text, 'latin1'), limits);

/** Pieces of requests in which readers err, in any order. */
const piece = fc.constantFrom(
  ...[
    'Host: a\r\n',
    'host:b:80\r\n',
    'X: 1\r\n',
    'X:\r\n',
    'x-y :1\r\n',
    'X: 1\t \r\n',
    ' folded\r\n',
  ],
  ...[
    'Content-Length: 3\r\n',
    'content-length: +3\r\n',
    'Content-Length: 3, 3\r\n',
    'Content-Length: 0\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Connection: keep-alive\r\n',
    'Connection: x\r\n',
    'Expect: 100-continue\r\n',
  ],
  ...[
    'Upgrade: h2c\r\n',
    'x: a\nb: c\r\n',
    'x: a\rb\r\n',
    'x: \0\r\n',
    'x: \x7f\r\n',
    'x: \xe4\r\n',
    '\r\n',
    ': 1\r\n',
  ],
);
const begin = fc.constantFrom(
  ...[
    'GET / HTTP/1.1\r\n',
    'POST /a?b#c HTTP/1.1\r\n',
    'HEAD /%zz HTTP/1.1\r\n',
    'OPTIONS * HTTP/1.1\r\n',
  ],
  ...[
    'GET http://a/ HTTP/1.1\r\n',
    'GET / HTTP/1.0\r\n',
    'GET  / HTTP/1.1\r\n',
    'get / HTTP/1.1\r\n',
    'GET / HTTP/1.1\n',
  ],
);
const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\nabc', '\r\nabcd', '\n', '');

test('what is read by hand, Node reads the same, and as one request', async () => {
  const heard: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const one = { request, body: '' };
    heard.push(one);
    for await (const part of request) one.body += part;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let count = 0;
  const host = fc.constantFrom('Host: a\r\n', 'Host: a\r\n', '');
  const pieces = fc.array(piece, { maxLength: 4 }).map((all) => all.join(''));
  await fc.assert(
    fc.asyncProperty(begin, host, pieces, end, async (...parts) => {
      const text = parts.join('');
      const asked = read(text);
      if (!asked) return;
      count++;
      heard.length = 0;
      const socket = connect(port, '127.0.0.1');
      // The end of the second is the end of both: whoever takes the first for longer does not see it.
      socket.write(
        Buffer.from(`${text}GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`, 'latin1'),
      );
      socket.resume();
      await once(socket, 'close');
      expect(heard.map(({ request }) => request.url)).toEqual([asked.target, '/next']);
      const { request, body } = heard[0]!;
      const lines = request.rawHeaders.map((one, i) => (i % 2 === 0 ? one.toLowerCase() : one));
      const kept = lines.filter((_, i) => lines[i - (i % 2)] !== 'connection');
      expect(asked).toMatchObject({
        method: request.method,
        headers: kept,
        host: request.headers.host,
      });
      expect(Buffer.from(asked.body ?? '').toString()).toBe(body);
    }),
    { numRuns: 1_000 },
  );
  expect(count).toBeGreaterThan(10);
  server.close();
}, 20_000);

test('leaves to others what is not whole, too large, or of one hop alone', () => {
  const head = 'GET /a HTTP/1.1\r\nhost: a\r\n';
  expect(read(`${head}\r\n`)).toMatchObject({ target: '/a', host: 'a', headers: ['host', 'a'] });
  expect(read(`${head}accept: */*\r\nX-Long: ${'x'.repeat(2_000)}\r\n\r\n`)?.headers).toHaveLength(
    6,
  );
  const more = [
    '',
    '\r\n\r\n',
    `x: ${'x'.repeat(4_000)}\r\n\r\n`,
    `${'x: 1\r\n'.repeat(20)}\r\n`,
    'content-length: 3\r\n\r\nab',
    `content-length: 1001\r\n\r\n${'x'.repeat(1_001)}`,
    'connection: close\r\n\r\n',
    'te: trailers\r\n\r\n',
  ];
  for (const one of more) expect(read(head + one), one.slice(0, 30)).toBeUndefined();
  expect(read(`GET /${'x'.repeat(1_000)} HTTP/1.1\r\nhost: a\r\n\r\n`)).toBeUndefined();
});
