/** Puts the invariants of a design to the history of a run. */
import type { HistoryEvent } from '../host/history.ts';
import { evidenceOf } from '../verify/evidence.ts';
import { verdictIn } from '../verify/invariants.ts';
import { printCounterexample } from '../verify/print.ts';
import type { Budget, Invariant } from '../verify/verdict.ts';
import type { InvariantResult } from './report.ts';

/**
 * The blocks whose history some invariant looks at; undefined when one looks at all. Millions of
 * operations that nobody judges would only fill memory and disks.
 */
export function judgedBlocks(invariants: readonly Invariant[]): readonly string[] | undefined {
  const blocks = new Set<string>();
  for (const { block } of invariants) {
    if (block === undefined) return undefined;
    blocks.add(block);
  }
  return [...blocks];
}

export function judgeAll(
  invariants: readonly Invariant[],
  history: readonly HistoryEvent[],
  budget: Budget | undefined,
): InvariantResult[] {
  return invariants.map((invariant) => {
    const { name } = invariant;
    const { verdict, detail, counterexample } = verdictIn(invariant.check(history, budget), name);
    if (!counterexample) return { name, verdict, detail };
    return {
      name,
      verdict,
      detail,
      counterexample: printCounterexample(counterexample).split('\n'),
      evidence: evidenceOf(counterexample),
    };
  });
}
