/** What users see in a second, in three figures. Pure. */
import type { Frame } from 'loadpath/studio';
import { mergedLatency, sum } from '../parts/plot/series.ts';

export interface FiguresNow {
  readonly completedPerSec: number;
  /** Failed and rejected. */
  readonly errorsPerSec: number;
  /** 0 where nothing was completed. */
  readonly p99Us: number;
}

/** @param second frames that follow one another, see `lastSecond`. */
export function figuresNow(second: readonly Frame[]): FiguresNow {
  const seconds = Math.max(1, sum(second.map(({ fromUs, toUs }) => toUs - fromUs))) / 1e6;
  return {
    completedPerSec: sum(second.map(({ users }) => users.completed)) / seconds,
    errorsPerSec: sum(second.map(({ users }) => users.failed + users.rejected)) / seconds,
    p99Us: mergedLatency(second).percentile(99),
  };
}
