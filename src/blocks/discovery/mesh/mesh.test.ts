/** Two proxies on each call, and policies that change while the system runs. */
import { gateway, mesh, registry, service, system, users } from 'loadpath';
import { describe, expect, test } from 'vitest';
import { type Visit, visit } from '../../../../test/visitor.ts';
import { configure } from '../../../kit/config.ts';
import { simulateHere } from '../../../run/node/here.ts';
import { knobs } from './config.ts';
import type { MeshHandle, MeshOptions } from './index.ts';
import { Versions } from './versions.ts';

const quick: MeshOptions = { sync: '50ms', stageFor: '0ms' };

/** front → m1 → m2 (two releases), with m1 and m2 in a mesh; `ops` changes it. */
function town(options: MeshOptions = quick) {
  const net = mesh('net', options);
  let steer: MeshHandle | undefined;
  const says = (text: string, status = 200) => ({ fetch: () => new Response(text, { status }) });
  const m2 = service('m2', {
    mesh: net,
    instances: 4,
    releases: { v1: says('one'), v2: says('two') },
    traffic: { v1: 1, v2: 0 },
  });
  const m1 = service('m1', {
    mesh: net,
    instances: 2,
    env: { m2 },
    fetch: (_request, env) => env.m2.fetch('/'),
  });
  const ops = service('ops', {
    instances: 1,
    env: { net },
    fetch: (_request, env) => {
      steer = env.net;
      return new Response('ready');
    },
  });
  const made = visit(gateway('edge', { routes: { '/': m1, '/ops': ops } }));
  return {
    ...made,
    async ask(count = 1): Promise<string[]> {
      const ids: number[] = [];
      for (let i = 0; i < count; i++) {
        ids.push(made.send());
        await made.run(2_000);
      }
      await made.run(200_000);
      return Promise.all(ids.map((id) => made.text(id)));
    },
    /** What an operator's code does with the handle; the world goes on until it is done. */
    async operate<T>(what: (steer: MeshHandle) => Promise<T>): Promise<T> {
      made.send({ url: 'http://edge/ops' });
      await made.run(20_000);
      let ended: { readonly value: T } | { readonly error: unknown } | undefined;
      what(steer!).then(
        (value) => {
          ended = { value };
        },
        (error: unknown) => {
          ended = { error };
        },
      );
      for (let i = 0; i < 100 && !ended; i++) await made.run(50_000);
      if (!ended) throw new Error('the operator still waits');
      if ('error' in ended) throw ended.error;
      return ended.value;
    },
  };
}

const versionsOf = ({ world }: Visit): number[] =>
  world.meters
    .snapshot()
    .flatMap(({ node, gauges }) =>
      /^m[12]/.test(node) && gauges.version !== undefined ? [gauges.version.last] : [],
    );

