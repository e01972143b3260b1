/**
 * A replica: a table in memory, a log on disk, and the rule that the first never knows more than
 * the second. What is asked for is answered from what is durable; what is to be stored is answered
 * once it is durable.
 *
 *   store ──▶ log ──sync──▶ table ──▶ stored
 *
 * Answering reads from memory alone would be faster by a sync and wrong: a reader that finds a new
 * value at a majority leaves its write-back out, and if those replicas then lose power before
 * their sync, the next reader gets the old value back.
 */
import type { Address, DiskOutcome, Handlers, Host, NodeId } from '../../../host/host.ts';
import { assert } from '../../../kit/assert.ts';
import { isNewer, type Version } from '../../../parts/hlc.ts';
import { Journal } from '../../../parts/journal.ts';
import { Ring } from '../../../parts/ring.ts';
import { Calls } from '../../../path/calls.ts';
import type { Member } from './client.ts';
import { collector } from './collector.ts';
import { compaction } from './compaction.ts';
import type { KvConfig } from './config.ts';
import { handover } from './handover.ts';
import { type Logged, type LogRecord, type PackedRecord, pack, packStore, unpack } from './log.ts';
import type { Entry, Hint, KvMessage, Store } from './messages.ts';
import { refill } from './refill.ts';
import { Room } from './room.ts';
import { type Rules, soundRules } from './rules.ts';
import { reshaped, shapeOf } from './shape.ts';
import { Table } from './table.ts';

export type ReplicaConfig = KvConfig & {
  readonly name: string;
  readonly members: readonly Member[];
};

/** What the parts of a replica share. */
export interface Replica {
  readonly host: Host;
  readonly config: ReplicaConfig;
  readonly table: Table;
  readonly ring: Ring;
  readonly calls: Calls<KvMessage>;
  /** Makes `record` durable, then part of the table. False: the disk did not take it. */
  write(record: LogRecord, done: (outcome: DiskOutcome) => void): void;
}

/** A store or hint on its way to the disk, and messages that are answered when it is there. */
interface Syncing {
  readonly version: Version;
  /** Made when there is one. */
  others:
    | { readonly from: Address; readonly message: Store | Hint; readonly arrivedAt: number }[]
    | undefined;
}

type Refusal = 'disk-full' | 'keys-full' | 'hints-full' | 'clock-ahead';

const logName = 'kv/log';
/** Certain refusals remembered, in case the network repeats the message that was refused. */
const refusalsMax = 1_024;

/** An older log is not known from a whole one; that there is none is (`refill.ts`). */
function adviceOf({ replicas }: ReplicaConfig): string {
  return replicas === 1
    ? 'There is no other copy of its keys. An older one put back, or an empty log, lacks what was put since.'
    : 'The other replicas serve without this node. Remove the log, and leave `life` in the folder of the node ' +
        'as it is: then the others fill it before it answers a read. With an older copy put back it would answer ' +
        'for writes that it lacks, and they could be lost.';
}

export function replica(host: Host, config: ReplicaConfig): Handlers {
  return replicaWith(soundRules)(host, config);
}

