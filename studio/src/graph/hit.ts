/** Which path a pointer is on. Blocks, nodes and zones are buttons, and need no arithmetic. */
import { contains, distanceSquared } from '../parts/plane/curve.ts';
import type { GraphLayout } from './layout.ts';

/** Its id, of a single node (`api/0->links`) where one was hit; undefined: none within `tolerancePx`. */
export function pathAt(
  { paths }: GraphLayout,
  x: number,
  y: number,
  tolerancePx: number,
): string | undefined {
  let found: string | undefined;
  let least = tolerancePx * tolerancePx;
  const consider = (id: string, curve: Parameters<typeof distanceSquared>[0]) => {
    if (!contains(curve.box, x, y, tolerancePx)) return;
    const squared = distanceSquared(curve, x, y);
    if (squared <= least) {
      least = squared;
      found = id;
    }
  };
  for (const path of paths) {
    for (const { node, curve } of path.strands) consider(`${node}->${path.to}`, curve);
    consider(path.id, path.curve);
  }
  return found;
}
