/** What one instance is sent, by the pace that its path allows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answering, fine, type Path, path, serving } from '../../test/path.ts';
import { seeded } from '../kit/random.ts';
import { type PathOptions, pathPolicy } from './policy.ts';

const nodes = ['api/0', 'api/1', 'api/2'];

/** Each instance has been called before the pace holds: what dials first arrives late, and closer to the next. */
function paced(options: PathOptions, answer: Answering, seed = 1): Path {
  const instances = Object.fromEntries(nodes.map((node) => [node, answer]));
  const made = path({ seed, balance: 'round-robin', instances });
  for (const _ of nodes) made.ask();
  made.requests.length = 0;
  made.caller.adopt(pathPolicy('path', options).policy);
  return made;
}

/** The most that arrived at one of them beyond rate × span, over all spans between two arrivals; µs of its pace. */
function mostAhead(times: readonly number[], stepUs: number): number {
  let most = 0;
  let owed = 0;
  let before = Number.NEGATIVE_INFINITY;
  for (const at of times) {
    owed = Math.max(0, owed - (at - before)) + stepUs;
    before = at;
    most = Math.max(most, owed);
  }
  return most;
}

function arrivals({ requests }: Path, node: string): readonly number[] {
  return requests
    .filter((one) => one.node === node && one.request.method !== 'OPTIONS')
    .map(({ at }) => at);
}

describe('a pace', () => {
  test('no span of time sends an instance more than burst + rate × span, whatever else the policy does', () => {
    const choices = fc.record({
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      stepUs: fc.constantFrom(4_000, 10_000, 25_000),
      burst: fc.integer({ min: 1, max: 6 }),
      balance: fc.constantFrom(
        'least-requests',
        'round-robin',
        'two-choices',
        'random',
        'consistent-hash',
        'latency',
      ),
      more: fc.constantFrom<PathOptions>(
        {},
        { sticky: { by: 'header:x-user' } },
        { breaker: { consecutive: 3, openFor: '50ms' }, outliers: { consecutive: 3 } },
        { health: { interval: '40ms', intervalUndecided: '20ms', timeout: '10ms' }, zones: {} },
        { shadow: { release: 'v1' }, bulkhead: { slots: 5, queueMax: 10 } },
        { slowStart: {}, hedge: { percentile: 50, budget: 1, samplesMin: 5 } },
      ),
    } as const);
    fc.assert(
      fc.property(choices, ({ seed, stepUs, burst, balance, more }) => {
        const random = seeded(seed).fork('pace');
        const flaky: Answering = () =>
          random.chance(0.05)
            ? undefined
            : { status: random.chance(0.2) ? 503 : 200, afterUs: random.below(20_000) };
        const rate = `${1_000_000 / stepUs}/s` as const;
        const retry = { attempts: 3, budget: 2, backoff: '1ms' } as const;
        const pace = { rate, burst };
        const options = { timeout: '100ms', attemptTimeout: '30ms', retry, balance, pace, ...more };
        const made = paced(options as PathOptions, flaky, seed);
        const { world, caller, start } = made;
        let ended = 0;
        for (let i = 0; i < 80; i++) {
          start('GET', () => ended++, undefined, ['x-user', `${random.below(9)}`]);
          if (random.chance(0.1)) {
            caller.retarget(serving(nodes.filter(() => random.chance(0.7))));
          }
          world.run(world.now + random.below(random.chance(0.1) ? 60_000 : 4_000));
        }
        world.run(world.now + 200_000);
        expect(ended).toBe(80);
        for (const node of nodes) {
          expect(mostAhead(arrivals(made, node), stepUs)).toBeLessThanOrEqual(burst * stepUs);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('passes over who is at it while another has room, and then refuses at once, telling when', () => {
    const pace = { rate: '1/s', burst: 2 } as const;
    const made = paced({ balance: 'source-hash', pace, retry: { attempts: 3 } }, fine);
    for (let i = 0; i < 6; i++) expect(made.ask()).toMatchObject({ ok: true });
    expect(nodes.map((node) => arrivals(made, node).length)).toEqual([2, 2, 2]);
    const refusal = made.ask();
    expect(refusal).toMatchObject({ ok: false, why: 'paced', certain: true });
    const retryAfterUs = refusal.ok ? undefined : refusal.retryAfterUs;
    expect(retryAfterUs).toBeGreaterThan(900_000);
    made.world.run(made.world.now + retryAfterUs!);
    expect(made.ask()).toMatchObject({ ok: true });
    expect(made.requests).toHaveLength(7);
    const { counters } = made.world.meters.snapshot().find(({ node }) => node === 'edge/0')!;
    expect(counters['pace refused api']).toBe(1);
  });

  test('what the well have no room for does not go to those who are not', () => {
    let index = 0;
    const isSick = () => index++ < 3;
    const instances = {
      'api/0': fine,
      'api/1': () => ({ status: isSick() ? 500 : 200 }),
    } as const;
    const made = path({
      instances,
      balance: 'round-robin',
      outliers: { consecutive: 3, ejectFor: '30s', ejectedMax: 1 },
      pace: { rate: '10/s', burst: 5 },
    });
    for (let i = 0; i < 6; i++) made.ask();
    const sent = arrivals(made, 'api/1').length;
    const whys = Array.from({ length: 8 }, () => {
      const outcome = made.ask();
      return outcome.ok ? outcome.reply.status : outcome.why;
    });
    expect(arrivals(made, 'api/1')).toHaveLength(sent);
    expect(whys.slice(-4)).toEqual(['paced', 'paced', 'paced', 'paced']);
  });

  test('is not forgotten by who leaves the list and comes back, nor when other options change', () => {
    const options = { pace: { rate: '1/min', burst: 2 } } as const;
    const made = paced(options, fine);
    for (let i = 0; i < 3; i++) made.ask();
    made.caller.retarget(serving(['api/2']));
    made.caller.retarget(serving(nodes));
    made.caller.adopt(pathPolicy('path', { ...options, breaker: {}, timeout: '2s' }).policy);
    for (let i = 0; i < 20; i++) made.ask();
    expect(nodes.map((node) => arrivals(made, node).length)).toEqual([2, 2, 2]);
  });

  test('a stale answer stands in for what is refused', () => {
    const made = paced({ pace: { rate: '1/min', burst: 1 }, fallback: {} }, fine);
    for (let i = 0; i < 10; i++) expect(made.ask()).toMatchObject({ ok: true });
    expect(made.requests).toHaveLength(3);
  });
});