describe('a mesh', () => {
  test('puts two proxies on the way, of which neither service knows', async () => {
    const made = town();
    expect(await made.ask(4)).toEqual(['one', 'one', 'one', 'one']);
    // m1 in, m1 out, m2 in.
    const sidecars = made.world.meters
      .snapshot()
      .filter(({ node, counters }) => /^m[12]/.test(node) && counters.requests !== undefined);
    const requests = sidecars.reduce((sum, { counters }) => sum + counters.requests!, 0);
    expect(requests).toBe(4 * (1 + 2 + 1 + 1));
  });

  test('shifts traffic between releases while calls go on, and goes back', async () => {
    const made = town();
    expect(new Set(await made.ask(4))).toEqual(new Set(['one']));
    const applied = await made.operate((net) => net.apply({ m2: { traffic: { v1: 1, v2: 1 } } }));
    expect(applied.version).toBe(1);
    await made.run(200_000);
    expect(new Set(await made.ask(30))).toEqual(new Set(['one', 'two']));
    await made.operate((net) => net.apply({ m2: { traffic: { v2: 1 } } }));
    await made.run(200_000);
    expect(new Set(await made.ask(10))).toEqual(new Set(['two']));
    await made.operate((net) => net.rollBack());
    await made.run(200_000);
    expect(new Set(await made.ask(30))).toEqual(new Set(['one', 'two']));
  });

  test('goes on with what it has while the control plane is down, which then knows what it knew', async () => {
    const made = town();
    await made.operate((net) => net.apply({ m2: { traffic: { v2: 1 } } }));
    await made.run(200_000);
    const restart = made.world.inject({ atUs: 0, do: 'kill', target: { node: 'net/0' } });
    await made.run(100_000);
    expect(new Set(await made.ask(10))).toEqual(new Set(['two']));
    await expect(made.operate((net) => net.state())).rejects.toThrow(/net.ask-state/);
    restart();
    await made.run(300_000);
    expect((await made.operate((net) => net.state())).version).toBe(1);
    expect(new Set(await made.ask(10))).toEqual(new Set(['two']));
  });

  test('tells calls and errors between each pair of services', async () => {
    const made = town();
    await made.ask(20);
    made.world.inject({ atUs: 0, do: 'fail-calls', service: 'm2', ratio: 1, status: 503 });
    await made.ask(5);
    await made.run(200_000);
    const { pairs } = await made.operate((net) => net.state());
    expect(pairs).toEqual({ 'm1 → m2': { calls: 25, errors: 5 } });
  });

  test('tries a new version on a share of the sidecars first, and takes it back when calls fail there', async () => {
    const made = town({ sync: '50ms', stageFor: '2s', stageShare: 0.5, volumeMin: 5 });
    // Of all sidecars some are below a half; which, their names say.
    await made.operate((net) =>
      net.apply({ m2: { policy: { timeout: '1ms', attemptTimeout: '1ms' } } }),
    );
    await made.run(200_000);
    expect(new Set(versionsOf(made)).size).toBe(2);
    for (let i = 0; i < 10; i++) await made.ask(10);
    const { version, candidate, takenBack } = await made.operate((net) => net.state());
    expect({ version, candidate }).toEqual({ version: 0, candidate: null });
    expect(takenBack).toMatch(/of calls failed under version 1/);
    await made.run(300_000);
    expect(new Set(await made.ask(10))).toEqual(new Set(['one']));
    expect(new Set(versionsOf(made))).toEqual(new Set([0]));
  });

  test('refuses what cannot be, before anything is sent', async () => {
    const made = town();
    const wrong = { m2: { policy: { timeout: '0ms' as const }, traffic: { v1: -1 } } };
    await expect(made.operate((net) => net.apply(wrong))).rejects.toThrow(/2 mistakes/);
    expect((await made.operate((net) => net.state())).version).toBe(0);
    expect(service('x', { mesh: service('y', {}) }).problems.map(({ at }) => at)).toEqual([
      'x.mesh',
    ]);
  });
});

test('a change of what is not there, or after which nobody serves, is refused with its reasons', async () => {
  const made = town();
  const whatIsWrong = async (changes: object): Promise<string> => {
    const applied = made.operate((net) => net.apply(changes as Parameters<typeof net.apply>[0]));
    return applied.then(
      ({ version }) => `version ${version}`,
      ({ code, message }) => `${code}: ${message}`,
    );
  };
  for (const [changes, reason] of [
    [{ m2: { traffic: { v9: 1 } } }, 'net.apply.m2.traffic.v9'],
    [{ m2: { traffic: { v1: 0, v2: 0 } } }, 'must leave a share above zero, or nobody serves m2'],
    [{ m2: { traffic: {} } }, 'must leave a share above zero'],
    [{ m22: { traffic: { v1: 1 } } }, 'no such service of net; did you mean m2?'],
    [{ ops: { policy: { timeout: '1s' } } }, 'no such service of net; there are'],
    [{ m2: { polcy: { timeout: '1s' } } }, 'no such option; did you mean policy?'],
    [{ m2: { policy: { tmeout: '1s' } } }, 'no such option; did you mean timeout?'],
  ] as const) {
    const said = await whatIsWrong(changes);
    expect(said).toMatch(/^bad-option: /);
    expect(said).toContain(reason);
  }
  expect((await made.operate((net) => net.state())).version).toBe(0);
  expect(new Set(await made.ask(4))).toEqual(new Set(['one']));
});

