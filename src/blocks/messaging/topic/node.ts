/**
 * A broker: the logs of its partitions, the committed offsets of the groups, and the deliveries.
 * Nothing is said before it is durable: not a publish, not a commit.
 */
import type { Address, DiskOutcome, NodeId, Program } from '../../../host/host.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import { Journal } from '../../../parts/journal.ts';
import { type BrokerConfig, brokerOf } from './config.ts';
import { Deliveries } from './deliveries.ts';
import { PartitionLog } from './log.ts';
import type { TopicReply, TopicRequest } from './messages.ts';
import type { OffsetEntry } from './offsets.ts';
import { Offsets } from './offsets.ts';
import type { Sent } from './producers.ts';

type Of<K extends TopicRequest['type']> = Extract<TopicRequest, { readonly type: K }>;

export const broker: Program<TopicRequest, BrokerConfig> = (host, config) => {
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const duplicates = host.meter.counter('duplicates');
  const dropped = host.meter.counter('dropped by retention');
  const latency = host.meter.histogram('latency');
  const queue = host.meter.gauge('queue');
  const logs = new Map<number, PartitionLog>();
  /** Why a partition of this broker is refused. */
  const damages = new Map<number, string>();
  for (let partition = 0; partition < config.partitions; partition++) {
    if (brokerOf(partition, config.nodes) !== config.index) continue;
    openLog(partition);
  }
  const opened = Journal.open<OffsetEntry>(host.disk, 'topic/offsets');
  const offsets = new Offsets(opened.journal, opened.entries);
  const deliveries = new Deliveries(host, config, logs, offsets, reply);
  let pendingCount = 0;

  if (host.life > 1) {
    let count = 0;
    for (const log of logs.values()) count += log.end - log.first;
    host.meter.note(`recovered ${count} messages in ${logs.size} partitions`);
  }
  tick();

  /** A damaged partition is refused alone: those beside it are whole. */
  function openLog(partition: number): void {
    try {
      logs.set(partition, new PartitionLog(host.disk, `topic/p${partition}`, config, host.wall()));
    } catch (error) {
      if (!(error instanceof LoadpathError && error.code === 'data-corrupt')) throw error;
      const why = `partition ${partition} is refused: ${error.message}`;
      damages.set(partition, why);
      host.meter.note(why);
    }
  }

  function absence(partition: number): string {
    return damages.get(partition) ?? `partition ${partition} is not on this broker`;
  }

  /** Ends sessions and removes old segments. Three times a session, so that neither is very late. */
  function tick(): void {
    deliveries.tick();
    for (const log of logs.values()) {
      const count = log.dropOld(host.wall());
      if (count > 0) dropped.add(count);
    }
    host.after(Math.max(1_000, Math.floor(config.sessionTimeoutUs / 3)), tick);
  }

  function publish(from: Address, request: Of<'publish'>, arrivedAt: number): void {
    const { id, partition, message, key, value, life, seq, low } = request;
    const log = logs.get(partition);
    if (!log) return refuse(from, id, absence(partition), true);
    const sent: Sent = { node: from.node, life, seq, low };
    const seen = log.producers.look(sent);
    switch (seen.state) {
      case 'stale':
        return;
      case 'over': {
        // Late, and heard by nobody; or its node has forgotten how often it lived, and waits.
        const why = `${from.node} says that this is its life ${life}, and was in life ${seen.life} before`;
        return refuse(from, id, why, false);
      }
      case 'stored':
        duplicates.add();
        return reply(from, { type: 'published', id, offset: seen.offset });
      case 'writing':
        duplicates.add();
        seen.asked.push(id);
        return;
      case 'refused':
        return refuse(from, id, 'refused before', true);
      case 'new':
    }
    if (pendingCount >= config.queue) {
      log.producers.refuse(sent);
      return refuse(from, id, 'busy', true);
    }
    const writing = log.producers.begin(sent, id);
    queue.set(++pendingCount);
    log.append({ message, key, value, at: host.wall() }, sent, (outcome, offset) => {
      queue.set(--pendingCount);
      if (outcome !== 'ok') {
        // After a failed sync it may turn up after a crash; on a full disk it certainly is not there.
        if (outcome === 'full') log.producers.refuse(sent);
        else log.producers.forget(sent);
        for (const asked of writing.asked)
          refuse(from, asked, `disk ${outcome}`, outcome === 'full');
        return;
      }
      latency.record(host.now() - arrivedAt);
      for (const asked of writing.asked) reply(from, { type: 'published', id: asked, offset });
      deliveries.pumpPartition(partition);
    });
  }

  function replay(from: Address, { id, group, partition, from: start }: Of<'replay'>): void {
    const log = logs.get(partition);
    if (!log) return refuse(from, id, absence(partition), true);
    const wanted = 'offset' in start ? start.offset : log.offsetAt(start.at);
    const offset = Math.min(Math.max(wanted, log.first), log.end);
    deliveries.replay(group, partition, offset, (outcome: DiskOutcome) => {
      if (outcome === 'ok') return reply(from, { type: 'replayed', id, offset });
      refuse(from, id, `disk ${outcome}`, outcome === 'full');
    });
  }

  function refuse(to: Address, id: number, why: string, certain: boolean): void {
    errors.add();
    reply(to, { type: 'refusal', id, why, certain });
  }

  function reply(to: Address, message: TopicReply): void {
    host.send(to, message);
  }

  return {
    message(from, message) {
      switch (message.type) {
        case 'publish': {
          requests.add();
          const arrivedAt = host.now();
          return host.cpu.charge(config.costUs, () => publish(from, message, arrivedAt));
        }
        case 'join':
          return deliveries.join(from, message.group, message.life, message.working);
        case 'leave':
          return deliveries.leave(from.node, message.group, message.life);
        case 'commit':
          return deliveries.commit(from, message);
        case 'fail':
          return deliveries.fail(from, message);
        case 'replay':
          return replay(from, message);
      }
    },
    disconnected: (node: NodeId) => deliveries.lost(node),
  };
};
