/** Nodes, as pips of a closed block and as tiles of an open one: state, load, queue. */
import type { BlockView, PaletteBlock } from 'loadpath/studio';
import { countText, durationText, rateText } from '../parts/format.ts';
import type { Rect } from '../parts/plane/curve.ts';
import type { Colours } from './colours.ts';
import { glyph, hatch, nodeGlyphs } from './glyphs.ts';
import type { BlockBox, NodeBox } from './layout.ts';
import type { Levels } from './levels.ts';
import type { Pen } from './pen.ts';
import type { Figures, NodeFigures } from './scene.ts';

export interface CardPaint {
  readonly blocks: readonly BlockBox[];
  readonly views: ReadonlyMap<string, BlockView>;
  readonly palette: ReadonlyMap<string, PaletteBlock>;
  readonly figures: Figures;
  readonly colours: Colours;
  readonly levels: Levels;
  /** Ids of selected blocks, nodes, and of all nodes of a selected zone. */
  readonly selected: ReadonlySet<string>;
  /** Named by a fault in force. */
  readonly named: ReadonlySet<string>;
  readonly focus: ReadonlySet<string> | undefined;
}

/** Nearly full, and full: queues grow from about here. */
const busyHigh = 0.8;
const busyFull = 0.95;

/** One tick for one, one more for each doubling: 1, 2, 4, 8 … */
export function drawTicks(
  pen: Pen,
  queue: number,
  right: number,
  top: number,
  height: number,
  colour: string,
): void {
  const count = Math.min(5, 1 + Math.floor(Math.log2(queue)));
  pen.ctx.fillStyle = colour;
  for (let tick = 0; tick < count; tick++) {
    const on = pen.rect({ x: right - 2 - tick * 3.5, y: top, width: 2, height });
    pen.ctx.fillRect(on.x, on.y, Math.max(1, on.width), on.height);
  }
}

export function drawPip(
  pen: Pen,
  node: NodeBox,
  known: NodeFigures | undefined,
  hue: string,
  paint: CardPaint,
): void {
  const { colours, levels } = paint;
  const on = pen.rect(node);
  const look = known?.look ?? 'unknown';
  if (look === 'down') return drawDeadPip(pen, on, paint);
  const isThere = look !== 'unknown' && look !== 'new' && look !== 'absent';
  const isOutline = !isThere || look === 'standby';
  if (look === 'new' || look === 'absent') pen.ctx.setLineDash([2, 2]);
  const line = look === 'standby' ? hue : isThere ? undefined : colours.line;
  pen.box(on, 2.5, isOutline ? undefined : colours.sunken, line);
  pen.ctx.setLineDash([]);
  if (known && !isOutline) drawLoad(pen, on, known, hue, paint);
  if (known && known.queue > 0 && levels.nodeDetail > 0.5 && node.width > 24) {
    const x = node.x + node.width - 2;
    drawTicks(pen, known.queue, x, node.y + 2.5, node.height - 5, colours.queue);
  }
  drawState(pen, on, look, paint);
}

function drawDeadPip(pen: Pen, on: Rect, { colours, levels }: CardPaint): void {
  pen.box(on, 2.5, colours.badSoft, colours.bad, 1.25);
  if (levels.nodeDetail > 0.5) hatch(pen.ctx, on, 5, colours.bad);
  const r = Math.max(2.5, Math.min(on.height, on.width) * 0.26);
  const middle = { x: on.x + on.width / 2, y: on.y + on.height / 2 };
  // A clear ground, so that the cross stands out from the hatching.
  pen.box(
    { x: middle.x - r - 2, y: middle.y - r - 2, width: 2 * r + 4, height: 2 * r + 4 },
    3,
    colours.badSoft,
  );
  glyph(pen.ctx, nodeGlyphs.down!, middle.x, middle.y, r, colours.badText, 1.6);
}

/** Fills from the left when it is wide, from below when it is a square. */
function drawLoad(
  pen: Pen,
  on: Rect,
  { busy, look }: NodeFigures,
  hue: string,
  { colours }: CardPaint,
): void {
  if (busy <= 0) return;
  const isWide = on.width > on.height * 1.4;
  const part = isWide
    ? { ...on, width: Math.max(2, on.width * busy) }
    : {
        ...on,
        y: on.y + on.height * (1 - Math.max(0.12, busy)),
        height: on.height * Math.max(0.12, busy),
      };
  const alpha = pen.ctx.globalAlpha;
  pen.ctx.globalAlpha = alpha * (look === 'paused' ? 0.3 : 0.85);
  pen.box(part, 2.5, loadColour(busy, hue, colours));
  pen.ctx.globalAlpha = alpha;
}

function drawState(pen: Pen, on: Rect, look: NodeFigures['look'], paint: CardPaint): void {
  const draw = nodeGlyphs[look];
  if (!draw) return;
  const { colours } = paint;
  const x = on.x + on.width / 2;
  const y = on.y + on.height / 2;
  const r = Math.max(2.5, Math.min(on.height, on.width) * 0.28);
  pen.box({ x: x - r - 3, y: on.y, width: 2 * r + 6, height: on.height }, 3, colours.surface);
  pen.box(on, 2.5, undefined, colours.warn, 1.5);
  glyph(pen.ctx, draw, x, y, r, colours.warnText, 1.5);
}

