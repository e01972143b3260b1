/**
 * A plot written as SVG: the same data as on the screen, crisp at any size, a few kilobytes, and
 * with its colours inside, so that it can be pasted anywhere.
 */
import { type Axis, linearAxis, logAxis, placeOn, spanAxis } from './axis.ts';
import { placeLabels } from './bands.ts';
import {
  type Band,
  type Curve,
  formatSecond,
  formatValue,
  type Ink,
  type Plot,
  stacked,
} from './plot.ts';

export interface SvgOptions {
  readonly width: number;
  readonly height: number;
  /** Colour of a curve, by its ink; and those of everything else. */
  readonly inkOf: (ink: Ink) => string;
  readonly colours: {
    readonly paper: string;
    readonly text: string;
    readonly faint: string;
    readonly line: string;
    readonly fault: string;
  };
  readonly bands: readonly Band[];
  readonly log: boolean;
  /** How positions on the x axis are written; time when undefined. */
  readonly formatX?: ((x: number) => string) | undefined;
  readonly xTitle?: string | undefined;
}

const font = 'ui-sans-serif, system-ui, sans-serif';
const edge = { top: 34, right: 16, left: 58 };

export function svgOf(plot: Plot, options: SvgOptions): string {
  const { width, height, colours } = options;
  const bottom = 46 + 16 * Math.ceil(plot.curves.length / 4);
  const plotWidth = width - edge.left - edge.right;
  const plotHeight = height - edge.top - bottom;
  const xAxis = spanAxis(
    plot.x[0] ?? 0,
    plot.x.at(-1) ?? 1,
    Math.max(2, Math.floor(plotWidth / 80)),
  );
  const yAxis = yAxisOf(plot, options.log);
  const xAt = (x: number) => edge.left + placeOn(xAxis, x) * plotWidth;
  const yAt = (y: number) => edge.top + (1 - placeOn(yAxis, y)) * plotHeight;
  const formatX = options.formatX ?? formatSecond;
  const place: Place = {
    xAt,
    yAt,
    left: edge.left,
    right: width - edge.right,
    top: edge.top,
    bottom: edge.top + plotHeight,
  };
  const parts = [
    `<rect width="${width}" height="${height}" fill="${colours.paper}"/>`,
    label(edge.left - 44, 20, plot.title, colours.text, 'font-size="13" font-weight="600"'),
    ...bandMarks(options.bands, place, xAxis, colours.fault),
    ...yAxis.ticks.map((tick) => gridLine(place, yAt(tick), formatValue(plot.unit, tick), colours)),
    ...xAxis.ticks.map((tick) =>
      label(
        xAt(tick),
        place.bottom + 16,
        formatX(tick),
        colours.faint,
        'font-size="11" text-anchor="middle"',
      ),
    ),
    ...(options.xTitle === undefined
      ? []
      : [
          label(
            (place.left + place.right) / 2,
            place.bottom + 30,
            options.xTitle,
            colours.faint,
            'font-size="11" text-anchor="middle"',
          ),
        ]),
    ...curveMarks(plot, place, options),
    ...plot.limits.map((limit) =>
      limitMark(
        place,
        yAt(limit.value),
        `${limit.name} ${formatValue(plot.unit, limit.value)}`,
        colours.fault,
      ),
    ),
    ...legend(plot.curves, place, options),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${font}" role="img" aria-label="${escaped(plot.title)}">${parts.join('')}</svg>\n`;
}

/** The y axis that holds all curves, their intervals and the limits. */
export function yAxisOf(plot: Plot, log: boolean): Axis {
  const tops = plot.stacked
    ? stacked(plot.curves).slice(-1)
    : plot.curves.flatMap((curve) => [curve.values, curve.high ?? []]);
  let greatest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const values of tops) {
    for (const value of values) {
      if (value === null) continue;
      if (value > greatest) greatest = value;
      if (value > 0 && value < least) least = value;
    }
  }
  for (const { value } of plot.limits) if (value > greatest) greatest = value;
  if (log && Number.isFinite(least)) return logAxis(least, greatest);
  return linearAxis(greatest);
}

/** Runs of measured points as `M…L…`; a lone point becomes a dot by its round cap. */
export function linePath(xs: readonly number[], ys: readonly (number | null)[]): string {
  let path = '';
  let open = false;
  for (let i = 0; i < xs.length; i++) {
    const y = ys[i];
    if (y === null || y === undefined) {
      open = false;
      continue;
    }
    path += `${open ? 'L' : 'M'}${near(xs[i]!)} ${near(y)}`;
    if (!open && (ys[i + 1] === null || ys[i + 1] === undefined)) path += 'h0';
    open = true;
  }
  return path;
}