export function replicaWith(rules: Rules): (host: Host, config: ReplicaConfig) => Handlers {
  return (host, config) => {
    const { journal, entries, tornBytes } = Journal.open<Logged>(
      host.disk,
      logName,
      adviceOf(config),
    );
    const shape = shapeOf(config);
    let isShaped = false;
    const table = new Table();
    for (const entry of entries) recover(entry);
    // Nothing was ever here in a first life; later it may have been lost.
    if (entries.length === 0 && host.life > 1) table.apply({ do: 'unfilled' });
    const room = new Room(host.disk, journal, table);
    const calls = new Calls<KvMessage>(host, { counted: false });
    const ring = new Ring(config.members, { tokens: config.tokens });
    const refusals = new Map<string, Refusal>();
    /** By key: a message that comes again is not written again, least of all while the disk is slow. */
    const syncingStores = new Map<string, Syncing>();
    const syncingHints = new Map<string, Syncing>();
    let drained: (() => void) | undefined;

    const meters = {
      requests: host.meter.counter('requests'),
      errors: host.meter.counter('errors'),
      latency: host.meter.histogram('latency'),
      queue: host.meter.gauge('queue'),
      keys: host.meter.gauge('keys'),
      lag: host.meter.gauge('lag'),
    };
    meters.keys.set(table.keyCount);
    meters.lag.set(table.hintCount);
    if (entries.length > 0 || tornBytes > 0) {
      host.meter.note(
        `recovered ${counted(table.keyCount, 'key')} and ${counted(table.hintCount, 'hint')} from ${counted(entries.length, 'record')}${tornBytes > 0 ? `, cut off ${counted(tornBytes, 'torn byte')}` : ''}`,
      );
    }

    const self: Replica = { host, config, table, ring, calls, write };
    const hints = handover(self, rules);
    const tombstones = collector(self);
    const filling = refill(self);
    const anew = compaction(self, journal, room, ['shape', shape, null], settled);

    function recover(entry: Logged): void {
      if (entry[0] !== 'shape') return apply(unpack(entry));
      const [, was, first, isFilled] = entry;
      if (was !== shape) throw reshaped(config.name, host.self, was, shape);
      isShaped = true;
      if (isFilled === false) apply({ do: 'unfilled' });
      if (first) apply(unpack(first));
    }

    function apply(record: LogRecord): void {
      table.apply(record.do === 'hint' ? { ...record, since: host.now() } : record);
    }

    /** The first one that becomes durable brings with it the shape, and whether the node is filled. */
    function append(packed: PackedRecord, done: (outcome: DiskOutcome) => void): void {
      if (isShaped) return journal.append(packed, done);
      journal.append(openingOf(packed), (outcome) => {
        if (outcome === 'ok') isShaped = true;
        done(outcome);
      });
    }

    function openingOf(packed: PackedRecord): Logged {
      return table.isFilled ? ['shape', shape, packed] : ['shape', shape, packed, false];
    }

    function write(record: LogRecord, done: (outcome: DiskOutcome) => void): void {
      append(pack(record), (outcome) => {
        if (outcome === 'ok') keep(record);
        done(outcome);
        settled();
      });
      meters.queue.set(journal.pendingCount);
    }

    /** It is durable. */
    function keep(record: LogRecord): void {
      table.apply(record);
      count();
    }

    function count(): void {
      meters.keys.set(table.keyCount);
      meters.lag.set(table.hintCount);
    }

    function settled(): void {
      meters.queue.set(journal.pendingCount);
      anew.consider();
      if (journal.idle) leave();
    }

    function leave(): void {
      drained?.();
      drained = undefined;
    }

    function store(from: Address, message: Store | Hint, arrivedAt: number): void {
      const { key, entry } = message;
      const known =
        message.type === 'store' ? table.get(key) : table.hints.get(message.owner)?.get(key)?.entry;
      // This or something newer is durable already: as if it had been stored and replaced.
      if (known && !isNewer(entry.version, known.version)) {
        return confirm(from, message, arrivedAt, known.version);
      }
      const refused = refusedBefore(from, message);
      if (refused) return refuse(from, message, refused, arrivedAt);
      const syncing = message.type === 'store' ? syncingStores : syncingHints;
      const place = message.type === 'store' ? key : `${message.owner} ${key}`;
      const ahead = syncing.get(place);
      if (ahead && !isNewer(entry.version, ahead.version)) {
        if (!rules.syncBeforeAnswer) return confirm(from, message, arrivedAt);
        ahead.others ??= [];
        ahead.others.push({ from, message, arrivedAt });
        return;
      }
      const why = isAhead(entry) ? 'clock-ahead' : overFull(message, known);
      if (why) return refuse(from, message, why, arrivedAt);
      if (!rules.syncBeforeAnswer) confirm(from, message, arrivedAt);
      const mine: Syncing = { version: entry.version, others: undefined };
      syncing.set(place, mine);
      // As `write`, but with one function made for each and not two: no message is as common.
      const hint = message.type === 'hint' ? hintOf(message) : undefined;
      append(hint ? pack(hint) : packStore(key, entry), (outcome) => {
        if (outcome === 'ok' && hint) {
          keep(hint);
          hints.wake();
        } else if (outcome === 'ok') {
          table.store(key, entry);
          count();
          if (entry.value === null) tombstones.wake();
        }
        if (syncing.get(place) === mine) syncing.delete(place);
        if (rules.syncBeforeAnswer) {
          tell(from, message, outcome, arrivedAt);
          for (const other of mine.others ?? [])
            tell(other.from, other.message, outcome, other.arrivedAt);
        }
        settled();
      });
      meters.queue.set(journal.pendingCount);
    }

    /** `held` is what was there. Where clocks decide, a writer is told that another one's was ahead. */
    function confirm(
      from: Address,
      { id, attempt, entry }: Store | Hint,
      arrivedAt: number,
      held?: Version,
    ): void {
      const isLost = held && config.consistency === 'quorum' && isNewer(held, entry.version);
      const stored = { type: 'stored', id, attempt } as const;
      answer(from, isLost ? { ...stored, newer: held } : stored, arrivedAt);
    }

    /** Made by a clock that is not to be trusted: for as long as it is ahead, nobody could write over it. */
    function isAhead({ version }: Entry): boolean {
      return config.consistency === 'quorum' && version.at > host.wall() + config.skewMaxUs;
    }

    function tell(
      from: Address,
      message: Store | Hint,
      outcome: DiskOutcome,
      arrivedAt: number,
    ): void {
      if (outcome === 'ok') return confirm(from, message, arrivedAt);
      if (outcome === 'full') return refuse(from, message, 'disk-full', arrivedAt);
      meters.errors.add();
      const { id, attempt } = message;
      answer(from, { type: 'denied', id, attempt, why: 'disk-failed', certain: false }, arrivedAt);
    }

    /** Is there room for it, in place of what is known? */
    function overFull(message: Store | Hint, known: Entry | undefined): Refusal | undefined {
      if (!known && message.type === 'hint' && table.hintCount >= config.hintsMax) {
        return 'hints-full';
      }
      if (!known && message.type === 'store' && table.keyCount >= config.keysMax) {
        return 'keys-full';
      }
      if (room.takes(message.key, message.entry, known)) return undefined;
      // Others may have made room since it was last tried.
      anew.consider();
      return 'disk-full';
    }

    function hintOf({ owner, key, entry }: Hint): LogRecord {
      return { do: 'hint', owner, key, entry, since: host.now() };
    }

    /** A certain no stays a no, also to a second copy of the same message. */
    function refusedBefore(from: Address, message: Store | Hint): Refusal | undefined {
      // Mostly nothing was: then no text is made of every message.
      return refusals.size === 0 ? undefined : refusals.get(nameOf(from, message));
    }

    function refuse(from: Address, message: Store | Hint, why: Refusal, arrivedAt: number): void {
      if (refusals.size >= refusalsMax) refusals.clear();
      refusals.set(nameOf(from, message), why);
      meters.errors.add();
      const { id, attempt } = message;
      answer(from, { type: 'denied', id, attempt, why, certain: true }, arrivedAt);
    }

    function unfilled(from: Address, id: number, arrivedAt: number): void {
      meters.errors.add();
      answer(from, { type: 'unfilled', id }, arrivedAt);
    }

    function answer(to: Address, message: KvMessage, arrivedAt: number): void {
      meters.latency.record(host.now() - arrivedAt);
      host.send(to, message);
    }

    function serve(from: Address, message: KvMessage, arrivedAt: number): void {
      switch (message.type) {
        case 'ask': {
          if (!table.isFilled) return unfilled(from, message.id, arrivedAt);
          const entry = table.get(message.key) ?? null;
          const floor = table.floor ?? null;
          return answer(from, { type: 'entry', id: message.id, entry, floor }, arrivedAt);
        }
        case 'ask-version': {
          if (!table.isFilled) return unfilled(from, message.id, arrivedAt);
          const version = table.get(message.key)?.version ?? null;
          const floor = table.floor ?? null;
          return answer(from, { type: 'version', id: message.id, version, floor }, arrivedAt);
        }
        case 'store':
        case 'hint':
          return store(from, message, arrivedAt);
        case 'survey':
          return answer(from, tombstones.survey(message), arrivedAt);
        case 'collect':
          return tombstones.collect(message.tombstones, () =>
            answer(from, { type: 'collected', id: message.id }, arrivedAt),
          );
        case 'fill':
          return answer(from, filling.give(from.node, message), arrivedAt);
        case 'part':
        case 'stored':
        case 'denied':
        case 'standing':
        case 'collected':
          calls.settle(message.id, message);
          return;
      }
    }

    return {
      message(from, received) {
        const message = received as KvMessage;
        const arrivedAt = host.now();
        meters.requests.add();
        if (config.costUs === 0) return serve(from, message, arrivedAt);
        host.cpu.charge(config.costUs, () => serve(from, message, arrivedAt));
      },
      refused(_to, message) {
        calls.refused((message as KvMessage).id);
      },
      disconnected(node) {
        calls.disconnected(node);
      },
      drain(done) {
        drained = done;
        anew.abandon();
        if (journal.idle) leave();
      },
    };
  };
}

/** Where a replica stands in the order of a key's owners, or undefined when it is not one. */
export function ownerIndex(self: Replica, key: string, node: NodeId): number | undefined {
  const index = self.ring.owners(key, self.config.replicas).indexOf(node);
  assert(index < self.config.replicas, 'owners are as many as replicas');
  return index < 0 ? undefined : index;
}

function nameOf(from: Address, { id, attempt }: Store | Hint): string {
  return `${from.node} ${id} ${attempt}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
