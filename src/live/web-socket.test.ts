/** Real web sockets at the edge, and the client that reaches them: RFC 6455 on the wire. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { WebRequest } from '../host/web.ts';
import { SocketEnd } from '../parts/socket.ts';
import { Intake } from '../parts/stream.ts';
import { Edge } from './edge.ts';
import { Streams } from './streams.ts';

let edge: Edge;
let port = 0;
const ends: { readonly end: SocketEnd; readonly request: WebRequest }[] = [];

const here = { node: 'edge/0', port: 'http' };
const noTimer = { cancel() {} };

/** A program that echoes messages, refuses `/no`, and takes no web socket at `/plain`. */
beforeAll(async () => {
  const streams = new Streams({
    self: 'edge/0',
    life: 1,
    later: (run) => setImmediate(run),
    send() {},
    take(_from, _port, opening, stream) {
      const inlet = new Intake(stream);
      const request = opening as WebRequest;
      const reply = { type: 'reply', id: request.id, headers: [], body: null } as const;
      if (request.url.endsWith('/plain')) return undefined;
      if (request.url.endsWith('/no')) {
        edge.reply({ ...reply, status: 403, body: 'no' });
        return inlet.events;
      }
      const headers = ['sec-websocket-protocol', 'two', 'set-cookie', 'a=1', 'x-inner', '1'];
      edge.reply({ ...reply, status: 101, headers });
      const end: SocketEnd = new SocketEnd({
        inlet,
        after: () => noTimer,
        pingUs: 1,
        messageMaxBytes: 1_000_000,
        message(data, took) {
          end.send(data);
          took();
        },
        closed() {},
      });
      ends.push({ end, request });
      return inlet.events;
    },
  });
  edge = new Edge({
    port: 0,
    life: 1,
    connect: (request, events) => streams.connectHere(here, 'web', events, request),
    deliver(message) {
      if (message.type !== 'request') return;
      edge.reply({ type: 'reply', id: message.id, status: 200, headers: [], body: 'plain' });
    },
  });
  port = await edge.listen();
});
afterAll(() => edge.destroy());

async function raw(text: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('data', (part) => {
    answer += part.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

const head = (path: string, ...lines: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: a', ...lines, '', ''].join('\r\n');
const upgrade = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'];
const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';

test('messages, pings and good-byes pass, with the headers that mean something to a client', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/chat?x=1`, ['one', 'two']);
  const [[response]] = await Promise.all([once(client, 'upgrade'), once(client, 'open')]);
  expect(response.headers['set-cookie']).toEqual(['a=1']);
  expect(response.headers['x-inner']).toBeUndefined();
  expect(client.protocol).toBe('two');
  const { request, end } = ends.at(-1)!;
  expect(request.url).toBe(`http://127.0.0.1:${port}/chat?x=1`);
  const names = request.headers.filter((_, index) => index % 2 === 0);
  expect(names.filter((name) => /upgrade|connection|sec-/.test(name))).toEqual([
    'upgrade',
    'sec-websocket-protocol',
  ]);
  const long = 'ä'.repeat(100_000);
  const back: unknown[] = [];
  client.on('message', (data: Buffer, isBinary: boolean) => {
    back.push(isBinary ? new Uint8Array(data) : data.toString());
  });
  for (const sent of ['hello', '\0ping', long]) client.send(sent);
  client.send(new Uint8Array([0, 255]));
  client.ping('are you there');
  const [pong] = await once(client, 'pong');
  expect(pong.toString()).toBe('are you there');
  expect(back).toEqual(['hello', '\0ping', long, new Uint8Array([0, 255])]);
  end.close(1001, 'going away');
  const [code, reason] = await once(client, 'close');
  expect([code, reason.toString()]).toEqual([1001, 'going away']);
});

test('what breaks off inside is 1006 outside', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(client, 'open');
  ends.at(-1)!.end.break();
  const [code] = await once(client, 'close');
  expect(code).toBe(1006);
});

test('a client that sends more than its credit is held up, and loses nothing', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(client, 'open');
  const sizes: number[] = [];
  client.on('message', (data: Buffer) => {
    if (sizes.push(data.length) === 40) client.close(3000);
  });
  for (let i = 0; i < 40; i++) client.send(new Uint8Array(50_000 + i));
  const [code] = await once(client, 'close');
  expect(code).toBe(3000);
  expect(sizes).toEqual(Array.from({ length: 40 }, (_, i) => 50_000 + i));
});

test('a handshake that is none is refused, and so is one that nobody takes', async () => {
  const statusOf = async (text: string) => (await raw(text)).slice(9, 12);
  const [connection, change, version] = upgrade as [string, string, string];
  expect(await statusOf(head('/', ...upgrade))).toBe('400');
  expect(await statusOf(head('/', ...upgrade, 'sec-websocket-key: short'))).toBe('400');
  expect(await statusOf(head('/', connection, change, key))).toBe('426');
  expect(await statusOf(head('/', ...upgrade, key, 'content-length: 3'))).toBe('400');
  expect(await statusOf(head('/', ...upgrade, key).replace('GET', 'POST'))).toBe('400');
  expect(await statusOf(head('/no', ...upgrade, key))).toBe('403');
  expect(await statusOf(head('/plain', ...upgrade, key))).toBe('503');
  expect(version).toContain('13');
});

test('a change to another protocol is not made, and the request answered', async () => {
  const h2c = ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'];
  expect(await raw(head('/', ...h2c))).toMatch(/^HTTP\/1.1 200 .*plain$/s);
  expect(await raw(head('/', ...h2c, 'content-length: 3'))).toMatch(/^HTTP\/1.1 400 /);
});

test('an upgrade behind a request that waits ends that connection, and nothing else', async () => {
  expect(await raw(head('/') + head('/', ...upgrade, key))).not.toContain('101 Switching');
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(client, 'open');
  client.close();
});
