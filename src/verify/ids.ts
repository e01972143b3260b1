/** Ids are given once, and a name has at most one owner. */
import type { History } from '../host/history.ts';
import { damagedBy, Operations } from './operations.ts';
import { showValue } from './values.ts';
import {
  type Counterexample,
  countOf,
  holds,
  shown,
  unknown,
  type Verdict,
  violated,
} from './verdict.ts';

/**
 * No two `next` gave the same code, ever. No name was given to two `claim`s (unless both name the
 * same owner, as the value of their invocation: one asked again), and none was refused that nobody
 * else can have had.
 */
export function judgeUniqueIds(history: History, block: string): Verdict {
  const operations = Operations.of(history, block);
  if (operations.count === 0) return unknown('nothing was recorded');
  if (operations.orphanCount > 0) return unknown(damagedBy(operations.orphanCount));
  const givenBy = new Map<number, number>();
  const claims = new Map<number, number[]>();
  for (let index = 0; index < operations.count; index++) {
    const f = operations.f(index);
    if (f === 'next' && operations.ok(index)) {
      const code = operations.outputId(index);
      const other = givenBy.get(code);
      if (other !== undefined) {
        const reason = `${showValue(operations.output(index))} was given twice`;
        return shown(pairOf(operations, other, index, reason));
      }
      givenBy.set(code, index);
    } else if (f === 'claim' && !operations.failed(index)) {
      const ofName = claims.get(operations.keyId(index));
      if (ofName) ofName.push(index);
      else claims.set(operations.keyId(index), [index]);
    }
  }
  for (const [key, ofName] of claims) {
    const name = showValue(operations.keys[key]!);
    const owners = ofName.filter((index) => operations.output(index) === true);
    const rival = owners.find(
      (index) =>
        index !== owners[0] &&
        (operations.input(index) === null ||
          operations.inputId(index) !== operations.inputId(owners[0]!)),
    );
    if (rival !== undefined) {
      const reason = 'the name was given to two owners';
      return shown(pairOf(operations, owners[0]!, rival, reason));
    }
    // The earliest: what nobody can have had by then.
    let refused: number | undefined;
    for (const index of ofName) {
      if (operations.output(index) !== false) continue;
      if (refused === undefined || operations.end(index) < operations.end(refused)) refused = index;
    }
    if (refused === undefined) continue;
    const refusedBy = operations.end(refused);
    const possible = ofName.some(
      (index) =>
        (!operations.ok(index) || operations.output(index) === true) &&
        operations.call(index) < refusedBy,
    );
    if (!possible) return violated(`${name} was refused, and nobody else can have claimed it`);
  }
  if (operations.okCount === 0) return unknown('no operation succeeded');
  if (givenBy.size === 0 && claims.size === 0) return unknown('no id was given, no name claimed');
  const parts: string[] = [];
  if (givenBy.size > 0) parts.push(countOf(givenBy.size, 'id'));
  if (claims.size > 0) parts.push(countOf(claims.size, 'claimed name'));
  return holds(parts.join(', '));
}

function pairOf(
  operations: Operations,
  one: number,
  other: number,
  reason: string,
): Counterexample {
  const two = [one, other].sort((a, b) => a - b);
  const timed = two.map((index) => operations.timed(index));
  const culprit = operations.end(two[0]!) > operations.end(two[1]!) ? 0 : 1;
  const last = timed[culprit]!;
  return {
    model: 'unique-ids',
    ...(last.key === undefined ? {} : { key: last.key }),
    operations: timed,
    culprit,
    at: last.endedAt ?? last.invokedAt,
    order: [],
    reason,
  };
}
