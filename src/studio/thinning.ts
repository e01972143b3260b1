/**
 * Fewer and longer frames of the same run: counts add up, and of what cannot be added the worst
 * stays. What blocks count besides is left out, since a frame does not say which of it adds up.
 */
import { Histogram } from '../kit/histogram.ts';
import type { Frame, FrameLayout } from '../run/frames.ts';

export interface Film {
  readonly layout: FrameLayout;
  readonly frames: readonly Frame[];
}

/** Joins each `count` frames to one. */
export function thinned({ layout, frames }: Film, count: number): Film {
  const joined: Frame[] = [];
  for (let from = 0; from < frames.length; from += count) {
    joined.push(join(frames.slice(from, from + count), joined.length));
  }
  return { layout: { ...layout, frameUs: layout.frameUs * count }, frames: joined };
}

function join(frames: readonly Frame[], index: number): Frame {
  const first = frames[0]!;
  const last = frames.at(-1)!;
  const users = frames.map((frame) => frame.users);
  const nodes = frames.map((frame) => frame.nodes);
  const blocks = frames.map((frame) => frame.blocks);
  const paths = frames.map((frame) => frame.paths);
  const spanUs = last.toUs - first.fromUs;
  return {
    index,
    fromUs: first.fromUs,
    toUs: last.toUs,
    users: {
      generated: sum(users.map((one) => one.generated)),
      completed: sum(users.map((one) => one.completed)),
      failed: sum(users.map((one) => one.failed)),
      rejected: sum(users.map((one) => one.rejected)),
      inFlight: last.users.inFlight,
      latency: latencyOf(frames),
      errors: sumByName(users.map((one) => one.errors)),
    },
    nodes: {
      // As it was at the end, but a state that was not `up` in between is not lost.
      state: worst(
        nodes.map((one) => one.state),
        'u',
      ),
      requests: sums(nodes.map((one) => one.requests)),
      errors: sums(nodes.map((one) => one.errors)),
      busy: sums(
        frames.map((frame) =>
          frame.nodes.busy.map((share) => (share * (frame.toUs - frame.fromUs)) / spanUs),
        ),
      ).map((share) => Math.round(share * 1e4) / 1e4),
      queue: highest(nodes.map((one) => one.queue)),
      p99Us: highest(nodes.map((one) => one.p99Us)),
    },
    blocks: {
      p50Us: highest(blocks.map((one) => one.p50Us)),
      p90Us: highest(blocks.map((one) => one.p90Us)),
      p99Us: highest(blocks.map((one) => one.p99Us)),
      p999Us: highest(blocks.map((one) => one.p999Us)),
      meters: last.blocks.meters.map(() => ({})),
    },
    paths: {
      state: worst(
        paths.map((one) => one.state),
        'o',
      ),
      calls: sums(paths.map((one) => one.calls)),
      errors: sums(paths.map((one) => one.errors)),
      p99Us: highest(paths.map((one) => one.p99Us)),
    },
  };
}

function latencyOf(frames: readonly Frame[]): Frame['users']['latency'] {
  const whole = new Histogram();
  for (const { users } of frames) whole.add(users.latency);
  return whole.toJSON();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Column by column. */
function sums(rows: readonly (readonly number[])[]): readonly number[] {
  return rows[0]!.map((_, column) => sum(rows.map((row) => row[column] ?? 0)));
}

function highest(rows: readonly (readonly number[])[]): readonly number[] {
  return rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column] ?? 0)));
}

function sumByName(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
}

/** Letter by letter: the last that was not `well`. */
function worst(states: readonly string[], well: string): string {
  return [...states.at(-1)!]
    .map((end, at) =>
      end === well ? (states.findLast((one) => one[at] !== well)?.[at] ?? well) : end,
    )
    .join('');
}
