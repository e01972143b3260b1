/**
 * A member of a consumer group, on the node of the service that reads. It says that it is there,
 * takes batches, gives each to the handler, and commits it once the handler has finished: a crash
 * in between delivers the batch again.
 */
import type { Client, Consumer } from '../../../host/declaration.ts';
import type { Host, Message, Micros, NodeId, Value } from '../../../host/host.ts';
import { backoffUs } from '../../../parts/backoff.ts';
import { copyOf } from '../../../parts/copy.ts';
import { Calls } from '../../../path/calls.ts';
import { brokerOf, type ConsumerConfig } from './config.ts';
import type { Deliver, Delivered, TopicReply, TopicRequest } from './messages.ts';

/** What a service's handler gets: messages of one partition, in order. */
export type Batch<T> = readonly Delivered<T>[];

/** When a batch is committed, seen from its handling: the one rule that a test breaks on purpose. */
export type CommitRule = (
  handle: (finished: (failure?: unknown) => void) => void,
  settle: (type: 'commit' | 'fail') => void,
) => void;

const onceHandled: CommitRule = (handle, settle) =>
  handle((failure) => settle(failure === undefined ? 'commit' : 'fail'));

type Handle = (batch: never, done: (failure?: unknown) => void) => void;

interface Run {
  readonly generation: number;
  readonly startedAt: Micros;
}

/** One partition. */
interface Lane {
  run: Run | undefined;
  /** The highest generation ever begun: a copy the network made is not begun again. */
  begun: number;
  /** Came while another run was going on. */
  next: Deliver | undefined;
}

const retries = { backoffUs: 50_000, backoffMaxUs: 1_000_000 };
/** Histories know an operation by its number within a node's life, and this node may publish too. */
const opsFrom = 2 ** 31;
/** How often a broker that is down is asked whether it is back: sooner than by the next sign of life. */
const rejoinUs = 100_000;

export function consumerBy(rule: CommitRule) {
  return (host: Host, config: ConsumerConfig): Client & { readonly api: Consumer } => {
    const handled = host.meter.counter('handled');
    const failures = host.meter.counter('handler failures');
    const handling = host.meter.histogram('handling');
    const { name: block, group } = config;
    const calls = new Calls<TopicReply>(host);
    const random = host.random.fork('consumer');
    const lanes = Array.from(
      { length: config.partitions },
      (): Lane => ({ run: undefined, begun: 0, next: undefined }),
    );
    let handle: Handle | undefined;
    let stopped: (() => void) | undefined;
    let gone = false;
    const rejoining = new Set<NodeId>();
    let opCount = 0;

    function join(node: NodeId): void {
      const working: number[] = [];
      for (const lane of lanes) if (lane.run) working.push(lane.run.generation);
      const request: TopicRequest = { type: 'join', group, life: host.life, working };
      host.send(address(node), request);
    }

    function heartbeat(): void {
      if (stopped || gone) return;
      for (const node of config.brokers) join(node);
      host.after(Math.max(1_000, Math.floor(config.sessionTimeoutUs / 3)), heartbeat);
    }

    function deliver(message: Deliver): void {
      const lane = lanes[message.partition];
      if (!lane || !handle || stopped || message.generation <= lane.begun) return;
      const { run } = lane;
      // A run that takes too long is not waited for: its end will not count.
      if (run && host.now() - run.startedAt < config.handlingUs) lane.next = message;
      else begin(lane, message, handle);
    }

    function begin(lane: Lane, { generation, partition, messages }: Deliver, to: Handle): void {
      const run: Run = { generation, startedAt: host.now() };
      lane.run = run;
      lane.begun = generation;
      let answered = false;
      rule(
        (finished) =>
          // Its own, list and all: what a handler changes comes unchanged if it comes again.
          to(messages.map(ownOf) as never, (failure) => {
            if (answered) return;
            answered = true;
            handling.record(host.now() - run.startedAt);
            if (failure === undefined) record(messages);
            else failures.add();
            finished(failure);
          }),
        (type) => settle(lane, run, partition, type, 1),
      );
    }

    /** Tells the broker how a batch ended, until it has heard. */
    function settle(
      lane: Lane,
      run: Run,
      partition: number,
      type: 'commit' | 'fail',
      attempt: number,
    ): void {
      if (lane.run !== run) return;
      const to = address(config.brokers[brokerOf(partition, config.nodes)]!);
      const id = calls.open(to, config.attemptTimeoutUs, (answer) => {
        if (answer.ok && answer.reply.type === 'settled') return end(lane, run);
        host.after(backoffUs(retries, attempt, random), () =>
          settle(lane, run, partition, type, attempt + 1),
        );
      });
      const { generation } = run;
      host.send(to, { type, id, group, partition, generation } satisfies TopicRequest);
    }

    function end(lane: Lane, run: Run): void {
      if (lane.run !== run) return;
      lane.run = undefined;
      const { next } = lane;
      lane.next = undefined;
      if (stopped) return finishStop();
      if (next) deliver(next);
    }

    function record(messages: readonly Delivered[]): void {
      handled.add(messages.length);
      for (const { id, key, partition, offset } of messages) {
        remember('deliver', key ?? undefined, id, { group, id, partition, offset });
      }
    }

    function remember(f: string, key: string | undefined, asked: Value, value: Value): void {
      const op = host.life * 2 ** 32 + opsFrom + opCount++;
      host.record({ block, phase: 'invoke', op, f, key, value: asked });
      host.record({ block, phase: 'ok', op, f, key, value });
    }

    function start(to: Handle): void {
      handle = to;
      // From here on this group must get every message, unless it was told to skip what was there.
      if (config.start === 'earliest') remember('subscribe', undefined, { group }, { group });
      heartbeat();
    }

    /** Takes nothing new; `done` once what runs has been settled. */
    function stop(done: () => void): void {
      if (gone) return done();
      const before = stopped;
      stopped = () => {
        before?.();
        done();
      };
      finishStop();
    }

    function finishStop(): void {
      if (gone || lanes.some((lane) => lane.run)) return;
      gone = true;
      for (const node of config.brokers) {
        const leave: TopicRequest = { type: 'leave', group, life: host.life };
        host.send(address(node), leave);
      }
      stopped?.();
    }

    function rejoinSoon(node: NodeId): void {
      if (!handle || stopped || rejoining.has(node)) return;
      rejoining.add(node);
      host.after(rejoinUs, () => {
        rejoining.delete(node);
        if (!stopped) join(node);
      });
    }

    return {
      api: { start, stop },
      message(_from, message: Message) {
        if (message.type === 'deliver') return deliver(message as Deliver);
        const reply = message as TopicReply;
        calls.settle(reply.id, reply);
      },
      refused(to, message) {
        if (message.type === 'join') rejoinSoon(to.node);
        if (message.type === 'commit' || message.type === 'fail') {
          calls.refused((message as Extract<TopicRequest, { readonly id: number }>).id);
        }
      },
      disconnected(node) {
        calls.disconnected(node);
        if (config.brokers.includes(node)) rejoinSoon(node);
      },
      drain: stop,
    };
  };
}

export const consumer = consumerBy(onceHandled);

function ownOf(message: Delivered): Delivered {
  const { id, key, partition, offset, at } = message;
  return { id, key, value: copyOf(message.value), partition, offset, at };
}

function address(node: NodeId) {
  return { node, port: 'topic' };
}
