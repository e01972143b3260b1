/**
 * What matters on the axis of time: faults with their length, crashes and boots, what blocks note
 * (an election, a breaker that opened), the instants at which an objective began to be missed.
 * Pure; the timeline draws them, `[` and `]` jump between them.
 */

import type { Frame, HistogramData, Micros, Report, RunEvent } from 'loadpath/studio';
import { Histogram, parseDuration } from 'loadpath/studio';

export type MarkType = 'fault' | 'crash' | 'boot' | 'note' | 'objective' | 'invariant';

export interface Mark {
  readonly type: MarkType;
  readonly atUs: Micros;
  /** Set for what lasts. */
  readonly untilUs?: Micros | undefined;
  /** One line. */
  readonly text: string;
  readonly node?: string | undefined;
}

/** Objectives as a design states them: `{ p99: '50ms', availability: 0.99 }`. */
export type ObjectiveTargets = Readonly<Record<string, string | number>>;

/** Shorter than this, a window holds too few requests for its p99 to mean anything. */
const windowUs = 1_000_000;

export function marksOf(
  events: readonly RunEvent[],
  frames: readonly Frame[],
  targets: ObjectiveTargets,
  untilUs: Micros,
): readonly Mark[] {
  return [...eventMarks(events, untilUs), ...objectiveMarks(frames, targets)].sort(
    (a, b) => a.atUs - b.atUs,
  );
}

export function eventMarks(events: readonly RunEvent[], untilUs: Micros): readonly Mark[] {
  const marks: Mark[] = [];
  const open = new Map<string, number>();
  const known = new Set<string>();
  for (const event of events) {
    switch (event.type) {
      case 'fault':
        if (event.began) {
          open.set(event.text, marks.length);
          marks.push({ type: 'fault', atUs: event.at, untilUs, text: event.text });
        } else {
          const index = open.get(event.text);
          if (index !== undefined) marks[index] = { ...marks[index]!, untilUs: event.at };
          open.delete(event.text);
        }
        break;
      case 'crash':
        known.add(event.node);
        marks.push({
          type: 'crash',
          atUs: event.at,
          text: event.gone ? `${event.node} is gone` : `${event.node} crashed: ${event.why}`,
          node: event.node,
        });
        break;
      case 'boot':
        // The first boot of everybody is not news.
        if (known.has(event.node)) {
          marks.push({
            type: 'boot',
            atUs: event.at,
            text: `${event.node} is up again`,
            node: event.node,
          });
        }
        known.add(event.node);
        break;
      case 'note':
        // Before the load, everybody notes how it began.
        if (event.at > 0) {
          marks.push({
            type: 'note',
            atUs: event.at,
            text: `${event.node}: ${event.text}`,
            node: event.node,
          });
        }
        break;
      default:
        break;
    }
  }
  return marks.filter((mark) => mark.atUs <= untilUs);
}

/**
 * When an objective began to be missed, over windows of a second: an objective is of the whole
 * run, but the moment a reader looks for is when things went wrong.
 */
export function objectiveMarks(
  frames: readonly Frame[],
  targets: ObjectiveTargets,
): readonly Mark[] {
  const percentiles = Object.entries(targets).flatMap(([name, target]) => {
    const match = /^p(\d+)$/.exec(name);
    const us = typeof target === 'string' ? parseDuration(target) : undefined;
    if (!match || us === undefined) return [];
    const digits = match[1]!;
    // p999 is the 99.9th.
    return [
      { name, us, percent: Number(digits) / 10 ** Math.max(0, digits.length - 2), text: target },
    ];
  });
  const availability = targets.availability;
  const marks: Mark[] = [];
  const missed = new Set<string>();
  const judge = (name: string, isMissed: boolean, atUs: Micros, text: string) => {
    if (isMissed && !missed.has(name)) marks.push({ type: 'objective', atUs, text });
    if (isMissed) missed.add(name);
    else missed.delete(name);
  };
  for (const window of windowsOf(frames)) {
    const first = window[0]!;
    const last = window.at(-1)!;
    // What is left over at the end of a stream is judged once it is whole.
    if (last.toUs - first.fromUs < windowUs) continue;
    const { completed, failed, latency } = figuresOf(window);
    if (completed > 0 && latency) {
      for (const { name, us, percent, text } of percentiles) {
        const isMissed = latency.percentile(percent) > us;
        const begins = isMissed
          ? window.find(({ users }) => percentileOf(users.latency, percent) > us)
          : undefined;
        judge(name, isMissed, (begins ?? first).fromUs, `${name} goes above ${text}`);
      }
    }
    if (typeof availability === 'number' && completed + failed > 0) {
      const share = completed / (completed + failed);
      const text = `availability falls below ${Number((availability * 100).toPrecision(6))} %`;
      const begin = window.find(({ users }) => users.failed > 0) ?? first;
      judge('availability', share < availability, begin.fromUs, text);
    }
  }
  return marks;
}

/** Sentences of the faults that are at work at an instant. */
export function activeFaults(events: readonly RunEvent[], atUs: Micros): readonly string[] {
  const active: string[] = [];
  for (const event of events) {
    if (event.type !== 'fault' || event.at > atUs) continue;
    if (event.began) active.push(event.text);
    else {
      const index = active.indexOf(event.text);
      if (index >= 0) active.splice(index, 1);
    }
  }
  return active;
}

export function nextMark(marks: readonly Mark[], atUs: Micros): Mark | undefined {
  return marks.find((mark) => mark.atUs > atUs + jumpSlackUs);
}

export function previousMark(marks: readonly Mark[], atUs: Micros): Mark | undefined {
  return marks.findLast((mark) => mark.atUs < atUs - jumpSlackUs);
}

/** Playing goes on while one looks for the key; the mark just passed is not the previous one. */
const jumpSlackUs = 1_000;

/** Broken invariants have no instant unless their evidence names one; they stand at the end. */
export function invariantMarks(report: Report | null, untilUs: Micros): readonly Mark[] {
  return (report?.invariants ?? [])
    .filter((invariant) => invariant.verdict === 'violated')
    .map((invariant) => ({
      type: 'invariant',
      atUs: untilUs,
      text: `violated: ${invariant.name}`,
    }));
}

interface WindowFigures {
  readonly completed: number;
  readonly failed: number;
  readonly latency: Histogram | undefined;
}

/** Frames never change, so a whole window is added up once, however often a growing run is judged. */
const figures = new WeakMap<Frame, WindowFigures>();

function figuresOf(window: readonly Frame[]): WindowFigures {
  const last = window.at(-1)!;
  const known = figures.get(last);
  if (known) return known;
  let latency: Histogram | undefined;
  let completed = 0;
  let failed = 0;
  for (const { users } of window) {
    completed += users.completed;
    failed += users.failed;
    if (users.latency.count === 0) continue;
    const own = Histogram.fromJSON(users.latency);
    if (latency) latency.merge(own);
    else latency = own;
  }
  const made = { completed, failed, latency };
  figures.set(last, made);
  return made;
}

function percentileOf(latency: HistogramData, percent: number): number {
  return latency.count === 0 ? 0 : Histogram.fromJSON(latency).percentile(percent);
}

function* windowsOf(frames: readonly Frame[]): Generator<readonly Frame[]> {
  let window: Frame[] = [];
  for (const frame of frames) {
    window.push(frame);
    if (frame.toUs - window[0]!.fromUs >= windowUs) {
      yield window;
      window = [];
    }
  }
  if (window.length > 0) yield window;
}
