/**
 * Linearizability: is there one order of all operations, each at some instant between its call
 * and its return, in which a correct object would have answered just so?
 *
 * It holds for the whole when it holds for each key by itself, so each key is judged alone. A key
 * is judged by what suits it: one after another needs no search; unique values need none either
 * (`unique.ts`); the rest is searched (`search.ts`), with a limit and 'unknown' beyond it.
 */
import type { History, HistoryEvent } from '../host/history.ts';
import type { Value } from '../host/host.ts';
import { Judge, prefixOf, Share } from './decide.ts';
import {
  type Act,
  actOf,
  changes,
  Lists,
  type Model,
  type ModelName,
  models,
  readKind,
  writeKind,
} from './models.ts';
import { damagedBy, never, Operations } from './operations.ts';
import { describeOperation } from './print.ts';
import { canonical, isList, showValue } from './values.ts';
import {
  Allowance,
  type Budget,
  type Counterexample,
  countOf,
  holds,
  shown,
  type TimedOperation,
  unknown,
  type Verdict,
} from './verdict.ts';

/** The operations of `block` (or all there are) against a model of one key. */
export function linearizability(
  history: History | Iterable<HistoryEvent>,
  options: { readonly model?: ModelName; readonly block?: string; readonly budget?: Budget } = {},
): Verdict {
  return judgeOperations(
    Operations.of(history, options.block),
    options.model ?? 'kv',
    options.budget,
  );
}

/** The same for operations that are paired already: files, streams. */
export function judgeOperations(
  operations: Operations,
  modelName: ModelName,
  budget: Budget = {},
): Verdict {
  if (operations.count === 0) return unknown('nothing was recorded');
  if (operations.orphanCount > 0) return unknown(damagedBy(operations.orphanCount));
  const model = models[modelName];
  const lists = new Lists();
  const judge = new Judge(model, lists);
  const allowance = new Allowance(budget);
  const groups = operations.byKey();
  const hard: number[] = [];

  const actsOf = (key: number): Act[] | string => {
    const acts: Act[] = [];
    for (const index of groups[key]!) {
      const act = actOf(model, operations, index, lists);
      if (typeof act === 'string') return act;
      if (act) acts.push(act);
    }
    return acts;
  };

  // First every key with little, so that one hard key does not hide that another is wrong.
  for (let key = 0; key < groups.length; key++) {
    const acts = actsOf(key);
    if (typeof acts === 'string') return unknown(acts);
    const verdict = judge.decide(acts, new Share(allowance, 10_000 + 20 * acts.length));
    if (verdict === false) return wrong(operations, model, judge, acts, allowance);
    if (verdict === undefined) hard.push(key);
    if (allowance.left === 0) break;
  }
  for (let i = 0; i < hard.length; i++) {
    const key = hard[i]!;
    const acts = actsOf(key);
    if (typeof acts === 'string') return unknown(acts);
    const share = new Share(allowance, Math.ceil(allowance.left / (hard.length - i)));
    const verdict = judge.decide(acts, share);
    if (verdict === false) return wrong(operations, model, judge, acts, allowance);
    if (verdict === undefined) {
      return unknown(
        `no answer${ofKey(operations, key)} within the limit of the search: ${countOf(acts.length, 'operation')} on it, too many at once`,
      );
    }
  }
  if (allowance.left === 0) return unknown('no answer within the limit of the search');
  if (operations.okCount === 0) return unknown('no operation succeeded');
  const keys = groups.length > 1 ? ` on ${countOf(groups.length, 'key')}` : '';
  return holds(`${countOf(operations.count, 'operation')}${keys}`);
}

function wrong(
  operations: Operations,
  model: Model,
  judge: Judge,
  acts: readonly Act[],
  allowance: Allowance,
): Verdict {
  // Finding the answer is not charged for making it short.
  const spare = new Allowance({ stepsMax: Math.max(1_000_000, allowance.left) });
  const stuckAt = judge.stuckAt(acts, spare);
  const prefix = stuckAt === undefined ? acts : prefixOf(acts, stuckAt);
  const few = judge.reduce(prefix, spare);
  return shown(counterexampleOf(operations, model, judge, few, spare));
}

function counterexampleOf(
  operations: Operations,
  model: Model,
  judge: Judge,
  few: readonly Act[],
  allowance: Allowance,
): Counterexample {
  let culprit = 0;
  for (let i = 0; i < few.length; i++) {
    const end = few[i]!.end;
    if (end !== never && (few[culprit]!.end === never || end > few[culprit]!.end)) culprit = i;
  }
  // Of lists the search goes no further than somebody read, so it is asked what came before.
  const explained = model.name === 'append' ? few.filter((_, i) => i !== culprit) : few;
  const { order } = judge.order(explained, allowance);
  const timed = few.map((act) => {
    const whole = operations.timed(act.index);
    if (act.end !== never || whole.outcome !== 'ok') return whole;
    // It returned after the point that matters, so for the argument its outcome is open.
    const { endedAt: _, ...rest } = whole;
    return { ...rest, output: null, outcome: 'unknown' as const };
  });
  const last = timed[culprit]!;
  const key = last.key;
  return {
    model: model.name,
    ...(key === undefined ? {} : { key }),
    operations: timed,
    culprit,
    at: last.endedAt ?? last.invokedAt,
    order: explained === few ? order : order.map((i) => (i < culprit ? i : i + 1)),
    reason: reasonOf(model, few, culprit, timed),
  };
}

function reasonOf(
  model: Model,
  few: readonly Act[],
  culprit: number,
  operations: readonly TimedOperation[],
): string {
  const act = few[culprit]!;
  const timed = operations[culprit]!;
  const what = `${timed.f} by ${timed.client}`;
  if (act.kind !== readKind) return `no order explains ${what} and what was read around it`;
  const answer = `${what} returned ${showValue(timed.output)}`;
  if (model.name === 'append') {
    const by = operations.find((other, i) => few[i]!.end < act.call && !isIn(other, timed.output));
    if (few.length === 2 && by) {
      return `${answer}, without what ${describeOperation(by)} by ${by.client} had added before it`;
    }
    const [one, two] = operations;
    if (few.length === 3 && few[0]!.end < few[1]!.call && culprit === 2) {
      return `${answer}, though ${describeOperation(two!)} by ${two!.client} was begun after ${describeOperation(one!)} by ${one!.client} had returned`;
    }
    if (few.length === 1) return `${answer}, with something that nobody had appended`;
  } else {
    const writers = few.filter((other) => changes(other) && other.b === act.a);
    const fromStart = act.a === model.initial;
    if (writers.length === 0 && !fromStart) return `${answer}, which nobody ever wrote`;
    if (!fromStart && writers.every((other) => other.call > act.end)) {
      return `${answer} before anybody began to write it`;
    }
    const writtenBy = Math.max(0, ...writers.map((other) => other.end));
    const replaced = few.findIndex(
      (other) =>
        other.kind === writeKind &&
        other.b !== act.a &&
        other.call > writtenBy &&
        other.end < act.call,
    );
    if (replaced >= 0) {
      const by = operations[replaced]!;
      return `${answer}, though ${describeOperation(by)} by ${by.client} had come after it and returned`;
    }
  }
  return `${answer}, and no order with ${countOf(few.length - 1, 'other operation')} explains it`;
}

/** Whether a list has what was appended to it. */
function isIn({ input }: TimedOperation, list: Value): boolean {
  return isList(list) && list.some((element) => canonical(element) === canonical(input));
}

function ofKey(operations: Operations, key: number): string {
  const name = operations.keys[key]!;
  return name === '' ? '' : ` for key ${showValue(name)}`;
}
