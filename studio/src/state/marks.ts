/**
 * What matters on the axis of time: faults with their length, crashes and boots, what blocks note
 * (an election, a breaker that opened), the instants at which an objective began to be missed.
 * Pure; the timeline draws them, `[` and `]` jump between them.
 */

import type { Frame, Micros, Report, RunEvent } from 'loadpath/studio';
import { faultSpansOf, Histogram, parseDuration, percentileOf } from 'loadpath/studio';
import { groupFrames, secondLength } from '../parts/plot/series.ts';

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
  report: Report | null,
  untilUs: Micros,
): readonly Mark[] {
  return [
    ...eventMarks(events, untilUs),
    ...objectiveMarks(frames, targets),
    ...invariantMarks(report, untilUs),
  ].sort((a, b) => a.atUs - b.atUs);
}

export function eventMarks(events: readonly RunEvent[], untilUs: Micros): readonly Mark[] {
  const marks: Mark[] = faultSpansOf(events).map((span) => ({
    type: 'fault',
    atUs: span.fromUs,
    untilUs: span.untilUs ?? untilUs,
    text: span.text,
  }));
  const known = new Set<string>();
  for (const event of events) {
    switch (event.type) {
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
  const marks: Mark[] = [];
  let before: ReadonlySet<string> = new Set();
  for (const { frames: window } of groupFrames(frames, secondLength(frames))) {
    const missed = missedIn(window, targets);
    if (!missed) continue;
    for (const [name, { atUs, text }] of missed.begins) {
      if (!before.has(name)) marks.push({ type: 'objective', atUs, text });
    }
    before = new Set([
      ...missed.begins.keys(),
      ...[...before].filter((name) => missed.unknown.has(name)),
    ]);
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

/** A broken invariant stands where its evidence says that it broke; without such evidence at the end. */
export function invariantMarks(report: Report | null, untilUs: Micros): readonly Mark[] {
  return (report?.invariants ?? [])
    .filter((invariant) => invariant.verdict === 'violated')
    .map((invariant) => ({
      type: 'invariant',
      atUs: Math.min(invariant.evidence?.at ?? untilUs, untilUs),
      text: `violated: ${invariant.name}`,
    }));
}

interface Missed {
  readonly targets: ObjectiveTargets;
  /** By objective. */
  readonly begins: ReadonlyMap<string, { readonly atUs: Micros; readonly text: string }>;
  /** Nothing in the window by which to judge these: they stay as they were. */
  readonly unknown: ReadonlySet<string>;
}

/** Frames never change, so a window is judged once, however often a growing run is looked at. */
const judged = new WeakMap<Frame, Missed>();

/** Undefined for what is left over at the end of a stream: it is judged once it is whole. */
function missedIn(window: readonly Frame[], targets: ObjectiveTargets): Missed | undefined {
  const last = window.at(-1)!;
  if (last.toUs - window[0]!.fromUs < windowUs) return undefined;
  const known = judged.get(last);
  if (known?.targets === targets) return known;
  const missed = judge(window, targets);
  judged.set(last, missed);
  return missed;
}

function judge(window: readonly Frame[], targets: ObjectiveTargets): Missed {
  const first = window[0]!;
  const begins = new Map<string, { atUs: Micros; text: string }>();
  const unknown = new Set<string>();
  const completed = total(window, ({ users }) => users.completed);
  const failed = total(window, ({ users }) => users.failed);
  const percentiles = percentilesOf(targets);
  const latency = new Histogram();
  // Most designs promise one percentile or none, and decoding is what takes the time.
  if (percentiles.length > 0) for (const { users } of window) latency.add(users.latency);
  for (const { name, us, percent, text } of percentiles) {
    if (completed === 0 || latency.count === 0) unknown.add(name);
    else if (latency.percentile(percent) > us) {
      const begin = window.find(({ users }) => percentileOf(users.latency, percent) > us) ?? first;
      begins.set(name, { atUs: begin.fromUs, text: `${name} goes above ${text}` });
    }
  }
  const { availability } = targets;
  if (typeof availability === 'number') {
    if (completed + failed === 0) unknown.add('availability');
    else if (completed / (completed + failed) < availability) {
      const begin = window.find(({ users }) => users.failed > 0) ?? first;
      const text = `availability falls below ${Number((availability * 100).toPrecision(6))} %`;
      begins.set('availability', { atUs: begin.fromUs, text });
    }
  }
  return { targets, begins, unknown };
}

function percentilesOf(targets: ObjectiveTargets) {
  return Object.entries(targets).flatMap(([name, target]) => {
    const match = /^p(\d+)$/.exec(name);
    const us = typeof target === 'string' ? parseDuration(target) : undefined;
    if (!match || us === undefined) return [];
    const digits = match[1]!;
    // p999 is the 99.9th.
    const percent = Number(digits) / 10 ** Math.max(0, digits.length - 2);
    return [{ name, us, percent, text: target }];
  });
}

function total(frames: readonly Frame[], of: (frame: Frame) => number): number {
  return frames.reduce((sum, frame) => sum + of(frame), 0);
}
