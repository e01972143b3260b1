/** The stages of a path, each switched on by its option, in a simulated world. */
import { describe, expect, test } from 'vitest';
import { type Answering, fine, type Path, path, serving } from '../../test/path.ts';
import { everyFault, weather } from '../../test/weather.ts';
import { seeded } from '../kit/random.ts';
import type { Purge } from '../parts/http-cache.ts';
import type { Outcome, Targets } from './caller.ts';
import { pathPolicy } from './policy.ts';

const broken: Answering = () => ({ status: 500 });
const silent: Answering = () => undefined;
const now = { atUs: 0 } as const;

function countersOf({ world }: Path): Readonly<Record<string, number>> {
  return world.meters.snapshot().find(({ node }) => node === 'edge/0')!.counters;
}

function nodesOf({ requests }: Path): Set<string> {
  return new Set(requests.map(({ node }) => node));
}

describe('a breaker', () => {
  const opens = { breaker: { consecutive: 3, openFor: '2s' } } as const;

  test('stops calls to a lone instance, says when to come back, and tries again with one', () => {
    let isWell = false;
    const answer: Answering = () => ({ status: isWell ? 200 : 500 });
    const lone = path({ instances: { 'api/0': answer }, ...opens });
    for (let i = 0; i < 3; i++) expect(lone.ask()).toMatchObject({ ok: true });
    const refusal = lone.ask();
    expect(refusal).toMatchObject({ ok: false, why: 'open', certain: true });
    expect(!refusal.ok && refusal.retryAfterUs).toBeGreaterThan(1_900_000);
    expect(lone.requests).toHaveLength(3);
    lone.world.run(lone.world.now + 2_000_000);
    // The trial fails: open again, at once.
    lone.ask();
    expect(lone.ask()).toMatchObject({ ok: false, why: 'open' });
    expect(lone.requests).toHaveLength(4);
    isWell = true;
    lone.world.run(lone.world.now + 2_000_000);
    for (let i = 0; i < 5; i++)
      expect(lone.ask()).toMatchObject({ ok: true, reply: { status: 200 } });
    expect(countersOf(lone)['breaker refused api']).toBe(2);
  });

  test('an instance takes only the sick one out', () => {
    const mixed = path({
      instances: { 'api/0': broken, 'api/1': fine },
      balance: 'round-robin',
      ...opens,
    });
    for (let i = 0; i < 20; i++) mixed.ask();
    expect(mixed.requests.filter(({ node }) => node === 'api/0')).toHaveLength(3);
  });

  test('before the whole service closes all', () => {
    const shared = path({
      instances: { 'api/0': broken, 'api/1': broken },
      breaker: { consecutive: 3, per: 'service' },
    });
    for (let i = 0; i < 10; i++) shared.ask();
    expect(shared.requests).toHaveLength(3);
  });

  test('lets no more than its trials through while half-open, whatever comes at once', () => {
    for (const trials of [1, 3]) {
      let isSlow = false;
      const answer: Answering = () =>
        isSlow ? { status: 200, afterUs: 300_000 } : { status: 500 };
      const tried = path({
        instances: { 'api/0': answer, 'api/1': answer },
        breaker: { consecutive: 2, openFor: '1s', trials },
      });
      for (let i = 0; i < 6; i++) tried.ask();
      isSlow = true;
      tried.world.run(tried.world.now + 1_100_000);
      tried.requests.length = 0;
      for (let i = 0; i < 50; i++) tried.start('GET', () => {});
      tried.world.run(tried.world.now + 100_000);
      expect(tried.requests).toHaveLength(2 * trials);
    }
  });

  test('gives the place of a trial that is given up to another', () => {
    let isWell = false;
    const answer: Answering = () => (isWell ? { status: 200, afterUs: 20_000 } : { status: 500 });
    const lone = path({ instances: { 'api/0': answer }, ...opens });
    for (let i = 0; i < 3; i++) lone.ask();
    lone.world.run(lone.world.now + 2_100_000);
    isWell = true;
    lone.start('GET', () => {})();
    expect(lone.ask()).toMatchObject({ ok: true, reply: { status: 200 } });
  });

  test('keeps its state while the roster changes around it, and while other options do', () => {
    const kept = path({
      instances: { 'api/0': broken, 'api/1': fine },
      spare: ['api/1'],
      ...opens,
    });
    for (let i = 0; i < 4; i++) kept.ask();
    kept.caller.retarget(serving(['api/1', 'api/0']));
    kept.caller.adopt(pathPolicy('p', { ...opens, timeout: '2s' }).policy);
    for (let i = 0; i < 10; i++) kept.ask();
    expect(kept.requests.filter(({ node }) => node === 'api/0')).toHaveLength(3);
  });
});

