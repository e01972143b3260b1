/**
 * Paints the sparkline: completed as an area with what failed on top of it, and p99 of every second as
 * a line of steps on a scale of magnitudes; hatched is what was not simulated yet. All of it here, because a part of the page that moved with every frame
 * would have the browser compose the page anew.
 */
import { placeOn } from '../parts/plot/axis.ts';
import { readTokens } from '../theme/theme.ts';
import { latencyAxis, niceCeiling, type Spark } from './spark.ts';

export interface Lanes {
  readonly width: number;
  readonly rateHeight: number;
  readonly p99Height: number;
  /** Between the two. */
  readonly gap: number;
  /** Up to here the run has come. */
  readonly knownWidth: number;
}

const tokens = ['--line', '--line-strong', '--series-1', '--bad-fill', '--series-4'] as const;
export type SparkColours = Readonly<Record<(typeof tokens)[number], string>>;

/** Of the theme that the page shows. */
export function sparkColours(): SparkColours {
  return readTokens(tokens);
}

export function drawSpark(
  canvas: HTMLCanvasElement,
  spark: Spark,
  lanes: Lanes,
  colour: SparkColours,
): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { width, knownWidth, rateHeight, p99Height, gap } = lanes;
  const height = rateHeight + gap + p99Height;
  const ratio = devicePixelRatio || 1;
  const [deviceWidth, deviceHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== deviceWidth) canvas.width = deviceWidth;
  if (canvas.height !== deviceHeight) canvas.height = deviceHeight;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  if (knownWidth < width) hatch(context, knownWidth, width, height, colour);

  const rateTop = niceCeiling(spark.ratePeak);
  const yOfRate = (perSec: number) => rateHeight - (perSec / rateTop) * (rateHeight - 2);
  const errors = new Path2D();
  const area = new Path2D();
  const line = new Path2D();
  let isFirst = true;
  area.moveTo(spark.columns[0]?.x ?? 0, rateHeight);
  for (const column of spark.columns) {
    const y = yOfRate(column.completedPerSec);
    area.lineTo(column.x, y);
    area.lineTo(column.x + column.width, y);
    if (isFirst) line.moveTo(column.x, y);
    else line.lineTo(column.x, y);
    line.lineTo(column.x + column.width, y);
    isFirst = false;
    if (column.errorsPerSec > 0) {
      const top = yOfRate(column.completedPerSec + column.errorsPerSec);
      // One error among thousands is still seen.
      const tall = Math.max(2, y - top);
      errors.rect(column.x, y - tall, Math.max(1, column.width), tall);
    }
  }
  const last = spark.columns.at(-1);
  area.lineTo(last ? last.x + last.width : 0, rateHeight);
  area.closePath();
  context.fillStyle = colour['--series-1'];
  context.globalAlpha = 0.22;
  context.fill(area);
  context.globalAlpha = 1;
  context.strokeStyle = colour['--series-1'];
  context.lineWidth = 1.25;
  context.stroke(line);
  context.fillStyle = colour['--bad-fill'];
  context.fill(errors);

  const base = rateHeight + gap + p99Height;
  const latencies = latencyAxis(spark);
  context.strokeStyle = colour['--series-4'];
  context.lineWidth = 1.5;
  context.lineJoin = 'round';
  context.beginPath();
  let isDown = false;
  for (const { x, width: wide, p99Us } of spark.steps) {
    const y = base - 1 - placeOn(latencies, p99Us) * (p99Height - 4);
    // A gap where nobody was answered, not a zero.
    if (p99Us === 0) isDown = false;
    else if (isDown) context.lineTo(x, y);
    else context.moveTo(x, y);
    if (p99Us > 0) {
      isDown = true;
      context.lineTo(x + wide, y);
    }
  }
  context.stroke();
  context.strokeStyle = colour['--line'];
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, rateHeight + 0.5);
  context.lineTo(width, rateHeight + 0.5);
  context.moveTo(0, base - 0.5);
  context.lineTo(width, base - 0.5);
  context.stroke();
}

const hatchPx = 8.5;

function hatch(
  context: CanvasRenderingContext2D,
  left: number,
  right: number,
  height: number,
  colour: SparkColours,
): void {
  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, height);
  context.clip();
  context.beginPath();
  // From the right, so that the lines stand still while the run eats them up.
  for (let x = right; x > left - height; x -= hatchPx) {
    context.moveTo(x, 0);
    context.lineTo(x + height, height);
  }
  context.strokeStyle = colour['--line'];
  context.globalAlpha = 0.6;
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = 1;
  context.strokeStyle = colour['--line-strong'];
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(left + 0.5, 0);
  context.lineTo(left + 0.5, height);
  context.stroke();
  context.restore();
}
