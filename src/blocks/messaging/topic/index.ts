/**
 * `topic<Click>('clicks', { partitions: 8, key: (click) => click.code })`: a durable log in
 * partitions. See README.md.
 *
 * A service reads it with `on: { clicks: async (batch, env) => … }`: each instance then runs the
 * program `consumer` (config: `block.consumerConfig(declaration, site, group)`), whose api is a
 * `Consumer`: `start(handle)` once, `stop(done)` to leave the group when what runs has ended.
 */
import type { Declaration } from '../../../host/declaration.ts';
import { configure, type OptionsOf } from '../../../kit/config.ts';
import { topicBlock } from './block.ts';
import { knobs, relations } from './config.ts';
import type { Batch } from './consumer.ts';
import type { TopicCode, TopicHandle } from './handle.ts';

export { consumerConfig } from './block.ts';
export { type Batch, consumer as topicConsumer } from './consumer.ts';
export type { Published, TopicHandle } from './handle.ts';
export type { Delivered } from './messages.ts';
export { topicBlock };

export interface TopicOptions<T> extends OptionsOf<typeof knobs> {
  /** Messages of one key stay in order, in one partition. Without it partitions take turns. */
  readonly key?: ((value: T) => string) | undefined;
}

export interface Topic<T> extends Declaration<TopicHandle<T>> {
  readonly kind: 'topic';
  /** Never set: carries the type of a batch. */
  readonly delivers?: Batch<T>;
}

export function topic<T>(name: string, options: TopicOptions<T> = {}): Topic<T> {
  const { key, ...rest } = options;
  const { config, problems } = configure(name, knobs, rest, ['key']);
  const wrong = problems.length > 0 ? [...problems] : [...relations(name, config)];
  if (key !== undefined && typeof key !== 'function') {
    wrong.push({ at: `${name}.key`, what: 'must be a function of a message that returns text' });
  }
  const code: TopicCode = { key };
  return { kind: 'topic', name, block: topicBlock, config, problems: wrong, binds: {}, code };
}
