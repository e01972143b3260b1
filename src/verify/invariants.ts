/**
 * The claims a design makes: `invariants: [linearizable(links), noLoss(clicks)]`. Each takes the
 * declaration it is about and answers from the recorded history.
 */
import type { History } from '../host/history.ts';
import { judgeInOrder, judgeNoLoss, type NoLossOptions } from './delivery.ts';
import { judgeUniqueIds } from './ids.ts';
import { linearizability } from './linearizability.ts';
import type { ModelName } from './models.ts';
import { judgeDurable, judgeMonotonicReads, judgeReadYourWrites } from './sessions.ts';
import { holds, type Invariant, type Verdict, violated } from './verdict.ts';

/** A declaration, or anything that has its name. */
export interface Named {
  readonly name: string;
}

/** There is one order of all operations, in real time, that explains every answer. */
export function linearizable(of: Named, options: { readonly model?: ModelName } = {}): Invariant {
  return {
    name: `${of.name} is linearizable`,
    kind: 'linearizable',
    block: of.name,
    check: (history, budget = {}) =>
      linearizability(history, { block: of.name, model: options.model ?? 'kv', budget }),
  };
}

/** No session reads a value older than its own last write. */
export function readYourWrites(of: Named): Invariant {
  return {
    name: `${of.name} lets sessions read their writes`,
    kind: 'read-your-writes',
    block: of.name,
    check: (history) => judgeReadYourWrites(history, of.name),
  };
}

/** No session reads a value older than one it read before. */
export function monotonicReads(of: Named): Invariant {
  return {
    name: `${of.name} never reads backward`,
    kind: 'monotonic-reads',
    block: of.name,
    check: (history) => judgeMonotonicReads(history, of.name),
  };
}

/** Acknowledged writes are there at the end. Judged by the last read of each key. */
export function durable(of: Named): Invariant {
  return {
    name: `${of.name} is durable`,
    kind: 'durable',
    block: of.name,
    check: (history) => judgeDurable(history, of.name),
  };
}

/** No id is given twice, no name to two owners. */
export function uniqueIds(of: Named): Invariant {
  return {
    name: `${of.name} are unique`,
    kind: 'unique-ids',
    block: of.name,
    check: (history) => judgeUniqueIds(history, of.name),
  };
}

/** Every acknowledged message reaches every group; repeats are allowed. */
export function noLoss(of: Named, options: NoLossOptions = {}): Invariant {
  return {
    name: `${of.name} loses no message`,
    kind: 'no-loss',
    block: of.name,
    check: (history) => judgeNoLoss(history, of.name, options),
  };
}

/** Each group is given the messages of a partition in their order. */
export function inOrder(of: Named): Invariant {
  return {
    name: `${of.name} come in order`,
    kind: 'in-order',
    block: of.name,
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
