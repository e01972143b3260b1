/**
 * Frames to columns. A point of a chart is a group of neighbouring frames, so that a run of ten
 * minutes and its first second are both readable; within a group counts add up and latencies come
 * from merged histograms: percentiles are never averaged.
 *
 * Frames do not change once they are there, so what a group came to is remembered: while a run
 * streams, only the newest point is worked out again.
 */
import { type Frame, Histogram } from 'loadpath/studio';

export interface Group {
  readonly fromUs: number;
  readonly toUs: number;
  readonly frames: readonly Frame[];
}

const groupsKnown = new WeakMap<Frame, WeakMap<Frame, Group>>();
const valuesKnown = new WeakMap<Group, Map<string, number | null>>();

/** The same frames are the same group, so that what is known of it is found again. */
function groupOf(frames: readonly Frame[]): Group | undefined {
  const first = frames[0];
  const last = frames.at(-1);
  if (!first || !last) return undefined;
  const known = groupsKnown.get(first)?.get(last);
  if (known) return known;
  const group = { fromUs: first.fromUs, toUs: last.toUs, frames };
  const byLast = groupsKnown.get(first) ?? new WeakMap<Frame, Group>();
  byLast.set(last, group);
  groupsKnown.set(first, byLast);
  return group;
}

/** A value of a group, worked out once; `what` tells it from all other values of this group. */
export function remembered<T extends number | null>(
  group: Group,
  what: string,
  work: (group: Group) => T,
): T {
  const values = valuesKnown.get(group) ?? new Map<string, number | null>();
  valuesKnown.set(group, values);
  if (!values.has(what)) values.set(what, work(group));
  return values.get(what) as T;
}

/** Values a plot has room for: closer ones cannot be told apart in a panel. */
const pointsMax = 150;

/**
 * Length of a point for a span: a whole number of frames, in steps people count in, so that there
 * are at most `pointsMax` of them.
 */
export function pointLength(frameUs: number, spanUs: number): number {
  for (let power = 1; ; power *= 10) {
    for (const part of [1, 2, 5]) {
      const lengthUs = frameUs * part * power;
      if (spanUs / lengthUs <= pointsMax) return lengthUs;
    }
  }
}

const secondUs = 1_000_000;

/**
 * Length of the windows by which users' percentiles are told: a second, in whole frames. In the tenth
 * of a second that a frame lasts there are so few requests that their p99 is the slowest of them.
 */
export function secondLength(frames: readonly Frame[]): number {
  const frameUs = frames[0] ? frames[0].toUs - frames[0].fromUs : 0;
  return frameUs <= 0 ? secondUs : Math.ceil(secondUs / frameUs) * frameUs;
}

/** Groups begin at multiples of their length, whatever is in view, so that zooming shifts nothing. */
export function groupFrames(frames: readonly Frame[], pointUs: number): Group[] {
  const groups: Group[] = [];
  let open: Frame[] = [];
  let openIndex = -1;
  const close = () => {
    const group = groupOf(open);
    if (group) groups.push(group);
    open = [];
  };
  for (const frame of frames) {
    const index = Math.floor(frame.fromUs / pointUs);
    if (index !== openIndex) {
      close();
      openIndex = index;
    }
    open.push(frame);
  }
  close();
  return groups;
}

export function secondsOf(group: Group): number {
  return Math.max(1, group.toUs - group.fromUs) / 1e6;
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
}

const silence: Percentiles = { p50: null, p90: null, p99: null, p999: null };
const percentilesKnown = new WeakMap<Group, Percentiles>();

/** Of the users' completed requests, microseconds. */
export function percentilesOf(group: Group): Percentiles {
  const known = percentilesKnown.get(group);
  if (known) return known;
  const merged = mergedLatency(group.frames);
  const percentiles =
    merged.count === 0
      ? silence
      : {
          p50: merged.percentile(50),
          p90: merged.percentile(90),
          p99: merged.percentile(99),
          p999: merged.percentile(99.9),
        };
  percentilesKnown.set(group, percentiles);
  return percentiles;
}

/** What users waited for over all these frames, exactly as one histogram would have it. */
export function mergedLatency(frames: readonly Frame[]): Histogram {
  const merged = new Histogram();
  for (const { users } of frames) merged.add(users.latency);
  return merged;
}

/** Frames that lie within a span, at least in part. */
export function framesWithin(frames: readonly Frame[], fromUs: number, toUs: number): Frame[] {
  return frames.filter((frame) => frame.toUs > fromUs && frame.fromUs < toUs);
}

/** Errors by reason over frames: the most frequent first. */
export function errorReasons(frames: readonly Frame[]): string[] {
  const counts = new Map<string, number>();
  for (const { users } of frames) {
    for (const [reason, count] of Object.entries(users.errors)) {
      counts.set(reason, (counts.get(reason) ?? 0) + count);
    }
  }
  return [...counts.entries()]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([reason]) => reason);
}

export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
