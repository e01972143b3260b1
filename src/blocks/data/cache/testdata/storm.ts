/**
 * Callers that read through a cache, and change what it caches and then delete the entry, under
 * random faults. The database is a number a key, which only grows.
 */
import { cluster } from '../../../../../test/cluster.ts';
import { type FaultKind, weather } from '../../../../../test/weather.ts';
import { seeded } from '../../../../kit/random.ts';
import { decode, encode } from '../../../../parts/codec.ts';
import type { CacheApi } from '../client.ts';
import type { Cache } from '../index.ts';

export interface StormOptions {
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  readonly forUs?: number;
  /** A value may be this old at most; 0: never older than a confirmed deletion. */
  readonly staleMaxUs?: number;
}

export interface Storm {
  /** Reads that were too old, in words. */
  readonly stale: readonly string[];
  readonly asked: number;
  readonly answered: number;
  readonly failed: number;
  readonly loads: number;
  readonly confirmed: number;
}

interface Cached {
  readonly version: number;
  readonly load: number;
}

const clients = 3;
const keys = 4;

export function storm(hot: Cache<Cached>, options: StormOptions): Storm {
  const { seed, forUs = 6_000_000, staleMaxUs = 0 } = options;
  const random = seeded(seed).fork('storm');
  const { world, api } = cluster([hot], { seed, clients, check: true, codec: { encode, decode } });
  const nodes = world.usage().map(({ node }) => node);
  // A caller that is gone has no say: what it asked is not counted.
  const targets = nodes.filter((node) => !node.startsWith('driver'));
  const faults = weather(random.fork('faults'), {
    kinds: options.faults,
    nodes: targets,
    count: 12,
    untilUs: forUs,
  });
  world.applyFaults(faults, 0);

  const database = new Map<string, number>();
  /** By key: what was confirmed deleted when, and the version that was current by then. */
  const confirmed = new Map<string, { readonly at: number; readonly version: number }[]>();
  const loadEndedAt: number[] = [];
  const stale: string[] = [];
  let running: { readonly at: number; readonly end: () => void }[] = [];
  let asked = 0;
  let answered = 0;
  let failed = 0;
  let confirmedCount = 0;

  const read = (door: CacheApi, key: string) => {
    const askedAt = world.now;
    asked++;
    const load = (done: Parameters<Parameters<CacheApi['through']>[2]>[0]) => {
      const version = database.get(key) ?? 0;
      const index = loadEndedAt.push(Number.POSITIVE_INFINITY) - 1;
      running.push({
        at: world.now + random.between(500, 30_000),
        end: () => {
          loadEndedAt[index] = world.now;
          done({ ok: true, value: { version, load: index } });
        },
      });
    };
    door.through(key, undefined, load, (loaded) => {
      answered++;
      if (!loaded.ok) {
        failed++;
        return;
      }
      const { version, load: index } = loaded.value as unknown as Cached;
      const known = (confirmed.get(key) ?? []).filter(({ at }) => at <= askedAt - staleMaxUs);
      const least = Math.max(0, ...known.map((one) => one.version));
      // A load that was still going on when this was asked may be shared.
      if (version < least && loadEndedAt[index]! < askedAt) {
        stale.push(`${key} at ${askedAt}: ${version}, though ${least} was confirmed`);
      }
    });
  };
  const change = (door: CacheApi, key: string) => {
    const version = (database.get(key) ?? 0) + 1;
    database.set(key, version);
    door.delete(key, (deleted) => {
      if (!deleted) return;
      confirmedCount++;
      const list = confirmed.get(key) ?? [];
      confirmed.set(key, list);
      list.push({ at: world.now, version });
    });
  };
  const step = () => {
    const due = running.filter(({ at }) => at <= world.now);
    running = running.filter(({ at }) => at > world.now);
    for (const { end } of due) end();
    for (let client = 0; client < clients; client++) {
      const door = api(hot.name, client) as CacheApi;
      const key = `k${random.below(keys)}`;
      if (random.chance(0.7)) read(door, key);
      if (random.chance(0.15)) change(door, key);
    }
    world.run(world.now + random.between(200, 4_000));
  };
  while (world.now < forUs) step();
  world.healAll();
  while (world.now < forUs + 500_000) step();
  while (running.length > 0) {
    world.run(world.now + 50_000);
    for (const { end } of running.splice(0)) end();
  }
  world.run(world.now + 2_000_000);
  for (const { end } of running.splice(0)) end();
  return { stale, asked, answered, failed, loads: loadEndedAt.length, confirmed: confirmedCount };
}
