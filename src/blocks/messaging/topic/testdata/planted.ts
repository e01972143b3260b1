/** A topic with a well-known mistake in it, for the tests that must find it. */
import type { Block } from '../../../../host/declaration.ts';
import { topicBlock } from '../block.ts';
import { consumerBy } from '../consumer.ts';
import { type Topic, type TopicOptions, topic } from '../index.ts';

/** Commits a batch before its handler has run: what a crash interrupts is never delivered again. */
const committedFirst: Block = {
  ...topicBlock,
  programs: {
    ...topicBlock.programs,
    consumer: consumerBy((handle, settle) => {
      settle('commit');
      handle(() => {});
    }),
  },
};

export function topicCommittingFirst<T>(name: string, options: TopicOptions<T> = {}): Topic<T> {
  return { ...topic(name, options), block: committedFirst };
}
