/**
 * Particles, all of one look in one stroke: dots for what goes well, crosses for what fails. Paths
 * without a curve keep theirs to themselves.
 */

import { type Curve, contains, placeAlong } from '../parts/plane/curve.ts';
import { type Size, seen, toScreen, type Viewport } from '../parts/plane/viewport.ts';
import type { Colours } from './colours.ts';
import type { Particles } from './particles.ts';
import type { Context } from './pen.ts';

const place = { x: 0, y: 0 };

export function drawTraffic(
  ctx: Context,
  particles: Particles,
  curves: readonly (Curve | undefined)[],
  view: Viewport,
  size: Size,
  dpr: number,
  colours: Colours,
): void {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  const part = seen(view, size);
  const r = Math.max(1.3, Math.min(2.6, 2.3 * view.scale));
  const { scale, x: left, y: top } = view;
  for (const failing of [0, 1]) {
    ctx.beginPath();
    for (let index = 0; index < particles.count; index++) {
      if (particles.fails[index] !== failing) continue;
      const curve = curves[particles.path[index]!];
      if (!curve) continue;
      placeAlong(curve, particles.distancePx[index]!, place);
      if (!contains(part, place.x, place.y)) continue;
      const x = place.x * scale + left;
      const y = place.y * scale + top;
      if (failing) {
        ctx.moveTo(x - r, y - r);
        ctx.lineTo(x + r, y + r);
        ctx.moveTo(x + r, y - r);
        ctx.lineTo(x - r, y + r);
      } else {
        ctx.moveTo(x + r, y);
        ctx.arc(x, y, r, 0, 6.2832);
      }
    }
    if (failing) {
      ctx.strokeStyle = colours.trafficFailed;
      ctx.lineWidth = Math.max(1.2, r * 0.85);
      ctx.stroke();
    } else {
      ctx.fillStyle = colours.traffic;
      ctx.fill();
    }
  }
}

/** A quiet lattice that gives the plane a ground to move against. */
export function drawGrid(
  ctx: Context,
  view: Viewport,
  size: Size,
  dpr: number,
  colour: string,
): void {
  let step = 24 * view.scale;
  while (step < 16) step *= 2;
  const origin = toScreen(view, { x: 0, y: 0 });
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.fillStyle = colour;
  for (let x = origin.x % step; x < size.width; x += step) {
    for (let y = origin.y % step; y < size.height; y += step) {
      ctx.fillRect(Math.round(x), Math.round(y), 1.5, 1.5);
    }
  }
}