describe('a bulkhead', () => {
  test('lets so many through at once, keeps so many waiting, refuses the rest', () => {
    const slow: Answering = () => ({ status: 200, afterUs: 50_000 });
    const held = path({ instances: { 'api/0': slow }, bulkhead: { slots: 2, queueMax: 3 } });
    const ends: string[] = [];
    for (let i = 0; i < 8; i++) {
      held.start('GET', (outcome) => ends.push(outcome.ok ? 'ok' : outcome.why));
    }
    expect(ends).toEqual(['full', 'full', 'full']);
    held.world.run(held.world.now + 10_000);
    expect(held.requests).toHaveLength(2);
    held.world.run(held.world.now + 1_000_000);
    expect(ends.filter((end) => end === 'ok')).toHaveLength(5);
    expect(countersOf(held)['bulkhead refused api']).toBe(3);
  });

  test('sends nothing of what waited past its deadline', () => {
    const held = path({
      instances: { 'api/0': silent },
      timeout: '100ms',
      bulkhead: { slots: 1, queueMax: 10 },
    });
    const ends: unknown[] = [];
    for (let i = 0; i < 5; i++) held.start('POST', (outcome) => ends.push(outcome));
    held.world.run(held.world.now + 300_000);
    expect(held.requests).toHaveLength(1);
    expect(ends).toHaveLength(5);
    expect(ends.filter((end) => (end as { certain: boolean }).certain)).toHaveLength(4);
  });

  test('hands on the place of who gives up, also while it waits', () => {
    const held = path({ instances: { 'api/0': silent }, bulkhead: { slots: 1, queueMax: 5 } });
    const giveUps = Array.from({ length: 4 }, () => held.start('GET', () => {}));
    giveUps[1]!();
    giveUps[0]!();
    held.world.run(held.world.now + 10_000);
    expect(held.requests).toHaveLength(2);
    expect(held.cancels).toHaveLength(1);
  });
});

describe('a hedge', () => {
  const usual: Answering = (index) => ({ status: 200, afterUs: 250 * (1 + (index % 20)) });

  /** The first hundred answers come at once; then one instance hangs. */
  function hedged(budget: number) {
    const instances: Record<string, Answering> = {
      'api/0': (index, request) => (index < 100 ? usual(index, request) : undefined),
      'api/1': usual,
    };
    const hedge = { budget, reserve: 5, samplesMin: 200 };
    const made = path({ instances, balance: 'round-robin', hedge });
    for (let i = 0; i < 200; i++) made.ask();
    made.requests.length = 0;
    return made;
  }

  test('asks another when the first is late; the first answer counts, the other is cancelled', () => {
    const made = hedged(1);
    const startedAt = made.world.now;
    for (let i = 0; i < 4; i++) expect(made.ask()).toMatchObject({ ok: true });
    expect(made.world.now - startedAt).toBeLessThan(100_000);
    made.world.run(made.world.now + 10_000);
    expect(countersOf(made)['hedges api']).toBe(2);
    expect(made.cancels.map(({ node }) => node)).toEqual(['api/0', 'api/0']);
    expect(made.requests).toHaveLength(6);
  });

  test('is made only as its budget allows', () => {
    const made = hedged(0.1);
    for (let i = 0; i < 100; i++) made.ask();
    // 5 saved up, and a tenth of what came since, itself included.
    expect(countersOf(made)['hedges api']).toBeLessThanOrEqual(15);
    expect(countersOf(made)['hedges api']).toBeGreaterThan(10);
  });

  test('of a POST is not made', () => {
    const made = hedged(1);
    for (let i = 0; i < 4; i++) made.ask('POST');
    expect(countersOf(made)['hedges api'] ?? 0).toBe(0);
  });
});

