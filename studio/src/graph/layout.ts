/**
 * Where everything stands: blocks from left to right, from users to stores, each as large as what
 * it holds. An open block shows its nodes as tiles, grouped by zone; a closed one as pips. Depends
 * on the design and on what is open, never on a run, so nothing jumps between runs.
 *
 *   ┌ users ┐   ┌ edge ┐   ┌ api ──────┐   ┌ links ─────┐
 *   │ ▪     │──▶│ ▪    │──▶│ a  api/0  │──▶│ ▪ ▪ ▪      │
 *   └───────┘   └──────┘   │ b  api/1  │   └────────────┘
 *                          └───────────┘
 */
import type { BlockView, StructuralView } from 'loadpath/studio';
import { type Curve, curveThrough, type Point, type Rect, union } from '../parts/plane/curve.ts';
import { place } from '../parts/plane/place.ts';
import { type Card, compactCard, roomyCard } from './card.ts';

export interface NodeBox extends Rect {
  readonly id: string;
  readonly zone: string;
}

export interface ZoneBox extends Rect {
  readonly name: string;
}

export interface BlockBox extends Rect {
  readonly name: string;
  readonly isOpen: boolean;
  readonly card: Card;
  readonly nodes: readonly NodeBox[];
  /** Of an open block with nodes in several zones. */
  readonly zones: readonly ZoneBox[];
}

export interface PathLine {
  /** `api->links`. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** What flows, flows against the call: a topic is read. */
  readonly isConsumed: boolean;
  /** In the direction of what flows. */
  readonly curve: Curve;
  /** Where its figures stand: before its end, where lines are apart. */
  readonly label: Rect & { readonly lines: 1 | 2 };
  /** From the nodes of an open caller to where the line begins. */
  readonly strands: readonly { readonly node: string; readonly curve: Curve }[];
}

export interface GraphLayout {
  readonly blocks: readonly BlockBox[];
  readonly paths: readonly PathLine[];
  readonly bounds: Rect;
}

export interface LayoutOptions {
  /** Names of open blocks. */
  readonly open: ReadonlySet<string>;
  /** Top left corners from a drawing board; blocks without one are placed beside them. */
  readonly positions?: Readonly<Record<string, Point>> | undefined;
}

const compactFrom = 25;

const zoneLabelPx = 16;
const tile = { width: 122, height: 40, gap: 6 } as const;
const zonePad = 6;
/** Beside the tiles, where the lines of single nodes come together. */
const gatherPx = 16;

export function layOut(design: StructuralView, options: LayoutOptions): GraphLayout {
  const flows = flowsOf(design);
  const card = design.blocks.length < compactFrom ? roomyCard : compactCard;
  const sketches = new Map(
    design.blocks.map((block) => [block.name, sketchOf(block, card, flows, options.open)]),
  );
  const sizes = new Map([...sketches].map(([name, at]) => [name, at({ x: 0, y: 0 })]));
  // Users first: among equals, what comes first is placed first.
  const ordered = design.blocks.toSorted((a, b) => Number(b.outside) - Number(a.outside));
  const { places, bends } = place(
    ordered.map(({ name }) => sizes.get(name)!),
    flows.map((flow) => ({ id: flow.id, ...headOf(flow) })),
    card.gap,
  );
  const manual = options.positions ?? {};
  const isManual = design.blocks.some(({ name }) => manual[name]);
  const blocks = design.blocks.map((block) => {
    const at = manual[block.name] ?? places.get(block.name)!;
    return sketches.get(block.name)!({ x: Math.round(at.x), y: Math.round(at.y) });
  });
  const paths = linesOf(flows, blocks, isManual ? new Map() : bends, design);
  const bounds = union([...blocks, ...paths.map(({ curve }) => curve.box)]);
  return { blocks, paths, bounds };
}

interface Flow {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly isConsumed: boolean;
}

/** One line for all bindings between two blocks. */
function flowsOf(design: StructuralView): Flow[] {
  const flows = new Map<string, Flow>();
  for (const { from, to, consumed } of design.calls) {
    const id = `${from}->${to}`;
    if (from !== to && !flows.has(id))
      flows.set(id, { id, from, to, isConsumed: consumed ?? false });
  }
  return [...flows.values()];
}

function headOf(flow: Flow): { readonly source: string; readonly target: string } {
  return flow.isConsumed
    ? { source: flow.to, target: flow.from }
    : { source: flow.from, target: flow.to };
}

// Sizes ------------------------------------------------------------------------------------------

/** A block as it will be, wherever it is put. */
function sketchOf(
  block: BlockView,
  card: Card,
  flows: readonly Flow[],
  open: ReadonlySet<string>,
): (at: Point) => BlockBox {
  if (!open.has(block.name) || block.nodes.length === 0) return (at) => closedBox(block, card, at);
  const own = block.nodes.length > 1 ? flows.filter(({ from }) => from === block.name) : [];
  const left = own.some(({ isConsumed }) => isConsumed) ? gatherPx : 0;
  const right = own.some(({ isConsumed }) => !isConsumed) ? gatherPx : 0;
  return (at) => openBox(block, at, left, right);
}

function closedBox(block: BlockView, card: Card, { x, y }: Point): BlockBox {
  const inner = card.width - 2 * card.pad;
  const pip = pipOf(block.nodes.length, inner);
  const nodes = block.nodes.map((node, index) => ({
    ...node,
    x: x + card.pad + (index % pip.columns) * (pip.width + pip.gap),
    y: y + card.head + Math.floor(index / pip.columns) * (pip.height + pip.gap),
    width: pip.width,
    height: pip.height,
  }));
  const rows = Math.max(1, Math.ceil(block.nodes.length / pip.columns));
  const height = card.head + rows * (pip.height + pip.gap) - pip.gap + card.pad;
  return {
    name: block.name,
    isOpen: false,
    card,
    x,
    y,
    width: card.width,
    height,
    nodes,
    zones: [],
  };
}

