/**
 * What follows when a node ended by itself, or could not be started: another try after a while, or none any more.
 *
 *   failure  1      2      3      4 …          what ails the node itself: given up after some tries
 *   wait     100ms  200ms  400ms  800ms … 5s   what ails the machine passes: tried for as long as it takes
 *
 * While the system comes up somebody waits for it and wants the reason, so all of that is told sooner.
 */
import type { ErrorCode } from '../kit/errors.ts';

export interface Failure {
  /** In a row, this one included. */
  readonly failures: number;
  readonly code: ErrorCode | undefined;
  /** The system has not come up yet. */
  readonly isStarting: boolean;
}

const afterMinMs = 100;
const afterMaxMs = 5_000;
const startTriesMax = 3;
export const triesMax = 6;

/** Errors that another try does not mend. */
const lasting: ReadonlySet<ErrorCode> = new Set([
  'bad-design',
  'bad-option',
  'design-not-found',
  'design-failed',
  'data-corrupt',
]);

/** Somebody else's doing, which ends when they let go, and not by a node's trying. */
const contested: ReadonlySet<ErrorCode> = new Set(['data-locked', 'disk-full', 'port-taken']);

/** A node that had been up is not lost for good because a disk was full for a minute. */
export function passes(code: ErrorCode | undefined): boolean {
  // A file or a process that the machine refuses has this code.
  return code !== undefined && (contested.has(code) || code === 'node-failed');
}

/** After how many milliseconds it is tried again. Undefined: it is given up. */
export function nextTryMs({ failures, code, isStarting }: Failure): number | undefined {
  if (code !== undefined && (lasting.has(code) || (isStarting && contested.has(code)))) {
    return undefined;
  }
  const isPatient = !isStarting && passes(code);
  if (!isPatient && failures >= (isStarting ? startTriesMax : triesMax)) return undefined;
  return Math.min(afterMaxMs, afterMinMs * 2 ** (failures - 1));
}
