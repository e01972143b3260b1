/**
 * The client half: the coordinator of every operation, on the caller's own node. It talks to the
 * owners of the key, counts their answers (`register.ts` says what they mean), and always ends
 * within the operation's time.
 *
 *   atomic   get   ask ──▶ majority ──(all of them have it)──────────────▶ answer
 *                                   └─▶ store ──▶ majority ──────────────▶ answer
 *            put   ask ──▶ majority ──▶ store ──▶ majority ──────────────▶ answer
 *   quorum   get   ask ──▶ `read` of them ──▶ answer, then repair who is behind
 *            put   store ──▶ `write` of them ──▶ answer, then leave hints for who is away
 *
 * An operation outlives its answer until every owner was heard or its next tick: that is when
 * replicas that are behind are repaired, and hints left for those that are away.
 *
 * What is lost on the way is sent again twice within the time. A repeated `store` carries the same
 * version, so it can only do again what it did before. Nothing is sent once the time is over, not
 * even by a node that stood still and wakes up late: tombstones are collected on that promise.
 */
import type { Client, RequestContext } from '../../../host/declaration.ts';
import type { Address, Host, NodeId } from '../../../host/host.ts';
import { pathMeter } from '../../../host/path.ts';
import { formatDuration } from '../../../kit/units.ts';
import { decode } from '../../../parts/codec.ts';
import { Deadlines } from '../../../parts/deadlines.ts';
import { HybridClock, type Version } from '../../../parts/hlc.ts';
import { IdMap } from '../../../parts/id-map.ts';
import { Ring } from '../../../parts/ring.ts';
import { Calls } from '../../../path/calls.ts';
import { type KvConfig, majority } from './config.ts';
import { type Entry, type KvMessage, kvPort } from './messages.ts';
import {
  answeredBy,
  attemptsMax,
  type Begun,
  changedNothing,
  copies,
  type KvApi,
  Operation,
  type Outcome,
  possibleCount,
  storeBit,
  type Verb,
} from './operation.ts';
import { type Rules, soundRules } from './rules.ts';

export type Member = { readonly id: NodeId; readonly zone: string };

export type ClientConfig = KvConfig & {
  readonly name: string;
  readonly members: readonly Member[];
};

export function client(host: Host, config: ClientConfig): Client {
  return coordinator(soundRules)(host, config);
}

