/**
 * The lines between blocks, and what they say: each look differs in form (dash, gap, bar, sign), so
 * that it can be told without its colour.
 *
 *   open ──────▶   idle ·····thin·····▶   standby ══════▶   cut ─ ─ ✂ ─ ─
 *   slow ── ── ⌛ ── ──▶   lossy · · % · ·▶   refused ─────▌
 */
import { durationText, rateText, shareText } from '../parts/format.ts';
import { type Curve, placeAlong } from '../parts/plane/curve.ts';
import type { Colours } from './colours.ts';
import { glyph, pathGlyphs } from './glyphs.ts';
import type { GraphLayout, PathLine } from './layout.ts';
import type { Levels } from './levels.ts';
import type { Context, Pen } from './pen.ts';
import type { Figures, PathFigures, PathLook } from './scene.ts';

export interface PathPaint {
  readonly layout: GraphLayout;
  readonly figures: Figures;
  readonly colours: Colours;
  readonly levels: Levels;
  /** Path ids. */
  readonly selected: string | undefined;
  readonly hovered: string | undefined;
  /** Nothing may move: width tells the rate instead. */
  readonly isStill: boolean;
  /** Blocks to look at; undefined: all. What leads elsewhere steps back. */
  readonly focus: ReadonlySet<string> | undefined;
}

const dashes: Readonly<Partial<Record<PathLook, readonly number[]>>> = {
  cut: [3, 5],
  slow: [11, 6],
  lossy: [1.5, 5],
};

const place = { x: 0, y: 0 };

export function drawPaths(pen: Pen, paint: PathPaint): void {
  const { layout, figures } = paint;
  pen.onPlane();
  for (const path of layout.paths) drawLine(pen, path, figures.paths.get(path.id), paint);
  pen.onScreen();
}

/** Over the traffic, so that no particle hides a figure. */
export function drawPathFigures(pen: Pen, paint: PathPaint): void {
  for (const path of paint.layout.paths) {
    const known = paint.figures.paths.get(path.id);
    if (!known) continue;
    pen.ctx.globalAlpha = isAside(path, paint) ? 0.25 : 1;
    drawSign(pen, path, known, paint);
    drawFigures(pen, path, known, paint);
  }
  pen.ctx.globalAlpha = 1;
}

/** From a tile of an open block to where the lines of its nodes come together. */
export function drawStrands(pen: Pen, paint: PathPaint): void {
  const { layout, figures, colours, levels } = paint;
  pen.onPlane();
  // A node has room for one sign, whichever of its lines are in trouble.
  const signs = new Map<string, { readonly look: PathLook; readonly curve: Curve }>();
  for (const path of layout.paths) {
    for (const { node, curve } of path.strands) {
      const id = `${node}->${path.to}`;
      const look = figures.paths.get(id)?.look ?? 'unknown';
      const isMarked = id === paint.selected || id === paint.hovered;
      style(pen, colourOf(look, colours), (isMarked ? 2.5 : 1) * levels.linePx, look);
      trace(pen.ctx, curve);
      pen.ctx.stroke();
      if (pathGlyphs[look] && signs.get(node)?.look !== 'cut') signs.set(node, { look, curve });
    }
  }
  pen.ctx.setLineDash([]);
  if (levels.nodeDetail > 0.5) {
    for (const { look, curve } of signs.values()) {
      placeAlong(curve, 8, place);
      const { x, y } = place;
      pen.ctx.beginPath();
      pen.ctx.arc(x, y, 6, 0, 2 * Math.PI);
      pen.ctx.fillStyle = colours.surface;
      pen.ctx.fill();
      glyph(pen.ctx, pathGlyphs[look]!, x, y, 4, colourOf(look, colours), 1.3);
    }
  }
  pen.onScreen();
}

