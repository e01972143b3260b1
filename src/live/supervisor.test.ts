import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../host/events.ts';
import type { Message, Value } from '../host/host.ts';
import type { Plan } from '../host/plan.ts';
import { readHistory } from './history-file.ts';
import { lockDirectory } from './lock.ts';
import {
  built,
  gone,
  isRunning,
  removeBuilt,
  type Trial,
  tempFolder,
  trial,
} from './testdata/harness.ts';
import { nodePlan, planOf } from './testdata/programs.ts';

let child: URL;
beforeAll(async () => {
  child = await built('child');
});
afterAll(() => removeBuilt(child));

async function during(
  plan: Plan,
  more: Parameters<typeof trial>[2],
  body: (t: Trial) => Promise<void>,
): Promise<void> {
  const t = trial(child, plan, more);
  try {
    await t.system.ready;
    await body(t);
  } finally {
    await t.end();
  }
}

function tell(t: Trial, node: string, message: Message & Record<string, Value>): void {
  t.system.tell({ node }, message);
}

function pidOf(t: Trial, id: string): number {
  return t.system.status().find((node) => node.id === id)!.pid!;
}

const pair = planOf(nodePlan('a/0', 'asker'), nodePlan('b/0', 'echo'));

describe.each([
  ['separate processes', false],
  ['one process', true],
])('nodes in %s', (_name, here) => {
  test('exchange frames, in order', () =>
    during(pair, { here }, async (t) => {
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 20_000, inFlight: 64 });
      expect(await t.hear('done')).toMatchObject({ back: 20_000, disorder: 0 });
      const snapshot = await t.system.meters();
      const asker = snapshot.find((reading) => reading.node === 'a/0');
      expect(asker?.counters.requests).toBe(20_000);
      const told = t.windows.flatMap(({ readings }) => readings);
      const counted = told.filter(({ node }) => node === 'a/0').map(({ counters }) => counters);
      expect(counted.reduce((sum, { requests = 0 }) => sum + requests, 0)).toBe(20_000);
    }));

  test('a node that was killed is refused, its callers hear of it, and it comes back', () =>
    during(pair, { here }, async (t) => {
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 1, inFlight: 1 });
      await t.hear('done');
      t.system.inject({ do: 'kill', atUs: 0, forUs: 300_000, target: { node: 'b/0' } });
      expect(await t.hear('disconnected')).toMatchObject({ node: 'b/0' });
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 1, inFlight: 1 });
      expect(await t.hear('refused')).toMatchObject({ node: 'b/0', was: 'ping' });
      await t.see((event) => event.type === 'boot' && event.node === 'b/0' && event.life === 2);
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 10, inFlight: 1 });
      expect(await t.hear('done')).toMatchObject({ back: 10 });
      const faults = t.events.filter((event) => event.type === 'fault');
      expect(faults.map(({ began, id }) => [began, id])).toEqual([
        [true, 1],
        [false, 1],
      ]);
    }));

  test('a message to a port where nobody listens, or to nobody, comes back', () =>
    during(planOf(nodePlan('a/0', 'fetcher'), nodePlan('b/0', 'echo')), { here }, async (t) => {
      for (const node of ['b/0', 'nobody/0']) {
        tell(t, 'a/0', { type: 'fetch', id: 1, node, url: 'http://x/' });
        expect(await t.hear('refused')).toMatchObject({ node, was: 'request' });
      }
    }));

  test('a cut swallows messages and is noticed only by time; healing ends it', () =>
    during(pair, { here }, async (t) => {
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 1, inFlight: 1 });
      await t.hear('done');
      t.system.inject({
        do: 'cut',
        atUs: 0,
        oneWay: false,
        from: { node: 'a/0' },
        to: { node: 'b/0' },
      });
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 5, inFlight: 5 });
      expect(await t.hear('disconnected')).toMatchObject({ node: 'b/0' });
      expect(t.system.activeFaults().length).toBe(1);
      await t.system.heal();
      expect(t.system.activeFaults()).toEqual([]);
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 5, inFlight: 5 });
      expect(await t.hear('done')).toMatchObject({ disorder: 0 });
      expect(t.said.filter((one) => one.message.type === 'refused')).toEqual([]);
    }));

  test('delays hold messages back without changing their order', () =>
    during(pair, { here }, async (t) => {
      const both = { from: { node: 'a/0' }, to: { node: 'b/0' } } as const;
      t.system.inject({ do: 'delay', atUs: 0, forUs: 60_000, byUs: 30_000, ...both });
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 500, inFlight: 50 });
      const done = await t.hear('done');
      expect(done).toMatchObject({ back: 500, disorder: 0 });
      expect(Number(done.tookUs)).toBeGreaterThan(30_000);
    }));

  test('who has no power refuses nothing', () =>
    during(pair, { here }, async (t) => {
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 1, inFlight: 1 });
      await t.hear('done');
      t.system.inject({ do: 'power-off', atUs: 0, forUs: 500_000, target: { node: 'b/0' } });
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 3, inFlight: 3 });
      await t.hear('disconnected');
      await t.system.heal();
      expect(t.said.filter((one) => one.message.type === 'refused')).toEqual([]);
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 3, inFlight: 3 });
      await t.hear('done');
    }));

  test('healing waits for whoever was killed just now, though its end was not heard of yet', () =>
    during(pair, { here }, async (t) => {
      t.system.inject({ do: 'kill', atUs: 0, target: { node: 'b/0' } });
      await t.system.heal();
      const { state, life } = t.system.status().find(({ id }) => id === 'b/0')!;
      expect({ state, life }).toEqual({ state: 'up', life: 2 });
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 3, inFlight: 3 });
      await t.hear('done');
    }));

  test('surges are told to users, to those too who boot while one lasts, and taken back', () =>
    during(pair, { here }, async (t) => {
      t.system.inject({ do: 'surge', atUs: 0, factor: 3 });
      expect(await t.hear('saw surge', 'a/0')).toMatchObject({ factor: 3 });
      t.system.inject({ do: 'surge', atUs: 0, forUs: 200_000, factor: 2 });
      expect(await t.hear('saw surge', 'a/0')).toMatchObject({ factor: 6 });
      expect(await t.hear('saw surge', 'a/0')).toMatchObject({ factor: 3 });
      t.system.inject({ do: 'kill', atUs: 0, forUs: 10_000, target: { node: 'a/0' } });
      expect(await t.hear('saw surge', 'a/0')).toMatchObject({ factor: 3 });
      await t.system.heal();
      expect(await t.hear('saw surge', 'a/0')).toMatchObject({ factor: 1 });
    }));

  test('a shift is told to the service, its callers and the gateways, on any node', () => {
    const node = (id: string, kind: string, blocks: readonly string[]) => ({
      ...nodePlan(id, 'told'),
      kind,
      programs: blocks.map((block) => ({ port: block, block, role: 'told', config: {} })),
    });
    const plan = planOf(
      node('edge/0', 'gateway', ['edge']),
      node('api/0', 'service', ['api']),
      node('shop/0', 'service', ['shop', 'api']),
    );
    return during(plan, { here }, async (t) => {
      const traffic = { v1: 0, v2: 1 };
      t.system.inject({ do: 'shift', atUs: 0, service: 'api', traffic });
      await t.hear('shift at edge', 'edge/0');
      await t.hear('shift at api', 'api/0');
      expect(await t.hear('shift at api', 'shop/0')).toMatchObject({ service: 'api', traffic });
      t.system.inject({ do: 'kill', atUs: 0, forUs: 10_000, target: { node: 'shop/0' } });
      expect(await t.hear('shift at api', 'shop/0')).toMatchObject({ traffic });
      await t.system.heal();
      expect(await t.hear('shift at api', 'shop/0')).toMatchObject({ traffic: {} });
      expect(t.said.filter(({ message }) => message.type === 'shift at shop')).toEqual([]);
    });
  });

  test('a wall clock jumps, and is put right at the end', () =>
    during(pair, { here }, async (t) => {
      t.system.inject({
        do: 'skew',
        atUs: 0,
        byUs: -3_600_000_000,
        driftPpm: 0,
        target: { block: 'a' },
      });
      tell(t, 'a/0', { type: 'wall' });
      const off = Number((await t.hear('saw wall')).wall) - Date.now() * 1_000;
      expect(Math.abs(off + 3_600_000_000)).toBeLessThan(60_000_000);
      await t.system.heal();
      tell(t, 'a/0', { type: 'wall' });
      const right = Number((await t.hear('saw wall')).wall) - Date.now() * 1_000;
      expect(Math.abs(right)).toBeLessThan(60_000_000);
    }));

  test('a program that throws stops its node loudly, and the node comes back', () =>
    during(pair, { here }, async (t) => {
      tell(t, 'b/0', { type: 'crash' });
      const crash = await t.see((event) => event.type === 'crash');
      expect(crash).toMatchObject({ node: 'b/0', why: 'told to crash' });
      await t.see((event) => event.type === 'boot' && event.node === 'b/0' && event.life === 2);
      expect(t.system.status().map((node) => node.restarts)).toEqual([0, 1]);
    }));

  test('a full disk takes nothing, a failing one says so, and both get well again', () =>
    during(planOf(nodePlan('s/0', 'store')), { here }, async (t) => {
      t.system.inject({ do: 'fill-disk', atUs: 0, target: { node: 's/0' } });
      tell(t, 's/0', { type: 'put', id: 1, text: 'a' });
      await t.hear('full');
      await t.system.heal();
      t.system.inject({ do: 'fail-disk', atUs: 0, target: { node: 's/0' } });
      tell(t, 's/0', { type: 'put', id: 2, text: 'b' });
      await t.hear('failed');
      await t.system.heal();
      tell(t, 's/0', { type: 'put', id: 3, text: 'c' });
      await t.hear('ok');
    }));

  test('a restart drains first', () =>
    during(planOf(nodePlan('s/0', 'store')), { here }, async (t) => {
      t.system.inject({ do: 'restart', atUs: 0, target: { node: 's/0' } });
      await t.hear('draining');
      await t.see((event) => event.type === 'boot' && event.life === 2);
      await t.see((event) => event.type === 'fault' && !event.began);
    }));

  test('a kill loses no invocation of the history, and lives keep counting between runs', async () => {
    const dataDir = tempFolder();
    const plan = planOf(nodePlan('s/0', 'store'));
    try {
      await during(plan, { here, dataDir }, async (t) => {
        for (let id = 0; id < 50; id++) tell(t, 's/0', { type: 'put', id, text: `${id},` });
        await t.hear('ok');
        t.system.inject({ do: 'kill', atUs: 0, forUs: 1_000, target: { all: true } });
        await t.see((event) => event.type === 'boot' && event.life === 2);
        const history = t.system.histories();
        const oks = history.filter((event) => event.phase === 'ok').map((event) => event.op);
        const invokes = history.filter((event) => event.phase === 'invoke');
        expect(invokes.map((event) => event.op)).toEqual(expect.arrayContaining(oks));
        expect(invokes[0]).toMatchObject({ node: 's/0', life: 1, block: 'store', f: 'put' });
        expect(invokes[0]).toMatchObject({ key: 'k', value: '0,' });
        expect(history.every((event, i) => i === 0 || event.at >= history[i - 1]!.at)).toBe(true);
        expect(readHistory(t.system.historyDir)).toEqual(history);
      });
      await during(plan, { here, dataDir }, async (t) => {
        expect(t.system.status()[0]!.life).toBe(3);
        expect(t.system.histories()).toEqual([]);
      });
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

describe('processes', () => {
  test.each([
    ['files', 'abc'],
    ['sync-only', 'ab'],
  ] as const)('with %s, a kill -9 leaves %s', (durability, left) =>
    during(planOf(nodePlan('s/0', 'store')), { durability }, async (t) => {
      expect(await t.hear('found')).toMatchObject({ life: 1, text: '' });
      tell(t, 's/0', { type: 'put', id: 1, text: 'a' });
      tell(t, 's/0', { type: 'put', id: 2, text: 'b' });
      await t.hear('ok');
      await t.hear('ok');
      tell(t, 's/0', { type: 'put', id: 3, text: 'c', noSync: true });
      await t.hear('put');
      process.kill(pidOf(t, 's/0'), 'SIGKILL');
      expect(await t.hear('found')).toMatchObject({ life: 2, text: left });
    }),
  );

  test('what an unexpected death ends is started again, and stop leaves nothing', async () => {
    const t = trial(child, pair);
    const pids: number[] = [];
    try {
      await t.system.ready;
      pids.push(pidOf(t, 'a/0'), pidOf(t, 'b/0'));
      process.kill(pids[1]!, 'SIGKILL');
      await t.see((event) => event.type === 'crash' && event.why.includes('SIGKILL'));
      await t.see((event) => event.type === 'boot' && event.node === 'b/0' && event.life === 2);
      pids.push(pidOf(t, 'b/0'));
      // A paused child is taken down as well.
      t.system.inject({ do: 'pause', atUs: 0, target: { node: 'b/0' } });
    } finally {
      await t.end();
    }
    expect(pids.map(isRunning)).toEqual([false, false, false]);
  });

  test('a paused node answers late and loses nothing', () =>
    during(pair, {}, async (t) => {
      t.system.inject({ do: 'pause', atUs: 0, forUs: 300_000, target: { node: 'b/0' } });
      tell(t, 'a/0', { type: 'go', node: 'b/0', count: 100, inFlight: 10 });
      const done = await t.hear('done');
      expect(done).toMatchObject({ back: 100, disorder: 0 });
      expect(t.events.filter((event) => event.type === 'crash')).toEqual([]);
    }));

  test.each([
    ['', ''],
    [', paused ones neither', 'pause'],
  ])('a supervisor that is killed leaves no child behind%s', async (_words, pause) => {
    const supervised = await built('supervised');
    const folder = tempFolder();
    const supervisor = spawn(
      process.execPath,
      [fileURLToPath(supervised), child.href, folder, pause],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const pids = await new Promise<number[]>((resolve) => {
        createInterface(supervisor.stdout).once('line', (line) => resolve(JSON.parse(line)));
      });
      expect(pids.length).toBe(2);
      expect(pids.every(isRunning)).toBe(true);
      supervisor.kill('SIGKILL');
      await Promise.all(pids.map(gone));
      // What they held is free again: the next run takes the locks of the dead over.
      await during(
        planOf(nodePlan('a/0', 'echo'), nodePlan('b/0', 'echo')),
        { dataDir: folder },
        async (t) => {
          expect(t.system.status().map((node) => node.life)).toEqual([2, 2]);
        },
      );
    } finally {
      supervisor.kill('SIGKILL');
      removeBuilt(supervised);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a node that never comes up is given up, with its last words', async () => {
    const t = trial(child, planOf(nodePlan('a/0', 'echo'), nodePlan('x/0', 'sick')));
    try {
      await expect(t.system.ready).rejects.toMatchObject({
        code: 'node-failed',
        message: expect.stringMatching(/x\/0 .*cannot come up.*Tried 3 times[\s\S]*about to fail/),
      });
      expect(t.system.status().map((node) => node.pid)).toEqual([undefined, undefined]);
    } finally {
      await t.end();
    }
  });

  test('damaged data is told at once: trying again does not mend it', async () => {
    const t = trial(child, planOf(nodePlan('x/0', 'sick', { config: { corrupt: true } })));
    try {
      await expect(t.system.ready).rejects.toMatchObject({
        code: 'data-corrupt',
        message: 'x/0: links/log is damaged at byte 17',
      });
      expect(t.system.status()[0]!.boots).toBe(1);
    } finally {
      await t.end();
    }
  });

  test.each([
    ['empty', (path: string) => writeFileSync(path, ''), 'is damaged'],
    ['garbled', (path: string) => writeFileSync(path, '4x'), 'is damaged'],
    ['gone', (path: string) => rmSync(path), 'is lost'],
  ])('a node whose count of lives is %s is refused, with what to do', async (_how, hurt, words) => {
    const dataDir = tempFolder();
    const plan = planOf(nodePlan('a/0', 'echo'));
    const path = join(dataDir, 'nodes/a+0/life');
    try {
      await during(plan, { here: true, dataDir }, async () => {});
      expect(readFileSync(path, 'utf8')).toBe('1');
      hurt(path);
      const t = trial(child, plan, { here: true, dataDir });
      await expect(t.system.ready).rejects.toMatchObject({
        code: 'data-corrupt',
        message: expect.stringMatching(new RegExp(`^a/0: .*life ${words}.*such as 100000`)),
      });
      await t.end();
      writeFileSync(path, '100000\n');
      await during(plan, { here: true, dataDir }, async ({ system }) => {
        expect(system.status()[0]!.life).toBe(100_001);
      });
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('one damaged node does not keep those from starting that do the same work', async () => {
    const failures: string[] = [];
    const t = trial(
      child,
      planOf(
        nodePlan('a/0', 'asker'),
        nodePlan('x/0', 'sick', { config: { corrupt: true } }),
        nodePlan('x/1', 'sick', { config: { lives: 0 } }),
      ),
      { onFailure: ({ code, message }) => failures.push(`${code} ${message}`) },
    );
    try {
      await t.system.ready;
      const states = t.system.status().map(({ state, boots }) => [state, boots]);
      expect(states).toEqual([
        ['up', 1],
        ['failed', 1],
        ['up', 1],
      ]);
      expect(failures).toEqual(['data-corrupt x/0: links/log is damaged at byte 17']);
      await t.see((event) => event.type === 'crash' && event.why.startsWith('given up'));
      await t.system.heal();
      expect(t.system.status().map(({ state }) => state)).toEqual(['up', 'failed', 'up']);
    } finally {
      await t.end();
    }
  });

  test.each([
    [
      'a promise that nobody looks after',
      'reject',
      /awaits was rejected: Error: unheard of\n +at /,
    ],
    ['a throw that nobody catches', 'throw later', /^Error: too late\n +at /],
  ])('%s ends the node as a throw does, and its stack is told', (_what, type, text) =>
    during(planOf(nodePlan('a/0', 'echo')), {}, async (t) => {
      tell(t, 'a/0', { type });
      const crash = await t.see((event) => event.type === 'crash');
      expect(crash).toMatchObject({ node: 'a/0', why: expect.stringMatching(/unheard|late/) });
      const log = t.events.find((event) => event.type === 'log' && event.level === 'error');
      expect(log).toMatchObject({ node: 'a/0', text: expect.stringMatching(text) });
      await t.see((event) => event.type === 'boot' && event.life === 2);
    }),
  );

  test('faults happen at their times, counted from the start of the load, and healing ends them all', () =>
    during(pair, { here: true, describe: (fault) => fault.do }, async (t) => {
      t.system.startFaults([
        { do: 'surge', atUs: 60_000, forUs: 30_000, factor: 2 },
        { do: 'skew', atUs: 1_000, byUs: 1, driftPpm: 0, target: { all: true } },
        { do: 'kill', atUs: 3_600_000_000, target: { all: true } },
      ]);
      await t.see((event) => event.type === 'fault' && event.text === 'surge' && !event.began);
      await t.system.heal();
      const seen = t.events.flatMap((event) =>
        event.type === 'fault' ? [`${event.text} ${event.began ? 'begins' : 'ends'}`] : [],
      );
      expect(seen).toEqual(['skew begins', 'surge begins', 'surge ends', 'skew ends']);
    }));

  test('a node that comes up at the second try is waited for', () =>
    during(
      planOf(nodePlan('a/0', 'echo'), nodePlan('x/0', 'sick', { config: { lives: 1 } })),
      {},
      async (t) => {
        expect(t.system.status().map((node) => node.life)).toEqual([1, 2]);
      },
    ));

  test('a child that cannot even start is given up, too', async () => {
    const folder = tempFolder();
    const broken = join(folder, 'broken.mjs');
    writeFileSync(broken, 'import "./nowhere.mjs";');
    const t = trial(new URL(`file://${broken}`), planOf(nodePlan('a/0', 'echo')));
    try {
      await expect(t.system.ready).rejects.toMatchObject({
        code: 'node-failed',
        message: expect.stringMatching(/a\/0[\s\S]*nowhere\.mjs/),
      });
    } finally {
      await t.end();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a port that is taken is named, and nothing is left running', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen({ host: '127.0.0.1', port: 0 }, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
    const plan = planOf(nodePlan('w/0', 'web', { port: 'web', edge: { listen: port } }));
    const t = trial(child, plan, { edgePort: undefined });
    try {
      await expect(t.system.ready).rejects.toMatchObject({
        code: 'port-taken',
        message: expect.stringContaining(String(port)),
      });
      expect(t.system.status()[0]!.pid).toBeUndefined();
    } finally {
      await t.end();
      server.close();
    }
  });

  test('ports that were asked for are those, and two on one port are told before anything starts', async () => {
    const [first, second] = await freePorts();
    const door = (id: string, listen: number) =>
      nodePlan(id, 'web', { port: 'web', edge: { listen, isFixed: true } });
    const ownPorts = { edgePort: undefined };
    const apart = trial(child, planOf(door('v/0', first), door('w/0', second)), ownPorts);
    try {
      await apart.system.ready;
      const ports = apart.system.edges.map(({ url }) => Number(new URL(url).port));
      expect(ports).toEqual([first, second]);
    } finally {
      await apart.end();
    }
    const both = trial(child, planOf(door('v/0', first), door('w/0', first)), ownPorts);
    try {
      await expect(both.system.ready).rejects.toMatchObject({
        code: 'port-taken',
        message: `v/0 and w/0 would both listen on port ${first}`,
      });
      expect(both.system.status()).toEqual([]);
    } finally {
      await both.end();
    }
  });

  test('one data directory serves one run at a time', async () => {
    const dataDir = tempFolder();
    try {
      await during(pair, { dataDir }, async () => {
        const second = trial(child, pair, { dataDir });
        await expect(second.system.ready).rejects.toMatchObject({
          code: 'data-locked',
          message: expect.stringContaining(String(process.pid)),
        });
        await second.end();
      });
      expect(existsSync(join(dataDir, 'lock'))).toBe(false);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('a node whose former life is still dying is waited for, but not for ever', async () => {
    const dataDir = tempFolder();
    const directory = join(dataDir, 'nodes', 'a+0');
    mkdirSync(directory, { recursive: true });
    try {
      const dying = lockDirectory(directory);
      setTimeout(() => dying.release(), 500);
      await during(pair, { dataDir }, async (t) => {
        expect(t.system.status().map((node) => node.life)).toEqual([1, 1]);
      });
      const stranger = lockDirectory(directory);
      const t = trial(child, pair, { dataDir });
      await expect(t.system.ready).rejects.toMatchObject({ code: 'data-locked' });
      await t.end();
      stranger.release();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('who was given up during a fault gets another chance when it is healed', () =>
    during(
      planOf(nodePlan('a/0', 'echo'), nodePlan('x/0', 'sick', { config: { from: 2, lives: 7 } })),
      { here: true },
      async (t) => {
        t.system.inject({ do: 'kill', atUs: 0, forUs: 1_000, target: { node: 'x/0' } });
        const last = await t.see(
          (event) => event.type === 'crash' && event.why.includes('given up'),
        );
        expect(last).toMatchObject({
          node: 'x/0',
          why: 'given up until loadpath fault --heal: cannot come up',
        });
        expect(t.system.status()[1]).toMatchObject({ state: 'failed', life: 7 });
        await t.system.heal();
        expect(t.system.status()[1]).toMatchObject({ state: 'up', life: 8 });
      },
    ));

  test('a machine without room for a while costs a node that time, and not for ever', () => {
    // Five times for want of room, then once by itself: as one row of failures it would be the last.
    const config = { from: 2, fullUntil: 6, lives: 7 };
    const short = nodePlan('x/0', 'sick', { config });
    return during(planOf(nodePlan('a/0', 'echo'), short), { here: true }, async (t) => {
      t.system.inject({ do: 'kill', atUs: 0, forUs: 1_000, target: { node: 'x/0' } });
      await t.see((event) => event.type === 'crash' && event.why === 'no room');
      await t.see((event) => event.type === 'boot' && event.node === 'x/0' && event.life === 8);
    });
  });

  test('a start that the machine refuses is tried again, and the others run on', async () => {
    const dataDir = tempFolder();
    const life = join(dataDir, 'nodes', 'b+0', 'life');
    try {
      await during(pair, { dataDir }, async (t) => {
        rmSync(life);
        mkdirSync(life);
        process.kill(pidOf(t, 'b/0'), 'SIGKILL');
        const isRefused = (event: RunEvent) =>
          event.type === 'crash' && event.node === 'b/0' && event.why.includes(life);
        await t.see(isRefused);
        expect(t.system.status()[0]).toMatchObject({ state: 'up', life: 1 });
        rmSync(life, { recursive: true });
        await t.see((event) => event.type === 'boot' && event.node === 'b/0' && event.life === 2);
        tell(t, 'a/0', { type: 'go', node: 'b/0', count: 3, inFlight: 3 });
        expect(await t.hear('done')).toMatchObject({ back: 3 });
      });
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('stop in the middle of starting ends everything, and `ready` says so', async () => {
    const t = trial(child, pair);
    const stopped = t.end();
    await expect(t.system.ready).rejects.toThrow(/stopped before it was ready/);
    await stopped;
    expect(t.system.status().map((node) => node.pid)).toEqual([undefined, undefined]);
  });
});

/** Two that nobody listens on. */
async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()];
  const [first = 0, second = 0] = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen({ host: '127.0.0.1', port: 0 }, () => {
            const address = server.address();
            resolve(typeof address === 'object' && address ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return [first, second];
}
