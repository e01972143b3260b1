/**
 * A counterexample as reports carry it: JSON whatever the values were, and short. Studio draws it,
 * `--json` prints it; the terminal has `print.ts`.
 *
 * A judge's counterexample holds values as the design used them, bytes and bigints too, and after a
 * long run it may hold thousands of operations. Here values are text, and of many operations those
 * around the culprit are kept.
 */
import type { Value } from '../host/host.ts';
import { describeOperation } from './print.ts';
import { showValue } from './values.ts';
import type { Counterexample, TimedOperation } from './verdict.ts';

/** `input` and `output` are text, or null where there is none. */
export interface EvidenceOperation extends TimedOperation {
  readonly input: string | null;
  readonly output: string | null;
  /** `put 2`, `get = 1`, `get = ?` while nobody knows. */
  readonly what: string;
}

export interface Evidence extends Counterexample {
  readonly operations: readonly EvidenceOperation[];
  /** Operations of the counterexample that are not shown here. */
  readonly leftOut: number;
}

/** What fits on one screen, as bars below each other. */
const operationsMax = 60;
/** Most of them before the culprit: what it contradicts came earlier. */
const afterMax = 12;
const charsMax = 120;

export function evidenceOf(counterexample: Counterexample): Evidence {
  const { operations, culprit, order } = counterexample;
  const end = Math.min(operations.length, Math.max(operationsMax, culprit + 1 + afterMax));
  const start = Math.max(0, end - operationsMax);
  const isShown = (index: number): boolean => index >= start && index < end;
  return {
    ...counterexample,
    operations: operations.slice(start, end).map(printable),
    culprit: culprit - start,
    order: order.filter(isShown).map((index) => index - start),
    leftOut: operations.length - (end - start),
  };
}

function printable(operation: TimedOperation): EvidenceOperation {
  const { input, output } = operation;
  return {
    ...operation,
    input: textOf(input),
    output: textOf(output),
    what: describeOperation(operation),
  };
}

function textOf(value: Value): string | null {
  return value === null ? null : showValue(value, charsMax);
}
