/** Signs of a few strokes, drawn around a point: shapes of blocks, and states that colour alone must not tell. */
import type { Context } from './pen.ts';
import type { NodeLook, PathLook } from './scene.ts';

/** `r` is half its size. */
type Draw = (ctx: Context, x: number, y: number, r: number) => void;

/** What a block's view calls its shape. */
export const shapeGlyphs: Readonly<Record<string, Draw>> = {
  box: (ctx, x, y, r) => {
    // Two brackets: code.
    line(ctx, [x - r * 0.35, y - r * 0.75, x - r, y, x - r * 0.35, y + r * 0.75]);
    line(ctx, [x + r * 0.35, y - r * 0.75, x + r, y, x + r * 0.35, y + r * 0.75]);
  },
  store: (ctx, x, y, r) => {
    ctx.moveTo(x + r * 0.9, y - r * 0.6);
    ctx.ellipse(x, y - r * 0.6, r * 0.9, r * 0.35, 0, 0, 2 * Math.PI);
    ctx.moveTo(x - r * 0.9, y - r * 0.6);
    ctx.lineTo(x - r * 0.9, y + r * 0.6);
    ctx.ellipse(x, y + r * 0.6, r * 0.9, r * 0.35, 0, Math.PI, 0, true);
    ctx.lineTo(x + r * 0.9, y - r * 0.6);
    ctx.moveTo(x - r * 0.9, y);
    ctx.ellipse(x, y, r * 0.9, r * 0.35, 0, Math.PI, 0, true);
  },
  queue: (ctx, x, y, r) => {
    for (const at of [-0.9, -0.3, 0.3]) ctx.rect(x + at * r, y - r * 0.7, r * 0.42, r * 1.4);
    line(ctx, [x + r * 0.75, y - r * 0.35, x + r * 1.1, y, x + r * 0.75, y + r * 0.35]);
  },
  person: (ctx, x, y, r) => {
    ctx.moveTo(x + r * 0.42, y - r * 0.5);
    ctx.arc(x, y - r * 0.5, r * 0.42, 0, 2 * Math.PI);
    ctx.moveTo(x - r * 0.85, y + r * 0.9);
    ctx.ellipse(x, y + r * 0.9, r * 0.85, r * 0.8, 0, Math.PI, 0);
  },
  cloud: (ctx, x, y, r) => {
    ctx.moveTo(x - r * 0.6, y + r * 0.6);
    ctx.arc(x - r * 0.55, y + r * 0.15, r * 0.45, Math.PI / 2, Math.PI * 1.4);
    ctx.arc(x + r * 0.05, y - r * 0.2, r * 0.6, Math.PI * 1.15, Math.PI * 1.9);
    ctx.arc(x + r * 0.6, y + r * 0.2, r * 0.4, Math.PI * 1.5, Math.PI * 0.5);
    ctx.closePath();
  },
};

const cross: Draw = (ctx, x, y, r) => {
  line(ctx, [x - r, y - r, x + r, y + r]);
  line(ctx, [x + r, y - r, x - r, y + r]);
};

const bars: Draw = (ctx, x, y, r) => {
  line(ctx, [x - r * 0.55, y - r, x - r * 0.55, y + r]);
  line(ctx, [x + r * 0.55, y - r, x + r * 0.55, y + r]);
};

const hourglass: Draw = (ctx, x, y, r) => {
  line(ctx, [x - r * 0.8, y - r, x + r * 0.8, y - r, x - r * 0.8, y + r, x + r * 0.8, y + r]);
  ctx.closePath();
};

const exclamation: Draw = (ctx, x, y, r) => {
  line(ctx, [x, y - r, x, y + r * 0.25]);
  line(ctx, [x, y + r * 0.85, x, y + r]);
};

/** Blades that cross and two rings. */
const scissors: Draw = (ctx, x, y, r) => {
  line(ctx, [x - r * 0.4, y + r * 0.35, x + r * 0.6, y - r]);
  line(ctx, [x + r * 0.4, y + r * 0.35, x - r * 0.6, y - r]);
  for (const side of [-0.6, 0.6]) {
    ctx.moveTo(x + r * (side + 0.35), y + r * 0.65);
    ctx.arc(x + side * r, y + r * 0.65, r * 0.35, 0, 2 * Math.PI);
  }
};

/** Per cent. */
const loss: Draw = (ctx, x, y, r) => {
  line(ctx, [x - r * 0.55, y + r * 0.8, x + r * 0.55, y - r * 0.8]);
  for (const side of [-0.6, 0.6]) {
    ctx.moveTo(x + r * (side + 0.22), y + side * r * 0.75);
    ctx.arc(x + side * r, y + side * r * 0.75, r * 0.22, 0, 2 * Math.PI);
  }
};

const noEntry: Draw = (ctx, x, y, r) => {
  ctx.moveTo(x + r, y);
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  line(ctx, [x - r * 0.55, y, x + r * 0.55, y]);
};

export const nodeGlyphs: Readonly<Partial<Record<NodeLook, Draw>>> = {
  down: cross,
  paused: bars,
  slow: hourglass,
  sick: exclamation,
};

export const pathGlyphs: Readonly<Partial<Record<PathLook, Draw>>> = {
  cut: scissors,
  partly: scissors,
  lossy: loss,
  slow: hourglass,
  refused: noEntry,
};

export function glyph(
  ctx: Context,
  draw: Draw,
  x: number,
  y: number,
  r: number,
  colour: string,
  linePx: number,
): void {
  ctx.beginPath();
  draw(ctx, x, y, r);
  ctx.strokeStyle = colour;
  ctx.lineWidth = linePx;
  ctx.lineCap = 'round';
  ctx.lineJoin = 'round';
  ctx.stroke();
  ctx.lineCap = 'butt';
}

/** Falling lines within a rectangle, for what is down. */
export function hatch(
  ctx: Context,
  on: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  gapPx: number,
  colour: string,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(on.x, on.y, on.width, on.height);
  ctx.clip();
  ctx.beginPath();
  for (let at = -on.height; at < on.width; at += gapPx) {
    ctx.moveTo(on.x + at, on.y + on.height);
    ctx.lineTo(on.x + at + on.height, on.y);
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.restore();
}

function line(ctx: Context, points: readonly number[]): void {
  ctx.moveTo(points[0]!, points[1]!);
  for (let at = 2; at < points.length; at += 2) ctx.lineTo(points[at]!, points[at + 1]!);
}