describe('a fallback', () => {
  function failingAfter(count: number): Answering {
    return (index) => ({ status: index < count ? 200 : 503 });
  }
  const headerOf = (headers: readonly string[], name: string) => headers[headers.indexOf(name) + 1];

  test('is the last good answer, marked with its age, until it is too old', () => {
    const covered = path({
      instances: { 'api/0': failingAfter(1) },
      fallback: { staleMax: '10s' },
    });
    covered.ask();
    covered.world.run(covered.world.now + 3_000_000);
    const outcome = covered.ask();
    expect(outcome).toMatchObject({ ok: true, reply: { status: 200 } });
    const headers = outcome.ok ? outcome.reply.headers : [];
    expect(headerOf(headers, 'age')).toBe('3');
    expect(headerOf(headers, 'warning')).toMatch(/^110 /);
    covered.world.run(covered.world.now + 10_000_000);
    expect(covered.ask()).toMatchObject({ ok: true, reply: { status: 503 } });
  });

  test('never answers a POST, and never with what another user was shown', () => {
    const covered = path({ instances: { 'api/0': failingAfter(2) }, fallback: {} });
    covered.ask('GET', undefined, ['authorization', 'Bearer a']);
    covered.ask();
    expect(covered.ask('POST')).toMatchObject({ reply: { status: 503 } });
    expect(covered.ask('GET', undefined, ['cookie', 'user=b'])).toMatchObject({
      reply: { status: 503 },
    });
    expect(covered.ask()).toMatchObject({ reply: { status: 200 } });
  });

  test('is for whom the answer was: what it varies with has to be the same', () => {
    const inTheirLanguage: Answering = (index, { headers }) => ({
      status: index < 2 ? 200 : 503,
      headers: [
        'vary',
        'Accept-Language',
        'content-language',
        headerOf(headers, 'accept-language')!,
      ],
    });
    const covered = path({ instances: { 'api/0': inTheirLanguage }, fallback: {} });
    const ask = (language: string) =>
      covered.ask('GET', undefined, ['accept-language', language]) as Outcome & { ok: true };
    ask('de');
    ask('en');
    for (const language of ['de', 'en']) {
      const { reply } = ask(language);
      expect(reply.status).toBe(200);
      expect(headerOf(reply.headers, 'content-language')).toBe(language);
    }
    expect(ask('fr').reply.status).toBe(503);
  });

  test('is nothing that may not be shown stale, and says the whole of its age', () => {
    const saying =
      (...headers: string[]): Answering =>
      (index) => ({ status: index < 1 ? 200 : 503, headers });
    const later = (...headers: string[]) => {
      const covered = path({ instances: { 'api/0': saying(...headers) }, fallback: {} });
      covered.ask();
      covered.world.run(covered.world.now + 2_000_000);
      return (covered.ask() as Outcome & { ok: true }).reply;
    };
    for (const directive of ['no-cache', 'max-age=9, must-revalidate', 's-maxage=9', 'private']) {
      expect(later('cache-control', directive).status).toBe(503);
    }
    expect(later('vary', '*').status).toBe(503);
    const { status, headers } = later('age', '40', 'cache-control', 'max-age=60');
    expect(status).toBe(200);
    expect(headers.filter((name) => name === 'age')).toHaveLength(1);
    expect(headerOf(headers, 'age')).toBe('42');
  });

  test('is nothing that was purged, nor what was asked before that', () => {
    const tagged: Answering = (index) => ({
      status: index < 1 ? 200 : 503,
      afterUs: 50_000,
      headers: ['surrogate-key', 'a b'],
    });
    const purges: readonly [purge: Purge, isMeant: boolean][] = [
      [{ by: 'url', url: 'http://api/?x' }, true],
      [{ by: 'url', url: 'http://api/x' }, false],
      [{ by: 'prefix', prefix: 'http://api/' }, true],
      [{ by: 'tag', tag: 'b' }, true],
      [{ by: 'tag', tag: 'c' }, false],
      [{ by: 'age', ageUs: 1_000 }, true],
      [{ by: 'all' }, true],
    ];
    for (const [purge, isMeant] of purges) {
      const covered = path({ instances: { 'api/0': tagged }, fallback: {} });
      covered.ask();
      covered.world.run(covered.world.now + 10_000);
      covered.caller.purge(purge);
      expect(covered.ask()).toMatchObject({ reply: { status: isMeant ? 503 : 200 } });
    }
    const late = path({ instances: { 'api/0': tagged }, fallback: {} });
    late.start('GET', () => {});
    late.world.run(late.world.now + 10_000);
    late.caller.purge({ by: 'tag', tag: 'not this' });
    late.world.run(late.world.now + 200_000);
    expect(late.ask()).toMatchObject({ reply: { status: 503 } });
  });
});

