/**
 * The calls of a service as rows of a form: whom, how often, whether it may fail, all at once or one
 * after the other. What is nested deeper than rows can say is kept as it was written.
 */
import { isFields } from './board.ts';

export interface CallRow {
  readonly to: string;
  /** 1: always. */
  readonly chance: number;
  /** Its failure is not the caller's. */
  readonly isOptional: boolean;
}

export interface CallRows {
  readonly rows: readonly CallRow[];
  readonly isParallel: boolean;
}

/** Undefined: more than rows can say. */
export function readCalls(calls: unknown): CallRows | undefined {
  if (calls === undefined) return { rows: [], isParallel: false };
  if (!Array.isArray(calls)) return undefined;
  const [only] = calls;
  const isParallel = calls.length === 1 && isFields(only) && Array.isArray(only.parallel);
  const steps: readonly unknown[] = isParallel ? (only.parallel as unknown[]) : calls;
  const rows = steps.map(readRow);
  return rows.every((row) => row !== undefined) ? { rows, isParallel } : undefined;
}

export function writeCalls({ rows, isParallel }: CallRows): unknown[] | undefined {
  const steps = rows.map(writeRow);
  if (steps.length === 0) return undefined;
  return isParallel ? [{ parallel: steps }] : steps;
}

function readRow(step: unknown): CallRow | undefined {
  if (typeof step === 'string') return { to: step, chance: 1, isOptional: false };
  if (!isFields(step)) return undefined;
  if ('optional' in step) {
    const inner = readRow(step.optional);
    return inner && { ...inner, isOptional: true };
  }
  const { sometimes } = step;
  if (!isFields(sometimes) || typeof sometimes.chance !== 'number') return undefined;
  const inner = readRow(sometimes.call);
  return inner?.chance === 1 ? { ...inner, chance: sometimes.chance } : undefined;
}

function writeRow({ to, chance, isOptional }: CallRow): unknown {
  const call = isOptional ? { optional: to } : to;
  return chance < 1 ? { sometimes: { chance, call } } : call;
}
