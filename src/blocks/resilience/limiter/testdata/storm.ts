/** Callers in every region that take what they can, under random faults, and what was let through. */
import { cluster } from '../../../../../test/cluster.ts';
import { type FaultKind, weather } from '../../../../../test/weather.ts';
import type { ZonePlan } from '../../../../host/plan.ts';
import { seeded } from '../../../../kit/random.ts';
import { decode, encode } from '../../../../parts/codec.ts';
import type { LimiterApi } from '../client.ts';
import type { Limiter } from '../index.ts';

export const threeRegions: readonly ZonePlan[] = ['asia', 'europe', 'america'].map((region) => ({
  name: `${region}-a`,
  region,
}));

export interface StormOptions {
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  readonly faultCount?: number;
  readonly forUs?: number;
  /** Longest pause between two questions. */
  readonly gapMaxUs?: number;
}

/** What a limiter let through: between these two instants, and where it was asked. */
export interface Admitted {
  readonly key: string;
  readonly client: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

export interface Storm {
  readonly admitted: readonly Admitted[];
  readonly refusedCount: number;
  readonly policyCount: number;
  readonly askedCount: number;
  /** How long verdicts took, in microseconds. */
  readonly tookUs: readonly number[];
}

const keys = ['ann', 'bob'];

export function storm(limits: Limiter, options: StormOptions): Storm {
  const { seed, forUs = 20_000_000, gapMaxUs = 40_000 } = options;
  const random = seeded(seed).fork('storm');
  const { world, api } = cluster([limits], {
    seed,
    clients: threeRegions.length,
    zones: threeRegions,
    check: true,
    codec: { encode, decode },
  });
  const nodes = world
    .usage()
    .map(({ node }) => node)
    .filter((node) => node.startsWith(`${limits.name}/`));
  const faults = weather(random.fork('faults'), {
    kinds: options.faults,
    nodes,
    count: options.faultCount ?? 12,
    untilUs: forUs,
  });
  world.applyFaults(faults, 0);
  const admitted: Admitted[] = [];
  const tookUs: number[] = [];
  let [askedCount, refusedCount, policyCount] = [0, 0, 0];
  const act = () => {
    const client = random.below(threeRegions.length);
    const key = random.pick(keys);
    const askedAt = world.now;
    askedCount++;
    const door = api(limits.name, client) as LimiterApi;
    door.take(key, 1, undefined, ({ allowed, by }) => {
      if (by === 'policy') policyCount++;
      else tookUs.push(world.now - askedAt);
      if (!allowed) refusedCount++;
      else admitted.push({ key, client, askedAt, answeredAt: world.now });
    });
    world.run(world.now + random.between(100, gapMaxUs));
  };
  while (world.now < forUs) act();
  world.healAll();
  while (world.now < forUs + 5_000_000) act();
  world.run(world.now + 5_000_000);
  return { admitted, refusedCount, policyCount, askedCount, tookUs };
}

/**
 * The most that certainly was admitted to one key within a span: asked for and answered inside of it.
 */
export function mostWithin(admitted: readonly Admitted[], spanUs: number): number {
  let most = 0;
  for (const key of keys) {
    const own = admitted.filter((one) => one.key === key);
    for (const { askedAt } of own) {
      const inside = own.filter(
        (one) => one.askedAt >= askedAt && one.answeredAt < askedAt + spanUs,
      );
      most = Math.max(most, inside.length);
    }
  }
  return most;
}
