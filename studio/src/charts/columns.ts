/**
 * Columns of a chart: one value a group of frames, each worked out once and then remembered, so that
 * a run that streams costs only its newest point.
 */
import type { Frame } from 'loadpath/studio';
import { type Group, remembered, secondsOf, sum } from '../parts/plot/series.ts';

/** `what` tells the column from all others of the same groups. */
export function perSecond(
  groups: readonly Group[],
  what: string,
  pick: (frame: Frame) => number,
): number[] {
  return groups.map((group) =>
    remembered(group, `${what} a second`, ({ frames }) => sum(frames.map(pick)) / secondsOf(group)),
  );
}

export function greatest(
  groups: readonly Group[],
  what: string,
  pick: (frame: Frame) => number,
): number[] {
  return groups.map((group) =>
    remembered(group, `greatest ${what}`, ({ frames }) => Math.max(0, ...frames.map(pick))),
  );
}

/** By time, not by frame: the last one may be shorter. */
export function busyOf(groups: readonly Group[], nodes: readonly number[]): number[] {
  const what = `busy ${nodes.join()}`;
  return groups.map((group) =>
    remembered(group, what, ({ frames, fromUs, toUs }) => {
      const busyUs = sum(
        frames.map((frame) => sumAt(frame.nodes.busy, nodes) * (frame.toUs - frame.fromUs)),
      );
      return busyUs / Math.max(1, nodes.length * (toUs - fromUs));
    }),
  );
}

export function queueOf(groups: readonly Group[], nodes: readonly number[]): number[] {
  return greatest(groups, `queue ${nodes.join()}`, (frame) => mostAt(frame.nodes.queue, nodes));
}

export function sumAt(values: readonly number[], indexes: readonly number[]): number {
  let total = 0;
  for (const index of indexes) total += values[index] ?? 0;
  return total;
}

export function mostAt(values: readonly number[], indexes: readonly number[]): number {
  let most = 0;
  for (const index of indexes) most = Math.max(most, values[index] ?? 0);
  return most;
}

/** Of a block that counts hits and misses; null where it was not asked. */
export function hitRatioOf(groups: readonly Group[], block: number): (number | null)[] {
  return groups.map((group) =>
    remembered(group, `hit ratio of block ${block}`, ({ frames }): number | null => {
      const hits = sum(frames.map((frame) => frame.blocks.meters[block]?.hits ?? 0));
      const misses = sum(frames.map((frame) => frame.blocks.meters[block]?.misses ?? 0));
      return hits + misses === 0 ? null : hits / (hits + misses);
    }),
  );
}
