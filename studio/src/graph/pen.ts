/**
 * Draws on a canvas in pixels of the screen, from places on the plane: edges fall on whole pixels
 * at every zoom, so that lines of one pixel are one pixel. Text is measured once.
 */
import type { Rect } from '../parts/plane/curve.ts';
import type { Viewport } from '../parts/plane/viewport.ts';

/** Of a canvas in the page, or of one that a worker draws on. */
export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export interface TextStyle {
  readonly px: number;
  readonly colour: string;
  readonly weight?: 400 | 500 | 600;
  readonly align?: 'left' | 'right' | 'center';
  /** Cut off with an ellipsis beyond it; on the plane. */
  readonly widthMax?: number;
  /** A seam of this colour parts it from what it stands on. */
  readonly halo?: string;
}

const widths = new Map<string, number>();
/** Figures change for ever: what was measured long ago is forgotten at once rather than one by one. */
const widthsMax = 6_000;

/** A font has come: its letters have other widths than those that stood in for them. */
export function forgetWidths(): void {
  widths.clear();
}

export class Pen {
  readonly ctx: Context;
  readonly #font: string;
  readonly #dpr: number;
  readonly view: Viewport;

  constructor(ctx: Context, view: Viewport, dpr: number, font: string) {
    this.ctx = ctx;
    this.view = view;
    this.#dpr = dpr;
    this.#font = font;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  }

  /** From here on lengths are of the plane: for curves, which have no edges to sharpen. */
  onPlane(): void {
    const { x, y, scale } = this.view;
    const dpr = this.#dpr;
    this.ctx.setTransform(dpr * scale, 0, 0, dpr * scale, dpr * x, dpr * y);
  }

  onScreen(): void {
    this.ctx.setTransform(this.#dpr, 0, 0, this.#dpr, 0, 0);
  }

  x(plane: number): number {
    return this.#whole(plane * this.view.scale + this.view.x);
  }

  y(plane: number): number {
    return this.#whole(plane * this.view.scale + this.view.y);
  }

  /** A rectangle of the plane on whole pixels of the screen. */
  rect({ x, y, width, height }: Rect): Rect {
    const left = this.x(x);
    const top = this.y(y);
    return { x: left, y: top, width: this.x(x + width) - left, height: this.y(y + height) - top };
  }

  /** Outlines are half a pixel in, so that they cover whole ones. */
  box(on: Rect, radius: number, fill: string | undefined, line?: string, linePx = 1): void {
    const { ctx } = this;
    const inset = line ? linePx / 2 : 0;
    const half = Math.min(on.width, on.height) / 2;
    ctx.beginPath();
    ctx.roundRect(
      on.x + inset,
      on.y + inset,
      Math.max(0, on.width - 2 * inset),
      Math.max(0, on.height - 2 * inset),
      Math.max(0, Math.min(radius, half)),
    );
    if (fill) {
      ctx.fillStyle = fill;
      ctx.fill();
    }
    if (line) {
      ctx.strokeStyle = line;
      ctx.lineWidth = linePx;
      ctx.stroke();
    }
  }

  /** Text with its baseline at a place of the plane. Answers its width there. */
  text(text: string, x: number, y: number, style: TextStyle): number {
    const { ctx, view } = this;
    const px = Math.round(style.px * view.scale * 4) / 4;
    const font = `${style.weight ?? 400} ${px}px ${this.#font}`;
    const shown =
      style.widthMax === undefined ? text : this.#fitting(text, font, style.widthMax * view.scale);
    if (shown === '') return 0;
    ctx.font = font;
    ctx.fillStyle = style.colour;
    ctx.textAlign = style.align ?? 'left';
    ctx.textBaseline = 'alphabetic';
    if (style.halo) {
      ctx.strokeStyle = style.halo;
      ctx.lineWidth = 3;
      ctx.lineJoin = 'round';
      ctx.strokeText(shown, x * view.scale + view.x, this.#whole(y * view.scale + view.y));
    }
    ctx.fillText(shown, x * view.scale + view.x, this.#whole(y * view.scale + view.y));
    return this.#widthOf(shown, font) / view.scale;
  }

  width(text: string, px: number, weight: TextStyle['weight'] = 400): number {
    const { scale } = this.view;
    const font = `${weight} ${Math.round(px * scale * 4) / 4}px ${this.#font}`;
    return this.#widthOf(text, font) / scale;
  }

  #fitting(text: string, font: string, widthMax: number): string {
    if (this.#widthOf(text, font) <= widthMax) return text;
    for (let length = text.length - 1; length > 1; length--) {
      const shorter = `${text.slice(0, length).trimEnd()}…`;
      if (this.#widthOf(shorter, font) <= widthMax) return shorter;
    }
    return '';
  }

  #widthOf(text: string, font: string): number {
    const key = `${font}\n${text}`;
    const known = widths.get(key);
    if (known !== undefined) return known;
    if (widths.size > widthsMax) widths.clear();
    this.ctx.font = font;
    const { width } = this.ctx.measureText(text);
    widths.set(key, width);
    return width;
  }

  #whole(screen: number): number {
    return Math.round(screen * this.#dpr) / this.#dpr;
  }
}