describe('outliers', () => {
  test('are ejected after failures in a row, and come back when their time is up', () => {
    const watched = path({
      instances: {
        'api/0': (index) => ({ status: index < 3 ? 500 : 200 }),
        'api/1': fine,
        'api/2': fine,
      },
      balance: 'round-robin',
      outliers: { consecutive: 3, ejectFor: '5s' },
    });
    for (let i = 0; i < 30; i++) watched.ask();
    expect(watched.requests.filter(({ node }) => node === 'api/0')).toHaveLength(3);
    watched.caller.retarget(serving(['api/2', 'api/1', 'api/0']));
    for (let i = 0; i < 9; i++) watched.ask();
    expect(watched.requests.filter(({ node }) => node === 'api/0')).toHaveLength(3);
    watched.world.run(watched.world.now + 5_000_000);
    for (let i = 0; i < 9; i++) watched.ask();
    expect(watched.requests.filter(({ node }) => node === 'api/0')).toHaveLength(6);
    expect(countersOf(watched)['ejected api']).toBe(1);
  });
});

describe('health checks', () => {
  const health = {
    interval: '200ms',
    intervalUndecided: '100ms',
    timeout: '50ms',
    fall: 2,
  } as const;
  const real = ({ requests }: Path) =>
    requests.filter(({ request }) => request.method !== 'OPTIONS');

  test('take out who does not answer before a user finds out, and bring it back', () => {
    const { world, ask, requests, ...rest } = path({ balance: 'round-robin', health });
    const checked = { world, ask, requests, ...rest };
    world.run(world.now + 1_000_000);
    const resume = world.inject({ ...now, do: 'pause', target: { node: 'api/0' } });
    world.run(world.now + 1_000_000);
    for (let i = 0; i < 6; i++) expect(ask()).toMatchObject({ ok: true });
    expect(new Set(real(checked).map(({ node }) => node))).toEqual(new Set(['api/1']));
    resume();
    world.run(world.now + 1_000_000);
    for (let i = 0; i < 6; i++) ask();
    expect(new Set(real(checked).map(({ node }) => node))).toEqual(new Set(['api/0', 'api/1']));
    // Probes are no calls of anybody.
    expect(countersOf(checked)['calls api']).toBe(12);
  });

  test('keep calls from a new one until it has answered once', () => {
    const three = { 'api/0': fine, 'api/1': fine, 'api/2': silent };
    const checked = path({ instances: three, spare: ['api/1', 'api/2'], health });
    checked.world.run(checked.world.now + 1_000_000);
    checked.caller.retarget(serving(['api/0', 'api/1', 'api/2']));
    checked.world.run(checked.world.now + 10_000);
    for (let i = 0; i < 20; i++) checked.ask();
    expect(new Set(real(checked).map(({ node }) => node))).toEqual(new Set(['api/0', 'api/1']));
  });
});

