/**
 * The claims a design makes: `invariants: [linearizable(links), noLoss(clicks)]`. Each takes the
 * declaration it is about and answers from the recorded history.
 */
import type { History } from '../host/history.ts';
import { show } from '../kit/config.ts';
import { LoadpathError } from '../kit/errors.ts';
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

/**
 * Your own: true holds, false or a text (why) is a violation, and so is what it throws, so that an
 * `assert` or an `expect` will do; a `Verdict` is what it says.
 */
export function invariant(
  name: string,
  check: (history: History) => Verdict | boolean | string,
): Invariant {
  return {
    name,
    kind: 'custom',
    check: (history) => {
      let answer: unknown;
      try {
        answer = check(history);
      } catch (thrown) {
        return violated(thrown instanceof Error ? thrown.message : String(thrown));
      }
      if (typeof answer === 'string') return violated(answer === '' ? 'not so' : answer);
      if (typeof answer === 'boolean') return answer ? holds('as claimed') : violated('not so');
      return verdictIn(answer, name);
    },
  };
}

const verdicts: readonly unknown[] = ['holds', 'violated', 'unknown'];

/** Types are gone when a design runs, and an answer that is none must never count as clean. */
export function verdictIn(answer: unknown, name: string): Verdict {
  if (isVerdict(answer)) return answer;
  if (isPromise(answer)) {
    // Whatever comes of it, nobody waits for it.
    answer.then(undefined, () => undefined);
    return refused(name, 'its check is async, and nobody waits for an answer');
  }
  return refused(name, `its check answered ${show(answer)}`);
}

function isVerdict(answer: unknown): answer is Verdict {
  if (typeof answer !== 'object' || answer === null) return false;
  if (!('verdict' in answer) || !('detail' in answer)) return false;
  return verdicts.includes(answer.verdict) && typeof answer.detail === 'string';
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && 'then' in answer;
}

function refused(name: string, what: string): never {
  const whole = `${what}; it must answer true, false, a text (why not), or a verdict with its detail`;
  throw new LoadpathError('bad-design', `invariant '${name}': ${whole}`, {
    problems: [{ at: name, what: whole }],
  });
}