/** Few nodes are wide bars, many are small squares: a card keeps its width. */
function pipOf(count: number, inner: number) {
  const [columns, height, gap] =
    count <= 4 ? [Math.max(2, count), 15, 4] : count <= 24 ? [8, 12, 3] : [12, 8, 2];
  return { columns, height, gap, width: (inner - gap * (columns - 1)) / columns };
}

function openBox(block: BlockView, { x, y }: Point, leftPx: number, rightPx: number): BlockBox {
  const names = [...new Set(block.nodes.map(({ zone }) => zone))];
  const largest = Math.max(...names.map((zone) => inZone(block, zone).length));
  const columns = Math.min(6, Math.max(1, Math.ceil(Math.sqrt(largest / 1.5))));
  const tilesWidth = columns * (tile.width + tile.gap) - tile.gap;
  const nodes: NodeBox[] = [];
  const zones: ZoneBox[] = [];
  let top = y + 48;
  for (const zone of names) {
    const members = inZone(block, zone);
    const rows = Math.ceil(members.length / columns);
    const height = zoneLabelPx + rows * (tile.height + tile.gap) - tile.gap + zonePad;
    zones.push({ name: zone, x: x + 6 + leftPx, y: top, width: tilesWidth + 2 * zonePad, height });
    for (const [index, node] of members.entries()) {
      nodes.push({
        ...node,
        x: x + 6 + leftPx + zonePad + (index % columns) * (tile.width + tile.gap),
        y: top + zoneLabelPx + Math.floor(index / columns) * (tile.height + tile.gap),
        width: tile.width,
        height: tile.height,
      });
    }
    top += height + 6;
  }
  const width = tilesWidth + 2 * zonePad + 12 + leftPx + rightPx;
  return {
    name: block.name,
    isOpen: true,
    card: roomyCard,
    x,
    y,
    width,
    height: top - y,
    nodes,
    zones,
  };
}

function inZone(block: BlockView, zone: string): BlockView['nodes'] {
  return block.nodes.filter((node) => node.zone === zone);
}

// Lines ------------------------------------------------------------------------------------------

function linesOf(
  flows: readonly Flow[],
  blocks: readonly BlockBox[],
  bends: ReadonlyMap<string, readonly Point[]>,
  design: StructuralView,
): PathLine[] {
  const boxes = new Map(blocks.map((block) => [block.name, block]));
  const ends = flows.map((flow) => {
    const { source, target } = headOf(flow);
    return {
      flow,
      source: boxes.get(source)!,
      target: boxes.get(target)!,
      via: bends.get(flow.id) ?? [],
    };
  });
  const [outs] = ports(
    ends.map(({ source, target, via }) => ({ box: source, aim: via[0] ?? middle(target) })),
  );
  const [ins, insApart] = ports(
    ends.map(({ source, target, via }) => ({ box: target, aim: via.at(-1) ?? middle(source) })),
  );
  return ends.map(({ flow, source, target, via }, index) => {
    const start = { x: source.x + source.width, y: outs[index]! };
    const end = { x: target.x, y: ins[index]! };
    const caller = boxes.get(flow.from)!;
    const view = design.blocks.find(({ name }) => name === flow.from)!;
    const meet = flow.isConsumed ? end : start;
    const strands = caller.isOpen && view.nodes.length > 1 ? strandsOf(caller, meet, flow) : [];
    const label = labelOf(end, via.at(-1) ?? start, insApart[index]!);
    return { ...flow, curve: curveThrough([start, ...via, end]), label, strands };
  });
}

/**
 * Two lines of text on the side that the line does not come from; where lines arrive close to each
 * other, one line.
 */
function labelOf(end: Point, before: Point, apartPx: number): PathLine['label'] {
  const width = Math.max(24, Math.min(58, end.x - before.x - 12));
  const x = end.x - 10 - width;
  const rise = end.y - before.y;
  if (apartPx < 30) return { x, y: end.y - 13, width, height: 13, lines: 1 };
  const y = rise > 12 ? end.y + 2 : rise < -12 ? end.y - 28 : end.y - 15;
  return { x, y, width, height: rise > -12 && rise <= 12 ? 30 : 26, lines: 2 };
}

function strandsOf(caller: BlockBox, meet: Point, flow: Flow): PathLine['strands'] {
  return caller.nodes.map((node) => {
    const y = node.y + node.height / 2;
    const stops = flow.isConsumed
      ? [meet, { x: node.x, y }]
      : [{ x: node.x + node.width, y }, meet];
    return { node: node.id, curve: curveThrough(stops) };
  });
}

/** Heights at which lines meet a side and how far apart they are there, in the order of where they come from: lines do not cross there. */
function ports(
  ends: readonly { readonly box: Rect; readonly aim: Point }[],
): [heights: number[], apart: number[]] {
  const heights: number[] = new Array(ends.length).fill(0);
  const apart: number[] = new Array(ends.length).fill(0);
  for (const box of new Set(ends.map((end) => end.box))) {
    const here = [...ends.keys()]
      .filter((index) => ends[index]!.box === box)
      .sort((a, b) => ends[a]!.aim.y - ends[b]!.aim.y || a - b);
    const spacing = Math.min(15, (box.height - 20) / Math.max(1, here.length - 1));
    for (const [rank, index] of here.entries()) {
      heights[index] = box.y + box.height / 2 + (rank - (here.length - 1) / 2) * spacing;
      apart[index] = here.length === 1 ? box.height : spacing;
    }
  }
  return [heights, apart];
}

function middle(box: Rect): Point {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