describe('balancing', () => {
  const four = { 'api/0': fine, 'api/1': fine, 'api/2': fine, 'api/3': fine };

  test('by a key keeps it at one instance, and moves only the keys of who went', () => {
    for (const balance of ['source-hash', 'consistent-hash'] as const) {
      const hashed = path({ instances: four, balance, hash: { key: 'header:user' } });
      const homes = () =>
        Array.from({ length: 40 }, (_, user) => {
          hashed.requests.length = 0;
          hashed.ask('GET', undefined, ['user', `${user}`]);
          return hashed.requests[0]!.node;
        });
      const before = homes();
      expect(homes()).toEqual(before);
      expect(new Set(before).size).toBe(4);
      hashed.caller.retarget(serving(['api/0', 'api/1', 'api/3']));
      homes().forEach((home, user) => {
        if (before[user] !== 'api/2') expect(home).toBe(before[user]);
      });
    }
  });

  test('by latency leaves a slow instance alone', () => {
    const slow: Answering = () => ({ status: 200, afterUs: 100_000 });
    const timed = path({ instances: { ...four, 'api/0': slow }, balance: 'latency' });
    for (let i = 0; i < 100; i++) timed.ask();
    expect(timed.requests.filter(({ node }) => node === 'api/0').length).toBeLessThan(5);
  });

  test('with slow start spares who has just come', () => {
    const warming = path({
      instances: four,
      spare: ['api/3'],
      balance: 'random',
      slowStart: { warmup: '100s' },
    });
    warming.caller.retarget(serving(Object.keys(four)));
    for (let i = 0; i < 300; i++) warming.ask();
    const share = warming.requests.filter(({ node }) => node === 'api/3').length / 300;
    expect(share).toBeLessThan(0.1);
    warming.world.run(warming.world.now + 100_000_000);
    warming.requests.length = 0;
    for (let i = 0; i < 300; i++) warming.ask();
    expect(warming.requests.filter(({ node }) => node === 'api/3').length / 300).toBeGreaterThan(
      0.17,
    );
  });

  test('within zones stays there as far as it is fair', () => {
    const zone = (node: string, at: string) => ({ node, zone: at });
    const members = [
      zone('api/0', 'a'),
      zone('api/1', 'b'),
      zone('api/2', 'a'),
      zone('api/3', 'b'),
    ];
    const local = path({
      instances: four,
      zones: {},
      targets: { releases: { v1: members }, traffic: { v1: 1 }, callers: { a: 1, b: 1 } },
    });
    for (let i = 0; i < 40; i++) local.ask();
    expect(nodesOf(local)).toEqual(new Set(['api/0', 'api/2']));
  });

  test('by a cookie keeps a client at its instance without telling who that is', () => {
    const sticky = path({ instances: four, sticky: {} });
    const first = sticky.ask();
    const headers = first.ok ? first.reply.headers : [];
    const cookie = headers[headers.indexOf('set-cookie') + 1]!.split(';')[0]!;
    expect(cookie).not.toContain('api');
    for (let i = 0; i < 10; i++) {
      const again = sticky.ask('GET', undefined, ['cookie', `theme=dark; ${cookie}`]);
      expect(again.ok && again.reply.headers).toEqual([]);
    }
    expect(nodesOf(sticky).size).toBe(1);
    sticky.world.inject({ ...now, do: 'kill', target: { node: sticky.requests[0]!.node } });
    sticky.world.run(sticky.world.now + 1_000);
    sticky.ask('GET', undefined, ['cookie', cookie]);
    expect(sticky.ask('GET', undefined, ['cookie', cookie])).toMatchObject({ ok: true });
  });

  test('by a remembered key does so for anything that tells clients apart', () => {
    const sticky = path({ instances: four, sticky: { by: 'header:user' } });
    for (let i = 0; i < 30; i++) sticky.ask('GET', undefined, ['user', `${i % 3}`]);
    for (const user of ['0', '1', '2']) {
      const own = sticky.requests.filter(({ request }) => request.headers[1] === user);
      expect(new Set(own.map(({ node }) => node)).size).toBe(1);
    }
  });
});

