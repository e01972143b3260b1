/**
 * The line of a path: cubic pieces that leave and enter horizontally, and the same line as points
 * at equal distances, so that finding the place of a particle is one look into an array.
 */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Curve {
  /** Where it starts; then six numbers a piece: two control points and an end. */
  readonly pieces: readonly number[];
  /** x and y in turn, `stepPx` apart along the line. */
  readonly points: Float32Array;
  readonly lengthPx: number;
  readonly box: Rect;
}

export const stepPx = 4;

/** Short lines need less of a swing; lines that go back need room to turn. */
const swingMinPx = 20;

export function curveThrough(stops: readonly Point[]): Curve {
  const first = stops[0]!;
  const pieces: number[] = [first.x, first.y];
  for (let index = 1; index < stops.length; index++) {
    const from = stops[index - 1]!;
    const to = stops[index]!;
    const gap = to.x - from.x;
    // Forward lines turn early and arrive straight: where they end there is room for figures.
    const leave = gap > 0 ? Math.min(gap, Math.max(swingMinPx, gap * 0.3)) : Math.max(60, -gap / 2);
    const arrive = gap > 0 ? gap * 0.75 : leave;
    pieces.push(from.x + leave, from.y, to.x - arrive, to.y, to.x, to.y);
  }
  return { pieces, ...evenly(pieces) };
}

/** Writes x and y of the place `distancePx` along the curve into `out`: nothing is allocated. */
export function placeAlong(curve: Curve, distancePx: number, out: { x: number; y: number }): void {
  const { points, lengthPx } = curve;
  const last = points.length / 2 - 1;
  const at = Math.max(0, Math.min(distancePx, lengthPx)) / stepPx;
  const index = Math.min(Math.floor(at), last - 1);
  // The last stretch is shorter than a step.
  const stretchPx = index === last - 1 ? lengthPx - index * stepPx : stepPx;
  const share = stretchPx > 0 ? Math.min(1, ((at - index) * stepPx) / stretchPx) : 0;
  const base = index * 2;
  out.x = points[base]! + (points[base + 2]! - points[base]!) * share;
  out.y = points[base + 1]! + (points[base + 3]! - points[base + 1]!) * share;
}

/** The square of the least distance from a point to the curve. */
export function distanceSquared(curve: Curve, x: number, y: number): number {
  const { points } = curve;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index < points.length; index += 2) {
    const dx = points[index]! - x;
    const dy = points[index + 1]! - y;
    least = Math.min(least, dx * dx + dy * dy);
  }
  return least;
}

/** Walks the pieces in small chords and notes a point whenever another step is full. */
function evenly(pieces: readonly number[]): Omit<Curve, 'pieces'> {
  const points: number[] = [pieces[0]!, pieces[1]!];
  let [x, y] = [pieces[0]!, pieces[1]!];
  let lengthPx = 0;
  let nextPx = stepPx;
  for (let base = 0; base + 7 < pieces.length; base += 6) {
    const piece = pieces.slice(base, base + 8);
    const chords = Math.max(8, Math.ceil(spanOf(piece) / 3));
    for (let chord = 1; chord <= chords; chord++) {
      const toX = bezier(piece[0]!, piece[2]!, piece[4]!, piece[6]!, chord / chords);
      const toY = bezier(piece[1]!, piece[3]!, piece[5]!, piece[7]!, chord / chords);
      const chordPx = Math.hypot(toX - x, toY - y);
      while (chordPx > 0 && lengthPx + chordPx >= nextPx) {
        const share = (nextPx - lengthPx) / chordPx;
        points.push(x + (toX - x) * share, y + (toY - y) * share);
        nextPx += stepPx;
      }
      lengthPx += chordPx;
      [x, y] = [toX, toY];
    }
  }
  if (lengthPx > (points.length / 2 - 1) * stepPx + 1e-6 || points.length === 2) points.push(x, y);
  return { points: Float32Array.from(points), lengthPx, box: boxOf(points) };
}

function bezier(a: number, b: number, c: number, d: number, t: number): number {
  const u = 1 - t;
  return u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d;
}

function spanOf(piece: readonly number[]): number {
  return (
    Math.hypot(piece[2]! - piece[0]!, piece[3]! - piece[1]!) +
    Math.hypot(piece[4]! - piece[2]!, piece[5]! - piece[3]!) +
    Math.hypot(piece[6]! - piece[4]!, piece[7]! - piece[5]!)
  );
}

function boxOf(points: readonly number[]): Rect {
  let [left, top, right, bottom] = [points[0]!, points[1]!, points[0]!, points[1]!];
  for (let index = 2; index < points.length; index += 2) {
    left = Math.min(left, points[index]!);
    right = Math.max(right, points[index]!);
    top = Math.min(top, points[index + 1]!);
    bottom = Math.max(bottom, points[index + 1]!);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function contains(rect: Rect, x: number, y: number, marginPx = 0): boolean {
  return (
    x >= rect.x - marginPx &&
    x <= rect.x + rect.width + marginPx &&
    y >= rect.y - marginPx &&
    y <= rect.y + rect.height + marginPx
  );
}

export function union(rects: readonly Rect[]): Rect {
  if (rects.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const x = Math.min(...rects.map((rect) => rect.x));
  const y = Math.min(...rects.map((rect) => rect.y));
  const right = Math.max(...rects.map((rect) => rect.x + rect.width));
  const bottom = Math.max(...rects.map((rect) => rect.y + rect.height));
  return { x, y, width: right - x, height: bottom - y };
}