describe('a mesh whose members come and go', () => {
  /** front → m1 → m2, both found in a registry; each answer says who gave it. */
  async function run(faults: readonly string[]) {
    const net = mesh('net', quick);
    const discovery = registry('names', { ttl: '1500ms', renewEvery: '500ms' });
    const both = { mesh: net, discovery, cost: '2ms', policy: { retry: { attempts: 3 } } } as const;
    const m2 = service('m2', { ...both, instances: 2, fetch: () => new Response('') });
    const m1 = service('m1', {
      ...both,
      instances: 2,
      env: { m2 },
      fetch: (_request, env) => env.m2.fetch('/'),
    });
    const design = system('moving', {
      entry: gateway('edge', { routes: { '/': m1 }, policy: { retry: { attempts: 3 } } }),
      workload: users({ rate: '100/s', act: async (user) => void (await user.fetch('/')) }),
      faults,
    });
    const lines: string[] = [];
    const { report } = await simulateHere(() => ({
      design,
      seed: 1,
      forUs: 6_000_000,
      faults: design.faults,
      onTrace: (line) => lines.push(line),
    }));
    return { report, lines };
  }

  test('finds those that no plan named, on either side, through their proxies', async () => {
    const { report, lines } = await run(['start 1 m2 at 1s', 'start 1 m1 at 2s']);
    expect(report.completed).toBe(report.generated);
    for (const node of ['m1/2', 'm2/2']) {
      // An instance is called by the proxy beside it.
      const byProxy = lines.filter((line) => line.includes(`${node} delivered ${node} GET`));
      expect(byProxy.length).toBeGreaterThan(50);
    }
  });

  test('loses nothing when members stop, also those that stood in the plan', async () => {
    const stops = ['stop m2/0 at 2s', 'stop m1/1 at 3s', 'stop m2/2 at 4s'];
    const { report } = await run(['start 1 m2 at 1s', ...stops]);
    expect(report.completed).toBe(report.generated);
  });

  test('goes on while registry and control plane are both away', async () => {
    const { report } = await run(['kill names at 2s', 'kill net at 2s', 'kill m2/0 at 3s']);
    expect(report.completed).toBe(report.generated);
  });
});

describe('versions', () => {
  const { config } = configure('net', knobs, { stageFor: '10s', volumeMin: 10 });
  const traffic = { m2: { traffic: { v1: 0, v2: 1 } } };

  test('hold for all once they did well for long enough, and with enough calls', () => {
    const versions = new Versions(config);
    versions.apply(traffic, 0);
    expect([versions.for(0.1).version, versions.for(0.9).version]).toEqual([1, 0]);
    expect(versions.judge(20_000_000)).toBeUndefined();
    versions.counted('m1', 1, { m2: { calls: 10, errors: 0 } });
    expect(versions.judge(9_000_000)).toBeUndefined();
    expect(versions.judge(10_000_000)).toBe('holds');
    expect(versions.for(0.9).version).toBe(1);
  });

  test('are compared with what others see at the same time: when all fail, the version is not what is wrong', () => {
    const versions = new Versions(config);
    versions.apply(traffic, 0);
    versions.counted('m1', 1, { m2: { calls: 20, errors: 20 } });
    versions.counted('m1', 0, { m2: { calls: 60, errors: 60 } });
    expect(versions.judge(1)).toBeUndefined();
    versions.counted('m1', 0, { m2: { calls: 600, errors: 0 } });
    expect(versions.judge(2)).toBe('taken back');
    expect(versions.state.version).toBe(0);
  });

  test('only grow, also when what held before holds again', () => {
    const versions = new Versions(configure('net', knobs, { stageFor: '0ms' }).config);
    versions.apply(traffic, 0);
    versions.apply({ m3: { traffic: { v1: 1 } } }, 0);
    expect(versions.for(0)).toEqual({
      version: 2,
      change: { ...traffic, m3: { traffic: { v1: 1 } } },
    });
    versions.rollBack();
    expect(versions.for(0)).toEqual({ version: 3, change: traffic });
    versions.rollBack();
    expect(versions.for(0)).toEqual({ version: 4, change: {} });
    expect(new Versions(config, versions.kept).for(0).version).toBe(4);
  });
});
