import { afterEach, expect, test } from 'vitest';
import type { Stream, StreamEvents } from '../host/stream.ts';
import { streamWindowBytes } from '../host/stream.ts';
import { seeded } from '../kit/random.ts';
import { noRules, openRoad } from './rules.ts';
import { Streams } from './streams.ts';
import { Transport } from './transport.ts';

interface Station {
  readonly transport: Transport;
  readonly streams: Streams;
  readonly said: string[];
  readonly taken: Stream[];
}

const open: Transport[] = [];
afterEach(() => {
  for (const transport of open.splice(0)) transport.close();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Two nodes that know each other, without programs: a stream is taken, and says what happens to it. */
async function pair(connectTimeoutUs: number): Promise<readonly [Station, Station]> {
  const make = (self: string): Station => {
    const said: string[] = [];
    const taken: Stream[] = [];
    const streams: Streams = new Streams({
      self,
      life: 1,
      later: (run) => setImmediate(run),
      send: (node, parcel) => transport.sendParcel(node, parcel),
      take: (_from, _port, _opening, stream) => {
        taken.push(stream);
        return events(said, stream);
      },
    });
    const transport: Transport = new Transport({
      self,
      life: 1,
      secret: 'shared',
      random: seeded(1).fork(self),
      connectTimeoutUs,
      after: (delayUs, fire) => {
        const timer = setTimeout(fire, delayUs / 1_000);
        return { cancel: () => clearTimeout(timer) };
      },
      wake: () => setImmediate(() => transport.flush()),
      deliver: () => false,
      refused: () => {},
      disconnected: () => {},
      streams: {
        receive: (node, life, parcel) => streams.receive(node, life, parcel),
        refused: (node, parcel) => streams.fail(node, parcel, 'refused'),
        broke: (node, wasOpen) => streams.broke(node, wasOpen),
        left: (node, life) => streams.left(node, life),
        lost: (node) => streams.lost(node),
      },
    });
    open.push(transport);
    return { transport, streams, said, taken };
  };
  const [a, b] = [make('a'), make('b')];
  const peers = {
    a: { life: 1, port: await a.transport.listen(), edges: {} },
    b: { life: 1, port: await b.transport.listen(), edges: {} },
  };
  for (const { transport } of [a, b]) {
    transport.setPeers(peers);
    transport.open();
  }
  return [a, b];
}

function events(said: string[], stream: { took(chunk: string | Uint8Array): void }): StreamEvents {
  return {
    opened: () => said.push('opened'),
    data: (chunk) => {
      said.push(typeof chunk === 'string' ? chunk : `${chunk.length} bytes`);
      stream.took(chunk);
    },
    closed: (how) => said.push(how),
  };
}

const from = { node: 'a', port: 'x' };
const to = { node: 'b', port: 'p' };
const cut = { ...openRoad, cut: true };

test('what a stream carries into a short cut comes late, in order, and not twice', async () => {
  const [a, b] = await pair(10_000_000);
  const stream: Stream = a.streams.connect(
    from,
    to,
    events(a.said, { took: (chunk) => stream.took(chunk) }),
    { type: 'hello' },
  );
  stream.write('before');
  await until(() => b.said.length === 1);
  a.transport.setRules({ ...noRules, out: { b: cut } });
  stream.write('during');
  stream.write('still');
  b.taken[0]!.write('back');
  await until(() => a.said.includes('back'));
  expect(b.said).toEqual(['before']);
  a.transport.setRules(noRules);
  stream.write('after');
  await until(() => b.said.length === 4);
  expect(b.said).toEqual(['before', 'during', 'still', 'after']);
});

test('what was under way when a cut came waits at its receiver', async () => {
  const [a, b] = await pair(10_000_000);
  const stream = a.streams.connect(from, to, events(a.said, { took() {} }), { type: 'hello' });
  stream.write('before');
  await until(() => b.said.length === 1);
  b.transport.setRules({ ...noRules, in: { a: cut } });
  stream.write('during');
  const { framesReceived } = b.transport.counts;
  await until(() => b.transport.counts.framesReceived > framesReceived);
  expect(b.said).toEqual(['before']);
  b.transport.setRules(noRules);
  expect(b.said).toEqual(['before', 'during']);
});

test('a cut that lasts ends the streams that had something to say, and is not told to the others', async () => {
  const [a, b] = await pair(20_000);
  const stream = a.streams.connect(from, to, events(a.said, { took() {} }), { type: 'hello' });
  stream.write('before');
  await until(() => b.said.length === 1);
  a.transport.setRules({ ...noRules, out: { b: cut } });
  stream.write('during');
  await until(() => a.said.includes('lost'));
  expect(b.said).toEqual(['before']);
  // It is over there, and whoever speaks into it now is told.
  a.transport.setRules(noRules);
  b.taken[0]!.write('anybody?');
  await until(() => b.said.includes('reset'));
});

test('a delay holds a stream back without changing its order', async () => {
  const [a, b] = await pair(10_000_000);
  a.transport.setRules({ ...noRules, out: { b: { ...openRoad, delayUs: 10_000 } } });
  const stream = a.streams.connect(from, to, events(a.said, { took() {} }), { type: 'hello' });
  for (let n = 0; n < 20; n++) stream.write(String(n));
  a.transport.setRules(noRules);
  stream.write('20');
  await until(() => b.said.length === 21);
  expect(b.said).toEqual(Array.from({ length: 21 }, (_, n) => String(n)));
});

test('megabytes pass, a window at a time', async () => {
  const [a, b] = await pair(10_000_000);
  const chunk = new Uint8Array(60_000);
  let left = 200;
  let waitingMax = 0;
  const stream: Stream = a.streams.connect(
    from,
    to,
    { ...events(a.said, { took() {} }), ready: () => write() },
    { type: 'hello' },
  );
  const write = (): void => {
    while (left > 0) {
      left--;
      const goesOn = stream.write(chunk);
      waitingMax = Math.max(waitingMax, stream.waitingBytes);
      if (!goesOn) return;
    }
    stream.end();
  };
  write();
  await until(() => b.said.length === 200);
  expect(waitingMax).toBeLessThan(streamWindowBytes);
});
