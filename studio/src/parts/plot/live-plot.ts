/**
 * A plot on the screen while it grows: uPlot, told what this page needs and nothing else. New data
 * comes by `show`; the playhead is an element above the canvas, so that moving it draws nothing.
 */
import UPlot from 'uplot';
import { readTokens } from '../../theme/theme.ts';
import { linearAxis, logAxis, spanAxis } from './axis.ts';
import { placeLabels } from './bands.ts';
import { type Band, formatSecond, formatValue, type Plot, stacked } from './plot.ts';

export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

export interface LivePlotOptions {
  readonly log: boolean;
  readonly height: number;
  /** Charts with the same key share one cursor. */
  readonly cursorKey: string;
  readonly onSeek: (us: number) => void;
  /** Null: everything again. */
  readonly onZoom: (span: Span | null) => void;
  /** Position on the x axis under the cursor; null when it left. */
  readonly onCursor: (index: number | null) => void;
}

export interface Shown {
  readonly plot: Plot;
  readonly bands: readonly Band[];
  readonly span: Span;
  readonly hidden: ReadonlySet<string>;
}

const tokenNames = [
  '--text-2',
  '--text-3',
  '--line',
  '--fault',
  '--fault-fill',
  '--font',
  '--series-1',
  '--series-2',
  '--series-3',
  '--series-4',
  '--series-5',
  '--series-6',
  '--series-7',
  '--series-8',
] as const;

/** Of many faults only some can be named; they must not cover the curves. */
const labelRows = (bandCount: number) => (bandCount > 12 ? 1 : 3);
/** More beginnings than these would be a curtain: they are ticks at the top. */
const beginningsMax = 12;
const labelRowPx = 13;
/** About what a character of a label takes. */
const labelCharPx = 5.8;
/** Less than this between press and release is a click, not a selection. */
const dragMinPx = 4;

export class LivePlot {
  readonly #options: LivePlotOptions;
  readonly #tokens = readTokens(tokenNames);
  readonly #u: UPlot;
  readonly #playhead = document.createElement('div');
  readonly #resize: ResizeObserver;
  #shown: Shown;
  #playheadUs = 0;

