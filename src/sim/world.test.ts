import { expect, test } from 'vitest';
import { sandbox } from '../../test/sandbox.ts';

const second = 1_000_000;

test('a message is answered over the network, in virtual time', () => {
  const seen: string[] = [];
  const world = sandbox({
    nodes: {
      a: {
        ask: (host) => {
          host.after(1000, () => host.send({ node: 'b', port: 'echo' }, { type: 'ping' }));
          return { message: (from, message) => seen.push(`${from.node} ${message.type}`) };
        },
      },
      b: {
        echo: (host) => ({ message: (from) => host.send(from, { type: 'pong' }) }),
      },
    },
  });
  world.bootAll();
  world.run(1600);
  expect(seen).toEqual(['b pong']);
  world.run(second);
  expect(world.now).toBe(second);
  expect(world.network).toMatchObject({ sent: 2, delivered: 2, inFlight: 0 });
});
