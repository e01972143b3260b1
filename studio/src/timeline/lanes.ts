/** Where faults and marks stand on the track: bands in rows that do not overlap, signs in clusters. */
import { clockText } from '../parts/format.ts';
import type { Mark, MarkType } from '../state/marks.ts';
import { type Scale, xOf } from './scale.ts';

export interface Band {
  readonly mark: Mark;
  readonly x: number;
  readonly width: number;
  readonly row: number;
  /** It overlaps others, and is one of several rows; alone it has the height for its words. */
  readonly isThin: boolean;
}

/** A band can be seen and pressed however short its fault was. */
const bandLeastPx = 6;

/** Each into the first row where there is room; what finds none of `rowsMax` lies over the last. */
export function bandsOf(marks: readonly Mark[], scale: Scale, rowsMax: number): readonly Band[] {
  const bands: Band[] = [];
  let together: Omit<Band, 'isThin'>[] = [];
  /** Of the rows of those that overlap one another. */
  let ends: number[] = [];
  const close = () => {
    const isThin = ends.length > 1;
    bands.push(...together.map((band) => ({ ...band, isThin })));
    [together, ends] = [[], []];
  };
  for (const mark of marks) {
    if (mark.untilUs === undefined) continue;
    const x = xOf(scale, mark.atUs);
    const width = Math.max(bandLeastPx, xOf(scale, mark.untilUs) - x);
    if (ends.every((end) => end <= x)) close();
    const free = ends.findIndex((end) => end <= x);
    const row = free >= 0 ? free : Math.min(ends.length, rowsMax - 1);
    ends[row] = Math.max(ends[row] ?? 0, x + width + 1);
    together.push({ mark, x, width, row });
  }
  close();
  return bands;
}

export interface Cluster {
  readonly x: number;
  readonly marks: readonly Mark[];
  /** Of the gravest in it: what its sign shows. */
  readonly type: MarkType;
}

/** Gravest first. */
const gravity: readonly MarkType[] = ['invariant', 'objective', 'crash', 'fault', 'note', 'boot'];

/** What the number beside a sign takes. */
const countPx = 12;

/** Marks without length, put together where they would lie over one another. */
export function clustersOf(marks: readonly Mark[], scale: Scale, leastPx = 11): readonly Cluster[] {
  const clusters: { x: number; marks: Mark[]; type: MarkType }[] = [];
  for (const mark of marks) {
    if (mark.untilUs !== undefined) continue;
    const x = xOf(scale, mark.atUs);
    const last = clusters.at(-1);
    const taken = last && last.marks.length > 1 ? leastPx + countPx : leastPx;
    if (last && x - last.x < taken) {
      last.marks.push(mark);
      if (gravity.indexOf(mark.type) < gravity.indexOf(last.type)) last.type = mark.type;
    } else {
      clusters.push({ x, marks: [mark], type: mark.type });
    }
  }
  return clusters;
}

const shownMax = 5;

export function clusterText(cluster: Cluster): string {
  const texts = cluster.marks.slice(0, shownMax).map((mark) => mark.text);
  const more = cluster.marks.length - texts.length;
  return more > 0 ? `${texts.join(' · ')} · and ${more} more` : texts.join(' · ');
}

/** For those who hear it. */
export function clusterName(cluster: Cluster): string {
  const { marks } = cluster;
  const count = marks.length > 1 ? `${marks.length} events from ` : '';
  return `${count}${clockText(marks[0]!.atUs)}: ${clusterText(cluster)}`;
}
