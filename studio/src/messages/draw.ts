/** The diagram on a canvas: thousands of lines at once, so nothing here makes an element a message. */

import { spanAxis } from '../parts/plot/axis.ts';
import type { Band, Ink } from '../parts/plot/plot.ts';
import { readTokens } from '../theme/theme.ts';
import {
  type Frame2D,
  instantText,
  type Line,
  laneHeight,
  laneTop,
  laneY,
  type Outage,
  xOf,
} from './diagram.ts';

export interface Scene {
  readonly frame: Frame2D;
  readonly lines: readonly Line[];
  readonly inks: ReadonlyMap<string, Ink>;
  readonly outages: readonly Outage[];
  readonly bands: readonly Band[];
  readonly playheadUs: number;
  readonly chosen: Line | undefined;
}

const tokenNames = [
  '--text',
  '--text-2',
  '--text-3',
  '--line',
  '--line-strong',
  '--surface',
  '--accent',
  '--bad',
  '--bad-fill',
  '--good-fill',
  '--fault-fill',
  '--font',
  '--mono',
  '--series-1',
  '--series-2',
  '--series-3',
  '--series-4',
  '--series-5',
  '--series-6',
  '--series-7',
  '--series-8',
] as const;
type Tokens = Record<(typeof tokenNames)[number], string>;

/** Fewer lines than this are written beside, as far as there is room. */
const labelledMax = 60;

export function draw(canvas: HTMLCanvasElement, scene: Scene): void {
  const { width, height } = scene.frame;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (!context) return;
  const tokens = readTokens(tokenNames);
  context.scale(ratio, ratio);
  drawTime(context, scene, tokens);
  drawLanes(context, scene, tokens);
  const dense = scene.lines.length > 1_500;
  for (const line of scene.lines) drawLine(context, line, scene, tokens, dense);
  if (scene.chosen) drawLine(context, scene.chosen, scene, tokens, false, true);
  if (scene.lines.length <= labelledMax) drawLabels(context, scene, tokens);
  drawPlayhead(context, scene, tokens);
}

function drawTime(
  context: CanvasRenderingContext2D,
  { frame, bands }: Scene,
  tokens: Tokens,
): void {
  const { span, width, height } = frame;
  context.font = `11px ${tokens['--font']}`;
  for (const band of bands) {
    const from = Math.max(0, xOf(frame, band.fromUs));
    const to = Math.min(width, Number.isFinite(band.toUs) ? xOf(frame, band.toUs) : width);
    if (to <= 0 || from >= width) continue;
    context.globalAlpha = 0.12;
    context.fillStyle = tokens['--fault-fill'];
    context.fillRect(from, laneTop - 8, to - from, height);
    context.globalAlpha = 1;
  }
  const axis = spanAxis(span.fromUs / 1e6, span.toUs / 1e6, Math.max(2, Math.floor(width / 110)));
  context.textAlign = 'center';
  for (const tick of axis.ticks) {
    const x = xOf(frame, tick * 1e6);
    context.fillStyle = tokens['--line'];
    context.fillRect(x, laneTop - 8, 1, height);
    context.fillStyle = tokens['--text-3'];
    const at = Math.max(28, Math.min(width - 28, x));
    context.fillText(instantText(tick * 1e6, span.toUs - span.fromUs), at, 16);
  }
}

function drawLanes(
  context: CanvasRenderingContext2D,
  { frame, outages }: Scene,
  tokens: Tokens,
): void {
  frame.lanes.forEach((lane, index) => {
    const y = laneY(index);
    context.fillStyle = tokens['--line-strong'];
    context.fillRect(0, y, frame.width, 1);
    for (const outage of outages.filter((one) => one.node === lane)) {
      const from = Math.max(0, xOf(frame, outage.fromUs));
      const to = Math.min(
        frame.width,
        Number.isFinite(outage.toUs) ? xOf(frame, outage.toUs) : frame.width,
      );
      if (to <= 0 || from >= frame.width) continue;
      context.fillStyle = tokens['--surface'];
      context.fillRect(from, y - 1, to - from, 3);
      context.strokeStyle = tokens['--bad-fill'];
      context.setLineDash([2, 4]);
      context.lineWidth = 1.5;
      stroke(context, from, y, to, y);
      context.setLineDash([]);
      if (from > 0) mark(context, '✕ down', from, y, tokens['--bad'], tokens);
      if (to < frame.width) mark(context, '● up', to, y, tokens['--good-fill'], tokens);
    }
  });
}

