/** Quotas: never more than they say, whatever crashes. And usage: what was counted is told to whom it concerns. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Visit, visit } from '../../../../test/visitor.ts';
import type { Fault } from '../../../host/fault.ts';
import { service } from '../../compute/service/index.ts';
import { apiKeys, type GatewayOptions, gateway } from './index.ts';
import { shareOf } from './quota.ts';

const second = 1_000_000;
const api = service('api', { instances: 1, fetch: () => new Response('fine') });
const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const auth = apiKeys({
  users: {
    ann: { sha256: sha256('ann'), tier: 'free' },
    bob: { sha256: sha256('bob'), tier: 'partner' },
    root: { sha256: sha256('root'), tier: 'admin' },
  },
});
const door = (options: Partial<GatewayOptions>, seed = 1) =>
  visit(gateway('edge', { routes: { '/': api }, auth, ...options }), { seed });
const by = (user: string, url = 'http://edge/') => ({ url, headers: ['x-api-key', user] });
const fault = (what: 'kill' | 'restart', forUs: number): Fault =>
  ({ do: what, target: { node: 'edge/0' }, atUs: 0, forUs }) as Fault;

/** Statuses of so many calls one after the other. */
async function call(at: Visit, user: string, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) {
    const id = at.send(by(user));
    await at.run(20_000);
    statuses.push(at.status(id) ?? 0);
  }
  return statuses;
}

const admitted = (statuses: readonly number[]) => statuses.filter((one) => one === 200).length;

describe('a quota', () => {
  test('is for each user of its tier, by the period', async () => {
    const at = door({ quotas: { day: { calls: 3, per: '1d', tier: 'free', reserve: 2 } } });
    expect(await call(at, 'ann', 5)).toEqual([200, 200, 200, 429, 429]);
    expect(await call(at, 'bob', 5)).toEqual([200, 200, 200, 200, 200]);
    const refused = at.send(by('ann'));
    await at.run(20_000);
    const { headers } = at.reply(refused)!;
    const waitS = Number(headers[headers.indexOf('retry-after') + 1]);
    expect(waitS).toBeGreaterThan(86_000);
    await at.run(waitS * second);
    expect(admitted(await call(at, 'ann', 4))).toBe(3);
  });

  test('several hold at once: what one refuses costs nothing at the others', async () => {
    const quotas = { minute: { calls: 2, per: '1min' }, day: { calls: 5, per: '1d' } } as const;
    const at = door({ quotas });
    const perMinute: number[] = [];
    for (let minute = 0; minute < 4; minute++) {
      perMinute.push(admitted(await call(at, 'ann', 4)));
      await at.run(60 * second);
    }
    expect(perMinute).toEqual([2, 2, 1, 0]);
  });

  test('survives a graceful stop to the call, and a crash without one call too many', async () => {
    const quotas = { day: { calls: 20, per: '1d', reserve: 5 } } as const;
    const at = door({ quotas });
    expect(admitted(await call(at, 'ann', 3))).toBe(3);
    at.world.inject(fault('restart', 0));
    await at.run(5 * second);
    expect(admitted(await call(at, 'ann', 4))).toBe(4);
    const heal = at.world.inject(fault('kill', 0));
    await at.run(100_000);
    heal();
    await at.run(3 * second);
    // 7 used, 8 granted: the crash costs one call of the twenty.
    expect(admitted(await call(at, 'ann', 30))).toBe(12);
  });

  test('is never exceeded, wherever gateways crash and however many calls are in flight', async () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3_000 }), fc.boolean()),
      { minLength: 3, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (rounds, reserve) => {
        const at = door({ quotas: { day: { calls: 9, per: '1d', reserve } } }, reserve);
        const ids: number[] = [];
        for (const [calls, pauseUs, crashes] of rounds) {
          for (let i = 0; i < calls; i++) ids.push(at.send(by('ann')));
          await at.run(pauseUs);
          if (!crashes) continue;
          const heal = at.world.inject(fault('kill', 0));
          heal();
          await at.run(1_500_000);
        }
        await at.run(second);
        // Those whose answer was lost in a crash were admitted too, as the service knows.
        expect(at.counted('api', 'requests')).toBeLessThanOrEqual(9);
        expect(ids.filter((id) => at.status(id) === 200).length).toBeLessThanOrEqual(9);
      }),
      { numRuns: 15 },
    );
  });

  test('admits nothing while it cannot be written down', async () => {
    const at = door({ quotas: { day: { calls: 9, per: '1d', reserve: 2 } } });
    expect(admitted(await call(at, 'ann', 2))).toBe(2);
    const heal = at.world.inject({ do: 'fill-disk', target: { node: 'edge/0' }, atUs: 0 } as Fault);
    expect(await call(at, 'ann', 2)).toEqual([503, 503]);
    heal();
    expect(admitted(await call(at, 'ann', 9))).toBe(7);
  });

  test('refuses new users rather than forget one', async () => {
    const at = door({ quotas: { day: { calls: 1, per: '1d', usersMax: 1 } } });
    expect(await call(at, 'ann', 2)).toEqual([200, 429]);
    expect(await call(at, 'bob', 1)).toEqual([503]);
    await at.run(86_400 * second);
    expect(await call(at, 'bob', 1)).toEqual([200]);
  });

  test('is shared by gateways side by side, to the call', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 1, max: 20 }), (calls, nodes) => {
        const shares = Array.from({ length: nodes }, (_, index) => shareOf(calls, nodes, index));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(calls);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('usage', () => {
  test('is told to each user for itself, and to an administrator for all', async () => {
    const limits = { each: { algorithm: 'sliding-log', rate: '2/min', by: 'user' } } as const;
    const at = door({ usage: {}, limits });
    await call(at, 'ann', 3);
    await call(at, 'bob', 1);
    const read = async (user: string) => {
      const id = at.send(by(user, 'http://edge/usage'));
      await at.run(20_000);
      return JSON.parse(await at.text(id)) as object;
    };
    const ann = { calls: 3, refused: 1, errors: 0, bytesOut: 17 };
    const bob = { calls: 1, refused: 0, errors: 0, bytesOut: 4 };
    expect(await read('ann')).toEqual({ ann });
    expect(await read('root')).toMatchObject({ ann: { calls: 4, refused: 1 }, bob });
    expect(at.counted('edge', 'calls by bob')).toBe(1);
    const stranger = at.send({ url: 'http://edge/usage' });
    await at.run(20_000);
    expect(at.status(stranger)).toBe(401);
  });

  test('counts so many apart and the rest together', async () => {
    const at = door({ usage: { usersMax: 1 } });
    await call(at, 'ann', 1);
    await call(at, 'bob', 2);
    await call(at, 'root', 1);
    expect(at.counted('edge', 'calls by ann')).toBe(1);
    expect(at.counted('edge', 'calls by others')).toBe(3);
  });
});
