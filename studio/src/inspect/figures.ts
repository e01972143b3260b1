/** What is selected, in figures: over the last second before the playhead, and over the whole run. */
import type { Frame, FrameLayout, NodeState, PathState, Report } from 'loadpath/studio';
import { countText, durationText, msText, rateText, shareText } from '../parts/format.ts';
import { groupFrames, mergedLatency, secondsOf, sum } from '../parts/plot/series.ts';
import { lastSecond } from '../state/playhead.ts';
import { pathEnds, type Selection } from '../state/selection.ts';

export interface Figure {
  readonly name: string;
  readonly now: string;
  /** Over the run so far. */
  readonly over: string;
  /** One value a second, for the small line beside it. */
  readonly history: readonly (number | null)[];
}

export interface NodeFigures {
  readonly id: string;
  readonly zone: string;
  readonly state: string;
  readonly requests: string;
  readonly busy: string;
  readonly p99: string;
}

const stateWords: Readonly<Record<NodeState, string>> = {
  u: 'up',
  d: 'down',
  p: 'paused',
  s: 'slow',
  f: 'sick: its disk is full or fails',
  n: 'not booted yet',
  x: 'stopped for good',
};

const pathWords: Readonly<Record<PathState, string>> = {
  o: 'open',
  c: 'cut',
  l: 'losing messages',
  d: 'delayed',
};

const historyUs = 1_000_000;

export function stateOf(frame: Frame | undefined, index: number): string {
  const letter = frame?.nodes.state[index] as NodeState | undefined;
  return letter === undefined ? 'not known yet' : stateWords[letter];
}

/** Of nodes together: a block's, a zone's, or one. */
export function nodeIndexes(layout: FrameLayout, selection: Selection): number[] {
  return layout.nodes.flatMap((node, index) => {
    const name = { node: node.id, block: node.block, zone: node.zone, users: node.block, path: '' }[
      selection.type
    ];
    return name === selection.id ? [index] : [];
  });
}

export function pathIndexes(layout: FrameLayout, selection: Selection): number[] {
  const { from, to } = pathEnds(selection.id);
  const blockOf = new Map(layout.nodes.map((node) => [node.id, node.block]));
  return layout.paths.flatMap((path, index) => {
    const toMatches = path.to === to || path.to === blockOf.get(to);
    return toMatches && (path.from === from || blockOf.get(path.from) === from) ? [index] : [];
  });
}

export function pathStates(
  layout: FrameLayout,
  indexes: readonly number[],
  frame: Frame | undefined,
) {
  return indexes.map((index) => {
    const letter = frame?.paths.state[index] as PathState | undefined;
    return {
      from: layout.paths[index]!.from,
      state: letter === undefined ? 'not known yet' : pathWords[letter],
      calls: rateText(frame ? (frame.paths.calls[index] ?? 0) / secondsOf(alone(frame)) : 0),
      errors: countText(frame?.paths.errors[index] ?? 0),
      p99: latencyText(frame?.paths.p99Us[index] ?? 0),
    };
  });
}

export function figuresOf(
  selection: Selection,
  layout: FrameLayout,
  frames: readonly Frame[],
  playheadUs: number,
  report: Report | null,
): Figure[] {
  const recent = lastSecond(frames, playheadUs);
  if (selection.type === 'users') return usersFigures(frames, recent);
  if (selection.type === 'path') return pathFigures(frames, recent, pathIndexes(layout, selection));
  return nodesFigures(selection, frames, recent, nodeIndexes(layout, selection), layout, report);
}

export function nodeRows(
  layout: FrameLayout,
  indexes: readonly number[],
  frame: Frame | undefined,
): NodeFigures[] {
  return indexes.map((index) => {
    const { id, zone } = layout.nodes[index]!;
    return {
      id,
      zone,
      state: stateOf(frame, index),
      requests: rateText(frame ? (frame.nodes.requests[index] ?? 0) / secondsOf(alone(frame)) : 0),
      busy: shareText(frame?.nodes.busy[index] ?? 0),
      p99: latencyText(frame?.nodes.p99Us[index] ?? 0),
    };
  });
}

function usersFigures(frames: readonly Frame[], recent: readonly Frame[]): Figure[] {
  const rate = (name: string, pick: (frame: Frame) => number) =>
    rateFigure(name, frames, recent, pick);
  const now = mergedLatency(recent);
  const over = mergedLatency(frames);
  const groups = groupFrames(frames, historyUs);
  const latency = (name: string, percent: number): Figure => ({
    name,
    now: latencyText(now.percentile(percent)),
    over: latencyText(over.percentile(percent)),
    history:
      percent === 99
        ? groups.map(({ frames: inside }) => mergedLatency(inside).percentile(percent))
        : [],
  });
  return [
    rate('sent', (frame) => frame.users.generated),
    rate('completed', (frame) => frame.users.completed),
    rate('failed', (frame) => frame.users.failed),
    rate('rejected', (frame) => frame.users.rejected),
    latency('p50', 50),
    latency('p99', 99),
    latency('p99.9', 99.9),
  ];
}

