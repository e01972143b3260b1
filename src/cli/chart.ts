/**
 * Time from left to right, a few rows high, in block characters. One column stands for one or
 * more seconds: throughput shows their mean, latency and errors their worst, so that no spike
 * disappears in a long run.
 */

const eighths = ' ▁▂▃▄▅▆▇█';

export type Fold = 'mean' | 'max' | 'sum';

/** `values` in `columns` columns, or fewer when there are fewer values. */
export function fold(values: readonly number[], columns: number, how: Fold): number[] {
  const count = Math.min(columns, values.length);
  return Array.from({ length: count }, (_, column) => {
    const from = Math.floor((column * values.length) / count);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / count));
    const part = values.slice(from, to);
    if (how === 'max') return part.reduce((max, value) => Math.max(max, value), 0);
    const sum = part.reduce((total, value) => total + value, 0);
    return how === 'sum' ? sum : sum / part.length;
  });
}

/** Rows from top to bottom. A value above zero always shows, however small beside the top. */
export function bars(values: readonly number[], top: number, rows: number): string[] {
  const levels = rows * 8;
  const heights = values.map((value) =>
    top <= 0 || value <= 0 ? 0 : Math.max(1, Math.round((Math.min(value, top) / top) * levels)),
  );
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * 8;
    return heights.map((height) => eighths[Math.max(0, Math.min(8, height - below))]!).join('');
  });
}

export interface Span {
  readonly label: string;
  /** Seconds. */
  readonly from: number;
  /** Undefined: until the end. */
  readonly to: number | undefined;
}

/**
 * One lane of marks under a chart, as few lanes as the spans need: `A━━━━` from where a span
 * begins to where it ends. Letters are the caller's legend.
 */
export function lanes(
  spans: readonly Span[],
  seconds: number,
  columns: number,
  lanesMax: number,
): string[] {
  const grid: string[][] = [];
  const columnOf = (second: number) =>
    Math.max(0, Math.min(columns - 1, Math.floor((second / Math.max(seconds, 1e-9)) * columns)));
  for (const span of spans) {
    const from = columnOf(span.from);
    const to = Math.max(from, columnOf(span.to ?? seconds) - (span.to === undefined ? 0 : 1));
    const free = (lane: string[]) =>
      lane.slice(Math.max(0, from - 1), to + 2).every((mark) => mark === ' ');
    let lane = grid.find(free);
    if (!lane) {
      if (grid.length >= lanesMax) continue;
      lane = Array.from({ length: columns }, () => ' ');
      grid.push(lane);
    }
    for (let column = from; column <= to; column++) lane[column] = '━';
    lane[from] = span.label;
  }
  return grid.map((lane) => lane.join('').trimEnd());
}
