/** A report of what `live/load` measured at a URL: the same shape as that of a design. */
import type { LoadOutcome } from '../live/load.ts';
import {
  assemble,
  type InvariantResult,
  type ObjectiveResult,
  type Objectives,
  type Report,
} from './report.ts';
import { version } from './version.ts';

/** Below it the figures are about the generator, and the run fails. */
export const achievedRatioMin = 0.98;

export function loadReport(
  url: string,
  seed: number,
  objectives: Objectives,
  outcome: LoadOutcome,
): Report {
  const { seconds, requestedPerSec, achievedPerSec } = outcome;
  const achieved: ObjectiveResult = {
    name: 'rate sent',
    unit: '/s',
    target: requestedPerSec * achievedRatioMin,
    measured: achievedPerSec,
    holds: outcome.generated > 0 && achievedPerSec >= requestedPerSec * achievedRatioMin,
  };
  return assemble({
    version,
    design: url,
    world: 'load',
    seed,
    digest: null,
    loadUs: outcome.loadUs,
    wallUs: outcome.wallUs,
    counts: {
      generated: outcome.generated,
      completed: outcome.completed,
      rejected: outcome.rejected,
      failed: outcome.failed,
      inFlight: outcome.inFlight,
    },
    servedCount: outcome.servedCount,
    latencies: outcome.latencies,
    inVain: outcome.inVain,
    objectives,
    moreObjectives: [achieved],
    invariants: nothingGood(outcome),
    errors: outcome.errors,
    blocks: {},
    series: {
      at: seconds.map(({ at }) => at),
      throughput: seconds.map(({ completed }) => completed),
      p50Ms: seconds.map(({ p50Us }) => p50Us / 1_000),
      p99Ms: seconds.map(({ p99Us }) => p99Us / 1_000),
      errors: seconds.map(({ rejected, failed }) => rejected + failed),
      blocks: {},
    },
    events: [],
    notes: notesOf(outcome, achieved.holds),
  });
}

/** Who measures how fast a wrong address is refused has measured nothing. */
function nothingGood({ completed, goodCount, errors }: LoadOutcome): InvariantResult[] {
  if (completed === 0 || goodCount > 0) return [];
  const statuses = Object.keys(errors).filter((reason) => /^4\d\d$/.test(reason));
  const detail = `not one was answered below 400, but ${statuses.join(', ')}: is this the right URL?`;
  return [{ name: 'there are good answers', verdict: 'unknown', detail }];
}

function notesOf(outcome: LoadOutcome, hasAchieved: boolean): string[] {
  const { requestedPerSec, achievedPerSec, otherwise } = outcome;
  const notes: string[] = [];
  if (!hasAchieved) {
    notes.push(
      `only ${achievedPerSec.toFixed(1)} of ${requestedPerSec.toFixed(1)} requests a second got a socket during the load: the server holds every connection (see --connections), or this machine cannot send that fast`,
    );
  }
  if (otherwise.count > 0) {
    notes.push(
      `answered otherwise than the log says: ${otherwise.count} requests, the first ${otherwise.first}`,
    );
  }
  return notes;
}
