/** Nothing vanishes uncounted: every request that was made ended in one of the known ways. */
import { countOf, formatCount, holds, type Verdict, violated } from './verdict.ts';

export interface RequestCounts {
  readonly generated: number;
  readonly completed: number;
  readonly rejected: number;
  readonly failed: number;
  readonly inFlight: number;
}

export function judgeConservation(counts: RequestCounts): Verdict {
  const { generated, completed, rejected, failed, inFlight } = counts;
  const known = completed + rejected + failed + inFlight;
  const sum = `${formatCount(completed)} completed + ${formatCount(rejected)} rejected + ${formatCount(failed)} failed + ${formatCount(inFlight)} in flight`;
  if (known === generated) return holds(`${countOf(generated, 'request')}: ${sum}`);
  const missing = generated - known;
  return violated(
    missing > 0
      ? `${countOf(missing, 'request')} of ${formatCount(generated)} vanished: ${sum}`
      : `${countOf(-missing, 'request')} more than the ${formatCount(generated)} that were made: ${sum}`,
  );
}
