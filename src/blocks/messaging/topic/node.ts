/**
 * A broker: the logs of its partitions, the committed offsets of the groups, and the deliveries.
 * Nothing is said before it is durable: not a publish, not a commit.
 */
import type { Address, Disk, DiskOutcome, NodeId, Program } from '../../../host/host.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import { Journal } from '../../../parts/journal.ts';
import { type BrokerConfig, brokerOf } from './config.ts';
import { Deliveries } from './deliveries.ts';
import { PartitionLog, sizeOfMessage } from './log.ts';
import type { Deliver, TopicReply, TopicRequest } from './messages.ts';
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
  const shape = shapeOf(config);
  for (let partition = 0; partition < config.partitions; partition++) {
    if (isOurs(partition)) openLog(partition);
  }
  for (const partition of partitionsOn(host.disk)) if (!isOurs(partition)) openLog(partition);
  const opened = Journal.open<OffsetEntry>(
    host.disk,
    'topic/offsets',
    'It holds how far groups have read. With an older copy put back they handle again what they committed since; ' +
      `with the file removed they begin at the ${config.start} message.`,
  );
  const offsets = new Offsets(opened.journal, opened.entries);
  for (const [partition, log] of logs) clampOffsets(partition, log.end);
  const deliveries = new Deliveries(host, config, logs, offsets, reply);
  /** The wall clock's distance from one that cannot jump. */
  const aheadUs = host.wall() - host.now();
  let pendingCount = 0;

  if (host.life > 1) {
    let count = 0;
    for (const log of logs.values()) count += log.end - log.first;
    host.meter.note(`recovered ${count} messages in ${logs.size} partitions`);
  }
  tick();

  function isOurs(partition: number): boolean {
    return partition < config.partitions && brokerOf(partition, config.nodes) === config.index;
  }

  /** A damaged partition is refused alone: those beside it are whole. */
  function openLog(partition: number): void {
    const folder = `${logsPrefix}${partition}`;
    try {
      const log = new PartitionLog(host.disk, folder, { ...config, shape }, host.wall());
      if (log.shape !== shape) throw reshaped(config.name, host.self, log.shape, shape);
      if (!isOurs(partition)) throw reshaped(config.name, host.self, undefined, shape);
      logs.set(partition, log);
    } catch (error) {
      if (!(error instanceof LoadpathError && error.code === 'data-corrupt')) throw error;
      const why = `partition ${partition} is refused: ${error.message}`;
      damages.set(partition, why);
      host.meter.alarm(why);
    }
  }

  /** Nobody can have read what was never there: this log was longer, and has been lost or put back from a copy. */
  function clampOffsets(partition: number, end: number): void {
    for (const { group, was } of offsets.clamp(partition, end)) {
      host.meter.alarm(
        `partition ${partition} ends at offset ${end}, and ${group} has read up to ${was}: acknowledged messages are lost. ` +
          `${group} goes on at ${end}`,
      );
    }
  }

  function absence(partition: number): string {
    return damages.get(partition) ?? `partition ${partition} is not on this broker`;
  }

  /** Ends sessions and removes old segments. Three times a session, so that neither is very late. */
  function tick(): void {
    deliveries.tick();
    for (const log of logs.values()) {
      const count = log.dropOld(host.now() + aheadUs);
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
    const sizeBytes = sizeOfMessage(key, value);
    log.append({ message, key, value, at: host.wall(), sizeBytes }, sent, (outcome, offset) => {
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
    refused(to, message) {
      if (message.type === 'deliver') deliveries.refused(to.node, message as Deliver);
    },
    disconnected: (node: NodeId) => deliveries.lost(node),
  };
};

const logsPrefix = 'topic/p';

function partitionsOn(disk: Disk): ReadonlySet<number> {
  const names = disk.list(logsPrefix).map((name) => name.slice(logsPrefix.length));
  return new Set(names.map((name) => Number.parseInt(name, 10)));
}

function shapeOf({ partitions, nodes }: BrokerConfig): string {
  return `partitions ${partitions}, nodes ${nodes}`;
}

function reshaped(name: string, node: string, was: string | undefined, is: string): LoadpathError {
  return new LoadpathError(
    'bad-design',
    `${name}: ${node} keeps messages that were stored with ${was ?? 'other partitions or nodes'}; the design now says ${is}. ` +
      'They would not be found again. Put the options back, or declare a topic of another name.',
  );
}
