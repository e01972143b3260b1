import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Addresses } from './addresses.ts';

const plan = { node: 'lb/address', members: ['lb/0', 'lb/1'], listen: 0 };
const open: Addresses[] = [];
afterEach(() => {
  for (const addresses of open.splice(0)) addresses.close();
});

test('a connection is for whoever claimed the address last, whole', async () => {
  const handed: string[] = [];
  let isThere = true;
  const addresses = new Addresses([plan], (node, socket: Socket) => {
    if (!isThere) return false;
    handed.push(node);
    socket.resume();
    socket.on('data', (part) => socket.end(`${node} got ${part}`));
    return true;
  });
  open.push(addresses);
  await addresses.listen(() => 0);
  const { port } = addresses.ports[0]!;
  const ask = async (): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port });
    let answer = '';
    socket.on('data', (part) => {
      answer += part;
    });
    socket.on('error', () => {});
    socket.write('hello');
    await new Promise((resolve) => socket.on('close', resolve));
    return answer;
  };
  expect(await ask()).toBe('lb/0 got hello');
  addresses.hold('lb/address', 'lb/1');
  expect(await ask()).toBe('lb/1 got hello');
  // Who has no share in it cannot claim it.
  addresses.hold('lb/address', 'api/0');
  expect(await ask()).toBe('lb/1 got hello');
  isThere = false;
  expect(await ask()).toBe('');
  expect(addresses.peers(() => undefined)['lb/address']?.edges).toEqual({ web: port });
});
