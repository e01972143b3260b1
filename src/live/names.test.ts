/** Real questions about names, asked by the resolver that comes with Node, over UDP and TCP. */

import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NameAnswer } from '../host/naming.ts';
import { NamesDoor } from './names.ts';

const answers: Readonly<Record<string, Partial<NameAnswer>>> = {
  'shop.test': { nodes: ['edge/1', 'edge/0'], ttlUs: 30_000_000 },
  'www.shop.test': { nodes: ['edge/0'], aliases: ['shop.test'], ttlUs: 5_000_000 },
  'note.test': { text: 'ä'.repeat(200), ttlUs: 1_000_000 },
  'long.test': { text: 'x'.repeat(3_000), ttlUs: 1_000_000 },
  'broken.test': { code: 'failed' },
};

let door: NamesDoor;
let port = 0;
const asked: string[] = [];
const resolver = new Resolver({ timeout: 5_000, tries: 1 });

beforeAll(async () => {
  door = new NamesDoor({
    port: 0,
    life: 1,
    deliver({ id, name }) {
      asked.push(name);
      const known = answers[name] ?? { code: 'no-name', ttlUs: 5_000_000 };
      const none = { code: 'ok', nodes: [], aliases: [], text: null, ttlUs: 0 } as const;
      door.answer({ type: 'answer', id, ...none, ...known });
    },
    placeOf: (node) => ({ address: '127.0.0.1', port: 8_080 + Number(node.split('/')[1]) }),
  });
  port = await door.listen();
  resolver.setServers([`127.0.0.1:${port}`]);
});
afterAll(() => door.close());

test('names lead to addresses and ports, with the time that they may be remembered', async () => {
  expect(await resolver.resolve4('Shop.TEST', { ttl: true })).toEqual([
    { address: '127.0.0.1', ttl: 30 },
  ]);
  expect(await resolver.resolveSrv('_http._tcp.shop.test')).toEqual([
    { name: 'edge-1.node.shop.test', port: 8_081, priority: 0, weight: 1 },
    { name: 'edge-0.node.shop.test', port: 8_080, priority: 0, weight: 1 },
  ]);
  expect(await resolver.resolve4('edge-1.node.shop.test')).toEqual(['127.0.0.1']);
  expect(asked.slice(0, 3)).toEqual(['shop.test', 'shop.test', 'shop.test']);
});

test('aliases are followed and named, texts of any length come whole', async () => {
  expect(await resolver.resolve4('www.shop.test', { ttl: true })).toEqual([
    { address: '127.0.0.1', ttl: 5 },
  ]);
  expect(await resolver.resolveCname('www.shop.test')).toEqual(['shop.test']);
  const [text] = await resolver.resolveTxt('note.test');
  expect(Buffer.from(text!.join(''), 'latin1').toString()).toBe('ä'.repeat(200));
  // More than a datagram holds: it was asked again over TCP.
  const before = asked.length;
  expect((await resolver.resolveTxt('long.test')).flat().join('')).toBe('x'.repeat(3_000));
  expect(asked.length - before).toBe(2);
});

test('what is not there, has nothing of a kind, or cannot be found out is told apart', async () => {
  const codeOf = (promise: Promise<unknown>) => promise.then(String, ({ code }) => code);
  expect(await codeOf(resolver.resolve4('nothing.test'))).toBe('ENOTFOUND');
  expect(await codeOf(resolver.resolve4('edge-7.node.shop.test'))).toBe('ENOTFOUND');
  expect(await codeOf(resolver.resolve6('shop.test'))).toBe('ENODATA');
  expect(await codeOf(resolver.resolve4('broken.test'))).toBe('ESERVFAIL');
  for (const between of ['_tcp.shop.test', '_udp.shop.test', 'node.shop.test']) {
    expect(await codeOf(resolver.resolve4(between)), between).toBe('ENODATA');
  }
  for (const nowhere of ['_tcp.nothing.test', '_tcp.note.test', '_tcp.broken.test']) {
    const expected = nowhere === '_tcp.broken.test' ? 'ESERVFAIL' : 'ENOTFOUND';
    expect(await codeOf(resolver.resolve4(nowhere)), nowhere).toBe(expected);
  }
});

test('what is no question is not answered, and hurts nobody', async () => {
  const socket = createSocket('udp4');
  const heard: number[] = [];
  const opcodes: number[] = [];
  socket.on('message', (bytes) => {
    heard.push(bytes[3]! & 15);
    opcodes.push((bytes[2]! >> 3) & 15);
  });
  const question = Buffer.from('0007010000010000000000000473686f700000010001', 'hex');
  const sent = [
    Buffer.alloc(0),
    Buffer.alloc(11),
    Buffer.from(question).fill(0x80, 2, 3), // an answer
    question.subarray(0, 15), // cut off: a format error
    Buffer.from(question).fill(0x28, 2, 3), // not a query: nobody does that here
    question,
  ];
  for (const bytes of sent) socket.send(bytes, port, '127.0.0.1');
  while (heard.length < 3) await once(socket, 'message');
  socket.close();
  expect(heard.sort()).toEqual([1, 3, 4]);
  expect(opcodes.sort()).toEqual([0, 0, 5]);
  const stream = connect(port, '127.0.0.1');
  stream.on('error', () => {});
  stream.write(
    Buffer.concat([Buffer.from([0, 5]), Buffer.from('hello'), Buffer.from([255, 255, 1])]),
  );
  stream.end();
  stream.resume();
  await new Promise((resolve) => stream.on('close', resolve));
  expect(await resolver.resolve4('shop.test')).toEqual(['127.0.0.1']);
});
