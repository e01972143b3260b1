/**
 * One run as the page holds it, and how it grows with what its stream says. Everything may come
 * twice (a stream that broke is read again from where it was, or from the start), so a frame takes
 * the place of the one with its index and never stands there twice.
 *
 * A run that repeats another up to a new fault is lent the frames before it: a simulation repeats
 * exactly, so they are its own until its own have come, and nothing on the page has to blink.
 */
import type {
  Frame,
  FrameLayout,
  Micros,
  Progress,
  Refusal,
  Report,
  RunEvent,
  RunEvents,
  RunRequest,
  RunSummary,
  StructuralView,
} from 'loadpath/studio';
import { continues, widened } from 'loadpath/studio';

export interface RunState {
  readonly id: string;
  /** Null for a live run and for a report from a file. */
  readonly request: RunRequest | null;
  readonly state: RunSummary['state'];
  /** Of the design: runs of different ones have nothing in common. */
  readonly revision: number;
  /** By this page's clock; undefined for a run that was under way before it looked. */
  readonly startedAtMs?: number | undefined;
  /** Where it ran with other options than the design says: what these made of it. */
  readonly structure: StructuralView | null;
  readonly layout: FrameLayout | null;
  /** By index, without gaps. A run without end keeps the last `framesMax`. */
  readonly frames: readonly Frame[];
  /** Up to here frames and events are those of the run that this one repeats. 0: all are its own. */
  readonly lentUntilUs: Micros;
  /** Phases, faults, crashes first: lines of logs and notes go when there are too many. */
  readonly events: readonly RunEvent[];
  readonly eventsLeftOut: number;
  readonly progress: Progress | null;
  readonly report: Report | null;
  readonly summary: RunEvents['summary'] | null;
  readonly failure: Refusal | null;
}

/** One server-sent event. */
export type RunMessage = {
  [Name in keyof RunEvents]: { readonly name: Name; readonly data: RunEvents[Name] };
}[keyof RunEvents];

/** What the server sends of one run at most; a live one goes on, and forgets its beginning. */
export const framesMax = 600;
export const eventsMax = 4_000;

export function newRun(
  id: string,
  request: RunRequest | null,
  revision: number,
  lender?: Lender,
): RunState {
  const base = {
    id,
    request,
    revision,
    state: 'running',
    progress: null,
    report: null,
    summary: null,
    failure: null,
    eventsLeftOut: 0,
  } as const;
  if (!lender?.run.layout) {
    return { ...base, structure: null, layout: null, frames: [], lentUntilUs: 0, events: [] };
  }
  const { run, untilUs } = lender;
  return {
    ...base,
    structure: run.structure,
    layout: run.layout,
    frames: run.frames.filter((frame) => frame.toUs <= untilUs),
    lentUntilUs: untilUs,
    events: run.events.filter((event) => event.at <= untilUs),
  };
}

/** The run whose beginning is the same, and for how long. */
export interface Lender {
  readonly run: RunState;
  readonly untilUs: Micros;
}

/** Many at once: a simulation streams faster than a screen draws. */
export function withMessages(run: RunState, messages: readonly RunMessage[]): RunState {
  let { structure, layout, lentUntilUs, progress, report, summary, failure, state } = run;
  // What does not change keeps its identity, so that nothing is drawn again for it.
  const has = (name: RunMessage['name']) => messages.some((message) => message.name === name);
  const frames = has('layout') || has('frame') ? [...run.frames] : (run.frames as Frame[]);
  const events = has('event') ? [...run.events] : (run.events as RunEvent[]);
  for (const message of messages) {
    switch (message.name) {
      case 'structure':
        structure = message.data;
        break;
      case 'layout':
        // An earlier one of the same run, when a stream is read again from its start, says nothing new.
        if (layout && continues(message.data, layout)) break;
        if (layout && !continues(layout, message.data)) frames.length = 0;
        layout = message.data;
        for (const [index, frame] of frames.entries()) frames[index] = widened(frame, layout);
        break;
      case 'frame':
        putFrame(frames, layout ? widened(message.data, layout) : message.data);
        break;
      case 'event':
        // The first event of its own ends what was lent: they come in the order of time.
        if (lentUntilUs > 0) {
          events.length = 0;
          lentUntilUs = 0;
        }
        events.push(message.data);
        break;
      case 'progress':
        progress = message.data;
        break;
      case 'report':
        report = message.data;
        break;
      case 'summary':
        summary = message.data;
        break;
      case 'failed':
        failure = message.data;
        state = 'failed';
        break;
      case 'end':
        state = message.data.state;
        break;
    }
  }
  if (lentUntilUs > 0 && state !== 'running' && state !== 'paused') lentUntilUs = 0;
  const bounded = boundEvents(events);
  return {
    ...run,
    structure,
    layout,
    frames,
    lentUntilUs,
    events: bounded,
    eventsLeftOut: run.eventsLeftOut + (events.length - bounded.length),
    progress,
    report,
    summary,
    failure,
    state,
  };
}

/** Until where there is something to see. */
export function endUs(run: Pick<RunState, 'frames'>): Micros {
  return run.frames.at(-1)?.toUs ?? 0;
}

/** The axis of the run: its planned length, or what there is of one without end or stopped before it. */
export function lengthUs(run: Pick<RunState, 'frames' | 'layout' | 'request' | 'state'>): Micros {
  if (run.state === 'stopped' && run.frames.length > 0) return endUs(run);
  return run.layout?.forUs ?? run.request?.forUs ?? endUs(run);
}

export function isGoing(run: Pick<RunState, 'state'> | undefined): boolean {
  return run?.state === 'running' || run?.state === 'paused';
}

/** Of the seeds that were asked for, the first is the one that is watched; the others only give their figures. */
export function seedsOf({
  request,
  report,
  summary,
}: Pick<RunState, 'request' | 'report' | 'summary'>): {
  readonly done: number;
  readonly count: number;
} {
  return { done: summary?.seeds.length ?? (report ? 1 : 0), count: request?.seeds ?? 1 };
}

function putFrame(frames: Frame[], frame: Frame): void {
  const first = frames[0]?.index ?? frame.index;
  const place = frame.index - first;
  if (place >= 0 && place < frames.length) frames[place] = frame;
  else if (place === frames.length) frames.push(frame);
  else frames.splice(0, frames.length, frame);
  if (frames.length > framesMax) frames.splice(0, frames.length - framesMax);
}

function boundEvents(events: RunEvent[]): RunEvent[] {
  if (events.length <= eventsMax) return events;
  const excess = events.length - eventsMax;
  let dropped = 0;
  const kept = events.filter((event) => {
    const chatter = event.type === 'log' || event.type === 'note';
    if (!chatter || dropped >= excess) return true;
    dropped++;
    return false;
  });
  return kept.length <= eventsMax ? kept : kept.slice(kept.length - eventsMax);
}
