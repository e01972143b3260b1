/**
 * A counterexample as reports carry it: JSON whatever the values were, and short. Studio draws it,
 * `--json` prints it; the terminal has `print.ts`.
 *
 * A judge's counterexample holds values as the design used them, bytes and bigints too, and after a
 * long run it may hold thousands of operations. Here values are text, and of many operations those
 * around the culprit are kept.
 */
import type { Value } from '../host/host.ts';
import { type Excerpt, excerptOf } from './excerpt.ts';
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

export interface Evidence extends Excerpt {
  readonly operations: readonly EvidenceOperation[];
}

const charsMax = 120;

export function evidenceOf(counterexample: Counterexample): Evidence {
  const excerpt = excerptOf(counterexample);
  return { ...excerpt, operations: excerpt.operations.map(printable) };
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
