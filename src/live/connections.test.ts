import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect as http2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { afterAll, afterEach, expect, test } from 'vitest';
import { isConnection } from '../host/connection.ts';
import type { StreamClose } from '../host/stream.ts';
import type { WebRequest } from '../host/web.ts';
import { Intake, splice } from '../parts/stream.ts';
import { ConnectionDoor } from './connections.ts';
import { Edge } from './edge.ts';
import { Streams } from './streams.ts';
import { tempFolder } from './testdata/harness.ts';
import { readTls } from './tls.ts';

const folder = tempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ends: { destroy(): void }[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end.destroy();
});

/** A door, a balancer that has one target, and that target, which answers with what it was sent. */
async function passing(isSecure: boolean) {
  const asked: WebRequest[] = [];
  const over: StreamClose[] = [];
  const streams: Streams = new Streams({
    self: 'lb/0',
    life: 1,
    later: (run) => setImmediate(run),
    send() {},
    take(from, port, opening, stream) {
      if (!isConnection(opening)) return undefined;
      if (port === 'http:web') return edge.accept(opening, stream);
      const intake = new Intake(stream);
      splice(
        intake,
        (events) => streams.connectHere(from, 'http:web', events, opening),
        (how) => over.push(how),
      );
      return intake.events;
    },
  });
  const plan = { cert: '', key: '', names: {}, clientCa: '', clients: 'required' as const };
  const edge: Edge = new Edge({
    port: 0,
    life: 1,
    ...(isSecure ? { tls: readTls(plan, folder) } : {}),
    tunnels: true,
    // Whoever asks for a tunnel gets one, to somebody who breaks off at a full stop.
    connect: ({ id }, events) =>
      streams.connectHere(
        { node: 'lb/0', port: 'http:web' },
        'web',
        events,
        { type: 'request' },
        (_from, _port, _opening, stream) => {
          edge.reply({ type: 'reply', id, status: 200, headers: [], body: null });
          return {
            data(chunk) {
              stream.write(chunk);
              if (Buffer.from(chunk as Uint8Array).includes('.')) stream.reset();
            },
            closed() {},
          };
        },
      ),
    deliver: (message) => {
      if (message.type !== 'request') return;
      asked.push(message);
      const body = message.body ?? 'nothing';
      edge.reply({ type: 'reply', id: message.id, status: 200, headers: [], body });
    },
  });
  edge.open();
  const door = new ConnectionDoor({
    port: 0,
    connect: (connection, events) =>
      streams.connectHere({ node: 'lb/0', port: 'http:lb' }, 'web', events, connection),
  });
  ends.push(edge, door);
  return { asked, over, edge, port: await door.listen() };
}

test('HTTP behind a door that reads nothing is the same HTTP', async () => {
  const { asked, edge, port } = await passing(false);
  const url = `http://127.0.0.1:${port}/a?b=c`;
  const body = 'x'.repeat(200_000);
  const [first, second] = await Promise.all([
    fetch(url, { method: 'POST', body }),
    fetch(url, { headers: { 'x-a': '1' } }),
  ]);
  expect(await first.text()).toBe(body);
  expect(await second.text()).toBe('nothing');
  expect(asked).toContainEqual(expect.objectContaining({ url, ip: '127.0.0.1', method: 'GET' }));
  expect((await fetch(url, { method: 'POST', body: new Uint8Array(10_500_000) })).status).toBe(413);
  expect(edge.counts.refused).toBe(1);
});

test('nonsense is refused behind it, too, and the connection ends', async () => {
  const { over, port } = await passing(false);
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('data', (part) => {
    answer += String(part);
  });
  socket.write('nonsense\r\n\r\n');
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  await expect.poll(() => over.length).toBe(1);
});

test('a tunnel goes through it, and breaks off on both sides', async () => {
  const { over, port } = await passing(false);
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('error', () => {});
  socket.write('CONNECT a.test:443 HTTP/1.1\r\nhost: a.test\r\n\r\nearly');
  socket.on('data', (part) => {
    answer += String(part);
    if (answer.endsWith('early')) socket.write(' late');
    if (answer.endsWith(' late')) socket.write('.');
  });
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 200 [^\r]*\r\n\r\nearly late/);
  await expect.poll(() => over).toEqual(['reset']);
});

test('TLS passes through it, for HTTP/1.1 and HTTP/2, and ends behind', async () => {
  const { asked, edge, port } = await passing(true);
  const ca = String(
    readTls({ cert: '', key: '', names: {}, clientCa: '', clients: 'asked' }, folder).options.cert,
  );
  const sent = new Uint8Array(150_000).map((_, index) => index % 251);
  const got = await new Promise<Buffer>((resolve, reject) => {
    const request = httpsRequest({ host: 'localhost', port, ca, method: 'POST', agent: false });
    request.on('error', reject);
    request.on('response', async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      resolve(Buffer.concat(parts));
    });
    request.end(sent);
  });
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  expect(hash(got)).toBe(hash(sent));
  const session = http2(`https://localhost:${port}`, { ca });
  const stream = session.request({ ':path': '/two' });
  stream.resume();
  await once(stream, 'end');
  session.close();
  expect(asked.map(({ tls }) => tls?.version)).toEqual(['TLSv1.3', 'TLSv1.3']);
  expect(edge.counts.handshakes).toBe(2);
});

test('an end that drains lets open requests finish, and takes no more', async () => {
  const { edge, port } = await passing(false);
  const url = `http://127.0.0.1:${port}/`;
  expect((await fetch(url)).status).toBe(200);
  await edge.close(5_000_000);
  await expect(fetch(url)).rejects.toThrow();
});
