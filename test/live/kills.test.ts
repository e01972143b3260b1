/**
 * Kills under load, seen by a client outside of everything: what was acknowledged to it is there
 * afterwards, nothing was given out twice, and no process is left behind.
 */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from '../checkout.ts';
import { Client } from './client.ts';
import {
  groupOf,
  killNodes,
  loadpath,
  nothingLeft,
  removeFolders,
  sweepAll,
  tempFolder,
} from './process.ts';

const shop = join(root, 'test/live/designs/shop.ts');

afterAll(() => {
  sweepAll();
  removeFolders();
});

// Most of their time they wait for nodes to come back: one beside the other.
const stores = ['links/1', 'codes/0', 'clicks/0', 'seen/0'];

describe.concurrent.each([
  ['on the files of the system', [], [...stores, 'hot/0', 'counter/0', 'api/1', 'edge/0']],
  ['when all that was not synced is gone', ['--discard-unsynced'], stores],
] as const)('kill -9 %s', (_title, flags, nodes) => {
  test('of each kind of node that may lose something, then of the supervisor: nothing acknowledged is lost or reused', async () => {
    const args = ['run', shop, '--port', '0', '--data', tempFolder(), ...flags];
    const first = loadpath(args);
    const client = new Client(await first.url());
    client.start();
    await client.acknowledge(20);
    for (const id of nodes) {
      await killNodes(first, (node) => node.id === id);
      await client.acknowledge(3);
    }
    first.signal('SIGKILL');
    await nothingLeft(first);
    await client.stop();

    const second = loadpath(args);
    client.moveTo(await second.url());
    client.start();
    await client.acknowledge(20);
    await client.stop();
    expect(await client.lost()).toEqual([]);
    expect(client.reused).toEqual([]);
    second.interrupt();
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(groupOf(second)).toEqual([]);
  });
});
