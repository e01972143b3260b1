/**
 * The half of a broker that gives messages to consumers: sessions, batches out, commits, failures.
 *
 *   waiting ──pump──▶ out at a member ──commit, stored──▶ waiting, further on
 *      ▲                    │
 *      └── failed, took too long, member gone: the same messages again
 *
 * One batch of a partition is out at a time: that is the credit, and what keeps the order.
 */
import type { Address, DiskOutcome, Host, NodeId } from '../../../host/host.ts';
import type { BrokerConfig } from './config.ts';
import { Cursor, type Flight, Group, type Member } from './group.ts';
import type { PartitionLog, Stored } from './log.ts';
import type { Deliver, Delivered, TopicReply, TopicRequest } from './messages.ts';
import type { Offsets } from './offsets.ts';

type Settling = Extract<TopicRequest, { readonly type: 'commit' | 'fail' }>;

/** Waits and times to handle double with each failure in a row, up to this power of two. */
const doublingsMax = 5;

export class Deliveries {
  readonly #host: Host;
  readonly #config: BrokerConfig;
  readonly #logs: ReadonlyMap<number, PartitionLog>;
  readonly #offsets: Offsets;
  readonly #reply: (to: Address, message: TopicReply) => void;
  readonly #groups = new Map<string, Group>();
  #nextGeneration: number;

  constructor(
    host: Host,
    config: BrokerConfig,
    logs: ReadonlyMap<number, PartitionLog>,
    offsets: Offsets,
    reply: (to: Address, message: TopicReply) => void,
  ) {
    this.#host = host;
    this.#config = config;
    this.#logs = logs;
    this.#offsets = offsets;
    this.#reply = reply;
    // No generation of a former life may be committed in this one.
    this.#nextGeneration = host.life * 2 ** 32;
  }