describe('releases', () => {
  const three = { 'api/0': fine, 'api/1': fine, 'api/2': fine };
  const half: Targets = {
    releases: { v1: ['api/0', 'api/1'], v2: ['api/2'] },
    traffic: { v1: 1, v2: 1 },
  };

  test('keep a user on one side of a split, and who names one gets it', () => {
    const split = path({
      instances: three,
      targets: half,
      split: { by: 'header:user', pin: 'cookie:release' },
    });
    const sideOf = (...headers: string[]) => {
      split.requests.length = 0;
      split.ask('GET', undefined, headers);
      return split.requests[0]!.node === 'api/2' ? 'v2' : 'v1';
    };
    const users = Array.from({ length: 40 }, (_, i) => `${i}`);
    const before = users.map((user) => sideOf('user', user));
    expect(users.map((user) => sideOf('user', user))).toEqual(before);
    expect(new Set(before)).toEqual(new Set(['v1', 'v2']));
    for (const user of users) expect(sideOf('user', user, 'cookie', 'release=v2')).toBe('v2');
    expect(sideOf('user', '0', 'cookie', 'release=none')).toBe(before[0]);
  });

  test('in the shadow get copies, and nobody hears what became of them', () => {
    const shadowed = path({
      instances: { ...three, 'api/2': broken },
      targets: { ...half, traffic: { v1: 1, v2: 0 } },
      shadow: { release: 'v2', share: 0.5 },
      breaker: { consecutive: 2 },
    });
    for (let i = 0; i < 100; i++) expect(shadowed.ask()).toMatchObject({ reply: { status: 200 } });
    const copies = shadowed.requests.filter(({ node }) => node === 'api/2').length;
    expect(copies).toBeGreaterThan(30);
    expect(copies).toBeLessThan(70);
  });

  test('without traffic get none either when the breakers of the others are all open', () => {
    const shut = path({
      instances: { 'api/0': broken, 'api/1': broken, 'api/2': fine },
      targets: { ...half, traffic: { v1: 1, v2: 0 } },
      breaker: { consecutive: 2 },
    });
    for (let i = 0; i < 20; i++) shut.ask();
    expect(shut.ask()).toMatchObject({ ok: false, why: 'open' });
    expect(nodesOf(shut)).toEqual(new Set(['api/0', 'api/1']));
  });
});

describe('a drill', () => {
  test('fails a share of the calls in place of the service, behind the breaker and the retries', () => {
    const drilled = path({ retry: { attempts: 3, reserve: 100, backoff: '0ms' } });
    drilled.caller.disturb([{ ratio: 0.3, status: 503 }]);
    for (let i = 0; i < 200; i++) drilled.ask();
    expect(drilled.caller.retryCount).toBeGreaterThan(30);
    expect(drilled.requests.length).toBeLessThan(215);
    drilled.caller.disturb([]);
    const before = drilled.caller.retryCount;
    for (let i = 0; i < 50; i++) drilled.ask();
    expect(drilled.caller.retryCount).toBe(before);
  });

  test('makes calls late, and sends nothing that is given up meanwhile', () => {
    const drilled = path({ timeout: '300ms' });
    drilled.caller.disturb([{ ratio: 1, byUs: 100_000 }]);
    const startedAt = drilled.world.now;
    expect(drilled.ask()).toMatchObject({ ok: true });
    expect(drilled.world.now - startedAt).toBeGreaterThanOrEqual(100_000);
    drilled.caller.disturb([{ ratio: 1, byUs: 400_000 }]);
    drilled.requests.length = 0;
    expect(drilled.ask()).toMatchObject({ ok: false, why: 'timeout' });
    drilled.world.run(drilled.world.now + 1_000_000);
    expect(drilled.requests).toEqual([]);
  });
});

