import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../report.ts';
import type { Stall } from '../stall.ts';
import { bundleDesign } from './bundle.ts';
import { Pool } from './pool.ts';
import { Reins } from './reins.ts';
import type { Answer } from './tasks.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'workers-'));
  const clock = join(folder, 'node_modules/keeps-clock');
  mkdirSync(clock, { recursive: true });
  writeFileSync(join(clock, 'package.json'), '{"type":"module","exports":"./index.js"}');
  writeFileSync(join(clock, 'index.js'), 'const { now } = Date; export const clock = () => now();');
  writeFileSync(
    join(folder, 'design.ts'),
    `
      import { clock } from 'keeps-clock';
      import { service, system, users } from 'loadpath';
      const api = service('api', {
        async fetch() {
          return Response.json(clock() === Date.now() && clock());
        },
      });
      export default system('clocks', {
        entry: api,
        workload: users({
          rate: '10/s',
          async act(user) {
            const kept = await (await user.fetch('/')).json();
            if (!(kept > 0)) user.complain('a clock kept from the start is not the virtual one');
          },
        }),
      });
    `,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a package that keeps the clock while it loads keeps the virtual one', async () => {
  const pool = new Pool(bundleDesign(folder), 1);
  try {
    const task = { seed: 1, forUs: 1_000_000, faults: [], ownFaults: true } as const;
    const reins = new Reins().shared;
    const run = () => pool.run({ kind: 'simulate', ...task, check: false, trace: false, reins });
    const [first, second] = [(await run()) as Report, (await run()) as Report];
    expect(first.completed).toBeGreaterThan(0);
    expect(first.invariants.map(({ verdict }) => verdict)).not.toContain('violated');
    expect(second.digest).toBe(first.digest);
  } finally {
    await pool.close();
  }
});

test('what belongs to a process is one life’s alone, and what packages share is told by a check', async () => {
  const sharing = join(folder, 'node_modules/shares');
  mkdirSync(sharing, { recursive: true });
  writeFileSync(join(sharing, 'package.json'), '{"type":"module","exports":"./index.js"}');
  writeFileSync(
    join(sharing, 'index.js'),
    'export const share = () => { globalThis.sharedOne ??= 1; };',
  );
  writeFileSync(
    join(folder, 'commons.ts'),
    `
      import { service, system, users } from 'loadpath';
      import { share } from 'shares';
      declare global { var count: number | undefined; }
      let inModule = 0;
      const api = service('api', {
        instances: 2,
        fetch() {
          globalThis.count = (globalThis.count ?? 0) + 1;
          process.env.COUNT = String(Number(process.env.COUNT ?? 0) + 1);
          process.on('SIGTERM', () => {});
          share();
          const heard = process.listenerCount('SIGTERM');
          return Response.json([++inModule, count, Number(process.env.COUNT), heard]);
        },
      });
      export default system('commons', {
        entry: api,
        faults: ['kill api at 1s, restart after 100ms'],
        workload: users({
          rate: '20/s',
          async act(user) {
            const reply = await user.fetch('/');
            if (reply.status !== 200) return;
            const counts = await reply.json();
            if (new Set(counts).size > 1) user.complain(counts.join());
            if (globalThis.count !== undefined || 'count' in globalThis) user.complain('seen by users');
          },
        }),
      });
    `,
  );
  const pool = new Pool(bundleDesign(join(folder, 'commons.ts')), 1);
  try {
    const task = { seed: 1, forUs: 3_000_000, faults: [], ownFaults: true } as const;
    const asked = { ...task, check: true, trace: false, reins: new Reins().shared } as const;
    const report = (await pool.run({ kind: 'simulate', ...asked })) as Report;
    expect(report.blocks.api!.nodes.map(({ boots }) => boots)).toEqual([2, 2]);
    expect(report.completed).toBeGreaterThan(30);
    expect(report.invariants.map(({ verdict }) => verdict)).not.toContain('violated');
    expect(report.notes.join()).toContain('shared by all of them');
    expect(report.notes.join()).toContain('globalThis.sharedOne');
    expect(report.notes.join()).not.toContain('globalThis.count');
  } finally {
    await pool.close();
  }
});

test('a design that cannot be bundled fails the task, with the place', async () => {
  writeFileSync(join(folder, 'broken.ts'), 'export default {');
  const pool = new Pool(bundleDesign(join(folder, 'broken.ts')), 1);
  try {
    await expect(pool.run({ kind: 'look' })).rejects.toMatchObject({ code: 'design-failed' });
  } finally {
    await pool.close();
  }
});

test('code without an end is told of with its node, and ended when the run is to end', async () => {
  writeFileSync(
    join(folder, 'endless.ts'),
    `
      import { service, system, users } from 'loadpath';
      const api = service('api', {
        instances: 1,
        async fetch() {
          for (;;) await null;
        },
      });
      export default system('endless', {
        entry: api,
        workload: users({ rate: '10/s', arrivals: 'even' }),
      });
    `,
  );
  const pool = new Pool(bundleDesign(join(folder, 'endless.ts')), 1);
  try {
    const task = { seed: 1, forUs: 1_000_000, faults: [], ownFaults: true } as const;
    const reins = new Reins();
    const abort = new AbortController();
    const stalls: Stall[] = [];
    const hear = (answer: Answer): void => {
      if (answer.type !== 'stall') return;
      stalls.push(answer.stall);
      reins.stop();
      abort.abort();
    };
    const asked = { ...task, check: false, trace: false, reins: reins.shared } as const;
    const run = pool.run({ kind: 'simulate', ...asked }, hear, abort.signal);
    await expect(run).rejects.toMatchObject({
      code: 'stuck',
      message: expect.stringContaining('the code of api/0'),
    });
    expect(stalls).toEqual([
      { node: 'api/0', at: expect.any(Number), seconds: expect.any(Number) },
    ]);
  } finally {
    await pool.close();
  }
}, 60_000);
