/** Throughput, errors and p99 over time, one column a few pixels wide. Pure; `draw.ts` paints it. */
import type { Frame } from 'loadpath/studio';
import { type Axis, logAxis } from '../parts/plot/axis.ts';
import { groupFrames, percentilesOf, secondLength } from '../parts/plot/series.ts';
import { type Scale, xOf } from './scale.ts';

export interface SparkColumn {
  readonly x: number;
  readonly width: number;
  readonly completedPerSec: number;
  /** Failed and rejected. */
  readonly errorsPerSec: number;
}

export interface SparkStep {
  readonly x: number;
  readonly width: number;
  /** 0 where nothing was completed. */
  readonly p99Us: number;
}

export interface Spark {
  readonly columns: readonly SparkColumn[];
  /** Over windows of a second, as objectives are marked: a frame holds too few requests for a p99. */
  readonly steps: readonly SparkStep[];
  readonly ratePeak: number;
  readonly p99PeakUs: number;
  /** The lowest that there is; 0 where nothing was completed. */
  readonly p99LeastUs: number;
}

/** At most as many columns as can be told apart; percentiles over merged histograms, never averaged. */
export function sparkOf(frames: readonly Frame[], scale: Scale, leastPx = 2): Spark {
  const columns = columnsOf(frames, scale, leastPx);
  const steps = stepsOf(frames, scale, leastPx);
  const known = steps.flatMap(({ p99Us }) => (p99Us > 0 ? [p99Us] : []));
  return {
    columns,
    steps,
    ratePeak: columns.reduce(
      (max, one) => Math.max(max, one.completedPerSec + one.errorsPerSec),
      0,
    ),
    p99PeakUs: Math.max(0, ...known),
    p99LeastUs: known.length === 0 ? 0 : Math.min(...known),
  };
}

function columnsOf(frames: readonly Frame[], scale: Scale, leastPx: number): SparkColumn[] {
  const columns: SparkColumn[] = [];
  let begin = 0;
  while (begin < frames.length) {
    const x = xOf(scale, frames[begin]!.fromUs);
    let end = begin + 1;
    while (end < frames.length && xOf(scale, frames[end - 1]!.toUs) - x < leastPx) end++;
    const last = frames[end - 1]!;
    const seconds = (last.toUs - frames[begin]!.fromUs) / 1e6;
    const group = frames.slice(begin, end);
    const sum = (pick: (frame: Frame) => number) =>
      group.reduce((total, frame) => total + pick(frame), 0);
    if (seconds > 0) {
      columns.push({
        x,
        width: xOf(scale, last.toUs) - x,
        completedPerSec: sum(({ users }) => users.completed) / seconds,
        errorsPerSec: sum(({ users }) => users.failed + users.rejected) / seconds,
      });
    }
    begin = end;
  }
  return columns;
}

/** What a window came to is remembered: only the last one of a run that goes on still grows. */
function stepsOf(frames: readonly Frame[], scale: Scale, leastPx: number): SparkStep[] {
  const windowUs = secondLength(frames);
  const windowPx = xOf(scale, scale.fromUs + windowUs);
  const together = windowPx > 0 ? Math.max(1, Math.ceil(leastPx / windowPx)) : 1;
  return groupFrames(frames, windowUs * together).map((group) => {
    const x = xOf(scale, group.fromUs);
    return { x, width: xOf(scale, group.toUs) - x, p99Us: percentilesOf(group).p99 ?? 0 };
  });
}

/**
 * Magnitudes: an outage is a thousand times slower than an ordinary second, and both are to be seen.
 */
export function latencyAxis({ p99LeastUs, p99PeakUs }: Spark): Axis {
  return logAxis(Math.max(1, p99LeastUs), p99PeakUs);
}

/** The next round number, so that a scale does not move with every frame. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}