function mark(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: string,
  tokens: Tokens,
): void {
  context.font = `600 11px ${tokens['--font']}`;
  context.textAlign = 'left';
  context.fillStyle = colour;
  context.fillRect(x - 1, y - laneHeight / 4, 2, laneHeight / 2);
  context.fillText(text, x + 4, y - 5);
}

function drawLine(
  context: CanvasRenderingContext2D,
  line: Line,
  { inks }: Scene,
  tokens: Tokens,
  dense: boolean,
  chosen = false,
): void {
  const { message, x1, y1, x2, y2, hasArrived } = line;
  const colour = hasArrived
    ? tokens[`--${inks.get(message.block) ?? 'series-1'}`]
    : tokens['--bad-fill'];
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.globalAlpha = chosen ? 1 : dense ? 0.35 : 0.85;
  context.lineWidth = chosen ? 3 : 1.3;
  context.setLineDash(message.late ? [5, 3] : hasArrived ? [] : [3, 3]);
  if (y1 === y2) {
    // To itself: a small bow above the lane.
    context.beginPath();
    context.ellipse((x1 + x2) / 2, y1, Math.max(3, (x2 - x1) / 2), 7, 0, Math.PI, 0);
    context.stroke();
  } else stroke(context, x1, y1, x2, y2);
  if (message.fate === 'twice' && y1 !== y2) stroke(context, x1 + 3, y1, x2 + 3, y2);
  context.setLineDash([]);
  if (!dense || chosen) drawEnd(context, line);
  context.globalAlpha = 1;
}

function drawEnd(
  context: CanvasRenderingContext2D,
  { message, x1, y1, x2, y2, hasArrived }: Line,
): void {
  if (!hasArrived && message.fate !== 'refused') {
    context.lineWidth = 1.8;
    stroke(context, x2 - 4, y2 - 4, x2 + 4, y2 + 4);
    stroke(context, x2 - 4, y2 + 4, x2 + 4, y2 - 4);
    return;
  }
  if (message.fate === 'refused') {
    context.beginPath();
    context.arc(x2, y2, 3.5, 0, 2 * Math.PI);
    context.stroke();
    return;
  }
  const angle = y1 === y2 ? Math.PI / 2 : Math.atan2(y2 - y1, x2 - x1);
  context.beginPath();
  context.moveTo(x2, y2);
  context.lineTo(x2 - 7 * Math.cos(angle - 0.4), y2 - 7 * Math.sin(angle - 0.4));
  context.lineTo(x2 - 7 * Math.cos(angle + 0.4), y2 - 7 * Math.sin(angle + 0.4));
  context.fill();
}

/** Beside their lines, the first ones first, as long as none covers another. */
function drawLabels(
  context: CanvasRenderingContext2D,
  { lines, frame }: Scene,
  tokens: Tokens,
): void {
  context.font = `10.5px ${tokens['--mono']}`;
  context.textAlign = 'left';
  const taken: { left: number; right: number; y: number }[] = [];
  for (const { message, x1, x2, y1, y2 } of lines) {
    const text = message.what.length > 28 ? `${message.what.slice(0, 27)}…` : message.what;
    const wide = context.measureText(text).width;
    const left = Math.max(2, Math.min(frame.width - wide - 2, (x1 + x2) / 2 + 5));
    const y = (y1 + y2) / 2 + 3;
    const isFree = taken.every(
      (box) => Math.abs(box.y - y) > 12 || left > box.right + 4 || left + wide < box.left - 4,
    );
    if (!isFree) continue;
    taken.push({ left, right: left + wide, y });
    context.globalAlpha = 0.8;
    context.fillStyle = tokens['--surface'];
    context.fillRect(left - 2, y - 9, wide + 4, 12);
    context.globalAlpha = 1;
    context.fillStyle = tokens['--text-2'];
    context.fillText(text, left, y);
  }
}

function drawPlayhead(
  context: CanvasRenderingContext2D,
  { frame, playheadUs }: Scene,
  tokens: Tokens,
): void {
  const x = xOf(frame, playheadUs);
  if (x < 0 || x > frame.width) return;
  context.fillStyle = tokens['--accent'];
  context.fillRect(x - 1, laneTop - 10, 2, frame.height);
}

function stroke(
  context: CanvasRenderingContext2D,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
