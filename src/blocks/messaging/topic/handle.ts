/** What user code holds. The only place in this block where code is asynchronous. */
import type { Declaration, RequestContext } from '../../../host/declaration.ts';
import type { Micros, Value } from '../../../host/host.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { illegal, illegalText } from '../../../parts/codec.ts';
import { copyOf } from '../../../parts/copy.ts';
import type { Published, TopicApi } from './client.ts';
import type { TopicConfig } from './config.ts';
import { sizeOfMessage } from './log.ts';

export type { Published } from './client.ts';

export interface TopicHandle<T> {
  /**
   * Stored, as it is now, on the disk of one broker when this returns. Fails with `Unavailable` after `timeout`:
   * `certain` says whether it may have been stored all the same. Messages of one key keep the order
   * in which they were published when each waits for the one before. Throws `TypeError` for what is
   * not a value, and for more bytes than `messageMax`.
   */
  publish(value: T): Promise<Published>;
  /**
   * Lets `group` read `partition` again from an offset, or from what was stored at an instant of the
   * wall clock (µs since 1970). Resolves to the offset where it goes on; a batch that is out
   * meanwhile can't be committed any more.
   */
  replayFrom(
    group: string,
    partition: number,
    from: number | { readonly at: Micros },
  ): Promise<number>;
}

/** What the plan cannot carry. */
export interface TopicCode {
  readonly key: ((value: never) => string) | undefined;
}

export function handle(
  api: TopicApi,
  context: RequestContext,
  declaration: Declaration,
): TopicHandle<Value> {
  const { name } = declaration;
  const { key } = declaration.code as TopicCode;
  const { partitions, messageMaxBytes } = declaration.config as TopicConfig;
  const keyOf = key as ((value: Value) => string) | undefined;
  return {
    publish: (value) =>
      new Promise((resolve, reject) => {
        const reason = value === undefined ? 'undefined is no value' : illegal(value);
        if (reason !== undefined) throw new TypeError(`${name}.publish: ${reason}`);
        const named = keyOf ? keyOf(value) : null;
        if (named !== null && typeof named !== 'string') {
          throw new TypeError(`${name}: key must return text, got ${typeof named}`);
        }
        const wrong = named === null ? undefined : illegalText(named);
        if (wrong !== undefined) throw new TypeError(`${name}: key must return text, and ${wrong}`);
        const sizeBytes = sizeOfMessage(named, value);
        if (sizeBytes > messageMaxBytes) {
          throw new TypeError(
            `${name}.publish: a message of ${sizeBytes} bytes is more than messageMax, ${messageMaxBytes}`,
          );
        }
        api.publish(named, copyOf(value), context, (outcome) =>
          outcome instanceof Unavailable ? reject(outcome) : resolve(outcome),
        );
      }),
    replayFrom: (group, partition, from) =>
      new Promise((resolve, reject) => {
        if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
          throw new TypeError(
            `${name}.replayFrom: partition must be 0 to ${partitions - 1}, got ${partition}`,
          );
        }
        const start = typeof from === 'number' ? { offset: from } : { at: from.at };
        api.replay(group, partition, start, (outcome) =>
          outcome instanceof Unavailable ? reject(outcome) : resolve(outcome),
        );
      }),
  };
}
