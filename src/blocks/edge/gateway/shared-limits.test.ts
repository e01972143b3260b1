/** One count for several gateways, wherever the next request goes, and what becomes of requests without a count. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visit } from '../../../../test/visitor.ts';
import { service } from '../../compute/service/index.ts';
import { type LimiterOptions, limiter } from '../../resilience/limiter/index.ts';
import { gateway, type LimitsOptions } from './index.ts';

const second = 1_000_000;
const api = service('api', { instances: 1, fetch: () => new Response('fine') });
const doors = ['edge/0', 'edge/1', 'edge/2'];

const shared = (
  options: LimiterOptions,
  more: Omit<LimitsOptions[string], 'backend'> = {},
  others: LimitsOptions = {},
) => {
  const backend = limiter('counts', options);
  const limits = { calls: { by: 'ip', ...more, backend }, ...others } as const;
  return visit(gateway('edge', { nodes: 3, routes: { '/': api }, limits }));
};

describe('a limit that gateways share', () => {
  test('admits what one of them would, and tells how much is left', async () => {
    const at = shared({ limit: '4/min' });
    const ids: number[] = [];
    for (let i = 0; i < 6; i++) {
      ids.push(at.send({}, doors[i % 3]));
      await at.run(20_000);
    }
    expect(ids.map(at.status)).toEqual([200, 200, 200, 200, 429, 429]);
    const headers = at.reply(ids[1]!)!.headers;
    expect(headers).toContain('"calls";q=4;w=60');
    expect(headers).toContain('"calls";r=2');
    const refused = at.reply(ids[5]!)!.headers;
    expect(Number(refused[refused.indexOf('retry-after') + 1])).toBeGreaterThan(50);
  });

  test('counts apart what it is by, and what another limit of the same limiter counts', async () => {
    const counts = limiter('counts', { limit: '1/min' });
    const routes = [
      { path: '/', to: api, limits: { page: { backend: counts } } },
      { path: '/other', to: api, limits: { other: { backend: counts } } },
    ];
    const at = visit(gateway('edge', { nodes: 2, routes }));
    const ids = [
      at.send({ ip: '20.0.0.1' }),
      at.send({ ip: '20.0.0.2' }, 'edge/1'),
      at.send({ ip: '20.0.0.1', url: 'http://edge/other' }, 'edge/1'),
    ];
    await at.run(20_000);
    ids.push(at.send({ ip: '20.0.0.1' }, 'edge/1'));
    await at.run(20_000);
    expect(ids.map(at.status)).toEqual([200, 200, 200, 429]);
  });

  test('costs no message where the gateway itself refuses', async () => {
    const at = shared({ limit: '9/min' }, {}, { own: { algorithm: 'sliding-log', rate: '1/min' } });
    const ids = [at.send(), at.send()];
    await at.run(20_000);
    expect(ids.map(at.status)).toEqual([200, 429]);
    expect(at.counted('counts', 'requests')).toBe(1);
  });

  test.each([
    ['allow', 200],
    ['refuse', 429],
  ] as const)(
    'that nobody counts any more is decided by whenUnreachable: %s is %i',
    async (how, expected) => {
      const at = shared({ limit: '1/min', whenUnreachable: how, timeout: '50ms' });
      at.world.inject({ do: 'kill', target: { node: 'counts/0' }, atUs: 0, forUs: 9 * second });
      const ids = [at.send(), at.send({}, 'edge/1')];
      await at.run(second);
      expect(ids.map(at.status)).toEqual([expected, expected]);
      expect(at.reply(ids[0]!)!.headers).not.toContain('ratelimit');
    },
  );

  test('never admits more than its limit into any window, through whichever gateways', async () => {
    const law = fc.asyncProperty(
      fc.array(fc.record({ waitMs: fc.nat(400), door: fc.nat(2) }), {
        minLength: 10,
        maxLength: 50,
      }),
      fc.constantFrom('central', 'sticky', 'lock'),
      async (visits, mode) => {
        const at = shared({ limit: '3/s', mode, whenUnreachable: 'refuse' });
        const ids: number[] = [];
        for (const { waitMs, door } of visits) {
          await at.run(waitMs * 1_000);
          ids.push(at.send({}, doors[door]));
        }
        await at.run(2 * second);
        const admitted = ids.filter((id) => at.status(id) === 200).map((id) => at.answeredAt(id)!);
        admitted.sort((a, b) => a - b);
        // An answer comes at most 10 ms after it was decided.
        for (let i = 3; i < admitted.length; i++) {
          expect(admitted[i]! - admitted[i - 3]!).toBeGreaterThan(second - 10_000);
        }
        expect(ids.every((id) => at.status(id) !== undefined)).toBe(true);
      },
    );
    await fc.assert(law, { numRuns: 15 });
  });

  test('says what cannot be', () => {
    const backend = limiter('counts');
    const wrong = gateway('edge', {
      routes: { '/': api },
      limits: {
        both: { backend, algorithm: 'gcra', rate: '5/s' },
        other: { backend: api },
        header: { backend, by: 'header' },
      },
    });
    expect(wrong.problems.map(({ at, what }) => `${at} ${what.slice(0, 28)}`)).toEqual([
      'edge.limits.both.algorithm no such option; there are on',
      'edge.limits.both.rate no such option; there are on',
      'edge.limits.other.backend must be made by limiter(…), ',
      'edge.limits.header.header must name the header that is',
    ]);
  });
});
