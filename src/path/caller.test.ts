/** Calls over a path, from a caller to scripted instances, in a simulated world. */
import { describe, expect, test } from 'vitest';
import { type Answering, fine, type Path, path, serving } from '../../test/path.ts';
import type { Fault } from '../host/fault.ts';
import { seeded } from '../kit/random.ts';
import { pathPolicy } from './policy.ts';

const threeTimes = { retry: { attempts: 3, backoff: '1ms' } } as const;
const now = { atUs: 0 } as const;

describe('a call', () => {
  test('is answered by the reply of an instance', () => {
    expect(path().ask()).toMatchObject({ ok: true, reply: { status: 200 } });
  });

  test('fails for certain when there is nobody to ask', () => {
    const { ask } = path({ targets: { releases: { v1: [] }, traffic: { v1: 1 } } });
    expect(ask()).toEqual({ ok: false, why: 'no-target', certain: true });
  });

  test('ends after the timeout when nobody answers, and nobody knows what happened', () => {
    const { ask, world } = path({ instances: { 'api/0': () => undefined }, timeout: '300ms' });
    const startedAt = world.now;
    expect(ask()).toEqual({ ok: false, why: 'timeout', certain: false });
    expect(world.now - startedAt).toBe(300_000);
  });

  test('ends exactly once each, under loss, kills, pauses and cuts', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const flaky: Answering = (index) =>
        index % 7 === 3
          ? undefined
          : { status: index % 5 === 4 ? 503 : 200, afterUs: (index % 4) * 20_000 };
      const { world, start } = path({
        seed,
        instances: { 'api/0': flaky, 'api/1': flaky, 'api/2': fine },
        timeout: '200ms',
        ...threeTimes,
      });
      const random = seeded(seed).fork('weather');
      const everybody = { all: true } as const;
      const faults: Fault[] = Array.from({ length: 8 }, (_, i): Fault => {
        const timed = { atUs: random.below(900_000), forUs: random.between(20_000, 300_000) };
        const target = { node: `api/${random.below(3)}` };
        const kinds = [
          { ...timed, do: 'kill', target },
          { ...timed, do: 'power-off', target },
          { ...timed, do: 'pause', target },
          { ...timed, do: 'cut', from: { node: 'edge/0' }, to: target, oneWay: random.chance(0.5) },
          { ...timed, do: 'lose', from: everybody, to: everybody, ratio: 0.3 },
          { ...timed, do: 'duplicate', from: everybody, to: everybody, ratio: 0.5 },
        ] satisfies Fault[];
        return kinds[i % kinds.length]!;
      });
      world.applyFaults(faults, world.now);
      const ends = Array.from({ length: 200 }, () => 0);
      for (let call = 0; call < ends.length; call++) {
        start(call % 2 ? 'GET' : 'POST', () => ends[call]!++);
        world.run(world.now + 5_000);
      }
      world.healAll();
      world.run(world.now + 5_000_000);
      expect([...new Set(ends)], `seed ${seed}`).toEqual([1]);
    }
  });
});

