/**
 * Ranks of many blocks, closer together. The layout aligns long chains and pays for it in height: a
 * column of sixteen may become as tall as forty. Here the whole picture is pressed to about the
 * height of its tallest column, and what then overlaps within a column moves apart by the least.
 */

export interface Slot {
  /** Where its middle is now. */
  readonly y: number;
  readonly height: number;
}

/** A little air over what the tallest column needs. */
const air = 1.08;
/** Below it the picture is dense enough as it is. */
const worthwhile = 1.25;

/** New middles, column by column in the given order of slots. */
export function squeeze(columns: readonly (readonly Slot[])[], gap: number): number[][] {
  const slots = columns.flat();
  const top = Math.min(...slots.map(({ y, height }) => y - height / 2));
  const bottom = Math.max(...slots.map(({ y, height }) => y + height / 2));
  const tallest = Math.max(...columns.map((column) => stacked(column, gap)));
  const pressed = tallest * air;
  if (slots.length === 0 || bottom - top < pressed * worthwhile) {
    return columns.map((column) => column.map(({ y }) => y));
  }
  const scale = pressed / (bottom - top);
  return columns.map((column) =>
    apart(
      column.map(({ y, height }) => ({ y: top + (y - top) * scale, height })),
      gap,
    ),
  );
}

function stacked(column: readonly Slot[], gap: number): number {
  return column.reduce((sum, { height }) => sum + height + gap, -gap);
}

interface Heap {
  readonly members: readonly number[];
  /** Wanted minus own offset, summed: its mean is where the first of the heap should be. */
  readonly sum: number;
  readonly height: number;
}

/** The least moves that part what overlaps: neighbours that push each other move as one heap. */
function apart(column: readonly Slot[], gap: number): number[] {
  const order = [...column.keys()].sort((a, b) => column[a]!.y - column[b]!.y || a - b);
  const heaps: Heap[] = [];
  for (const index of order) {
    const { y, height } = column[index]!;
    let heap: Heap = { members: [index], sum: y - height / 2, height: height + gap };
    for (let above = heaps.at(-1); above && startOf(above) + above.height > startOf(heap); ) {
      heaps.pop();
      heap = {
        members: [...above.members, ...heap.members],
        sum: above.sum + heap.sum - above.height * heap.members.length,
        height: above.height + heap.height,
      };
      above = heaps.at(-1);
    }
    heaps.push(heap);
  }
  const middles: number[] = new Array(column.length).fill(0);
  for (const heap of heaps) {
    let top = startOf(heap);
    for (const index of heap.members) {
      const { height } = column[index]!;
      middles[index] = top + height / 2;
      top += height + gap;
    }
  }
  return middles;
}

function startOf({ sum, members }: Heap): number {
  return sum / members.length;
}