  join(from: Address, name: string, life: number, working: readonly number[]): void {
    const group = this.#group(name);
    const known = group.member(from.node);
    if (known && life < known.life) return;
    if (!known || life > known.life) {
      if (known) this.#release(group, known);
      group.add({ node: from.node, port: from.port, life, heardAt: this.#host.now() });
      this.#note(group);
      return this.#pumpAll(group);
    }
    known.heardAt = this.#host.now();
    for (const cursor of group.cursors.values()) {
      const { flight } = cursor;
      if (flight?.member !== known || flight.committing) continue;
      // Twice unnamed: the delivery crossed with the first, and is lost with the second.
      if (working.includes(flight.generation)) flight.missedCount = 0;
      else if (++flight.missedCount >= 2) this.#send(group, cursor, flight);
    }
  }

  leave(node: NodeId, name: string, life: number): void {
    const group = this.#groups.get(name);
    const member = group?.member(node);
    if (group && member?.life === life) this.#remove(group, member);
  }

  /** Its process ended or its connection broke: sooner known than by its silence. */
  lost(node: NodeId): void {
    for (const group of this.#groups.values()) {
      const member = group.member(node);
      if (member) this.#remove(group, member);
    }
  }

  tick(): void {
    const now = this.#host.now();
    for (const group of this.#groups.values()) {
      for (const member of group.expired(now, this.#config.sessionTimeoutUs)) {
        this.#remove(group, member);
      }
      let lag = 0;
      for (const { partition, position } of group.cursors.values()) {
        lag += this.#logs.get(partition)!.end - position;
      }
      this.#host.meter.gauge(`lag ${group.name}`).set(lag);
    }
  }

  commit(from: Address, { id, group: name, partition, generation }: Settling): void {
    const group = this.#groups.get(name);
    const cursor = group?.cursors.get(partition);
    const flight = this.#flightOf(cursor, from, generation);
    if (!group || !cursor || !flight) {
      const counted = cursor?.committedGeneration === generation;
      if (!counted) this.#host.meter.counter('fenced').add();
      return this.#reply(from, { type: 'settled', id, counted });
    }
    if (flight.committing) return;
    flight.committing = true;
    this.#offsets.commit(name, partition, flight.to, (outcome) => {
      flight.committing = false;
      if (outcome !== 'ok') {
        const certain = outcome === 'full';
        return this.#reply(from, { type: 'refusal', id, why: `disk ${outcome}`, certain });
      }
      cursor.committedGeneration = generation;
      this.#reply(from, { type: 'settled', id, counted: true });
      if (cursor.flight !== flight) return; // A replay came in between: it decides.
      cursor.position = flight.to;
      cursor.flight = undefined;
      cursor.failedCount = 0;
      this.#pump(group, cursor);
    });
  }

  fail(from: Address, { id, group: name, partition, generation }: Settling): void {
    const group = this.#groups.get(name);
    const cursor = group?.cursors.get(partition);
    const flight = this.#flightOf(cursor, from, generation);
    this.#reply(from, { type: 'settled', id, counted: flight !== undefined });
    if (!group || !cursor || !flight || flight.committing) return;
    this.#host.meter.counter('failed batches').add();
    this.#again(group, cursor);
  }

  replay(
    name: string,
    partition: number,
    offset: number,
    done: (outcome: DiskOutcome) => void,
  ): void {
    const group = this.#group(name);
    const cursor = group.cursors.get(partition)!;
    // Fenced at once: a commit that came in between would undo the replay.
    cursor.flight = undefined;
    cursor.replayingCount++;
    this.#offsets.commit(name, partition, offset, (outcome) => {
      cursor.replayingCount--;
      if (outcome === 'ok') {
        cursor.position = offset;
        cursor.failedCount = 0;
        cursor.heldUntil = 0;
      }
      done(outcome);
      this.#pump(group, cursor);
    });
  }

  /** The way to a member is full, or nobody listens there any more: which of them will show. */
  refused(node: NodeId, { group: name, partition, generation }: Deliver): void {
    const group = this.#groups.get(name);
    const cursor = group?.cursors.get(partition);
    const flight = cursor?.flight;
    if (!group || !cursor || !flight || flight.generation !== generation) return;
    if (flight.member.node !== node) return;
    this.#host.after(this.#config.redeliverUs, () => {
      if (cursor.flight === flight && !flight.committing) this.#send(group, cursor, flight);
    });
  }

  /** There is something new in `partition`. */
  pumpPartition(partition: number): void {
    for (const group of this.#groups.values()) {
      const cursor = group.cursors.get(partition);
      if (cursor) this.#pump(group, cursor);
    }
  }

  #pumpAll(group: Group): void {
    for (const cursor of group.cursors.values()) this.#pump(group, cursor);
  }

  #pump(group: Group, cursor: Cursor): void {
    if (cursor.flight || cursor.replayingCount > 0 || this.#host.now() < cursor.heldUntil) return;
    const member = group.ownerOf(cursor);
    const log = this.#logs.get(cursor.partition);
    if (!member || !log) return;
    if (cursor.position < log.first) {
      const count = log.first - cursor.position;
      this.#host.meter.note(`${group.name} missed ${count} messages: retention was faster`);
      cursor.position = log.first;
    }
    const { batch, batchSizeBytes } = this.#config;
    const there = log.read(cursor.position, batch);
    if (there.length === 0) return this.#noteDamage(group, cursor, log);
    const count = countWithin(batchSizeBytes, there);
    const isLargest = count === batch || count < there.length;
    if (!isLargest && this.#lingers(group, cursor)) return;
    cursor.lingersUntil = undefined;
    const flight: Flight = {
      generation: this.#nextGeneration++,
      member,
      from: cursor.position,
      to: cursor.position + count,
      missedCount: 0,
      committing: false,
    };
    cursor.flight = flight;
    if (flight.from < cursor.reach) {
      const again = Math.min(cursor.reach, flight.to) - flight.from;
      this.#host.meter.counter('redelivered').add(again);
    }
    cursor.reach = Math.max(cursor.reach, flight.to);
    this.#send(group, cursor, flight);
    this.#watch(group, cursor, flight);
  }

  /**
   * What is damaged was acknowledged, so nobody but a person may decide to go on without it. Until
   * then this group stands still in this partition; nothing else does.
   */
  #noteDamage(group: Group, cursor: Cursor, log: PartitionLog): void {
    const { partition, position } = cursor;
    const damage = log.damageAt(position);
    if (!damage || cursor.damagedAt === position) return;
    cursor.damagedAt = position;
    this.#host.meter.alarm(
      `${group.name} stands still at offset ${position} of partition ${partition}: ${damage.why} ` +
        `What can be read again begins at offset ${damage.to}, where replayFrom takes the group to.`,
    );
  }

  /** Whether the next batch still waits to become larger. */
  #lingers(group: Group, cursor: Cursor): boolean {
    const { lingerUs } = this.#config;
    if (lingerUs === 0) return false;
    const now = this.#host.now();
    if (cursor.lingersUntil === undefined) {
      cursor.lingersUntil = now + lingerUs;
      this.#host.after(lingerUs, () => this.#pump(group, cursor));
    }
    return now < cursor.lingersUntil;
  }

  #send(group: Group, { partition }: Cursor, flight: Flight): void {
    const { generation, member, from, to } = flight;
    const stored = this.#logs.get(partition)!.read(from, to - from);
    // Damaged since it was sent first: the batch that is left is out when the time of this one is.
    if (stored.length < to - from) return;
    const messages = stored.map(
      ({ message, key, value, at }, index): Delivered => ({
        id: message,
        key,
        value,
        partition,
        offset: from + index,
        at,
      }),
    );
    const deliver: Deliver = {
      type: 'deliver',
      group: group.name,
      partition,
      generation,
      messages,
    };
    this.#host.send({ node: member.node, port: member.port }, deliver);
  }

  /** A handler that takes too long counts as failed, and the next member has a try. */
  #watch(group: Group, cursor: Cursor, flight: Flight): void {
    const patienceUs = this.#config.handlingUs * 2 ** Math.min(cursor.failedCount, doublingsMax);
    this.#host.after(patienceUs, () => {
      if (cursor.flight !== flight) return;
      if (flight.committing) return this.#watch(group, cursor, flight);
      cursor.rotation++;
      this.#host.meter.counter('timed out batches').add();
      this.#again(group, cursor);
    });
  }

  #again(group: Group, cursor: Cursor): void {
    const waitUs = this.#config.redeliverUs * 2 ** Math.min(cursor.failedCount, doublingsMax);
    cursor.failedCount++;
    cursor.flight = undefined;
    cursor.heldUntil = this.#host.now() + waitUs;
    this.#host.after(waitUs, () => this.#pump(group, cursor));
  }

  #remove(group: Group, member: Member): void {
    group.remove(member.node);
    this.#note(group);
    this.#release(group, member);
  }

  /** What was out at `member` goes to others. A commit on its way to the disk is let through. */
  #release(group: Group, member: Member): void {
    for (const cursor of group.cursors.values()) {
      if (cursor.flight?.member === member && !cursor.flight.committing) cursor.flight = undefined;
    }
    this.#pumpAll(group);
  }

  #flightOf(cursor: Cursor | undefined, from: Address, generation: number): Flight | undefined {
    const flight = cursor?.flight;
    return flight?.generation === generation && flight.member.node === from.node
      ? flight
      : undefined;
  }

  #group(name: string): Group {
    const known = this.#groups.get(name);
    if (known) return known;
    const group = new Group(name);
    for (const [partition, log] of this.#logs) {
      const committed = this.#offsets.get(name, partition);
      const start = this.#config.start === 'latest' ? log.end : log.first;
      group.cursors.set(partition, new Cursor(partition, committed ?? start));
      // Written down, or a crash before the first commit would skip what comes meanwhile.
      if (committed === undefined && this.#config.start === 'latest') {
        this.#offsets.commit(name, partition, start, () => {});
      }
    }
    this.#groups.set(name, group);
    return group;
  }

  #note(group: Group): void {
    const names = group.members.map((member) => member.node).join(', ');
    this.#host.meter.note(`group ${group.name}: ${names === '' ? 'nobody' : names}`);
  }
}

/** How many of `messages` make a batch of at most so many bytes: the first always does. */
function countWithin(sizeMaxBytes: number, messages: readonly Stored[]): number {
  let sizeBytes = 0;
  for (const [index, message] of messages.entries()) {
    sizeBytes += message.sizeBytes;
    if (sizeBytes > sizeMaxBytes && index > 0) return index;
  }
  return messages.length;
}