describe('a retry', () => {
  const broken: Answering = () => ({ status: 503 });

  test('goes to another instance than the one that failed', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { ask, requests } = path({
        seed,
        instances: { 'api/0': broken, 'api/1': broken, 'api/2': broken },
        retry: { attempts: 2, backoff: '1ms' },
      });
      expect(ask()).toMatchObject({ ok: true, reply: { status: 503 } });
      const [first, second] = requests.map(({ node }) => node);
      expect(requests).toHaveLength(2);
      expect(second).not.toBe(first);
    }
  });

  test('is made for bad gateway, unavailable and gateway timeout, and for no other reply', () => {
    for (const status of [200, 301, 404, 429, 500, 501, 502, 503, 504]) {
      const answer: Answering = () => ({ status });
      const { ask, requests } = path({
        instances: { 'api/0': answer, 'api/1': answer },
        ...threeTimes,
      });
      expect(ask()).toMatchObject({ ok: true, reply: { status } });
      expect(requests.length, String(status)).toBe(status >= 502 ? 3 : 1);
    }
  });

  test('of what may have happened is made only for methods that may be repeated', () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'PATCH']) {
      const { ask, requests } = path({
        instances: { 'api/0': broken, 'api/1': broken },
        ...threeTimes,
      });
      ask(method);
      const repeatable = method !== 'POST' && method !== 'PATCH';
      expect(requests.length, method).toBe(repeatable ? 3 : 1);
    }
  });

  test('of what certainly did not arrive is made for any method', () => {
    const { ask, world, requests } = path({ ...threeTimes, balance: 'round-robin' });
    world.inject({ ...now, do: 'kill', target: { node: 'api/0' } });
    world.run(world.now + 1_000);
    for (let i = 0; i < 6; i++) expect(ask('POST')).toMatchObject({ ok: true });
    expect(requests.every(({ node }) => node === 'api/1')).toBe(true);
  });

  test('of a POST that broke off half way is not made', () => {
    const { ask, world, requests } = path({
      instances: { 'api/0': () => undefined, 'api/1': () => undefined },
      ...threeTimes,
    });
    world.applyFaults([{ atUs: 20_000, do: 'kill', target: { block: 'api' } }], world.now);
    expect(ask('POST')).toEqual({ ok: false, why: 'reset', certain: false });
    expect(requests).toHaveLength(1);
  });

  test('is not certain about a call of which one attempt was in doubt, whatever the last one says', () => {
    const { ask, world } = path({
      instances: { 'api/0': () => undefined, 'api/1': () => undefined },
      ...threeTimes,
    });
    world.applyFaults([{ atUs: 20_000, do: 'kill', target: { block: 'api' } }], world.now);
    // The first attempt is reset half way, the next ones are refused.
    expect(ask('GET')).toEqual({ ok: false, why: 'refused', certain: false });
  });

  test('when everything fails, adds no more than the budget and its reserve', () => {
    const { ask, requests, caller } = path({
      instances: { 'api/0': broken, 'api/1': broken },
      retry: { attempts: 5, budget: 0.1, reserve: 3, backoff: '0ms' },
    });
    for (let call = 0; call < 300; call++) ask();
    expect(requests.length).toBe(300 + caller.retryCount);
    expect(caller.retryCount).toBeGreaterThan(20);
    expect(caller.retryCount).toBeLessThanOrEqual(3 + 30);
  });

  test('is not begun when the deadline would pass before it', () => {
    const { ask, world, requests } = path({
      instances: { 'api/0': broken, 'api/1': broken },
      timeout: '20ms',
      retry: { attempts: 10, reserve: 100, backoff: '5ms', backoffMax: '5ms' },
    });
    const startedAt = world.now;
    ask();
    expect(world.now - startedAt).toBeLessThanOrEqual(20_000);
    expect(requests.length).toBeGreaterThan(1);
    for (const { at } of requests) expect(at - startedAt).toBeLessThanOrEqual(20_000);
  });
});

describe('the deadline', () => {
  test('is passed on, less what was used: the caller of the caller bounds everybody', () => {
    const slow: Answering = () => ({ status: 503, afterUs: 30_000 });
    const { ask, requests } = path({
      instances: { 'api/0': slow, 'api/1': slow },
      timeout: '1s',
      attemptTimeout: '1s',
      ...threeTimes,
    });
    ask('GET', 80_000);
    const [first, second, third] = requests.map(({ request }) => request.timeoutUs!);
    expect(first).toBe(80_000);
    expect(second).toBeLessThanOrEqual(50_000);
    expect(third ?? 0).toBeLessThanOrEqual(20_000);
  });

  test('of the policy holds where the caller asked for more', () => {
    const { ask, requests } = path({ timeout: '40ms' });
    ask('GET', 5_000_000);
    expect(requests[0]!.request.timeoutUs).toBe(40_000);
  });

  test('that has passed is a certain failure, and nothing is sent', () => {
    const { ask, requests } = path();
    expect(ask('GET', 0)).toEqual({ ok: false, why: 'timeout', certain: true });
    expect(requests).toEqual([]);
  });

  test('shares itself evenly between the attempts unless told otherwise', () => {
    const { ask, requests } = path({ timeout: '900ms', ...threeTimes });
    ask();
    expect(requests[0]!.request.timeoutUs).toBe(300_000);
  });

  test('an attempt that is given up is cancelled, so that nobody works for it', () => {
    const { ask, world, cancels, requests } = path({
      instances: { 'api/0': () => undefined },
      timeout: '50ms',
    });
    ask();
    world.run(world.now + 10_000);
    expect(cancels).toEqual([{ node: 'api/0', id: requests[0]!.request.id }]);
  });
});

describe('a target that refused', () => {
  test('is passed over at first, and asked again when its time is up', () => {
    const { ask, world, requests } = path({ ...threeTimes, balance: 'round-robin' });
    const restart = world.inject({ ...now, do: 'kill', target: { node: 'api/0' } });
    world.run(world.now + 1_000);
    for (let i = 0; i < 4; i++) ask();
    restart();
    world.run(world.now + 10_000);
    expect(new Set(requests.map(({ node }) => node))).toEqual(new Set(['api/1']));
    world.run(world.now + 600_000);
    for (let i = 0; i < 8; i++) ask();
    expect(requests.filter(({ node }) => node === 'api/0')).toHaveLength(4);
  });
});

