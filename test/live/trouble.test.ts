/**
 * What can go wrong around a live run: the message says what to do, the command ends with the right
 * code, and no process is left.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { basename, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { root } from '../checkout.ts';
import { Client } from './client.ts';
import {
  childrenOf,
  type Ended,
  groupOf,
  loadpath,
  nothingLeft,
  pause,
  removeFolders,
  sweepAll,
  tempFolder,
} from './process.ts';

const designs = join(root, 'test/live/designs');
const shop = join(designs, 'shop.ts');
/** A process less for everything that is there to survive: none of it does so here. */
const small = [shop, '--set', 'links.replicas=1', '--set', 'api.instances=1'];
const corner = join(designs, 'corner.ts');

// A dozen processes each time, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 180_000 });

afterEach(sweepAll);
afterAll(removeFolders);

function isMistake({ code, err }: Ended): void {
  expect(err).not.toMatch(/^\s+at /m);
  expect({ code, err }).toMatchObject({ code: 2 });
}

function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address !== null && typeof address !== 'string') resolve({ server, port: address.port });
    });
  });
}

describe('before it is up', () => {
  test('a port that is taken is named, with the way out', async () => {
    const { server, port } = await listening();
    const running = loadpath(['run', corner, '--port', String(port), '--data', tempFolder()]);
    const ended = await running.ended;
    server.close();
    isMistake(ended);
    expect(ended.err).toContain(`${port}`);
    expect(ended.err).toContain('--port');
    await nothingLeft(running);
  });

  test('a node that cannot start is given up, with its last words', async () => {
    const design = join(designs, 'child-throws.ts');
    const running = loadpath(['run', design, '--port', '0', '--data', tempFolder()]);
    const ended = await running.ended;
    isMistake(ended);
    expect(ended.err).toMatch(/^api\/[01]: /m);
    expect(ended.err).toContain('no licence for this machine');
    await nothingLeft(running);
  });

  test('Ctrl-C, at once and a little later, ends everything', async () => {
    for (const waitMs of [0, 200, 500, 900]) {
      const running = loadpath(['run', corner, '--port', '0', '--data', tempFolder()]);
      await pause(waitMs);
      running.interrupt();
      const { code, err } = await running.ended;
      await nothingLeft(running);
      expect(err, `after ${waitMs} ms`).not.toMatch(/^\s+at /m);
      expect(code === 2 || code === 0 || code === 130 || code === null, `${code}: ${err}`).toBe(
        true,
      );
    }
  });
});