function drawLine(pen: Pen, path: PathLine, known: PathFigures | undefined, paint: PathPaint) {
  const { ctx } = pen;
  const { colours, levels } = paint;
  const look = known?.look ?? 'unknown';
  const colour = colourOf(look, colours);
  const width = widthOf(known, paint.isStill) * Math.max(1, levels.linePx * 0.8);
  ctx.globalAlpha = isAside(path, paint) ? 0.25 : 1;
  if (path.id === paint.selected || path.id === paint.hovered) {
    style(pen, colours.accent, width + 5, 'open');
    ctx.globalAlpha *= path.id === paint.selected ? 0.35 : 0.18;
    trace(ctx, path.curve);
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  style(pen, colour, width, look);
  const gap = look === 'cut' ? 11 : 0;
  trace(ctx, path.curve, gap);
  ctx.stroke();
  if (look === 'standby') {
    style(pen, colours.ground, width - 2 * levels.linePx, 'open');
    ctx.stroke();
  }
  ctx.setLineDash([]);
  drawHead(pen, path.curve, look, colour, levels);
  ctx.globalAlpha = 1;
}

/** An arrow, or the bar at which a caller is sent away. */
function drawHead(pen: Pen, { pieces }: Curve, look: PathLook, colour: string, levels: Levels) {
  const { ctx } = pen;
  const [x, y] = pieces.slice(-2) as [number, number];
  const size = Math.min(8, 5.5 * Math.max(1, levels.linePx * 0.7));
  ctx.beginPath();
  if (look === 'refused') {
    ctx.rect(x - 9, y - 8, 3.5, 16);
  } else {
    ctx.moveTo(x, y);
    ctx.lineTo(x - size * 1.25, y - size * 0.68);
    ctx.lineTo(x - size * 1.25, y + size * 0.68);
    ctx.closePath();
  }
  ctx.fillStyle = colour;
  ctx.fill();
}

function drawSign(pen: Pen, path: PathLine, known: PathFigures, paint: PathPaint): void {
  const draw = pathGlyphs[known.look];
  if (!draw) return;
  const { colours } = paint;
  placeAlong(path.curve, path.curve.lengthPx / 2, place);
  const scale = Math.max(0.75, Math.min(1.2, pen.view.scale));
  const x = pen.x(place.x);
  const y = pen.y(place.y);
  const isBad = known.look === 'cut' || known.look === 'partly' || known.look === 'refused';
  const colour = isBad ? colours.bad : colours.warn;
  const r = 9 * scale;
  pen.box({ x: x - r, y: y - r, width: 2 * r, height: 2 * r }, r, colours.ground, colour, 1.25);
  glyph(pen.ctx, draw, x, y, 4.6 * scale, isBad ? colours.badText : colours.warnText, 1.3 * scale);
}

/** Beside where the line arrives: there lines are apart. The rate above it, p99 or errors below. */
function drawFigures(pen: Pen, path: PathLine, known: PathFigures, paint: PathPaint): void {
  const { colours, levels } = paint;
  if (levels.pathLabels === 0 || known.look === 'idle' || known.look === 'unknown') return;
  const { ctx } = pen;
  const { label } = path;
  const alpha = ctx.globalAlpha;
  ctx.globalAlpha = alpha * levels.pathLabels;
  const right = label.x + label.width;
  const style = { px: levels.labelPx, align: 'right', halo: colours.ground } as const;
  const rate = known.look === 'standby' ? 'standby' : rateText(known.ratePerSec);
  pen.text(rate, right, label.y + 10, { ...style, colour: colours.textSoft, weight: 500 });
  if (label.lines === 2) {
    const below = label.y + label.height - 3;
    if (known.errorRatio > 0) {
      const errors = `✕ ${shareText(known.errorRatio)}`;
      pen.text(errors, right, below, { ...style, colour: colours.badText, weight: 600 });
    } else if (known.p99Us > 0) {
      pen.text(durationText(known.p99Us), right, below, { ...style, colour: colours.textFaint });
    }
  }
  ctx.globalAlpha = alpha;
}

function isAside(path: PathLine, { focus }: PathPaint): boolean {
  return focus !== undefined && !(focus.has(path.from) && focus.has(path.to));
}

function colourOf(look: PathLook, colours: Colours): string {
  switch (look) {
    case 'cut':
    case 'refused':
      return colours.bad;
    case 'slow':
    case 'lossy':
      return colours.warn;
    case 'idle':
    case 'unknown':
      return colours.pathIdle;
    default:
      return colours.path;
  }
}

/** In steps: lines that only tremble are not drawn again. */
export function widthOf(known: PathFigures | undefined, isStill: boolean): number {
  if (!known || known.look === 'idle' || known.look === 'unknown') return 1;
  if (known.look === 'standby') return 3.5;
  const weight = Math.round(2 * Math.log10(1 + known.ratePerSec)) / 2;
  return isStill ? 1 + weight * 1.4 : 1.2 + weight * 0.3;
}

function style({ ctx }: Pen, colour: string, width: number, look: PathLook): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  const dash = dashes[look];
  ctx.setLineDash(dash ? [...dash] : []);
  ctx.lineCap = look === 'lossy' ? 'round' : 'butt';
}

/** All of it as curves, or, with a gap in the middle, as the points on either side. */
function trace(ctx: Context, curve: Curve, gapPx = 0): void {
  ctx.beginPath();
  if (gapPx === 0) {
    const { pieces } = curve;
    ctx.moveTo(pieces[0]!, pieces[1]!);
    for (let at = 2; at + 5 < pieces.length; at += 6) {
      ctx.bezierCurveTo(
        pieces[at]!,
        pieces[at + 1]!,
        pieces[at + 2]!,
        pieces[at + 3]!,
        pieces[at + 4]!,
        pieces[at + 5]!,
      );
    }
    return;
  }
  const { points, lengthPx } = curve;
  let isOpen = false;
  for (let index = 0; index < points.length; index += 2) {
    const alongPx = (index / points.length) * lengthPx;
    const isGap = Math.abs(alongPx - lengthPx / 2) < gapPx;
    if (!isGap && isOpen) ctx.lineTo(points[index]!, points[index + 1]!);
    else if (!isGap) ctx.moveTo(points[index]!, points[index + 1]!);
    isOpen = !isGap;
  }
}
