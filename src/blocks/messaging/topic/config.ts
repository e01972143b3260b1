/** The knobs of `topic`, and what its programs read. */
import type { NodeId } from '../../../host/host.ts';
import { bytes, type ConfigOf, choice, count, duration } from '../../../kit/config.ts';
import type { Problem } from '../../../kit/errors.ts';

export const knobs = {
  partitions: count(8, {
    min: 1,
    max: 10_000,
    doc: 'Logs that the topic is cut into. A key always goes to one of them; within one, order holds; between them it does not. Also the most instances of a group that work at once. Not to be changed once there are messages: brokers refuse to start.',
  }),
  nodes: count(2, {
    min: 1,
    max: 1_000,
    doc: 'Brokers. Partition p lives on broker p modulo nodes, on its disk alone: while that broker is down its partitions neither take nor give. Not to be changed either.',
  }),
  batch: count(100, {
    min: 1,
    max: 100_000,
    doc: 'Messages a consumer is given at once, at the most. It gets what is there: with little traffic, one at a time.',
  }),
  batchSize: bytes('1MB', {
    min: '1kB',
    max: '16MB',
    doc: 'Bytes of messages a consumer is given at once, at the most. One message may be larger: it is then alone. What is read must also fit into memory and through the network in one piece.',
  }),
  messageMax: bytes('1MB', {
    min: '1kB',
    max: '16MB',
    doc: 'Bytes of a message with its key, as they stand in the log. `publish` refuses a larger one: keep what is large elsewhere and publish where it is.',
  }),
  linger: duration('0ms', {
    max: '1min',
    doc: 'How long messages may wait for others, so that a batch is worth the work of handling it. It delays every message by up to this; a full batch goes at once.',
  }),
  start: choice(
    ['earliest', 'latest'],
    'Where a group begins that has not committed anything yet.',
  ),
  timeout: duration('5s', {
    min: '1ms',
    doc: 'How long `publish` tries. Longer than a restart of a broker takes in most cases.',
  }),
  attemptTimeout: duration('500ms', {
    min: '1ms',
    doc: 'How long one question to a broker may take before it is asked again: a few slow syncs of a disk.',
  }),
  sessionTimeout: duration('3s', {
    min: '10ms',
    doc: 'A consumer not heard for this long loses its partitions. It says that it is there three times as often.',
  }),
  handling: duration('30s', {
    min: '1ms',
    doc: 'How long a handler may take for one batch. Then the batch is delivered again, with twice the time, while the first run may still go on.',
  }),
  redeliver: duration('500ms', {
    min: '1ms',
    doc: 'Wait before a batch that failed is delivered again; doubles with every failure in a row, up to 32 times this.',
  }),
  retention: duration('7d', {
    min: '1s',
    doc: 'How long messages are kept, read or not. Whole segments go, so some live longer.',
  }),
  retentionSize: bytes('1GB', {
    min: '1kB',
    doc: 'Bytes of messages that a partition keeps. Beyond it the oldest whole segments go, read or not.',
  }),
  segment: bytes('4MB', {
    min: '1kB',
    max: '1GB',
    doc: 'Size at which a new file is begun. A broker holds the newest one of each partition in memory, so small; each costs a file.',
  }),
  queue: count(10_000, {
    min: 1,
    doc: 'Messages a broker may be writing at once. Beyond it publishers are told to come back.',
  }),
  inFlight: count(10_000, {
    min: 1,
    doc: 'Messages one caller may be publishing at once. Beyond it `publish` fails at once.',
  }),
  cost: duration('10us', {
    doc: 'CPU time of a broker for one message, as the simulator charges it.',
  }),
};

export type TopicConfig = ConfigOf<typeof knobs>;

/** Of one broker. */
export interface BrokerConfig extends TopicConfig {
  readonly name: string;
  /** Which of `nodes` it is. */
  readonly index: number;
}

/** Of the client half. */
export interface TopicClientConfig extends TopicConfig {
  readonly name: string;
  /** In the order of their index. */
  readonly brokers: readonly NodeId[];
}

/** Of a consumer. */
export interface ConsumerConfig extends TopicClientConfig {
  readonly group: string;
}

export function relations(name: string, config: TopicConfig): readonly Problem[] {
  const problems: Problem[] = [];
  if (config.nodes > config.partitions) {
    problems.push({
      at: `${name}.nodes`,
      what: `must not be more than partitions, or some have nothing to do; got ${config.nodes} nodes and ${config.partitions} partitions`,
    });
  }
  if (config.retentionSizeBytes < config.segmentBytes) {
    problems.push({
      at: `${name}.retentionSize`,
      what: `must be at least one segment; got ${config.retentionSizeBytes} and segment ${config.segmentBytes}`,
    });
  }
  return problems;
}

/** The broker of a partition: by number, so that every node knows it. */
export function brokerOf(partition: number, nodes: number): number {
  return partition % nodes;
}