/** The area between two edges; both are there for every position that counts. */
export function areaPath(
  xs: readonly number[],
  upper: readonly (number | null)[],
  lower: readonly (number | null)[],
): string {
  const there = xs
    .map((_, i) => i)
    .filter((i) => typeof upper[i] === 'number' && typeof lower[i] === 'number');
  if (there.length === 0) return '';
  const forth = there.map((i) => `${near(xs[i]!)} ${near(upper[i]!)}`);
  const back = there.reverse().map((i) => `${near(xs[i]!)} ${near(lower[i]!)}`);
  return `M${forth.join('L')}L${back.join('L')}Z`;
}

interface Place {
  readonly xAt: (x: number) => number;
  readonly yAt: (y: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function curveMarks(plot: Plot, place: Place, options: SvgOptions): string[] {
  const xs = plot.x.map(place.xAt);
  const toY = (values: readonly (number | null)[]) =>
    values.map((value) => (value === null ? null : place.yAt(value)));
  if (plot.stacked) {
    const totals = stacked(plot.curves).map(toY);
    const floor = plot.x.map(() => place.yAt(0));
    return plot.curves.map((curve, i) => {
      const colour = options.inkOf(curve.ink);
      const area = areaPath(xs, totals[i]!, totals[i - 1] ?? floor);
      return `<path d="${area}" fill="${colour}" fill-opacity="0.45" stroke="${colour}" stroke-width="1"/>`;
    });
  }
  return plot.curves.flatMap((curve) => {
    const colour = options.inkOf(curve.ink);
    const dash = curve.dash.length === 0 ? '' : ` stroke-dasharray="${curve.dash.join(' ')}"`;
    const line = `<path d="${linePath(xs, toY(curve.values))}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round"${dash}/>`;
    if (!curve.low || !curve.high) return [line];
    const area = areaPath(xs, toY(curve.high), toY(curve.low));
    return [`<path d="${area}" fill="${colour}" fill-opacity="0.18"/>`, line];
  });
}

/** About what a character of a label takes, at the size that labels have. */
const labelCharPx = 5.2;
const labelRows = 3;

function bandMarks(bands: readonly Band[], place: Place, span: Axis, colour: string): string[] {
  const seen = bands.flatMap((band) => {
    const fromUs = Math.max(band.fromUs, span.min * 1e6);
    const toUs = Math.min(band.toUs, span.max * 1e6);
    return toUs <= fromUs ? [] : [{ fromUs, toUs, text: band.text }];
  });
  const areas = seen.map((band) => {
    const [from, to] = [place.xAt(band.fromUs / 1e6), place.xAt(band.toUs / 1e6)];
    return `<rect x="${near(from)}" y="${place.top}" width="${near(Math.max(1, to - from))}" height="${near(place.bottom - place.top)}"/>`;
  });
  const usPerPx = ((span.max - span.min) * 1e6) / (place.right - place.left);
  const widthOf = (text: string) => text.length * labelCharPx + 6;
  const labels = placeLabels(seen, (text) => widthOf(text) * usPerPx, labelRows).map((band) => {
    const x = Math.min(place.xAt(band.fromUs / 1e6) + 3, place.right - widthOf(band.text));
    return label(x, place.top + 11 + band.row * 12, band.text, colour, 'font-size="10"');
  });
  // As a group, so that where many are at work at once is no darker.
  return [`<g fill="${colour}" opacity="0.1">${areas.join('')}</g>`, ...labels];
}

function gridLine(place: Place, y: number, text: string, colours: SvgOptions['colours']): string {
  const line = `<path d="M${place.left} ${near(y)}H${place.right}" stroke="${colours.line}"/>`;
  return (
    line + label(place.left - 6, y + 4, text, colours.faint, 'font-size="11" text-anchor="end"')
  );
}

function limitMark(place: Place, y: number, text: string, colour: string): string {
  const line = `<path d="M${place.left} ${near(y)}H${place.right}" stroke="${colour}" stroke-dasharray="2 3"/>`;
  return line + label(place.right, y - 4, text, colour, 'font-size="10" text-anchor="end"');
}

function legend(curves: readonly Curve[], place: Place, options: SvgOptions): string[] {
  const columns = Math.min(4, Math.max(1, curves.length));
  const step = (place.right - place.left) / columns;
  const top = place.bottom + (options.xTitle === undefined ? 36 : 48);
  return curves.map((curve, i) => {
    const x = place.left + (i % columns) * step;
    const y = top + Math.floor(i / columns) * 16;
    const dash = curve.dash.length === 0 ? '' : ` stroke-dasharray="${curve.dash.join(' ')}"`;
    const key = `<path d="M${near(x)} ${y - 4}h20" stroke="${options.inkOf(curve.ink)}" stroke-width="2.5"${dash}/>`;
    return key + label(x + 26, y, curve.name, options.colours.text, 'font-size="11"');
  });
}

function label(x: number, y: number, text: string, colour: string, more: string): string {
  return `<text x="${near(x)}" y="${near(y)}" fill="${colour}" ${more}>${escaped(text)}</text>`;
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A tenth of a pixel is finer than any screen. */
function near(value: number): number {
  return Math.round(value * 10) / 10;
}
