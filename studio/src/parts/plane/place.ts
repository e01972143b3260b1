/**
 * Boxes in columns from left to right, by dagre (Sugiyama's layers), and where lines that skip a
 * column pass through it. Where dagre spends much height, columns are squeezed.
 */
import { layout as dagreLayout, Graph } from '@dagrejs/dagre';
import type { Point, Rect } from './curve.ts';
import { squeeze } from './squeeze.ts';

export interface Sized {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

export interface Link {
  readonly id: string;
  readonly source: string;
  readonly target: string;
}

export interface Placed {
  readonly places: ReadonlyMap<string, Rect>;
  /** Per link, where it passes between boxes that it has nothing to do with. */
  readonly bends: ReadonlyMap<string, readonly Point[]>;
}

const rankGap = 62;
/** Room of a line among boxes. */
const lanePx = 8;

/** Something in a column: a box, or a line that goes through. */
interface Lane {
  /** Middle. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly box?: Sized;
  readonly link?: Link;
}

export function place(boxes: readonly Sized[], links: readonly Link[], gap: number): Placed {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: gap, ranksep: rankGap, edgesep: Math.min(16, gap) });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name, width, height } of boxes) graph.setNode(name, { width, height });
  for (const { id, source, target } of links) graph.setEdge(source, target, { weight: 1 }, id);
  dagreLayout(graph);
  const middles = new Map(boxes.map(({ name }) => [name, graph.node(name) as Point]));
  const columns = new Map<number, Lane[]>();
  for (const box of boxes) {
    const { x, y } = middles.get(box.name)!;
    const column = columns.get(Math.round(x)) ?? [];
    columns.set(Math.round(x), [...column, { x, y, height: box.height, box }]);
  }
  for (const link of links) {
    const { points } = graph.edge({ v: link.source, w: link.target, name: link.id }) as {
      readonly points: readonly Point[];
    };
    const ends = [middles.get(link.source)!, middles.get(link.target)!];
    for (const { x, y } of points.slice(1, -1)) {
      // dagre bends lines between columns too: there they are free.
      const column = columns.get(Math.round(x));
      if (!column || ends.some((end) => Math.abs(end.x - x) < 1)) continue;
      column.push({ x, y, height: lanePx, link });
    }
  }
  return settled([...columns.values()], middles, gap);
}

function settled(
  columns: readonly (readonly Lane[])[],
  middles: ReadonlyMap<string, Point>,
  gap: number,
): Placed {
  const heights = squeeze(columns, gap);
  const places = new Map<string, Rect>();
  const bends = new Map<string, Point[]>();
  for (const [index, column] of columns.entries()) {
    // A line passes straight, over the whole width of the column, so that it touches none of its boxes.
    const half = Math.max(...column.map(({ box }) => (box?.width ?? 0) / 2)) + 4;
    for (const [slot, { x, box, link }] of column.entries()) {
      const y = heights[index]![slot]!;
      if (box) {
        const { name, width, height } = box;
        places.set(name, { x: x - width / 2, y: y - height / 2, width, height });
      } else if (link) {
        const isForward = middles.get(link.source)!.x < middles.get(link.target)!.x;
        const [enter, leave] = isForward ? [x - half, x + half] : [x + half, x - half];
        const own = bends.get(link.id) ?? [];
        bends.set(link.id, [...own, { x: enter, y }, { x: leave, y }]);
      }
    }
  }
  for (const [id, stops] of bends) {
    const isForward = stops.at(0)!.x < stops.at(1)!.x;
    stops.sort((a, b) => (isForward ? a.x - b.x : b.x - a.x));
    bends.set(id, stops);
  }
  return { places, bends };
}