describe('a data directory', () => {
  test('that another run uses is refused, and that run goes on; damaged, it is told by file', async () => {
    const data = tempFolder();
    const args = ['run', ...small, '--port', '0', '--data', data];
    const first = loadpath(args);
    const client = new Client(await first.url());
    client.start();
    await client.acknowledge(30);

    const second = loadpath(args);
    const refused = await second.ended;
    isMistake(refused);
    expect(refused.err).toContain(`is in use by process ${first.pid}`);
    expect(refused.err).toContain('--data');
    await nothingLeft(second);

    await client.acknowledge(5);
    await client.stop();
    expect(await client.lost()).toEqual([]);
    first.signal('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0 });
    await nothingLeft(first);

    for (const node of ['links+0', 'clicks+0', 'codes+0']) {
      const file = largestFile(join(data, 'nodes', node, 'files'));
      const sound = readFileSync(file);
      const damaged = Buffer.from(sound);
      const at = Math.floor(damaged.length / 2) - 20;
      for (let i = 0; i < 8; i++) damaged[at + i]! ^= 0xff;
      writeFileSync(file, damaged);
      // In one process: it reads the same files.
      const third = loadpath([...args, '--single', '--for', '1s']);
      const ended = await third.ended;
      // Beside another broker the system does without it; whoever is the only one is waited for in vain.
      if (node === 'clicks+0') expect([0, 1, 3]).toContain(ended.code);
      else isMistake(ended);
      expect(ended.err).toContain(node.replace('+', '/'));
      expect(ended.err).toContain(file.slice(file.lastIndexOf('/files/') + 7));
      await nothingLeft(third);
      writeFileSync(file, sound);
    }
  });
});

function largestFile(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return files.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
}

describe('while it runs', () => {
  test('full disks refuse and lose nothing; Ctrl-C under load ends it as every run ends: heal, drain, judge, report', async () => {
    const faults = ['links/0', 'clicks/0', 'codes/0'].flatMap((node) => [
      '--fault',
      `fill disk of ${node} at 1s for 2s`,
    ]);
    const args = ['run', ...small, '--load', '--port', '0', '--data', tempFolder()];
    const running = loadpath([...args, ...faults]);
    const client = new Client(await running.url());
    client.start();
    await running.hear(/(over.*fill the disk(.|\n)*){3}/);
    await client.acknowledge(5);
    await client.stop();
    expect(await client.lost()).toEqual([]);
    expect(client.reused).toEqual([]);
    running.interrupt();
    const { code, out } = await running.ended;
    expect(out).toContain('links is linearizable');
    expect(out).toContain('codes are unique');
    expect(out, out).not.toMatch(/VIOLATED +(links|codes)/);
    expect([0, 1, 3]).toContain(code);
    await nothingLeft(running);
  });

  test('a terminal that is closed ends it in order, and its data is free again', async () => {
    const data = tempFolder();
    const running = loadpath(['run', ...small, '--port', '0', '--data', data]);
    await running.url();
    running.hangUp();
    expect(await running.ended).toMatchObject({ code: 0 });
    await nothingLeft(running);
    const names = readdirSync(data, { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => basename(name).startsWith('lock'))).toEqual([]);
  });

  test('Ctrl-C in the setup ends it without a report', async () => {
    const design = join(designs, 'slow-setup.ts');
    const running = loadpath(['run', design, '--load', '--port', '0', '--data', tempFolder()]);
    await running.hear(/preparing for ever/);
    running.interrupt();
    const ended = await running.ended;
    expect(ended.err).not.toMatch(/^\s+at /m);
    expect(ended.code).not.toBe(0);
    await nothingLeft(running);
  });

  test('SIGTERM at every process, as systemd sends it, ends it as every run ends', async () => {
    const running = loadpath(['run', corner, '--load', '--port', '0', '--data', tempFolder()]);
    await running.url();
    await pause(1_500);
    process.kill(-running.pid, 'SIGTERM');
    const { code, out } = await running.ended;
    expect(out).toContain('notes is linearizable');
    expect(out).not.toContain('VIOLATED  requests are conserved');
    expect([0, 1, 3]).toContain(code);
    await nothingLeft(running);
  });

  test('a second Ctrl-C leaves at once, and takes everything with it', async () => {
    const running = loadpath(['run', corner, '--load', '--port', '0', '--data', tempFolder()]);
    await running.url();
    await pause(1_500);
    running.interrupt();
    await running.hear(/Ctrl-C again/);
    running.interrupt();
    expect(await running.ended).toMatchObject({ code: 130 });
    await nothingLeft(running);
  });

  test('nodes do not outlive a supervisor that was killed, not even those that stand still', async () => {
    const data = tempFolder();
    const fault = ['--fault', 'pause notes/0 at 0s for 60s'];
    const running = loadpath(['run', corner, '--port', '0', '--data', data, ...fault]);
    await running.hear(/fault \| pause/);
    expect(childrenOf(running).length).toBeGreaterThan(2);
    running.signal('SIGKILL');
    await nothingLeft(running);
    const again = loadpath(['run', corner, '--port', '0', '--data', data, '--for', '1s']);
    const { err } = await again.ended;
    expect(err).toContain('Open http');
    expect(groupOf(again)).toEqual([]);
  });
});
