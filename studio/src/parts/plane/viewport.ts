/**
 * What part of the plane is seen, and how large: `screen = world * scale + (x, y)`. Every function
 * takes a viewport and returns another.
 */
import type { Point, Rect } from './curve.ts';

export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const scaleMin = 0.08;
export const scaleMax = 3;
/** What fits with room to spare is not blown up: cards keep the size that they were drawn for. */
const fitScaleMax = 1.25;
/** A wide screen stands further away, and would be mostly empty. */
const widePx = 1_500;
const fitScaleMaxWide = 1.75;
const fitMarginPx = 20;

export function toScreen(view: Viewport, point: Point): Point {
  return { x: point.x * view.scale + view.x, y: point.y * view.scale + view.y };
}

export function toWorld(view: Viewport, point: Point): Point {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}

/** What lies under `at` (on the screen) stays there. */
export function zoomAt(view: Viewport, at: Point, factor: number): Viewport {
  const scale = clamp(view.scale * factor, scaleMin, scaleMax);
  const world = toWorld(view, at);
  return { scale, x: at.x - world.x * scale, y: at.y - world.y * scale };
}

export function panBy(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** All of `bounds` in the middle, beside `kept` pixels that something else covers below. */
export function fit(bounds: Rect, size: Size, keptBelowPx = 0): Viewport {
  const height = Math.max(1, size.height - keptBelowPx);
  const scale = clamp(
    Math.min(
      (size.width - 2 * fitMarginPx) / Math.max(1, bounds.width),
      (height - 2 * fitMarginPx) / Math.max(1, bounds.height),
    ),
    scaleMin,
    size.width >= widePx ? fitScaleMaxWide : fitScaleMax,
  );
  return {
    scale,
    x: Math.round(size.width / 2 - (bounds.x + bounds.width / 2) * scale),
    y: Math.round(height / 2 - (bounds.y + bounds.height / 2) * scale),
  };
}

/** The least move that brings `rect` into sight, at a size at which it can be read. */
export function reveal(view: Viewport, rect: Rect, size: Size, scaleReadable = 0): Viewport {
  const scaled = view.scale >= scaleReadable ? view : zoomTo(view, rect, size, scaleReadable);
  const from = toScreen(scaled, rect);
  const right = from.x + rect.width * scaled.scale;
  const bottom = from.y + rect.height * scaled.scale;
  return panBy(
    scaled,
    shift(from.x, right, fitMarginPx, size.width - fitMarginPx),
    shift(from.y, bottom, fitMarginPx, size.height - fitMarginPx),
  );
}

/** The part of the plane that is on the screen. */
export function seen(view: Viewport, size: Size): Rect {
  const { x, y } = toWorld(view, { x: 0, y: 0 });
  return { x, y, width: size.width / view.scale, height: size.height / view.scale };
}

/** Scrolls one notch of a wheel; a trackpad's pinch comes as a wheel with ctrl held. */
export function wheelFactor(deltaY: number, isPinch: boolean): number {
  return Math.exp(-clamp(deltaY, -120, 120) * (isPinch ? 0.01 : 0.0022));
}

function zoomTo(view: Viewport, rect: Rect, size: Size, scale: number): Viewport {
  const middle = { x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 };
  return {
    scale: Math.max(view.scale, scale),
    x: size.width / 2 - middle.x * scale,
    y: size.height / 2 - middle.y * scale,
  };
}

/** What is too large for its room is shown from its start. */
function shift(from: number, to: number, low: number, high: number): number {
  if (from < low || to - from > high - low) return low - from;
  return to > high ? high - to : 0;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
