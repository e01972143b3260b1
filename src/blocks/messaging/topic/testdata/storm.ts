/**
 * A topic with publishers and one consumer group under random faults. What clients and brokers said
 * to each other is judged afterwards by the laws in `laws.ts`.
 */
import { cluster } from '../../../../../test/cluster.ts';
import { type FaultKind, weather } from '../../../../../test/weather.ts';
import type { Consumer } from '../../../../host/declaration.ts';
import type { HistoryEvent } from '../../../../host/history.ts';
import { seeded } from '../../../../kit/random.ts';
import { decode, encode } from '../../../../parts/codec.ts';
import type { TopicApi } from '../client.ts';
import type { Batch, Topic } from '../index.ts';
import type { TopicMessage } from '../messages.ts';

export interface StormOptions {
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  readonly faultCount?: number;
  readonly forUs?: number;
  readonly clients?: number;
  readonly keys?: number;
  /** Handlers that throw, and that never come back. */
  readonly failing?: number;
  readonly hanging?: number;
}

/** A delivery or commit as it arrived, in order. */
export interface Step {
  readonly what: 'deliver' | 'committed';
  readonly broker: string;
  readonly partition: number;
  readonly generation: number;
  readonly from: number;
  readonly to: number;
}

export interface Storm {
  readonly history: readonly HistoryEvent[];
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
  /** Events since the heal: what was published after it must work. */
  readonly healedAt: number;
}

export const group = 'readers';

export function storm(clicks: Topic<string>, options: StormOptions): Storm {
  const { seed, clients = 4, forUs = 8_000_000, keys = 6, failing = 0.05, hanging = 0 } = options;
  const random = seeded(seed).fork('storm');
  const steps: Step[] = [];
  const deliveries = new Map<number, Omit<Step, 'what'>>();
  const commits = new Map<string, number>();
  const { world, history, events, api } = cluster([clicks], {
    seed,
    clients,
    groups: [{ topic: clicks, group }],
    check: true,
    codec: { encode, decode },
    onTrace({ from, to, message: sent, what }) {
      const message = sent as TopicMessage;
      if (what !== 'delivered') return;
      if (message.type === 'deliver') {
        const { partition, generation, messages } = message;
        const first = messages[0]!.offset;
        const step = {
          broker: from.node,
          partition,
          generation,
          from: first,
          to: first + messages.length,
        };
        deliveries.set(generation * 1_000 + partition, step);
        steps.push({ what: 'deliver', ...step });
      }
      if (message.type === 'commit') {
        const place = message.generation * 1_000 + message.partition;
        commits.set(`${from.node} ${message.id}`, place);
      }
      if (message.type === 'settled' && message.counted) {
        const step = deliveries.get(commits.get(`${to.node} ${message.id}`) ?? -1);
        if (step) steps.push({ what: 'committed', ...step });
      }
    },
  });
  const nodes = world.usage().map(({ node }) => node);
  const faults = weather(random.fork('faults'), {
    kinds: options.faults,
    nodes,
    count: options.faultCount ?? 12,
    untilUs: forUs,
  });
  world.applyFaults(faults, 0);

  const started = new Set<unknown>();
  let running: { readonly at: number; readonly end: () => void }[] = [];
  const attend = (calm: boolean) => {
    for (let client = 0; client < clients; client++) {
      const node = `driver/${client}`;
      if (!world.isAlive(node)) continue;
      const consumer = api(`${clicks.name}.consumer`, client) as Consumer;
      if (!started.has(consumer)) {
        started.add(consumer);
        consumer.start((_batch: Batch<string>, done) => {
          if (!calm && random.chance(hanging)) return;
          const fails = !calm && random.chance(failing);
          const at = world.now + random.between(100, 40_000);
          running.push({ at, end: () => done(fails ? new Error('handler') : undefined) });
        });
      }
    }
    const due = running.filter(({ at }) => at <= world.now);
    running = running.filter(({ at }) => at > world.now);
    for (const { end } of due) end();
  };
  let published = 0;
  const publish = (client: number) => {
    if (!world.isAlive(`driver/${client}`)) return;
    const door = api(clicks.name, client) as TopicApi;
    door.publish(`key ${random.below(keys)}`, `value ${published++}`, {}, () => {});
  };
  const live = (untilUs: number, calm: boolean, chance: number) => {
    while (world.now < untilUs) {
      attend(calm);
      for (let client = 0; client < clients; client++) {
        if (random.chance(chance)) publish(client);
      }
      world.run(world.now + random.between(1_000, 8_000));
    }
  };
  live(forUs, false, 0.3);
  world.healAll();
  const healedAt = world.now;
  live(world.now + 1_000_000, true, 0.2);
  live(world.now + 90_000_000, true, 0);
  const notes = events.flatMap((event) =>
    event.type === 'note' || event.type === 'crash'
      ? [event.type === 'crash' ? event.why : event.text]
      : [],
  );
  return { history, steps, notes, healedAt };
}