function nodesFigures(
  selection: Selection,
  frames: readonly Frame[],
  recent: readonly Frame[],
  indexes: readonly number[],
  layout: FrameLayout,
  report: Report | null,
): Figure[] {
  const over = (values: (frame: Frame) => readonly number[]) => (frame: Frame) =>
    sum(indexes.map((index) => values(frame)[index] ?? 0));
  const most = (values: (frame: Frame) => readonly number[]) => (frame: Frame) =>
    Math.max(0, ...indexes.map((index) => values(frame)[index] ?? 0));
  const busy = (some: readonly Frame[]) => {
    const spanUs =
      sum(some.map((frame) => frame.toUs - frame.fromUs)) * Math.max(1, indexes.length);
    return (
      sum(
        some.map((frame) => over(({ nodes }) => nodes.busy)(frame) * (frame.toUs - frame.fromUs)),
      ) / Math.max(1, spanUs)
    );
  };
  const groups = groupFrames(frames, historyUs);
  const queue = most(({ nodes }) => nodes.queue);
  const p99 = most(({ nodes }) => nodes.p99Us);
  return [
    rateFigure(
      'requests',
      frames,
      recent,
      over(({ nodes }) => nodes.requests),
    ),
    rateFigure(
      'errors',
      frames,
      recent,
      over(({ nodes }) => nodes.errors),
    ),
    {
      name: 'busy',
      now: shareText(busy(recent)),
      over: shareText(busy(frames)),
      history: groups.map((group) => busy(group.frames)),
    },
    {
      name: 'longest queue',
      now: countText(Math.max(0, ...recent.map(queue))),
      over: countText(Math.max(0, ...frames.map(queue))),
      history: groups.map((group) => Math.max(...group.frames.map(queue))),
    },
    {
      // Percentiles of windows cannot be added up: over the run only the report knows it.
      name: 'p99',
      now: latencyText(Math.max(0, ...recent.map(p99))),
      over: p99InReport(selection, layout, report),
      history: groups.map((group) => Math.max(...group.frames.map(p99)) || null),
    },
  ];
}

function p99InReport(selection: Selection, layout: FrameLayout, report: Report | null): string {
  if (!report) return 'at the end';
  if (selection.type === 'block') return p99Text(report.blocks[selection.id]?.p99Ms);
  if (selection.type !== 'node') return '–';
  const block = layout.nodes.find((node) => node.id === selection.id)?.block ?? '';
  return p99Text(report.blocks[block]?.nodes.find((node) => node.id === selection.id)?.p99Ms);
}

function pathFigures(
  frames: readonly Frame[],
  recent: readonly Frame[],
  indexes: readonly number[],
): Figure[] {
  const over = (values: (frame: Frame) => readonly number[]) => (frame: Frame) =>
    sum(indexes.map((index) => values(frame)[index] ?? 0));
  const p99 = (frame: Frame) =>
    Math.max(0, ...indexes.map((index) => frame.paths.p99Us[index] ?? 0));
  return [
    rateFigure(
      'calls',
      frames,
      recent,
      over(({ paths }) => paths.calls),
    ),
    rateFigure(
      'failed',
      frames,
      recent,
      over(({ paths }) => paths.errors),
    ),
    {
      name: 'highest p99',
      now: latencyText(Math.max(0, ...recent.map(p99))),
      over: latencyText(Math.max(0, ...frames.map(p99))),
      history: groupFrames(frames, historyUs).map(
        (group) => Math.max(...group.frames.map(p99)) || null,
      ),
    },
  ];
}

function rateFigure(
  name: string,
  frames: readonly Frame[],
  recent: readonly Frame[],
  pick: (frame: Frame) => number,
): Figure {
  const perSec = (some: readonly Frame[]) =>
    sum(some.map(pick)) / Math.max(1e-6, sum(some.map((frame) => frame.toUs - frame.fromUs)) / 1e6);
  return {
    name,
    now: rateText(perSec(recent)),
    over: rateText(perSec(frames)),
    history: groupFrames(frames, historyUs).map((group) => perSec(group.frames)),
  };
}

function alone(frame: Frame) {
  return { fromUs: frame.fromUs, toUs: frame.toUs, frames: [frame] };
}

function latencyText(us: number): string {
  return us === 0 ? '–' : durationText(us);
}

function p99Text(ms: number | undefined): string {
  return ms === undefined || ms === 0 ? '–' : msText(ms);
}
