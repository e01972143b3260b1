/**
 * Same design, seed and version: the same run, byte for byte. For every example and every design
 * that is measured, in this process and from the command line.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exponential, gateway, kv, type Report, service, simulate, system, users } from 'loadpath';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../src/host/fault.ts';
import { simulateHere } from '../src/run/node/here.ts';
import { read, root } from './checkout.ts';

const run = promisify(execFile);

/** Every folder of examples with a design in it, and every design that a measurement uses. */
const designs = [
  ...readdirSync(join(root, 'examples'))
    .map((name) => `examples/${name}/design.ts`)
    .filter((path) => existsSync(join(root, path))),
  ...readdirSync(join(root, 'bench/designs'))
    .filter((name) => !name.startsWith('.'))
    .map((name) => `bench/designs/${name}`)
    // The others are the parts that designs share.
    .filter((path) => path.endsWith('.json') || read(path).includes('export default')),
];

const options = { seed: 7, for: '2s', rate: '100/s' } as const;

/** What may differ from run to run is how long it took on the machine. */
function told({ wallSeconds: _, ...rest }: Report): object {
  return rest;
}

describe.each(designs)('%s', (path) => {
  test('run twice gives the same digest and the same report', async () => {
    const first = await simulate(join(root, path), options);
    const second = await simulate(join(root, path), options);
    expect(first.digest).toMatch(/^[0-9a-f]{16}$/);
    expect(second.digest).toBe(first.digest);
    expect(told(second)).toEqual(told(first));
  });

  test('another seed gives another run', async () => {
    const first = await simulate(join(root, path), options);
    const second = await simulate(join(root, path), { ...options, seed: 8 });
    expect(second.digest).not.toBe(first.digest);
  });
});

/** The command line as its own process, on what was built. Exit code 1 is a verdict, not a failure. */
async function cli(...given: readonly string[]): Promise<Report> {
  const main = join(root, 'dist/cli/main.js');
  const { stdout } = await run(process.execPath, [main, ...given], {
    cwd: root,
    maxBuffer: 1 << 26,
  }).catch((failure: { code?: number; stdout?: string }) => {
    if (failure.code === 1 && failure.stdout) return { stdout: failure.stdout };
    throw failure;
  });
  return JSON.parse(stdout) as Report;
}

describe('from the command line', () => {
  const given = ['sim', 'examples/shortener', '--for', '2s', '--rps', '100', '--seed', '7'];

  test('two processes print the same report', async () => {
    const first = await cli(...given, '--json');
    const second = await cli(...given, '--json');
    expect(first.digest).toMatch(/^[0-9a-f]{16}$/);
    expect(told(second)).toEqual(told(first));
  });

  test('--check runs the shortener twice, content included, and finds no difference', async () => {
    const report = await cli(...given, '--check', '--json');
    expect(report.notes.join('\n')).toMatch(/ran twice: \d+ steps, all the same/);
  });
});

describe('faults shift nothing but what they act on', () => {
  /** Two halves that share nothing but the way in. */
  const half = (name: string) => {
    const store = kv<string>(`${name}-store`, { replicas: 3 });
    return service(name, {
      env: { store },
      cost: { cpu: exponential('1ms') },
      async fetch(request, env) {
        await env.store.put(new URL(request.url).pathname, 'there');
        return new Response('done');
      },
    });
  };
  const halves = system('halves', {
    entry: gateway('edge', { routes: { '/left': half('left'), '/right': half('right') } }),
    workload: users({
      rate: '50/s',
      async act(user) {
        const side = user.random.chance(0.5) ? 'left' : 'right';
        await user.fetch(`/${side}/${user.random.below(5)}`);
      },
    }),
  });

  async function trafficOf(side: string, faults: readonly Fault[]): Promise<readonly string[]> {
    const lines: string[] = [];
    await simulateHere(() => ({
      design: halves,
      seed: 3,
      forUs: 2_000_000,
      faults,
      onTrace: (line) => lines.push(line),
    }));
    return lines.filter((line) => line.includes(` ${side}/`) || line.includes(` ${side}-store/`));
  }

  const timed = { atUs: 300_000, forUs: 900_000 };
  const left = { block: 'left' };
  const store = { block: 'left-store' };
  const faults: readonly Fault[] = [
    { do: 'lose', from: left, to: store, ratio: 0.3, ...timed },
    { do: 'duplicate', from: left, to: store, ratio: 0.3, ...timed },
    { do: 'delay', from: left, to: store, byUs: 30_000, ...timed },
    { do: 'cut', from: left, to: { node: 'left-store/1' }, oneWay: false, ...timed },
    { do: 'kill', target: { node: 'left-store/2' }, ...timed },
    { do: 'slow', target: left, factor: 5, ...timed },
    { do: 'fail-disk', target: store, ...timed },
    { do: 'skew', target: store, byUs: 1_000_000, driftPpm: 100, ...timed },
  ];

  test.each(faults)(
    '$do on the left: not a message on the right comes at another time',
    async (fault) => {
      const without = await trafficOf('right', []);
      expect(without.length).toBeGreaterThan(100);
      expect(await trafficOf('right', [fault])).toEqual(without);
    },
  );

  test('nor does one fault more or less among eight', async () => {
    const without = await trafficOf('right', []);
    expect(await trafficOf('right', faults)).toEqual(without);
    expect(await trafficOf('right', faults.slice(1))).toEqual(without);
    expect(await trafficOf('left', faults)).not.toEqual(await trafficOf('left', faults.slice(1)));
  });
});

describe('state in the modules of a service', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'module state '));
    writeFileSync(join(folder, 'state.ts'), 'export const state = { requests: 0 };');
    writeFileSync(
      join(folder, 'design.ts'),
      `
      import { service, system, users } from 'loadpath';
      import { state } from './state.ts';
      const api = service('api', {
        instances: 3,
        fetch: () => new Response(String(++state.requests)),
      });
      export default system('counting', {
        entry: api,
        workload: users({
          rate: '60/s',
          async act(user) {
            const reply = await user.fetch('/');
            if (await reply.text() === '1') user.complain('nobody was here before');
          },
        }),
      });
      `,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** How often an instance answered as if it had only just begun. */
  async function beginnings(faults: readonly string[]): Promise<number> {
    const report = await simulate(join(folder, 'design.ts'), { seed: 1, for: '3s', faults });
    const complaints = report.invariants.find(({ name }) => name.startsWith('users get answers'));
    return Number(/nobody was here before \((\d+)\)/.exec(complaints?.detail ?? '')?.[1] ?? 0);
  }

  test('belongs to one instance', async () => {
    expect(await beginnings([])).toBe(3);
  });

  test('is gone after a crash, and after a restart', async () => {
    expect(await beginnings(['kill api/1 at 1s, restart after 200ms'])).toBe(4);
    expect(await beginnings(['restart api/0 at 1s', 'power off api/2 at 1s for 200ms'])).toBe(5);
  });

  test('does not outlive a run', async () => {
    expect(await beginnings([])).toBe(3);
    expect(await beginnings([])).toBe(3);
  });
});
