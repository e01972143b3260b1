import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address, Message } from '../host/host.ts';
import { seeded } from '../kit/random.ts';
import { noRules, openRoad } from './rules.ts';
import { type Peers, type StreamDoor, Transport } from './transport.ts';

interface Station {
  readonly transport: Transport;
  readonly got: { readonly from: Address; readonly port: string; readonly message: Message }[];
  readonly refused: {
    readonly fromPort: string;
    readonly to: Address;
    readonly message: Message;
  }[];
  readonly disconnected: string[];
  port: number;
}

/** Nobody has streams here; `streams.test.ts` does. */
const streams: StreamDoor = { receive() {}, refused() {}, broke() {}, left() {}, lost() {} };

const open: Transport[] = [];
const waiting = new Set<() => void>();
afterEach(() => {
  for (const transport of open.splice(0)) transport.close();
});

/** Resolves once `holds`; looked at whenever a station heard something. */
function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return;
      waiting.delete(look);
      clearInterval(timer);
      resolve();
    };
    // Counters change without anybody being told.
    const timer = setInterval(look, 5);
    waiting.add(look);
    look();
  });
}

async function station(
  self: string,
  more: { secret?: string; life?: number; queueMaxBytes?: number } = {},
): Promise<Station> {
  const heard = () => {
    for (const look of [...waiting]) look();
  };
  const got: Station['got'] = [];
  const refused: Station['refused'] = [];
  const disconnected: string[] = [];
  const transport: Transport = new Transport({
    self,
    life: 1,
    secret: 'shared',
    random: seeded(1).fork(self),
    connectTimeoutUs: 50_000,
    after: (delayUs, fire) => {
      const timer = setTimeout(fire, delayUs / 1_000);
      return { cancel: () => clearTimeout(timer) };
    },
    wake: () => setImmediate(() => transport.flush()),
    deliver: (from, port, message) => {
      if (port === 'nobody') return false;
      got.push({ from, port, message });
      heard();
      return true;
    },
    refused: (fromPort, to, message) => {
      refused.push({ fromPort, to, message });
      heard();
    },
    disconnected: (node) => {
      disconnected.push(node);
      heard();
    },
    streams,
    ...more,
  });
  open.push(transport);
  const port = await transport.listen();
  transport.open();
  return { transport, got, refused, disconnected, port };
}

function introduce(stations: Readonly<Record<string, Station>>): void {
  const peers: Peers = Object.fromEntries(
    Object.entries(stations).map(([id, { port }]) => [id, { life: 1, port, edges: {} }]),
  );
  for (const { transport } of Object.values(stations)) transport.setPeers(peers);
}

const message = (n: number) => ({ type: 'note', n }) as Message;

describe('frames', () => {
  test('arrive in order, however large, with where they came from', async () => {
    const [a, b] = [await station('a'), await station('b')];
    introduce({ a, b });
    const sizes = [0, 3, 70_000, 1, 3_000_000, 12, 200_000];
    for (const [n, size] of sizes.entries()) {
      const body = new Uint8Array(size).fill(n);
      a.transport.send('out', { node: 'b', port: 'in' }, { type: 'body', n, body } as Message);
    }
    await until(() => b.got.length === sizes.length);
    expect(b.got.map((frame) => (frame.message as { n?: number }).n)).toEqual([
      0, 1, 2, 3, 4, 5, 6,
    ]);
    expect(b.got[4]).toMatchObject({ from: { node: 'a', port: 'out' }, port: 'in' });
    expect((b.got[4]!.message as { body?: Uint8Array }).body?.length).toBe(3_000_000);
  });

  test('wait until the receiver has booted', async () => {
    const a = await station('a');
    const held = await station('b');
    // A station that never opened.
    const shut = new Transport({
      self: 'c',
      life: 1,
      secret: 'shared',
      random: seeded(1),
      connectTimeoutUs: 1,
      after: () => ({ cancel: () => {} }),
      wake: () => {},
      deliver: (from, port, got) => held.got.push({ from, port, message: got }) > 0,
      refused: () => {},
      disconnected: () => {},
      streams,
    });
    open.push(shut);
    const port = await shut.listen();
    a.transport.setPeers({ c: { life: 1, port, edges: {} } });
    a.transport.send('out', { node: 'c', port: 'in' }, message(1));
    await until(() => shut.counts.framesReceived === 1);
    expect(held.got).toEqual([]);
    shut.open();
    expect(held.got.length).toBe(1);
  });

  test('to a port without a program come back as refused', async () => {
    const [a, b] = [await station('a'), await station('b')];
    introduce({ a, b });
    a.transport.send('out', { node: 'b', port: 'nobody' }, message(1));
    await until(() => a.refused.length === 1);
    expect(a.refused[0]).toEqual({
      fromPort: 'out',
      to: { node: 'b', port: 'nobody' },
      message: message(1),
    });
  });

  test('to a node that is not there are refused, all of them, and later ones at once', async () => {
    const a = await station('a');
    const gone = await station('gone');
    gone.transport.close();
    introduce({ a, gone });
    for (let n = 0; n < 10; n++) a.transport.send('out', { node: 'gone', port: 'in' }, message(n));
    await until(() => a.refused.length === 10);
    a.transport.send('out', { node: 'gone', port: 'in' }, message(10));
    await until(() => a.refused.length === 11);
    expect(a.disconnected).toEqual([]);
  });

  test('reach a later life at once, though a stranger has the port of the former one', async () => {
    const [a, b] = [await station('a'), await station('b', { life: 2 })];
    const patient = await station('c');
    const mute = createServer();
    const dialled: Socket[] = [];
    mute.on('connection', (socket) => dialled.push(socket.resume()));
    await once(mute.listen(0, '127.0.0.1'), 'listening');
    const { port } = mute.address() as AddressInfo;
    const to = { node: 'b', port: 'in' };
    for (const [n, { transport }] of [patient, a].entries()) {
      transport.setPeers({ b: { life: 1, port, edges: {} } });
      transport.send('out', to, message(1));
      await until(() => dialled.length > n);
    }
    const peers = { b: { life: 2, port: b.port, edges: {} } };
    a.transport.setPeers(peers);
    await until(() => a.refused.length === 1);
    // Who was told nothing waits still, though it dialled before.
    expect(patient.refused).toEqual([]);
    await until(() => {
      a.transport.send('out', to, message(2));
      return b.got.length > 0;
    });
    for (const socket of dialled) socket.destroy();
    mute.close();
  });

  test('an established connection that ends is told once, and dialled again when needed', async () => {
    const [a, b] = [await station('a'), await station('b')];
    introduce({ a, b });
    a.transport.send('out', { node: 'b', port: 'in' }, message(1));
    await until(() => b.got.length === 1);
    b.transport.close();
    await until(() => a.disconnected.length === 1);
    const again = await station('b', { life: 2 });
    a.transport.setPeers({ b: { life: 2, port: again.port, edges: {} } });
    a.transport.send('out', { node: 'b', port: 'in' }, message(2));
    await until(() => again.got.length === 1);
    expect(a.disconnected).toEqual(['b']);
  });

  test('beyond the limit of the queue are given back and counted', async () => {
    const [a, b] = [await station('a', { queueMaxBytes: 10_000 }), await station('b')];
    introduce({ a, b });
    const body = new Uint8Array(1_000);
    for (let n = 0; n < 50; n++) {
      a.transport.send('out', { node: 'b', port: 'in' }, { type: 'body', body } as Message);
    }
    await until(() => a.refused.length + b.got.length === 50);
    expect(a.refused.length).toBe(a.transport.counts.framesOverLimit);
    expect(a.refused.length).toBeGreaterThan(0);
    expect(b.got.length).toBeGreaterThan(0);
  });
});