/** A node of an open block: name, rate, load as a bar, queue as ticks. */
export function drawTile(
  pen: Pen,
  node: NodeBox,
  known: NodeFigures | undefined,
  hue: string,
  paint: CardPaint,
): void {
  const { colours, levels } = paint;
  const look = known?.look ?? 'unknown';
  const on = pen.rect(node);
  const isDown = look === 'down';
  const isTroubled = look === 'paused' || look === 'slow' || look === 'sick';
  const line = isDown
    ? colours.bad
    : isTroubled
      ? colours.warn
      : look === 'standby'
        ? hue
        : colours.line;
  if (look === 'new' || look === 'absent') pen.ctx.setLineDash([3, 2]);
  pen.box(on, 4, isDown ? colours.badSoft : colours.surface, line, isDown || isTroubled ? 1.5 : 1);
  pen.ctx.setLineDash([]);
  if (isDown) hatch(pen.ctx, on, 7, colours.bad);
  const draw = nodeGlyphs[look];
  const nameX = node.x + 8;
  if (draw) {
    const x = pen.x(node.x + node.width - 13);
    const y = pen.y(node.y + 12);
    const r = 4 * pen.view.scale;
    pen.box(
      { x: x - r * 1.9, y: y - r * 1.9, width: r * 3.8, height: r * 3.8 },
      r,
      colours.surface,
    );
    glyph(pen.ctx, draw, x, y, r, isDown ? colours.badText : colours.warnText, 1.6);
  }
  if (isDown && levels.figures > 0) {
    const width = pen.width(node.id, 11, 600) + 6;
    pen.box(pen.rect({ x: nameX - 3, y: node.y + 5, width, height: 14 }), 3, colours.badSoft);
  }
  const namePx = Math.min(14, levels.namePx * 0.88);
  pen.text(node.id, nameX, node.y + 16, {
    px: namePx,
    weight: 600,
    colour: isDown ? colours.badText : colours.text,
    widthMax: node.width - (draw ? 32 : 14),
  });
  if (!known) return;
  const bar = { x: node.x + 8, y: node.y + node.height - 8, width: node.width - 16, height: 3 };
  if (!isDown) {
    pen.box(pen.rect(bar), 1.5, colours.sunken);
    const busy = Math.max(known.busy > 0 ? 0.02 : 0, known.busy);
    if (busy > 0) {
      pen.box(pen.rect({ ...bar, width: bar.width * busy }), 1.5, loadColour(busy, hue, colours));
    }
  }
  if (levels.figures === 0 || isDown) return;
  const alpha = pen.ctx.globalAlpha;
  pen.ctx.globalAlpha = alpha * levels.figures;
  const y = node.y + 28;
  const text = look === 'standby' ? 'standby' : rateText(known.ratePerSec);
  pen.text(text, nameX, y, { px: 10, colour: colours.textSoft });
  const right = node.x + node.width - 8;
  if (known.queue > 0 && !draw) {
    const width = pen.text(countText(known.queue), right, node.y + 16, {
      px: 10,
      align: 'right',
      weight: 600,
      colour: colours.textSoft,
    });
    drawTicks(pen, known.queue, right - width - 3, node.y + 8, 8, colours.queue);
  }
  if (known.p99Us > 0) {
    pen.text(durationText(known.p99Us), right, y, {
      px: 10,
      align: 'right',
      colour: colours.textFaint,
    });
  }
  pen.ctx.globalAlpha = alpha;
}

/** A small bolt's worth of ground at the corner: this is what somebody broke. */
export function drawFaultMark(pen: Pen, on: Rect, colours: Colours): void {
  const r = Math.max(4, 5 * pen.view.scale);
  const x = pen.x(on.x + on.width) - r * 0.4;
  const y = pen.y(on.y) + r * 0.4;
  pen.box({ x: x - r, y: y - r, width: 2 * r, height: 2 * r }, r, colours.fault, colours.surface);
  const { ctx } = pen;
  ctx.beginPath();
  ctx.moveTo(x + r * 0.15, y - r * 0.65);
  ctx.lineTo(x - r * 0.45, y + r * 0.1);
  ctx.lineTo(x, y + r * 0.1);
  ctx.lineTo(x - r * 0.15, y + r * 0.65);
  ctx.lineTo(x + r * 0.45, y - r * 0.1);
  ctx.lineTo(x, y - r * 0.1);
  ctx.closePath();
  ctx.fillStyle = colours.surface;
  ctx.fill();
}

function loadColour(busy: number, hue: string, colours: Colours): string {
  if (busy >= busyFull) return colours.bad;
  return busy >= busyHigh ? colours.warn : hue;
}

export function grown({ x, y, width, height }: Rect, by: number): Rect {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}