describe('traffic', () => {
  const releases = { v1: ['api/0', 'api/1'], v2: ['api/2'] };
  const instances = { 'api/0': fine, 'api/1': fine, 'api/2': fine };

  function shareOfV2({ requests }: Path): number {
    return requests.filter(({ node }) => node === 'api/2').length / requests.length;
  }

  test('is split between the releases as declared, not as they have instances', () => {
    const split = path({ instances, targets: { releases, traffic: { v1: 0.9, v2: 0.1 } } });
    for (let i = 0; i < 1_000; i++) split.ask();
    expect(shareOfV2(split)).toBeGreaterThan(0.07);
    expect(shareOfV2(split)).toBeLessThan(0.13);
  });

  test('that is shifted goes elsewhere from the next call on', () => {
    const shifted = path({ instances, targets: { releases, traffic: { v1: 1, v2: 0 } } });
    for (let i = 0; i < 20; i++) shifted.ask();
    expect(shareOfV2(shifted)).toBe(0);
    shifted.caller.shift({ v1: 0, v2: 1 });
    for (let i = 0; i < 20; i++) shifted.ask();
    expect(shareOfV2(shifted)).toBe(0.5);
    shifted.caller.shift({});
    for (let i = 0; i < 40; i++) shifted.ask();
    expect(shareOfV2(shifted)).toBe(0.25);
  });

  test('for a release without instances goes to those that have some', () => {
    const lonely = path({ instances, targets: { releases, traffic: { v2: 1, v3: 5 } } });
    for (let i = 0; i < 20; i++) lonely.ask();
    expect(shareOfV2(lonely)).toBe(1);
  });
});

describe('the meters of a path', () => {
  const readingOf = ({ world }: Path) =>
    world.meters.snapshot().find(({ node }) => node === 'edge/0')!;

  test('count every attempt by the block that it goes to, and what came of it', () => {
    let count = 0;
    const failing: Answering = () => ({ status: count++ < 3 ? 503 : 200, afterUs: 2_000 });
    const counted = path({ instances: { 'api/0': failing, 'api/1': failing }, ...threeTimes });
    expect(counted.ask()).toMatchObject({ ok: true, reply: { status: 503 } });
    expect(counted.ask()).toMatchObject({ ok: true, reply: { status: 200 } });
    const { counters, histograms } = readingOf(counted);
    expect(counters).toEqual({ 'calls api': 4, 'call errors api': 3 });
    expect(histograms['call latency api']).toMatchObject({ count: 4 });
    // The work, and a hop in each direction.
    expect(histograms['call latency api']!.min).toBeGreaterThanOrEqual(2_500);
  });

  test('count a timeout and a refusal as failures', () => {
    const silent = path({ instances: { 'api/0': () => undefined }, attemptTimeout: '50ms' });
    expect(silent.ask()).toMatchObject({ ok: false, why: 'timeout' });
    silent.world.inject({ do: 'kill', target: { node: 'api/0' }, ...now });
    expect(silent.ask()).toMatchObject({ ok: false });
    const { counters, histograms } = readingOf(silent);
    expect(counters).toEqual({ 'calls api': 2, 'call errors api': 2 });
    expect(histograms['call latency api']!.max).toBeGreaterThanOrEqual(50_000);
  });
});

