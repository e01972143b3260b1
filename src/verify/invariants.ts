/**
 * The claims a design makes: `invariants: [linearizable(links), noLoss(clicks)]`. Each takes the
 * declaration it is about and answers from the recorded history.
 */
import type { History } from '../host/history.ts';
import { judgeInOrder, judgeNoLoss, type NoLossOptions } from './delivery.ts';
import { judgeUniqueIds } from './ids.ts';
import { linearizability } from './linearizability.ts';
import { type ModelName, models } from './models.ts';
import {
  judgeDurable,
  judgeMonotonicReads,
  judgeReadYourWrites,
  sessionOperations,
} from './sessions.ts';
import { holds, type Invariant, type Verdict, violated } from './verdict.ts';

/** A declaration, or anything that has its name. */
export interface Named {
  readonly name: string;
}

/** What has values by key, or anything that has its name: a declaration of another kind is refused. */
export interface NamedStore extends Named {
  readonly handle?: { get(key: never): unknown; put(key: never, value: never): unknown };
}

/** What gives ids and names. */
export interface NamedIds extends Named {
  readonly handle?: { next(): unknown; claim(name: never): unknown };
}

/** What messages are published to. */
export interface NamedTopic extends Named {
  readonly handle?: { publish(value: never): unknown };
}

/** There is one order of all operations, in real time, that explains every answer. */
export function linearizable(
  of: NamedStore,
  options: { readonly model?: ModelName } = {},
): Invariant {
  return {
    name: `${of.name} is linearizable`,
    kind: 'linearizable',
    block: of.name,
    judges: models[options.model ?? 'kv'].operations,
    check: (history, budget = {}) =>
      linearizability(history, { block: of.name, model: options.model ?? 'kv', budget }),
  };
}

/** No session reads a value older than its own last write. */
export function readYourWrites(of: NamedStore): Invariant {
  return {
    name: `${of.name} lets sessions read their writes`,
    kind: 'read-your-writes',
    block: of.name,
    judges: sessionOperations,
    check: (history) => judgeReadYourWrites(history, of.name),
  };
}

/** No session reads a value older than one it read before. */
export function monotonicReads(of: NamedStore): Invariant {
  return {
    name: `${of.name} never reads backward`,
    kind: 'monotonic-reads',
    block: of.name,
    judges: sessionOperations,
    check: (history) => judgeMonotonicReads(history, of.name),
  };
}

/** Acknowledged writes are there at the end. Judged by the last read of each key. */
export function durable(of: NamedStore): Invariant {
  return {
    name: `${of.name} is durable`,
    kind: 'durable',
    block: of.name,
    judges: sessionOperations,
    check: (history) => judgeDurable(history, of.name),
  };
}

/** No id is given twice, no name to two owners. */
export function uniqueIds(of: NamedIds): Invariant {
  return {
    name: `${of.name} are unique`,
    kind: 'unique-ids',
    block: of.name,
    judges: ['next', 'claim'],
    check: (history) => judgeUniqueIds(history, of.name),
  };
}

/** Every acknowledged message reaches every group; repeats are allowed. */
export function noLoss(of: NamedTopic, options: NoLossOptions = {}): Invariant {
  return {
    name: `${of.name} loses no message`,
    kind: 'no-loss',
    block: of.name,
    judges: ['publish', 'deliver', 'subscribe'],
    check: (history) => judgeNoLoss(history, of.name, options),
  };
}

/** Each group is given the messages of a partition in their order. */
export function inOrder(of: NamedTopic): Invariant {
  return {
    name: `${of.name} come in order`,
    kind: 'in-order',
    block: of.name,
    judges: ['publish', 'deliver', 'subscribe'],
    check: (history) => judgeInOrder(history, of.name),
  };
}

/** Your own: true holds, false or a text (why) is a violation, a `Verdict` is what it says. */
export function invariant(
  name: string,
  check: (history: History) => Verdict | boolean | string,
): Invariant {
  return {
    name,
    kind: 'custom',
    check: (history) => {
      const answer = check(history);
      if (typeof answer === 'string') return violated(answer);
      if (typeof answer === 'boolean') return answer ? holds('as claimed') : violated('not so');
      return answer;
    },
  };
}