  constructor(element: HTMLElement, shown: Shown, options: LivePlotOptions) {
    this.#options = options;
    this.#shown = shown;
    this.#u = new UPlot(this.#uplotOptions(element.clientWidth), dataOf(shown.plot), element);
    this.#playhead.className = 'plot-playhead';
    this.#u.over.append(this.#playhead);
    this.#bindPointer();
    this.#hide(shown.hidden);
    this.#resize = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== this.#u.width) this.#u.setSize({ width, height: options.height });
      this.#movePlayhead();
    });
    this.#resize.observe(element);
  }

  /** Of the same curves as before: others need another LivePlot. */
  show(shown: Shown): void {
    this.#shown = shown;
    this.#hide(shown.hidden);
    this.#u.setData(dataOf(shown.plot));
    this.#movePlayhead();
  }

  setPlayhead(us: number): void {
    this.#playheadUs = us;
    this.#movePlayhead();
  }

  /** Puts the cursor on a position of the x axis, here and in the charts that share it. */
  setCursor(index: number): void {
    const x = this.#shown.plot.x[index];
    if (x === undefined) return;
    this.#u.setCursor({ left: this.#u.valToPos(x, 'x'), top: this.#u.over.clientHeight / 2 });
  }

  destroy(): void {
    this.#resize.disconnect();
    this.#u.destroy();
  }

  #uplotOptions(width: number): UPlot.Options {
    const { plot } = this.#shown;
    const { log, height, cursorKey, onZoom, onCursor } = this.#options;
    const font = `11px ${this.#tokens['--font']}`;
    const axis = { stroke: this.#tokens['--text-3'], font, ticks: { show: false } };
    return {
      width: Math.max(1, width),
      height,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: cursorKey, setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 },
        y: false,
        bind: {
          dblclick: () => () => {
            onZoom(null);
            return null;
          },
        },
      },
      scales: {
        x: {
          time: false,
          range: () => [this.#shown.span.fromUs / 1e6, this.#shown.span.toUs / 1e6],
        },
        y: { distr: log ? 3 : 1, range: (_u, min, max) => this.#rangeY(min, max) },
      },
      axes: [
        {
          ...axis,
          size: 26,
          gap: 6,
          grid: { show: false },
          splits: (u, _axis, min, max) =>
            spanAxis(min, max, Math.max(2, u.width / 90)).ticks.slice(),
          values: (_u, splits) => splits.map(formatSecond),
        },
        {
          ...axis,
          size: 52,
          gap: 6,
          grid: { stroke: this.#tokens['--line'], width: 1 },
          splits: (_u, _axis, min, max) =>
            (log ? logAxis(min, max) : linearAxis(max, 4)).ticks.filter(
              (tick) => tick <= max * 1.0001,
            ),
          filter: (_u, splits) => splits,
          values: (_u, splits) => splits.map((value) => formatValue(plot.unit, value)),
        },
      ],
      series: [{}, ...plot.curves.flatMap((curve) => this.#seriesOf(curve))],
      bands: bandsOf(plot).map((band) => ({
        series: [band.upper, band.lower],
        fill: alpha(this.#tokens[`--${band.ink}`], plot.stacked ? 0.4 : 0.16),
      })),
      hooks: {
        drawClear: [(u) => this.#drawBands(u)],
        draw: [(u) => this.#drawLimits(u)],
        setSelect: [
          (u) => {
            const { left, width: wide } = u.select;
            if (wide < dragMinPx) return;
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            onZoom({
              fromUs: u.posToVal(left, 'x') * 1e6,
              toUs: u.posToVal(left + wide, 'x') * 1e6,
            });
          },
        ],
        setScale: [(u, scale) => (scale === 'x' ? this.#movePlayhead(u) : undefined)],
        setCursor: [(u) => onCursor(u.cursor.idx ?? null)],
      },
    };
  }

  #seriesOf(curve: Plot['curves'][number]): UPlot.Series[] {
    const { plot } = this.#shown;
    const colour = this.#tokens[`--${curve.ink}`];
    const line: UPlot.Series = {
      label: curve.name,
      stroke: colour,
      width: 1.5,
      dash: plot.stacked ? [] : [...curve.dash],
      // A lone value between gaps would be invisible as a line.
      points: { show: (u, series) => isSparse(u.data[series]), size: 4, fill: colour },
      ...(plot.stacked && curve === plot.curves[0] ? { fill: alpha(colour, 0.4) } : {}),
    };
    const edgeOfInterval: UPlot.Series = { width: 0, points: { show: false } };
    return curve.low && curve.high ? [line, edgeOfInterval, edgeOfInterval] : [line];
  }

  #rangeY(min: number | null, max: number | null): [number, number] {
    const { plot } = this.#shown;
    let greatest = max ?? 0;
    for (const { value } of plot.limits) {
      if (value > greatest && inReach(value, greatest)) greatest = value;
    }
    if (this.#options.log) {
      const axis = logAxis(min !== null && min > 0 ? min : Math.max(1, greatest / 100), greatest);
      return [axis.min, axis.max];
    }
    return [0, linearAxis(greatest, 4).max];
  }

  #drawBands(u: UPlot): void {
    const { bands } = this.#shown;
    const { ctx, bbox } = u;
    const pxRatio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const visible = bands.filter(
      (band) =>
        band.fromUs / 1e6 < (u.scales.x?.max ?? 0) && band.toUs / 1e6 > (u.scales.x?.min ?? 0),
    );
    const at = (us: number) =>
      Number.isFinite(us) ? u.valToPos(us / 1e6, 'x', true) : bbox.left + bbox.width;
    // In one go, so that where many are at work at once is no darker: curves lie on it.
    ctx.fillStyle = alpha(this.#tokens['--fault-fill'], 0.13);
    ctx.beginPath();
    for (const band of visible) {
      const left = at(band.fromUs);
      ctx.rect(left, bbox.top, Math.max(pxRatio, at(band.toUs) - left), bbox.height);
    }
    ctx.fill();
    ctx.fillStyle = alpha(this.#tokens['--fault-fill'], 0.7);
    const lineHeight = visible.length > beginningsMax ? 6 * pxRatio : bbox.height;
    for (const band of visible) ctx.fillRect(at(band.fromUs), bbox.top, pxRatio, lineHeight);
    ctx.font = `${10.5 * pxRatio}px ${this.#tokens['--font']}`;
    ctx.fillStyle = this.#tokens['--fault'];
    ctx.textAlign = 'left';
    ctx.textBaseline = 'top';
    const usPerPx =
      (this.#shown.span.toUs - this.#shown.span.fromUs) / Math.max(1, bbox.width / pxRatio);
    const inView = visible.map((band) => ({
      ...band,
      fromUs: Math.max(band.fromUs, this.#shown.span.fromUs),
    }));
    const covered = (text: string) => (text.length * labelCharPx + 8) * usPerPx;
    for (const band of placeLabels(inView, covered, labelRows(inView.length))) {
      const y = bbox.top + (2 + band.row * labelRowPx) * pxRatio;
      // At the right edge there is room on its other side.
      const latest = bbox.left + bbox.width - ctx.measureText(band.text).width - 2 * pxRatio;
      ctx.fillText(
        band.text,
        Math.max(bbox.left, Math.min(at(band.fromUs) + 4 * pxRatio, latest)),
        y,
      );
    }
    ctx.restore();
  }

  #drawLimits(u: UPlot): void {
    const { ctx, bbox } = u;
    const pxRatio = devicePixelRatio;
    for (const limit of this.#shown.plot.limits) {
      const y = u.valToPos(limit.value, 'y', true);
      if (y < bbox.top - 1 || y > bbox.top + bbox.height) continue;
      ctx.save();
      ctx.strokeStyle = this.#tokens['--text-2'];
      ctx.setLineDash([2 * pxRatio, 3 * pxRatio]);
      ctx.lineWidth = pxRatio;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.font = `${10.5 * pxRatio}px ${this.#tokens['--font']}`;
      ctx.fillStyle = this.#tokens['--text-2'];
      ctx.textAlign = 'right';
      ctx.textBaseline = 'bottom';
      const text = `${limit.name} ${formatValue(this.#shown.plot.unit, limit.value)}`;
      ctx.fillText(text, bbox.left + bbox.width - 2 * pxRatio, y - 2 * pxRatio);
      ctx.restore();
    }
  }

  #bindPointer(): void {
    const { over } = this.#u;
    let pressedAt: number | null = null;
    over.addEventListener('mousedown', (event) => {
      pressedAt = event.button === 0 ? event.clientX : null;
    });
    over.addEventListener('mouseup', (event) => {
      if (pressedAt === null || Math.abs(event.clientX - pressedAt) >= dragMinPx) return;
      const { left } = over.getBoundingClientRect();
      this.#options.onSeek(Math.max(0, this.#u.posToVal(event.clientX - left, 'x') * 1e6));
    });
  }

  #hide(hidden: ReadonlySet<string>): void {
    let index = 1;
    for (const curve of this.#shown.plot.curves) {
      const count = curve.low && curve.high ? 3 : 1;
      const show = !hidden.has(curve.name);
      for (let i = 0; i < count; i++, index++) {
        if (this.#u.series[index]?.show !== show) this.#u.setSeries(index, { show });
      }
    }
  }

  #movePlayhead(u = this.#u): void {
    const left = u.valToPos(this.#playheadUs / 1e6, 'x');
    const inside = left >= 0 && left <= u.over.clientWidth;
    this.#playhead.style.visibility = inside ? 'visible' : 'hidden';
    this.#playhead.style.transform = `translateX(${left}px)`;
  }
}

/** Limits far above what was measured would press the curves onto the floor. */
export function inReach(limit: number, greatest: number): boolean {
  return greatest > 0 && limit <= greatest * 4;
}

/** As uPlot takes it: the x axis, then the curves, each with the edges of its interval. */
function dataOf(plot: Plot): UPlot.AlignedData {
  const values = plot.stacked ? stacked(plot.curves) : plot.curves.map((curve) => curve.values);
  const columns = plot.curves.flatMap(({ low, high }, i) =>
    low && high ? [values[i]!, high, low] : [values[i]!],
  );
  return [plot.x, ...columns] as UPlot.AlignedData;
}

interface FilledBand {
  readonly upper: number;
  readonly lower: number;
  readonly ink: Plot['curves'][number]['ink'];
}

function bandsOf(plot: Plot): FilledBand[] {
  if (plot.stacked) {
    return plot.curves.slice(1).map(({ ink }, i) => ({ upper: i + 2, lower: i + 1, ink }));
  }
  const bands: FilledBand[] = [];
  let index = 1;
  for (const { low, high, ink } of plot.curves) {
    if (low && high) bands.push({ upper: index + 1, lower: index + 2, ink });
    index += low && high ? 3 : 1;
  }
  return bands;
}

function isSparse(values: ArrayLike<unknown> | undefined): boolean {
  if (!values) return false;
  let there = 0;
  for (let i = 0; i < values.length; i++) if (typeof values[i] === 'number') there++;
  return there > 0 && there < 6;
}

/** A colour seen through: `color-mix` works for whatever form a token has. */
function alpha(colour: string, share: number): string {
  return `color-mix(in srgb, ${colour} ${share * 100}%, transparent)`;
}
