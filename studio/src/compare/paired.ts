/** The course of two runs, one over the other: the first dashed and grey, the second in colour. */
import type { Frame, FrameLayout, RunEvent } from 'loadpath/studio';
import { faultBands } from '../parts/plot/bands.ts';
import type { Band, Curve, Plot, PlotUnit } from '../parts/plot/plot.ts';
import {
  type Group,
  groupFrames,
  percentilesOf,
  pointLength,
  secondsOf,
  sum,
} from '../parts/plot/series.ts';

export interface Course {
  readonly layout: FrameLayout;
  readonly frames: readonly Frame[];
  readonly events: readonly RunEvent[];
}

export function pairedPlots(a: Course, b: Course): Plot[] {
  const spanUs = Math.max(a.frames.at(-1)?.toUs ?? 0, b.frames.at(-1)?.toUs ?? 0);
  const pointUs = pointLength(Math.max(a.layout.frameUs, b.layout.frameUs), spanUs);
  const sides = [groupFrames(a.frames, pointUs), groupFrames(b.frames, pointUs)] as const;
  // Both have points at the same places, so that the longer one's axis is the axis of both.
  const longer = sides[0].length > sides[1].length ? sides[0] : sides[1];
  const x = longer.map((group) => (group.fromUs + group.toUs) / 2e6);
  const pair = (
    id: string,
    title: string,
    unit: PlotUnit,
    of: (group: Group) => number | null,
  ): Plot => ({
    id: `compare-${id}`,
    title,
    unit,
    x,
    curves: sides.map((groups, side): Curve => {
      const byStart = new Map(
        groups.map((group) => [Math.floor(group.fromUs / pointUs), of(group)]),
      );
      return {
        name: side === 0 ? 'A' : 'B',
        values: longer.map((group) => byStart.get(Math.floor(group.fromUs / pointUs)) ?? null),
        ink: side === 0 ? 'series-8' : 'series-1',
        dash: side === 0 ? [5, 3] : [],
      };
    }),
    stacked: false,
    limits: [],
  });
  const perSecond = (pick: (frame: Frame) => number) => (group: Group) =>
    sum(group.frames.map(pick)) / secondsOf(group);
  return [
    pair(
      'completed',
      'Completed',
      'perSec',
      perSecond((frame) => frame.users.completed),
    ),
    pair('p99', 'p99', 'us', (group) => percentilesOf(group).p99),
    pair(
      'failed',
      'Failed and rejected',
      'perSec',
      perSecond(({ users }) => users.failed + users.rejected),
    ),
  ];
}

/** Faults of both, once where both have them; else with the side that has them. */
export function pairedBands(a: Course, b: Course): Band[] {
  const ours = faultBands(a.events);
  const theirs = faultBands(b.events);
  const sameAs = (band: Band) => (other: Band) =>
    other.text === band.text && other.fromUs === band.fromUs;
  return [
    ...ours.filter((band) => theirs.some(sameAs(band))),
    ...ours
      .filter((band) => !theirs.some(sameAs(band)))
      .map((band) => ({ ...band, text: `A: ${band.text}` })),
    ...theirs
      .filter((band) => !ours.some(sameAs(band)))
      .map((band) => ({ ...band, text: `B: ${band.text}` })),
  ];
}
