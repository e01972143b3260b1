import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Lines, type LinesOptions, type Question } from './lines.ts';

const question: Question = { method: 'GET', path: '/', headers: [], body: null };
const reply = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\n${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server that is told what to do with each request, and the lines that lead to it. */
async function leading(
  serve: (socket: Socket, text: string, connection: number) => void,
  more: Partial<LinesOptions> = {},
) {
  let connections = 0;
  const server: Server = createServer((socket) => {
    const connection = connections++;
    socket.on('error', () => {});
    socket.on('data', (text) => serve(socket, String(text), connection));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const lines = new Lines({
    authority: 'a.example',
    host: '127.0.0.1',
    port,
    connectionsMax: 2,
    connectTimeoutMs: 1_000,
    keepMs: 60_000,
    ...more,
  });
  ends.push(() => {
    lines.destroy();
    server.close();
  });
  const ask = (asked: Partial<Question> = {}): Promise<string> =>
    new Promise((resolve) => {
      let body = '';
      lines.ask(
        { ...question, ...asked },
        {
          started() {},
          head() {},
          data: (_controller, part) => {
            body += part.toString();
          },
          end: () => resolve(body),
          failed: (error) => resolve(`failed: ${error.message}`),
        },
      );
    });
  return { lines, ask, count: () => connections };
}

test('one connection serves for many questions, and so many for those at once', async () => {
  const { ask, count } = await leading((socket, text) => socket.write(reply(text.slice(0, 6))));
  for (let i = 0; i < 5; i++) expect(await ask({ path: `/${i}` })).toBe(`GET /${i}`);
  expect(count()).toBe(1);
  const paths = ['/a', '/b', '/c', '/d', '/e'];
  const bodies = await Promise.all(paths.map((path) => ask({ path })));
  expect(bodies).toEqual(paths.map((path) => `GET ${path}`));
  expect(count()).toBe(2);
});

test('a reply whose reader held it back at its end holds up no later one', async () => {
  const { lines, ask, count } = await leading((socket) => socket.write(reply('some')));
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve) => {
      lines.ask(question, {
        started() {},
        head() {},
        // As a stream does whose window is full, and which takes the rest when all of it has come.
        data: (controller) => {
          controller.pause();
          setImmediate(() => controller.resume());
        },
        end: () => resolve(),
        failed: () => resolve(),
      });
    });
    expect(await ask()).toBe('some');
  }
  expect(count()).toBe(1);
});

test('says what it is asked to say, once, and nothing that is not HTTP', async () => {
  const { ask } = await leading((socket, text) => socket.write(reply(text)));
  const headers = ['x-a', '1', 'connection', 'close', 'content-length', '7'];
  expect(await ask({ method: 'POST', path: '/p?q', headers, body: 'ä' })).toBe(
    'POST /p?q HTTP/1.1\r\nconnection: keep-alive\r\nx-a: 1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\nä',
  );
  const bytes = new Uint8Array(3).fill(65);
  expect(await ask({ method: 'PUT', headers: ['host', 'b'], body: bytes })).toBe(
    'PUT / HTTP/1.1\r\nconnection: keep-alive\r\nhost: b\r\ncontent-length: 3\r\n\r\nAAA',
  );
  const bad: Partial<Question>[] = [
    { headers: ['x', 'a\r\ny: b'] },
    { headers: ['x y', 'a'] },
    { headers: ['x', 'ŏ'] },
    { headers: ['transfer-encoding', 'chunked'] },
    { path: '/a b' },
    { path: '/ HTTP/1.1\r\nx: y' },
    { method: 'GET /' },
  ];
  for (const one of bad) expect(await ask(one)).toMatch(/^failed/);
});

test('what comes behind a reply is no answer to the next question', async () => {
  const { ask, count } = await leading((socket, _text, connection) =>
    socket.write(reply(`of ${connection}`) + (connection === 0 ? reply('smuggled') : '')),
  );
  expect(await ask()).toBe('of 0');
  expect(await ask()).toBe('of 1');
  expect(count()).toBe(2);
});

test('a connection is left alone before its other side ends it', async () => {
  const { ask, count } = await leading((socket) =>
    socket.write(reply('', 'keep-alive: timeout=1\r\n')),
  );
  await ask();
  await ask();
  expect(count()).toBe(2);
});

test('tells who asked when the other side ends or breaks it', async () => {
  const { ask } = await leading((socket, text) => {
    if (text.startsWith('GET /end')) socket.end();
    else if (text.startsWith('GET /half')) socket.end(reply('abc').slice(0, -1));
    else if (text.startsWith('GET /break')) socket.resetAndDestroy();
    else if (text.startsWith('GET /open')) socket.end('HTTP/1.1 200 OK\r\n\r\nall of it');
    else socket.write('nonsense\r\n\r\n');
  });
  for (const path of ['/end', '/half', '/break', '/else']) {
    expect(await ask({ path }), path).toMatch(/^failed/);
  }
  expect(await ask({ path: '/open' })).toBe('all of it');
  const { ask: nobody } = await leading(() => {}, { port: 1 });
  expect(await nobody()).toMatch(/ECONNREFUSED/);
});
