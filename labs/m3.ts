/** M1 calls M2 calls M3, which has a hard time: what the labs on retries and breakers look at. */
import { call, gateway, service, system, users } from 'loadpath';

export const pulseFromS = 8;
export const pulseToS = 12;
export const usersPerSec = 120;

type Policy = NonNullable<NonNullable<Parameters<typeof service>[1]>['policy']>;

export interface Chain {
  /** At each of the two hops. */
  readonly retry: NonNullable<Policy['retry']>;
  /** Before M3. */
  readonly breaker?: Policy['breaker'];
  readonly fallback?: Policy['fallback'];
  /** M3 turns away what it cannot serve in time. */
  readonly shed?: boolean;
  /** Whether M3 fails everything, to count calls, or has a hard time between two instants. */
  readonly isDead: boolean;
  /** Users ask up to three times. */
  readonly refreshes: boolean;
}

/** M3 can do 200 a second and gets 120. Attempts wait 200 ms. */
export function chain({ retry, breaker, fallback, shed, isDead, refreshes }: Chain) {
  const before = { attemptTimeout: '200ms', retry, ...(breaker ? { breaker } : {}) } as const;
  const covered = fallback ? { ...before, fallback } : before;
  const m3 = isDead
    ? service('m3', {
        instances: 1,
        policy: { timeout: '10s', ...covered },
        fetch: () => new Response('overloaded', { status: 503 }),
      })
    : service('m3', {
        instances: 1,
        openMax: 200,
        cost: { cpu: '5ms' },
        policy: { timeout: '1s', ...covered },
        ...(shed ? { shed: {} } : {}),
      });
  const m2 = service('m2', {
    instances: 2,
    slots: 1_000,
    cost: '1ms',
    calls: [call(m3)],
    policy: { timeout: isDead ? '60s' : '2s', attemptTimeout: isDead ? '10s' : '1s', retry },
  });
  const m1 = service('m1', { instances: 2, slots: 1_000, cost: '1ms', calls: [call(m2)] });
  return system('m1-m2-m3', {
    entry: gateway('edge', { routes: { '/': m1 }, policy: { timeout: isDead ? '60s' : '3s' } }),
    faults: isDead ? [] : [`slow m3 by 4x at ${pulseFromS}s for ${pulseToS - pulseFromS}s`],
    workload: users({
      rate: isDead ? '5/s' : `${usersPerSec}/s`,
      timeout: '60s',
      async act(user) {
        for (let tries = 0; tries < (refreshes ? 3 : 1); tries++) {
          const reply = await user.fetch('/').catch(() => undefined);
          if (reply?.ok) return;
        }
      },
    }),
  });
}

/** Seconds from the end of the pulse until three in a row in which 95 % of 120 a second are served. */
export function recoveredAfter(throughput: readonly number[], errors: readonly number[]): number {
  for (let at = pulseToS; at + 3 <= throughput.length; at++) {
    const calm = [at, at + 1, at + 2].every(
      (second) =>
        throughput[second]! >= 0.75 * usersPerSec && errors[second]! <= 0.05 * throughput[second]!,
    );
    if (calm) return at - pulseToS;
  }
  return Number.POSITIVE_INFINITY;
}