describe('rules', () => {
  const to = { node: 'b', port: 'in' };
  const rule = (edit: Partial<typeof openRoad>) => ({
    out: { b: { ...openRoad, ...edit } },
    in: {},
  });

  test('loss takes about its share, duplication gives it back twice', async () => {
    const [a, b] = [await station('a'), await station('b')];
    introduce({ a, b });
    a.transport.setRules(rule({ lossRatio: 0.5 }));
    for (let n = 0; n < 1_000; n++) a.transport.send('out', to, message(n));
    a.transport.setRules(rule({ duplicateRatio: 1 }));
    a.transport.send('out', to, message(1_000));
    await until(
      () => b.got.filter(({ message: m }) => (m as { n?: number }).n === 1_000).length === 2,
    );
    expect(b.got.length).toBeGreaterThan(400);
    expect(b.got.length).toBeLessThan(600);
  });

  test('nothing overtakes what is still held back when a delay is lifted', async () => {
    const [a, b] = [await station('a'), await station('b')];
    introduce({ a, b });
    a.transport.setRules(rule({ delayUs: 40_000 }));
    a.transport.send('out', to, message(1));
    a.transport.setRules(noRules);
    a.transport.send('out', to, message(2));
    await until(() => b.got.length === 2);
    expect(b.got.map(({ message: m }) => (m as { n?: number }).n)).toEqual([1, 2]);
  });

  test('the receiver drops what was under way when it was cut off', async () => {
    const [a, b] = [await station('a'), await station('b')];
    introduce({ a, b });
    b.transport.setRules({ out: {}, in: { a: { ...openRoad, cut: true } } });
    a.transport.send('out', to, message(1));
    await until(() => b.transport.counts.framesReceived === 1);
    expect(b.got).toEqual([]);
  });
});

describe('strangers', () => {
  test('a node with another secret is not let in, and its messages come back', async () => {
    const [a, b] = [await station('a', { secret: 'other' }), await station('b')];
    introduce({ a, b });
    a.transport.send('out', { node: 'b', port: 'in' }, message(1));
    await until(() => a.refused.length === 1);
    expect(b.transport.counts.strangers).toBe(1);
    expect(b.got).toEqual([]);
  });

  test('who pretends to be a node it is not, is not spoken to', async () => {
    const [a, b] = [await station('a'), await station('b')];
    // Whoever listens at the address of `c` must prove to be `c`.
    a.transport.setPeers({ c: { life: 1, port: b.port, edges: {} } });
    a.transport.send('out', { node: 'c', port: 'in' }, message(1));
    await until(() => a.refused.length === 1);
    expect(b.got).toEqual([]);
  });

  test('noise closes the connection, is counted, and harms nobody', async () => {
    const b = await station('b');
    const noise = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0, 0, 0, 3, 0xc1, 1, 2]),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0, 0, 0, 1, 0xc0]),
    ];
    for (const bytes of noise) {
      const socket = connect({ host: '127.0.0.1', port: b.port });
      socket.on('error', () => {});
      socket.write(bytes);
      await new Promise((resolve) => socket.on('close', resolve).resume());
    }
    expect(b.transport.counts.malformed + b.transport.counts.strangers).toBe(noise.length);
    const a = await station('a');
    introduce({ a, b });
    a.transport.send('out', { node: 'b', port: 'in' }, message(1));
    await until(() => b.got.length === 1);
  });
});
