/** What publishers, brokers and consumers say to each other. */
import type { Micros, Value } from '../../../host/host.ts';

/** One message as a consumer gets it. */
export interface Delivered<T = Value> {
  /** Unique for ever: the same after a redelivery, so that a handler can tell what it has done already. */
  readonly id: string;
  readonly key: string | null;
  readonly value: T;
  readonly partition: number;
  readonly offset: number;
  /** When the broker stored it, by its wall clock. */
  readonly at: Micros;
}

export type TopicRequest =
  | {
      readonly type: 'publish';
      readonly id: number;
      readonly partition: number;
      /** The message's own id. */
      readonly message: string;
      readonly key: string | null;
      readonly value: Value;
      /** The publisher's boot number and its number of this message: asked again, stored once. */
      readonly life: number;
      readonly seq: number;
      /** The publisher no longer waits for anything below this number on this partition. */
      readonly low: number;
    }
  /** A consumer is there: says so first, and again and again. */
  | {
      readonly type: 'join';
      readonly group: string;
      readonly life: number;
      /** Generations that it works on: the broker repeats what got lost on the way. */
      readonly working: readonly number[];
    }
  | { readonly type: 'leave'; readonly group: string; readonly life: number }
  | {
      readonly type: 'commit';
      readonly id: number;
      readonly group: string;
      readonly partition: number;
      readonly generation: number;
    }
  | {
      readonly type: 'fail';
      readonly id: number;
      readonly group: string;
      readonly partition: number;
      readonly generation: number;
    }
  | {
      readonly type: 'replay';
      readonly id: number;
      readonly group: string;
      readonly partition: number;
      /** An offset, or the first message stored at or after an instant of the wall clock. */
      readonly from: { readonly offset: number } | { readonly at: Micros };
    };

export type TopicReply =
  | { readonly type: 'published'; readonly id: number; readonly offset: number }
  | {
      readonly type: 'refusal';
      readonly id: number;
      readonly why: string;
      /** True: not stored, and this number of the publisher never will be. */
      readonly certain: boolean;
    }
  | {
      readonly type: 'settled';
      readonly id: number;
      /** False: the batch was taken away meanwhile, and is or will be somebody else's. */
      readonly counted: boolean;
    }
  | { readonly type: 'replayed'; readonly id: number; readonly offset: number };

/** Fenced by `generation`: only what was delivered last can be committed. */
export interface Deliver {
  readonly type: 'deliver';
  readonly group: string;
  readonly partition: number;
  readonly generation: number;
  readonly messages: readonly Delivered[];
}

export type TopicMessage = TopicRequest | TopicReply | Deliver;

export function describe(message: TopicMessage): string {
  switch (message.type) {
    case 'publish':
      return `publish ${message.message}${message.key === null ? '' : ` key ${message.key}`} to ${message.partition}`;
    case 'join':
      return `join ${message.group}`;
    case 'leave':
      return `leave ${message.group}`;
    case 'commit':
      return `commit ${message.group} partition ${message.partition}`;
    case 'fail':
      return `fail ${message.group} partition ${message.partition}`;
    case 'replay':
      return `replay ${message.group} partition ${message.partition}`;
    case 'published':
      return `published at ${message.offset}`;
    case 'refusal':
      return `refused: ${message.why}`;
    case 'settled':
      return message.counted ? 'settled' : 'fenced';
    case 'replayed':
      return `replayed from ${message.offset}`;
    case 'deliver': {
      const { messages, partition } = message;
      const from = messages[0]?.offset ?? 0;
      return `deliver ${message.group} partition ${partition} ${from} to ${from + messages.length - 1}`;
    }
  }
}
