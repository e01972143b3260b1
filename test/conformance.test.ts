/** The scenes that every block must pass, in the simulator and on separate processes of this machine. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { RunEvent } from '../src/host/events.ts';
import { simulateHere } from '../src/run/node/here.ts';
import { loadDesign } from '../src/run/node/load.ts';
import { resolve, systemIn } from '../src/run/options.ts';
import { root } from './checkout.ts';
import { killsAtMs } from './conformance/design.ts';
import { after, before, type Scene, type Talk } from './conformance/scenes.ts';
import {
  killNodes,
  loadpath,
  nodesOf,
  nothingLeft,
  pause,
  removeFolders,
  sweepAll,
  tempFolder,
} from './live/process.ts';

const path = join(root, 'test/conformance/design.ts');
/** Everything but the edge, which would cut the driver off. */
const killed = [
  'atomic',
  'quorum',
  'near',
  'codes',
  'limits',
  'log',
  'seen',
  'reader',
  'who',
  'net',
  'keeper',
  'kept',
  'inner',
  'api',
  'pages',
  'names',
];

afterAll(() => {
  sweepAll();
  removeFolders();
});

const worlds: Readonly<Record<string, (told: Map<string, string>) => Promise<void>>> = {
  'in the simulator': async (told) => {
    const loaded = await loadDesign(path);
    const evaluate = () => systemIn(loaded.evaluate().default, path);
    const atS = killsAtMs / 1_000;
    const faults = killed.map((block) => `kill ${block} at ${atS}s, restart after 1s`);
    const onEvent = (event: RunEvent): void => {
      if (event.type !== 'log' || !event.text.includes(' => ')) return;
      const [title = '', outcome = ''] = event.text.split(' => ');
      told.set(title, outcome);
    };
    await simulateHere(() => {
      const design = evaluate();
      const asked = resolve(design, { faults, forUs: (killsAtMs + 60_000) * 1_000 });
      return { design, afresh: evaluate, seed: 1, check: true, onEvent, ...asked };
    });
  },
  'on separate processes': async (told) => {
    const running = loadpath(['run', path, '--port', '0', '--data', tempFolder()]);
    const url = await running.url();
    const world = {
      fetch: (to: string, init?: RequestInit) => fetch(url + to, init),
      sleep: pause,
      connect: (to: string) => talk(`${url.replace('http', 'ws')}${to}`),
    };
    const play = async (scenes: readonly Scene[]) => {
      for (const scene of scenes) {
        const outcome = await scene.play(world).then(
          () => 'as it should be',
          async (error: unknown) => {
            const states = (await nodesOf(running)).map(
              ({ id, life, state }) => `${id}.${life} ${state}`,
            );
            return `${error}\n${states.join(', ')}\n${running.said.slice(-4_000)}`;
          },
        );
        told.set(scene.title, outcome);
      }
    };
    await play(before);
    await killNodes(running, (node) => killed.includes(node.block));
    // Members of the group join again, caches are asked again.
    await pause(1_500);
    await play(after);
    running.interrupt();
    await running.ended;
    await nothingLeft(running);
  },
};

async function talk(url: string): Promise<Talk> {
  const socket = new WebSocket(url);
  const come: string[] = [];
  socket.on('message', (data) => come.push(String(data)));
  let code: number | undefined;
  socket.on('close', (closed) => {
    code = closed;
  });
  await once(socket, 'open');
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds() && code === undefined) await pause(5);
  };
  return {
    send: async (text) => socket.send(text),
    async receive() {
      await until(() => come.length > 0);
      return come.shift();
    },
    code: () => code,
    async close(last) {
      socket.close(last);
      await until(() => false);
    },
  };
}

describe.each(Object.entries(worlds))('%s', (_name, play) => {
  const told = new Map<string, string>();
  beforeAll(() => play(told), 180_000);

  test.each([...before, ...after].map(({ title }) => title))('%s', (title) => {
    expect(told.get(title)).toBe('as it should be');
  });
});