describe('with every stage at once, under faults and a roster that changes', () => {
  const options = {
    timeout: '300ms',
    attemptTimeout: '100ms',
    retry: { attempts: 4, budget: 0.2, reserve: 5, backoff: '2ms' },
    hedge: { budget: 0.1, reserve: 5, samplesMin: 20 },
    breaker: { consecutive: 4, volumeMin: 8, openFor: '200ms', trials: 2 },
    bulkhead: { slots: 12, queueMax: 6 },
    outliers: { consecutive: 3, ejectFor: '300ms' },
    health: { interval: '100ms', intervalUndecided: '50ms', timeout: '40ms' },
    fallback: { staleMax: '1s' },
    balance: 'two-choices',
  } as const;
  const seeds = Array.from({ length: 12 }, (_, i) => i + 1);

  test.each(seeds)('every law holds (seed %i)', (seed) => {
    const random = seeded(seed).fork('laws');
    const flaky: Answering = () =>
      random.chance(0.1)
        ? undefined
        : { status: random.chance(0.2) ? 503 : 200, afterUs: random.below(60_000) };
    const nodes = ['api/0', 'api/1', 'api/2', 'api/3'];
    const made = path({
      seed,
      ...options,
      instances: Object.fromEntries(nodes.map((node) => [node, flaky])),
    });
    const { world, caller, requests, start } = made;
    world.applyFaults(
      weather(random, {
        kinds: everyFault,
        nodes,
        count: 6,
        untilUs: 1_500_000,
        lastsMaxUs: 400_000,
      }),
      world.now,
    );
    const calls: { at: number; ends: number; gaveUp: boolean; done: string }[] = [];
    for (let i = 0; i < 400; i++) {
      const call = { at: world.now, ends: 0, gaveUp: false, done: '' };
      calls.push(call);
      const giveUp = start(random.chance(0.7) ? 'GET' : 'POST', (outcome) => {
        call.ends++;
        call.done = outcome.ok ? 'ok' : outcome.why;
      });
      if (random.chance(0.05)) {
        call.gaveUp = call.ends === 0;
        giveUp();
      }
      if (random.chance(0.02)) {
        caller.retarget(serving(nodes.filter(() => random.chance(0.8))));
      }
      world.run(world.now + random.below(8_000));
    }
    caller.retarget(serving(nodes));
    world.healAll();
    world.run(world.now + 3_000_000);

    // Every call ends once, or was given up; conservation follows.
    for (const { ends, gaveUp } of calls) expect(ends).toBe(gaveUp ? 0 : 1);
    // Nothing is sent past its deadline.
    const real = requests.filter(({ request }) => request.method !== 'OPTIONS');
    for (const { request } of real) expect(request.timeoutUs).toBeGreaterThan(0);
    // Neither budget is exceeded.
    expect(caller.retryCount).toBeLessThanOrEqual(5 + 0.2 * calls.length);
    expect(countersOf(made)['hedges api'] ?? 0).toBeLessThanOrEqual(5 + 0.1 * calls.length);
    // Nothing is left behind: all places are free again. A POST, since nothing stands in for it.
    const ends: string[] = [];
    for (let i = 0; i < 12 + 6; i++) {
      start('POST', (outcome) => ends.push(outcome.ok ? 'ok' : outcome.why));
    }
    expect(ends).not.toContain('full');
    world.run(world.now + 1_000_000);
    expect(ends).toHaveLength(18);
  });
});
