/**
 * M1 calls M2, M2 calls M3, and each tries five times. That is harmless until M3 is overloaded for a moment: then
 * every request that fails up here is 25 down there, users refresh, and the moment does not end.
 *
 *   users ─▶ edge ─▶ m1 ──×5──▶ m2 ──×5──▶ m3     2 at once, 20 ms: 100 a second
 *     └── refresh ──┘
 */
import {
  call,
  gateway,
  type Report,
  type System,
  service,
  simulate,
  system,
  users,
} from 'loadpath';

/** What stands against it, one by one or together. */
export interface Protection {
  /** Retries may add a fifth to the calls, no more. */
  readonly budget?: boolean;
  /** M2 leaves M3 alone for a second when half of its calls fail. */
  readonly breaker?: boolean;
  /** M3 turns away at once what would wait too long for its turn. */
  readonly shedding?: boolean;
}

export const everything: Protection = { budget: true, breaker: true, shedding: true };

export function drill(name: string, protection: Protection = {}): System {
  const retry = protection.budget
    ? ({ attempts: 5, budget: 0.2, backoff: '1ms' } as const)
    : ({ attempts: 5, budget: 9, reserve: 1_000, backoff: '1ms' } as const);
  const m3 = service('m3', {
    instances: 1,
    slots: 2,
    cost: '20ms',
    ...(protection.shedding
      ? { shed: { target: '10ms', interval: '100ms', stepDown: 0.4, stepUp: 0.02 } }
      : {}),
    policy: {
      timeout: '300ms',
      attemptTimeout: '60ms',
      retry,
      ...(protection.breaker ? { breaker: { openFor: '1s', window: '2s' } } : {}),
    },
  });
  const m2 = service('m2', {
    cost: '1ms',
    calls: [call(m3)],
    policy: { timeout: '1500ms', attemptTimeout: '300ms', retry },
  });
  const m1 = service('m1', { cost: '1ms', calls: [call(m2)] });
  return system(name, {
    entry: gateway('edge', { routes: { '/': m1 }, policy: { timeout: '1600ms' } }),
    workload: users({
      rate: '45/s',
      async act(user) {
        // Who sees an error presses the button again, twice.
        for (let press = 0; press < 3; press++) {
          const reply = await user.fetch('/');
          if (reply.ok) return;
        }
      },
    }),
    faults: ['surge 6x at 5s for 3s'],
  });
}

/** How many requests M3 got for each that M1 got. */
export function amplification({ blocks }: Report): number {
  return blocks.m3!.requestsPerSec / blocks.m1!.requestsPerSec;
}

/** The share of arrivals that were served from the tenth second on: two seconds after the pulse. */
export function recovery({ series }: Report): number {
  const after = series.throughput.slice(10);
  return after.reduce((sum, served) => sum + served, 0) / (45 * after.length);
}

export function drilled(protection: Protection, seed = 1): Promise<Report> {
  return simulate(drill('drill', protection), { seed, for: '14s' });
}
