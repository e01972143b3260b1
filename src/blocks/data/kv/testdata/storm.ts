/**
 * A store under random operations and random faults, for the properties in `kv.test.ts`: who does
 * what and what goes wrong when is drawn from the seed.
 */
import { cluster } from '../../../../../test/cluster.ts';
import type { Declaration } from '../../../../host/declaration.ts';
import type { Fault, Target } from '../../../../host/fault.ts';
import type { Message } from '../../../../host/host.ts';
import type { HistoryEvent } from '../../../../host/history.ts';
import { type Random, seeded } from '../../../../kit/random.ts';
import { decode, encode } from '../../../../parts/codec.ts';
import type { KvApi } from '../operation.ts';

export type FaultKind = Fault['do'];

export interface StormOptions {
  readonly seed: number;
  /** Which faults may happen, at random times for random durations. */
  readonly faults: readonly FaultKind[];
  readonly faultCount?: number;
  readonly forUs?: number;
  readonly clients?: number;
  readonly keys?: number;
  /** Share of operations that are writes; a fifth of them delete. */
  readonly writeRatio?: number;
  /** Each key is written once, by a value of its own. */
  readonly writeOnce?: boolean;
  /** Faults reach the clients' nodes too. */
  readonly hurtClients?: boolean;
  readonly onMessage?: (message: Message) => void;
}

export interface Storm {
  readonly history: HistoryEvent[];
  /** What a fresh client reads once all is healed, by key: undefined when the read failed. */
  readonly final: ReadonlyMap<string, unknown>;
  readonly notes: readonly string[];
}

export function storm(links: Declaration<unknown>, options: StormOptions): Storm {
  const { seed, clients = 3, keys = 3, forUs = 10_000_000, writeRatio = 0.5 } = options;
  const random = seeded(seed).fork('storm');
  const { world, history, api, events } = cluster([links], {
    seed,
    clients,
    // Through the codec, frozen: three times as slow, so not for every seed.
    check: seed % 4 === 3,
    codec: { encode, decode },
    onTrace: ({ message }) => options.onMessage?.(message),
  });
  const nodes = world
    .usage()
    .map(({ node }) => node)
    .filter((node) => options.hurtClients || !node.startsWith('driver'));
  world.applyFaults(faultsOf(random.fork('faults'), options, nodes, forUs), 0);

  const busy = new Map<number, KvApi>();
  let next = 0;
  const tried = new Set<string>();
  while (world.now < forUs) {
    for (let client = 0; client < clients; client++) {
      if (!world.isAlive(`driver/${client}`) || random.chance(0.3)) continue;
      const door = api(links.name, client) as KvApi;
      // Another door is another life: what the former waited for will never come.
      if (busy.get(client) === door) continue;
      const isWrite = random.chance(writeRatio);
      const key = options.writeOnce && isWrite ? `k${next}` : `k${random.below(keys)}`;
      tried.add(key);
      busy.set(client, door);
      const done = () => {
        busy.delete(client);
      };
      const context = { session: `user ${client}` };
      if (!isWrite) door.start('get', key, null, context, done);
      else if (!options.writeOnce && random.chance(0.2)) {
        door.start('delete', key, null, context, done);
      } else door.start('put', key, encode(`v${next++}`), context, done);
    }
    world.run(world.now + random.between(1_000, 8_000));
  }
  world.healAll();
  world.run(world.now + 15_000_000);

  const final = new Map<string, unknown>();
  for (const key of tried) {
    const door = api(links.name, 0) as KvApi;
    let over = false;
    door.start('get', key, null, {}, (outcome) => {
      over = true;
      if (outcome.ok) final.set(key, outcome.value ?? null);
    });
    world.run(world.now + 2_000_000, () => over);
  }
  const notes = events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
  return { history, final, notes };
}

function faultsOf(
  random: Random,
  options: StormOptions,
  nodes: readonly string[],
  forUs: number,
): Fault[] {
  const { faults, faultCount = 12 } = options;
  if (faults.length === 0) return [];
  const one = (): Target => ({ node: random.pick(nodes) });
  return Array.from({ length: faultCount }, (): Fault => {
    const timed = {
      atUs: random.below(forUs),
      forUs: random.between(20_000, 2_000_000),
    };
    const kind = random.pick(faults);
    switch (kind) {
      case 'kill':
      case 'power-off':
      case 'restart':
      case 'pause':
      case 'fill-disk':
      case 'fail-disk':
        return { ...timed, do: kind, target: one() };
      case 'slow':
        return { ...timed, do: 'slow', target: one(), factor: random.between(2, 50) };
      case 'cut':
        return { ...timed, do: 'cut', from: one(), to: one(), oneWay: random.chance(0.5) };
      case 'lose':
      case 'duplicate':
        return { ...timed, do: kind, from: { all: true }, to: { all: true }, ratio: random.next() * 0.5 };
      case 'delay':
        return { ...timed, do: 'delay', from: one(), to: one(), byUs: random.between(1_000, 400_000) };
      case 'skew':
        return {
          ...timed,
          do: 'skew',
          target: one(),
          byUs: random.between(-5_000_000, 5_000_000),
          driftPpm: random.between(-500, 500),
        };
      default:
        throw new Error(`a storm knows no ${kind}`);
    }
  });
}
