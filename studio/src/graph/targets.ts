/**
 * What one can point at or focus, and where arrow keys lead: along the calls, and between what
 * stands above and below.
 *
 *   block ─right▶ path ─right▶ block        block ─down▶ its nodes ─down▶ the block below
 */

import type { Rect } from '../parts/plane/curve.ts';
import type { Selection } from '../state/selection.ts';
import { pathId } from '../state/selection.ts';
import type { GraphLayout } from './layout.ts';

export interface Target {
  /** Unique among all. */
  readonly key: string;
  readonly selection: Selection;
  readonly rect: Rect;
  /** Whose part it is; of a path the one that calls. */
  readonly block: string;
}

export type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';

export function isArrow(key: string): key is Arrow {
  return /^Arrow(Left|Right|Up|Down)$/.test(key);
}

/** In the order of reading, a block before what is in it. */
export function targetsOf(layout: GraphLayout, usersBlock: string | undefined): Target[] {
  const targets: Target[] = [];
  const blocks = layout.blocks.toSorted((a, b) => a.x - b.x || a.y - b.y);
  for (const block of blocks) {
    const { name } = block;
    const type = name === usersBlock ? 'users' : 'block';
    targets.push({ key: `block ${name}`, selection: { type, id: name }, rect: block, block: name });
    for (const zone of block.zones) {
      targets.push({
        key: `zone ${zone.name} of ${name}`,
        selection: { type: 'zone', id: zone.name },
        rect: { ...zone, height: 15 },
        block: name,
      });
    }
    for (const node of block.nodes) {
      const selection = { type: 'node', id: node.id } as const;
      targets.push({ key: `node ${node.id}`, selection, rect: node, block: name });
    }
  }
  for (const path of layout.paths) {
    const selection = { type: 'path', id: path.id } as const;
    targets.push({ key: `path ${path.id}`, selection, rect: path.label, block: path.from });
    for (const { node, curve } of path.strands) {
      const id = pathId(node, path.to);
      const [x, y] = curve.points.slice(path.isConsumed ? -2 : 0);
      const rect = { x: x! - (path.isConsumed ? 8 : 0), y: y! - 4, width: 8, height: 8 };
      targets.push({ key: `path ${id}`, selection: { type: 'path', id }, rect, block: path.from });
    }
  }
  return targets;
}

/** Where the key leads; undefined: nowhere. */
export function neighbour(
  targets: readonly Target[],
  layout: GraphLayout,
  key: string,
  arrow: Arrow,
): Target | undefined {
  const here = targets.find((target) => target.key === key);
  if (!here) return undefined;
  const find = (wanted: string | undefined) => targets.find((target) => target.key === wanted);
  switch (here.selection.type) {
    case 'path':
      return find(fromPath(layout, here, arrow));
    case 'node':
    case 'zone':
      return fromWithin(targets, here, arrow) ?? find(fromBlock(layout, here.block, arrow));
    default:
      return arrow === 'ArrowDown'
        ? (within(targets, here.block)[0] ?? find(fromBlock(layout, here.block, arrow)))
        : find(fromBlock(layout, here.block, arrow));
  }
}

function fromBlock(layout: GraphLayout, name: string, arrow: Arrow): string | undefined {
  const box = layout.blocks.find((block) => block.name === name)!;
  if (arrow === 'ArrowUp' || arrow === 'ArrowDown') {
    const sign = arrow === 'ArrowDown' ? 1 : -1;
    const beyond = layout.blocks.filter((block) => (block.y - box.y) * sign > 0);
    // A step aside costs more than a step ahead: columns are kept.
    const cost = (block: Rect) => Math.abs(block.y - box.y) + 3 * Math.abs(block.x - box.x);
    const next = beyond.toSorted((a, b) => cost(a) - cost(b))[0];
    return next && `block ${next.name}`;
  }
  const isRight = arrow === 'ArrowRight';
  const middle = box.y + box.height / 2;
  const lines = layout.paths
    .filter((path) => name === (isRight ? sourceOf(path) : targetOf(path)))
    .toSorted((a, b) => offset(a, middle) - offset(b, middle));
  return lines[0] && `path ${lines[0].id}`;
}

function fromPath(layout: GraphLayout, here: Target, arrow: Arrow): string | undefined {
  const line =
    layout.paths.find(({ id }) => id === here.selection.id) ??
    layout.paths.find((path) => here.selection.id.endsWith(`->${path.to}`))!;
  if (arrow === 'ArrowLeft') return `block ${sourceOf(line)}`;
  if (arrow === 'ArrowRight') return `block ${targetOf(line)}`;
  const beside = layout.paths
    .filter((path) => sourceOf(path) === sourceOf(line))
    .toSorted((a, b) => a.label.y - b.label.y);
  const next = beside[beside.indexOf(line) + (arrow === 'ArrowDown' ? 1 : -1)];
  return next && `path ${next.id}`;
}

/** Among the nodes of a block: to the nearest in that direction, up from the first row to the block. */
function fromWithin(targets: readonly Target[], here: Target, arrow: Arrow): Target | undefined {
  const dx = arrow === 'ArrowRight' ? 1 : arrow === 'ArrowLeft' ? -1 : 0;
  const dy = arrow === 'ArrowDown' ? 1 : arrow === 'ArrowUp' ? -1 : 0;
  const ahead = within(targets, here.block)
    .map((target) => {
      const x = target.rect.x - here.rect.x;
      const y = target.rect.y - here.rect.y;
      return { target, along: x * dx + y * dy, across: Math.abs(dx === 0 ? x : y) };
    })
    .filter(({ along, across }) => along > 0 && (dx === 0 || across < here.rect.height))
    .sort((a, b) => a.along + 2 * a.across - (b.along + 2 * b.across));
  if (ahead[0]) return ahead[0].target;
  return arrow === 'ArrowUp' ? targets.find(({ key }) => key === `block ${here.block}`) : undefined;
}

function within(targets: readonly Target[], block: string): Target[] {
  return targets.filter(
    ({ selection, block: of }) =>
      of === block && (selection.type === 'node' || selection.type === 'zone'),
  );
}

function sourceOf(path: GraphLayout['paths'][number]): string {
  return path.isConsumed ? path.to : path.from;
}

function targetOf(path: GraphLayout['paths'][number]): string {
  return path.isConsumed ? path.from : path.to;
}

function offset({ label }: GraphLayout['paths'][number], y: number): number {
  return Math.abs(label.y + label.height / 2 - y);
}
