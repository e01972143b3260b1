/** Throughput, errors and p99 over time, one column a few pixels wide. Pure; `draw.ts` paints it. */
import type { Frame } from 'loadpath/studio';
import { Histogram, percentileOf } from 'loadpath/studio';
import { type Scale, xOf } from './scale.ts';

export interface SparkColumn {
  readonly x: number;
  readonly width: number;
  readonly completedPerSec: number;
  /** Failed and rejected. */
  readonly errorsPerSec: number;
  /** 0 where nothing was completed. */
  readonly p99Us: number;
}

export interface Spark {
  readonly columns: readonly SparkColumn[];
  readonly ratePeak: number;
  readonly p99PeakUs: number;
}

/** At most as many columns as can be told apart; percentiles over merged histograms, never averaged. */
export function sparkOf(frames: readonly Frame[], scale: Scale, leastPx = 2): Spark {
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
        p99Us: group.length === 1 ? p99Of(last) : mergedP99(group),
      });
    }
    begin = end;
  }
  return {
    columns,
    ratePeak: columns.reduce(
      (max, one) => Math.max(max, one.completedPerSec + one.errorsPerSec),
      0,
    ),
    p99PeakUs: columns.reduce((max, one) => Math.max(max, one.p99Us), 0),
  };
}

/** Frames never change: each is asked once. */
const known = new WeakMap<Frame, number>();

export function p99Of(frame: Frame): number {
  let p99 = known.get(frame);
  if (p99 === undefined) {
    p99 = percentileOf(frame.users.latency, 99);
    known.set(frame, p99);
  }
  return p99;
}

/** By the first frame of a column. Only the last column of a run that goes on still gets frames. */
const mergedBefore = new WeakMap<Frame, { readonly last: Frame; readonly p99: number }>();

function mergedP99(frames: readonly Frame[]): number {
  const [first, last] = [frames[0]!, frames.at(-1)!];
  const before = mergedBefore.get(first);
  if (before?.last === last) return before.p99;
  const merged = new Histogram();
  for (const { users } of frames) merged.add(users.latency);
  const p99 = merged.percentile(99);
  mergedBefore.set(first, { last, p99 });
  return p99;
}

/** The next round number, so that a scale does not move with every frame. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}
