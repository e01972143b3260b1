/** Callers that take codes and claim names, some of which look like codes, under random faults. */
import { cluster } from '../../../../../test/cluster.ts';
import { type FaultKind, weather } from '../../../../../test/weather.ts';
import type { HistoryEvent } from '../../../../host/history.ts';
import { seeded } from '../../../../kit/random.ts';
import { base62 } from '../../../../parts/base62.ts';
import { decode, encode } from '../../../../parts/codec.ts';
import type { IdsApi } from '../client.ts';
import type { IdsConfig } from '../config.ts';
import type { Ids } from '../index.ts';

export interface StormOptions {
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  readonly faultCount?: number;
  readonly forUs?: number;
}

const clients = 3;

export function storm(codes: Ids, options: StormOptions): readonly HistoryEvent[] {
  const { seed, forUs = 5_000_000 } = options;
  const random = seeded(seed).fork('storm');
  const { width } = codes.config as IdsConfig;
  const { world, history, api } = cluster([codes], {
    seed,
    clients,
    check: true,
    codec: { encode, decode },
  });
  const nodes = world.usage().map(({ node }) => node);
  const faults = weather(random.fork('faults'), {
    kinds: options.faults,
    nodes,
    count: options.faultCount ?? 15,
    untilUs: forUs,
  });
  world.applyFaults(faults, 0);
  const act = () => {
    for (let client = 0; client < clients; client++) {
      if (!world.isAlive(`driver/${client}`)) continue;
      const door = api(codes.name, client) as IdsApi;
      if (random.chance(0.6) && door.nextAtOnce({}) === undefined) door.next({}, () => {});
      if (random.chance(0.3)) {
        const name = random.chance(0.5)
          ? base62(random.below(62 ** width), width)
          : `name ${random.below(20)}`;
        door.claim(name, `user ${random.below(3)}`, {}, () => {});
      }
    }
    world.run(world.now + random.between(1_000, 8_000));
  };
  while (world.now < forUs) act();
  world.healAll();
  while (world.now < forUs + 4_000_000) act();
  world.run(world.now + 5_000_000);
  return history;
}

/** Codes given out twice, names given to two owners, names that are codes. */
export function clashes(history: readonly HistoryEvent[]): readonly string[] {
  const holders = new Map<string, string>();
  const invokes = new Map<string, HistoryEvent>();
  const wrong: string[] = [];
  for (const event of history) {
    const op = `${event.node} ${event.op}`;
    if (event.phase === 'invoke') invokes.set(op, event);
    if (event.phase !== 'ok' || event.value === false) continue;
    const isNext = event.f === 'next';
    const what = isNext ? (event.value as string) : event.key!;
    const holder = isNext ? `code ${op}` : `name of ${String(invokes.get(op)!.value)}`;
    const before = holders.get(what);
    if (before !== undefined && before !== holder) wrong.push(`${what}: ${before}, ${holder}`);
    holders.set(what, holder);
  }
  return wrong;
}