describe('a roster that changes while the system runs', () => {
  const four = { 'api/0': fine, 'api/1': fine, 'api/2': fine, 'api/3': fine };
  const nodesOf = ({ requests }: Path) => new Set(requests.map(({ node }) => node));

  test('brings calls to who came, and none any more to who went', () => {
    const changing = path({ instances: four, spare: ['api/2', 'api/3'] });
    for (let i = 0; i < 20; i++) changing.ask();
    expect(nodesOf(changing)).toEqual(new Set(['api/0', 'api/1']));
    changing.requests.length = 0;
    changing.caller.retarget(serving(['api/3', 'api/1']));
    for (let i = 0; i < 20; i++) changing.ask();
    expect(nodesOf(changing)).toEqual(new Set(['api/1', 'api/3']));
    changing.caller.retarget(serving([]));
    expect(changing.ask()).toMatchObject({ ok: false, why: 'no-target', certain: true });
  });

  test('lets a call end where nobody serves any more', () => {
    const slow: Answering = () => ({ status: 200, afterUs: 50_000 });
    const { start, world, caller } = path({
      instances: { ...four, 'api/0': slow },
      spare: ['api/1', 'api/2', 'api/3'],
    });
    let ended: unknown;
    start('GET', (outcome) => {
      ended = outcome;
    });
    world.run(world.now + 10_000);
    caller.retarget(serving(['api/1']));
    world.run(world.now + 100_000);
    expect(ended).toMatchObject({ ok: true, reply: { status: 200 } });
  });

  test('keeps what is open at those that stay, and at one who comes back', () => {
    const silent: Answering = () => undefined;
    const held = path({
      instances: { 'api/0': silent, 'api/1': fine },
      spare: ['api/1'],
      timeout: '10s',
    });
    const forget = (): void => {};
    for (let i = 0; i < 5; i++) held.start('GET', forget);
    held.world.run(held.world.now + 10_000);
    held.caller.retarget(serving(['api/1']));
    held.caller.retarget(serving(['api/1', 'api/0']));
    held.requests.length = 0;
    for (let i = 0; i < 20; i++) held.ask();
    expect(nodesOf(held)).toEqual(new Set(['api/1']));
  });

  test('does not count what was given up', () => {
    const silent: Answering = () => undefined;
    const left = path({ instances: { 'api/0': silent, 'api/1': fine } });
    for (let i = 0; i < 20; i++) left.start('GET', () => {})();
    left.world.run(left.world.now + 10_000);
    left.requests.length = 0;
    for (let i = 0; i < 20; i++) left.start('GET', () => {});
    left.world.run(left.world.now + 10_000);
    const shares = ['api/0', 'api/1'].map(
      (node) => left.requests.filter((one) => one.node === node).length,
    );
    expect(shares).toEqual([10, 10]);
  });

  test('keeps that one has just refused', () => {
    const dead = path({ ...threeTimes, balance: 'round-robin' });
    dead.world.inject({ ...now, do: 'kill', target: { node: 'api/0' } });
    dead.world.run(dead.world.now + 1_000);
    for (let i = 0; i < 4; i++) dead.ask();
    const before = dead.caller.retryCount;
    expect(before).toBeGreaterThan(0);
    dead.caller.retarget(serving(['api/1', 'api/0']));
    for (let i = 0; i < 4; i++) dead.ask();
    expect(dead.caller.retryCount).toBe(before);
  });

  test('does not care in which order names come', () => {
    const orders = [
      ['api/0', 'api/1', 'api/2', 'api/3'],
      ['api/2', 'api/3', 'api/0', 'api/1'],
    ];
    const traces = orders.map((order) => {
      const ordered = path({ instances: four, targets: serving(order) });
      for (let i = 0; i < 10; i++) ordered.ask();
      ordered.caller.retarget(
        serving(
          order
            .toSorted(() => -1)
            .slice(1, 3)
            .concat(order),
        ),
      );
      for (let i = 0; i < 10; i++) ordered.ask();
      return ordered.requests.map(({ node }) => node);
    });
    expect(traces[1]).toEqual(traces[0]);
  });

  test('splits by weight', () => {
    for (const balance of ['least-requests', 'round-robin', 'two-choices', 'random'] as const) {
      const members = [
        { node: 'api/0', weight: 3 },
        { node: 'api/1', weight: 1 },
      ];
      const weighted = path({
        balance,
        targets: { releases: { v1: members }, traffic: { v1: 1 } },
      });
      for (let i = 0; i < 400; i++) weighted.ask();
      const heavy = weighted.requests.filter(({ node }) => node === 'api/0').length;
      // Nothing is open when the next is asked: then least requests has only weights to go by.
      expect(heavy / 400, balance).toBeGreaterThan(0.68);
      if (balance !== 'least-requests') expect(heavy / 400, balance).toBeLessThan(0.82);
    }
  });
});

describe('a policy that changes while the system runs', () => {
  const failing: Answering = () => ({ status: 503 });
  const { policy: persistent } = pathPolicy('p', { ...threeTimes, balance: 'round-robin' });

  test('holds for the calls that begin from then on, and the declared one when it is taken back', () => {
    const { ask, caller, requests } = path({ instances: { 'api/0': failing, 'api/1': failing } });
    const attempts = () => {
      requests.length = 0;
      ask();
      return requests.length;
    };
    expect(attempts()).toBe(1);
    caller.adopt(persistent);
    expect(attempts()).toBe(3);
    caller.adopt(null);
    expect(attempts()).toBe(1);
  });

  test('is taken from the run and from programs of the same node, and from nobody else', () => {
    const { ask, requests, say } = path({ instances: { 'api/0': failing, 'api/1': failing } });
    const said = { type: 'adopt', service: 'api', policy: persistent } as const;
    say('api/0', said);
    ask();
    expect(requests).toHaveLength(1);
    say('edge/0', said);
    ask();
    expect(requests).toHaveLength(4);
  });
});
