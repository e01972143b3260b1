import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Addresses } from './addresses.ts';
import { kernelShards } from './listening.ts';

const plan = { node: 'lb/address', members: ['lb/0', 'lb/1'], listen: 0 };
const open: Addresses[] = [];
afterEach(() => {
  for (const addresses of open.splice(0)) addresses.close();
});

function echo(node: string, socket: Socket): void {
  socket.resume();
  socket.on('data', (part) => socket.end(`${node} got ${part}`));
}

/** What is answered; empty when the connection broke. */
async function hello(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('data', (part) => {
    answer += part;
  });
  socket.on('error', () => {});
  socket.write('hello');
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

test('a connection is for whoever claimed the address last, whole', async () => {
  const handed: string[] = [];
  let isThere = true;
  const addresses = new Addresses([plan], {
    hand(node, socket: Socket) {
      if (!isThere) return false;
      handed.push(node);
      echo(node, socket);
      return true;
    },
    wake() {},
  });
  open.push(addresses);
  await addresses.listen(() => 0);
  const { port } = addresses.ports[0]!;
  const ask = () => hello(port);
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

describe('where all listen at once', () => {
  async function listening(how: 'shared' | 'sharded', kernelShards: boolean) {
    const woken: string[] = [];
    const lines = { how, backlog: 8 };
    const addresses = new Addresses([{ ...plan, lines }], {
      hand(node, socket) {
        echo(node, socket);
        return true;
      },
      wake: (node) => woken.push(node),
      kernelShards,
    });
    open.push(addresses);
    await addresses.listen(() => 0);
    return { addresses, woken, port: addresses.ports[0]!.port };
  }

  test.each(['shared', 'sharded'] as const)(
    'a connection waits until one of them comes round to it (%s)',
    async (how) => {
      const { addresses, woken, port } = await listening(how, false);
      expect(await hello(port)).toBe('');
      addresses.joined('lb/1');
      const answer = hello(port);
      while (woken.length === 0) await new Promise((resolve) => setImmediate(resolve));
      addresses.turn('lb/0');
      addresses.turn('lb/1');
      expect(await answer).toBe('lb/1 got hello');
      expect(addresses.portOf('lb/1')).toBeUndefined();
    },
  );

  test('what waits for one that leaves is broken off', async () => {
    const { addresses, woken, port } = await listening('sharded', false);
    addresses.joined('lb/1');
    const answer = hello(port);
    while (woken.length === 0) await new Promise((resolve) => setImmediate(resolve));
    addresses.left('lb/1');
    expect(await answer).toBe('');
  });

  test('where the kernel can, sharded lines are left to it', async () => {
    const { addresses, port } = await listening('sharded', true);
    expect(addresses.portOf('lb/0')).toBe(port);
    expect(await hello(port)).toBe('');
    const { addresses: others } = await listening('shared', true);
    expect(others.portOf('lb/0')).toBeUndefined();
  });
});

test('the kernel can since Node 22.12 and 23.1, on Linux', () => {
  const can = ['20.20.2', '22.11.0', '22.12.0', '23.0.0', '23.1.0', '24.0.0'].filter((version) =>
    kernelShards(version, 'linux'),
  );
  expect(can).toEqual(['22.12.0', '23.1.0', '24.0.0']);
  expect(kernelShards('24.0.0', 'darwin')).toBe(false);
});