export function coordinator(rules: Rules): (host: Host, config: ClientConfig) => Client {
  return (host, config) => {
    const { name, replicas, timeoutUs } = config;
    const atomic = config.consistency === 'atomic';
    const readQuorum = atomic ? majority(replicas) : config.read;
    const storeQuorum = atomic ? majority(replicas) : config.write;
    const ring = new Ring(config.members, { tokens: config.tokens });
    const addresses = new Map<NodeId, Address>(
      config.members.map(({ id }) => [id, { node: id, port: kvPort }]),
    );
    /** By the ring's lists, which are the same for the same part of it: a look-up an operation, not one a message. */
    const ownersBy = new Map<readonly NodeId[], readonly Address[]>();
    // A life of its own in every version: a clock that went back cannot make one twice.
    const by = `${host.self}#${host.life}`;
    const clock = new HybridClock(by);
    // For hints alone: what callers of this block see is the operation, counted below.
    const calls = new Calls<KvMessage>(host, { counted: false });
    const operations = new IdMap<Operation>();
    // Almost no operation lives until its tick, so none has a timer of its own.
    const ticks = new Deadlines(host, {
      waiting: operations,
      due(id) {
        const op = operations.get(id)!;
        if (op.ticks) op.ticks();
        else tick(op);
      },
    });
    let drained: (() => void) | undefined;

    const meters = {
      operations: host.meter.counter('operations'),
      failures: host.meter.counter('failures'),
      resends: host.meter.counter('resends'),
      repairs: host.meter.counter('repairs'),
      writeBacks: host.meter.counter('writeBacks'),
      hints: host.meter.counter('hints'),
      superseded: host.meter.counter('superseded'),
    };
    const path = pathMeter(host.meter, name);
    const isRecorded = host.isRecorded(name);

    function ownersOf(key: string): readonly Address[] {
      const names = ring.owners(key, replicas);
      let owners = ownersBy.get(names);
      if (!owners) {
        owners = names.map((name) => addresses.get(name)!);
        ownersBy.set(names, owners);
      }
      return owners;
    }

    function start(
      f: Verb,
      key: string,
      value: Uint8Array | null,
      context: RequestContext,
      done: (outcome: Outcome) => void,
    ): void {
      const now = host.now();
      const endsAt = Math.min(now + timeoutUs, context.deadlineAt ?? Number.POSITIVE_INFINITY);
      const id = calls.next();
      const { session } = context;
      const begun: Begun = {
        id,
        f,
        key,
        value,
        owners: ownersOf(key),
        startedAt: now,
        endsAt,
        session,
        done,
      };
      const op = new Operation(begun, rules.countEachReplicaOnce);
      op.ticks = host.causes?.keeps(() => tick(op));
      meters.operations.add();
      path.calls.add();
      if (isRecorded) {
        host.record({
          block: name,
          phase: 'invoke',
          op: op.id,
          f,
          key,
          value: value === null ? undefined : decode(value),
          session: op.session,
        });
      }
      operations.set(op.id, op);
      if (endsAt <= now) return fail(op, 'the caller has no time left');
      if (f !== 'get' && !atomic) return store(op, { version: clock.next(host.wall()), value });
      ask(op);
      arm(op);
    }

    // ── phases ──────────────────────────────────────────────────────────────────────────────────

    function ask(op: Operation): void {
      const type = op.f === 'get' ? 'ask' : 'ask-version';
      const message: KvMessage = { type, id: op.id, key: op.key };
      for (let i = 0; i < op.owners.length; i++) {
        if (!op.reading.heard.has(i)) host.send(op.owners[i]!, message);
      }
    }

    /** Begins the store phase. Replicas that are in `op.stored` already have it. */
    function store(op: Operation, entry: Entry): void {
      op.phase = 'store';
      op.entry = entry;
      op.failed = 0;
      op.attempt = 0;
      op.phaseAt = host.now();
      sendStores(op);
      arm(op);
    }

    function sendStores(op: Operation): void {
      const { id, attempt, key } = op;
      const message: KvMessage = { type: 'store', id, attempt, key, entry: op.entry! };
      for (let i = 0; i < op.owners.length; i++) {
        if (op.stored.has(i)) continue;
        op.sent |= storeBit(i, attempt);
        host.send(op.owners[i]!, message);
      }
    }

    function heardEntry(
      op: Operation,
      index: number,
      entry: Entry | null,
      floor: Version | null,
    ): void {
      const { reading } = op;
      reading.add(index, entry, floor);
      if (!atomic) {
        if (entry) observe(entry.version);
        if (floor) observe(floor);
      }
      if (op.phase === 'settled') return closeWhenHeard(op);
      if (op.phase === 'store') {
        // A straggler's answer to the first phase: it has what is being written back, or newer.
        if (op.f !== 'get' || reading.isBehind(index, op.entry!.version)) return;
        op.stored.add(index);
        return settleWhenStored(op);
      }
      if (reading.heard.count < readQuorum) return;
      if (op.f !== 'get') {
        // Time may have run out without the tick having come: a node that stood still wakes up so.
        if (host.now() >= op.endsAt) return fail(op, 'the time was over');
        return store(op, { version: reading.nextVersion(op.id, by), value: op.value });
      }
      const { newest, holders } = reading;
      op.entry = newest;
      if (!atomic || newest === null) return settle(op);
      // Who said long ago that it has it may have lost its disk meanwhile (`refill.ts`).
      if (host.now() >= op.endsAt) return fail(op, 'the time was over');
      if (holders.count >= storeQuorum) return settle(op);
      meters.writeBacks.add();
      op.stored = holders;
      store(op, newest);
    }

    /** What is too far ahead is not followed: everything that is written here would be refused. */
    function observe(version: Version): void {
      if (version.at <= host.wall() + config.skewMaxUs) clock.observe(version);
    }

    function heardStored(op: Operation, index: number, newer: Version | undefined): void {
      op.stored.add(index);
      if (newer) {
        observe(newer);
        if (op.f !== 'get' && !op.isSuperseded) meters.superseded.add();
        op.isSuperseded = true;
      }
      if (op.phase === 'settled') return closeWhenHeard(op);
      if (op.phase === 'store') settleWhenStored(op);
    }

    function settleWhenStored(op: Operation): void {
      if (copies(op) < storeQuorum) return;
      // As above.
      if (host.now() > op.endsAt) return fail(op, 'the time was over');
      settle(op);
    }

    /** `index` does not answer this phase: it refused, or said no. */
    function lost(op: Operation, index: number): void {
      op.failed |= 1 << index;
      if (op.phase === 'settled') return closeWhenHeard(op);
      if (op.phase === 'store' && config.sloppy && op.f !== 'get') {
        // Stand-ins may still make up the number, so only time decides.
        if (!op.stored.has(index)) leaveHint(op, index);
        return;
      }
      const possible = possibleCount(op);
      if (possible >= needed(op)) return;
      // One answer more may make it certain that nothing was stored anywhere: worth waiting for.
      const { count } = answeredBy(op);
      if (op.phase === 'store' && op.f !== 'get' && count === 0 && possible > 0) return;
      fail(op, shortfall(op));
    }

    function needed(op: Operation): number {
      return op.phase === 'ask' ? readQuorum : storeQuorum;
    }

    function shortfall(op: Operation): string {
      const count = op.phase === 'ask' ? op.reading.heard.count : copies(op);
      const what = op.phase === 'ask' ? 'answered' : 'stored it';
      const within = formatDuration(host.now() - op.startedAt);
      const why = op.refusal ? ` (${op.refusal})` : '';
      return `${count} of ${op.owners.length} replicas ${what} within ${within}, ${needed(op)} needed${why}`;
    }

    // ── ends ────────────────────────────────────────────────────────────────────────────────────

    function settle(op: Operation): void {
      op.phase = 'settled';
      host.causes?.ended(op.id, 'abandoned');
      path.latency.record(host.now() - op.startedAt);
      const bytes = op.f === 'get' ? op.entry?.value : undefined;
      if (isRecorded) {
        host.record({
          block: name,
          phase: 'ok',
          op: op.id,
          f: op.f,
          key: op.key,
          // A copy of its own: the caller may do to the other what it likes.
          value: op.f === 'get' ? (bytes ? decode(bytes) : null) : undefined,
          session: op.session,
        });
      }
      op.done({ ok: true, value: bytes ? decode(bytes) : undefined });
      closeWhenHeard(op);
    }

    function fail(op: Operation, why: string): void {
      const certain = changedNothing(op);
      forget(op);
      host.causes?.ended(op.id, 'timeout');
      meters.failures.add();
      path.errors.add();
      path.latency.record(host.now() - op.startedAt);
      host.record({
        block: name,
        phase: certain ? 'fail' : 'info',
        op: op.id,
        f: op.f,
        key: op.key,
        session: op.session,
        reason: why,
      });
      op.done({ ok: false, why, certain });
    }

    function closeWhenHeard(op: Operation): void {
      const answered = op.f === 'get' ? op.reading.heard : op.stored;
      for (let i = 0; i < op.owners.length; i++) {
        if (!answered.has(i) && (op.failed & (1 << i)) === 0) return;
      }
      close(op);
    }

    /** After the answer: bring every owner up to date that can be. */
    function close(op: Operation): void {
      forget(op);
      if (op.f === 'get') return repair(op);
      for (let i = 0; i < op.owners.length; i++) if (!op.stored.has(i)) leaveHint(op, i);
    }

    function forget(op: Operation): void {
      op.phase = 'settled';
      operations.take(op.id);
      if (operations.size === 0) leave();
    }

    function leave(): void {
      drained?.();
      drained = undefined;
    }

    function repair(op: Operation): void {
      const { newest } = op.reading;
      if (newest === null || isStale(op)) return;
      for (let i = 0; i < op.owners.length; i++) {
        // Behind, and not already sent it by the write-back.
        if (!op.reading.isBehind(i, newest.version) || op.stored.has(i)) continue;
        if (newest === op.entry && (op.sent & storeBit(i, op.attempt)) !== 0) continue;
        meters.repairs.add();
        // Nobody waits for the answer: the next read finds out.
        const id = calls.next();
        const message: KvMessage = { type: 'store', id, attempt: 0, key: op.key, entry: newest };
        host.send(op.owners[i]!, message);
      }
    }

    /**
     * Asks the next node of the walk to keep what owner `index` did not take. When all nodes are
     * owners, one that has it itself does: that copy reminds, and never counts.
     */
    function leaveHint(op: Operation, index: number): void {
      if ((op.hinted & (1 << index)) !== 0 || config.hintsMax === 0 || isStale(op)) return;
      const walk = ring.walk(op.key);
      const away = op.standIn >= walk.length;
      const position = away ? op.owners.findIndex((_owner, i) => op.stored.has(i)) : op.standIn++;
      if (position < 0) return;
      op.hinted |= 1 << index;
      op.doubted ||= op.phase === 'store';
      const to = addresses.get(walk[position]!)!;
      const id = calls.open(to, timeoutUs, (answer) => {
        if (answer.ok && answer.reply.type === 'stored') {
          meters.hints.add();
          if (!config.sloppy || position < replicas || op.phase !== 'store') return;
          op.kept |= 1 << index;
          return settleWhenStored(op);
        }
        op.hinted &= ~(1 << index);
        if (!away) leaveHint(op, index);
      });
      host.send(to, {
        type: 'hint',
        id,
        attempt: 0,
        owner: op.owners[index]!.node,
        key: op.key,
        entry: op.entry!,
      } satisfies KvMessage);
    }

    /** A node that stood still may wake up with operations so old that their versions are history. */
    function isStale(op: Operation): boolean {
      return host.now() > op.endsAt + timeoutUs;
    }

    // ── time ────────────────────────────────────────────────────────────────────────────────────

    function arm(op: Operation): void {
      const now = host.now();
      const delayUs = Math.min(op.endsAt - now, Math.ceil((op.endsAt - op.phaseAt) / attemptsMax));
      op.until = now + Math.max(0, delayUs);
      ticks.set(op.id, op.until);
    }

    function tick(op: Operation): void {
      if (op.phase === 'settled') return close(op);
      if (host.now() >= op.endsAt) return fail(op, shortfall(op));
      op.attempt++;
      // Those who refused may be back, and those who were silent may never have heard.
      op.failed = 0;
      meters.resends.add();
      if (op.phase === 'ask') {
        ask(op);
      } else {
        if (config.sloppy && op.f !== 'get') {
          for (let i = 0; i < op.owners.length; i++) if (!op.stored.has(i)) leaveHint(op, i);
        }
        if (op.attempt < attemptsMax) sendStores(op);
      }
      arm(op);
    }

    // ── messages ────────────────────────────────────────────────────────────────────────────────

    const api: KvApi = { start };
    return {
      api,
      message(from, received) {
        const message = received as KvMessage;
        // Of an operation that is not over, and from an owner; else of a hint, or nobody's.
        const op = operations.get(message.id);
        const index = op === undefined ? -1 : op.indexOf(from.node);
        if (op === undefined || index < 0) return calls.settle(message.id, message);
        switch (message.type) {
          case 'entry':
            return heardEntry(op, index, message.entry, message.floor);
          case 'version': {
            const { version } = message;
            return heardEntry(op, index, version && { version, value: null }, message.floor);
          }
          case 'unfilled':
            op.refusal = message.type;
            // Of a get that stores: its answer to the store still counts.
            if (op.phase !== 'store') lost(op, index);
            return;
          case 'stored':
            return heardStored(op, index, message.newer);
          case 'denied':
            if (message.certain) op.denied |= storeBit(index, message.attempt);
            op.refusal = message.why;
            return lost(op, index);
        }
      },
      refused(to, sent) {
        const message = sent as KvMessage;
        const op = operations.get(message.id);
        const index = op === undefined ? -1 : op.indexOf(to.node);
        if (op === undefined || index < 0) return calls.refused(message.id);
        if (message.type === 'store') op.denied |= storeBit(index, message.attempt);
        // Of a phase that is over, or a resend that overlapped with an answer: says nothing new.
        const answered = op.f === 'get' && op.phase !== 'store' ? op.reading.heard : op.stored;
        const phase = message.type === 'store' ? 'store' : 'ask';
        if ((op.phase === phase || op.phase === 'settled') && !answered.has(index)) lost(op, index);
      },
      disconnected(node) {
        calls.disconnected(node);
      },
      drain(done) {
        drained = done;
        if (operations.size === 0) leave();
      },
    };
  };
}
