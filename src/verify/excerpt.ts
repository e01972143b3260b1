/**
 * Of a counterexample with many operations, those that fit on one screen. It is kept short when it
 * is made; but what is long by nature, or was given up on, may hold thousands.
 */
import type { Counterexample } from './verdict.ts';

/** What fits on one screen, as bars below each other. */
const operationsMax = 60;
/** Most of them before the culprit: what it contradicts came earlier. */
const afterMax = 12;

export interface Excerpt extends Counterexample {
  /** Operations of the counterexample that are not shown here. */
  readonly leftOut: number;
}

export function excerptOf(counterexample: Counterexample): Excerpt {
  const { operations, culprit, order } = counterexample;
  const end = Math.min(operations.length, Math.max(operationsMax, culprit + 1 + afterMax));
  const start = Math.max(0, end - operationsMax);
  const isShown = (index: number): boolean => index >= start && index < end;
  return {
    ...counterexample,
    operations: operations.slice(start, end),
    culprit: culprit - start,
    order: order.filter(isShown).map((index) => index - start),
    leftOut: operations.length - (end - start),
  };
}
