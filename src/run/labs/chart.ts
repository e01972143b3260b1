/**
 * Charts as plain SVG: text, the same to the byte each time, readable on light and on dark ground and
 * without telling colours apart (every series has a dash or a pattern of its own, and its name).
 *
 * The picture follows the reader's colour scheme by a media query, or the page it is put into by the
 * properties `--lab-ink`, `--lab-faint`, `--lab-0` … `--lab-5`.
 */
import { type Scale, scaleOf } from './axis.ts';
import type { Axis, Bars, Chart, Lines, Marks } from './figure.ts';
import { digits } from './words.ts';

const width = 720;
const margin = { left: 68, right: 24 };
const fontPx = 12;
/** Of one letter, on average: enough to place legends. */
const letterPx = 6.6;

const inks = {
  light: {
    ink: '#24292f',
    faint: '#c5ccd3',
    series: ['#0b62c4', '#c2410c', '#0a7a50', '#7c3aed', '#a16207', '#475569'],
  },
  dark: {
    ink: '#e6edf3',
    faint: '#3d444d',
    series: ['#6cb2ff', '#ff9e64', '#56d39b', '#c4a1ff', '#e3b341', '#9aa7b4'],
  },
} as const;

const dashes = ['', '7 4', '2 3', '9 3 2 3', '12 4', '4 4 1 4'];

export function chartSvg(chart: Chart): string {
  switch (chart.kind) {
    case 'lines':
      return linesSvg(chart);
    case 'bars':
      return barsSvg(chart);
    case 'marks':
      return marksSvg(chart);
  }
}

// Curves -------------------------------------------------------------------------------------------

function linesSvg(chart: Lines): string {
  const legend = legendOf(chart.series.map(({ name }) => name));
  const top = 54 + legend.height;
  const plotHeight = 230;
  const bottom = top + plotHeight;
  const values = chart.series.flatMap(({ points, plusMinus }) =>
    points.flatMap(([, y], index) => {
      const half = plusMinus?.[index] ?? 0;
      return [y - half, y + half];
    }),
  );
  if (chart.level) values.push(chart.level.at);
  const x = scaleOf(
    chart.x,
    chart.series.flatMap(({ points }) => points.map(([at]) => at)),
    [margin.left, width - margin.right],
    8,
  );
  const y = scaleOf(chart.y, values, [bottom, top]);
  const parts = [
    ...legend.parts,
    text(16, top - 12, labelOf(chart.y)),
    ...grid(y, margin.left, width - margin.right),
    ...xTicks(x, bottom),
    ...(chart.level ? levelAcross(chart.level, y) : []),
  ];
  chart.series.forEach(({ points, plusMinus, isStepped }, index) => {
    const kept = points.filter(([, value]) => Number.isFinite(value));
    const place = ([at, value]: readonly [number, number]) =>
      [x.place(at), y.place(value)] as const;
    points.forEach(([at, value], point) => {
      const half = plusMinus?.[point] ?? 0;
      if (half <= 0) return;
      const [low, high] = [n(y.place(value - half)), n(y.place(value + half))];
      parts.push(`<path class="s${index} thin" d="M${n(x.place(at))} ${low}V${high}"/>`);
    });
    let path = '';
    kept.forEach((point, at) => {
      const [px, py] = place(point);
      if (at === 0) path = `M${n(px)} ${n(py)}`;
      else path += isStepped ? `H${n(px)}V${n(py)}` : `L${n(px)} ${n(py)}`;
    });
    parts.push(`<path class="s${index}" ${dash(index)}d="${path}"/>`);
    if (kept.length > 40 || isStepped) return;
    for (const point of kept) {
      const [px, py] = place(point);
      parts.push(`<circle class="f${index}" cx="${n(px)}" cy="${n(py)}" r="3"/>`);
    }
  });
  return framed(chart, bottom + 44, parts, chart.x);
}

// Bars ---------------------------------------------------------------------------------------------

const barHeight = 16;

function barsSvg(chart: Bars): string {
  const hasLegend = chart.series.length > 1;
  const legend = hasLegend
    ? legendOf(chart.series.map(({ name }) => name))
    : { parts: [], height: 0 };
  const top = 30 + legend.height + (chart.level ? 16 : 0);
  const groupHeight = chart.series.length * (barHeight + 3) + 12;
  const bottom = top + chart.groups.length * groupHeight;
  const longest = Math.max(...chart.groups.map((group) => group.length));
  const left = Math.min(280, 24 + longest * letterPx);
  const values = chart.series.flatMap(({ values: own, plusMinus }) =>
    own.map((value, index) => value + (plusMinus?.[index] ?? 0)),
  );
  if (chart.level) values.push(chart.level.at);
  // Room behind the longest bar for its number.
  const x = scaleOf(chart.x, [...values, 0], [left, width - 92], 6);
  const zero = chart.x.scale === 'log' ? left : x.place(0);
  const parts = [...legend.parts, ...xTicks(x, bottom, top)];
  chart.groups.forEach((group, row) => {
    const y = top + row * groupHeight + 6;
    const middle = y + (chart.series.length * (barHeight + 3)) / 2 + 3;
    parts.push(text(left - 8, middle, group, 'end'));
    chart.series.forEach(({ values: own, plusMinus }, index) => {
      const value = own[row]!;
      const barY = y + index * (barHeight + 3);
      const end = Number.isFinite(value) ? x.place(value) : width - 92;
      const [from, to] = end < zero ? [end, zero] : [zero, end];
      parts.push(
        `<rect class="f${index} bar" x="${n(from)}" y="${n(barY)}" width="${n(Math.max(1, to - from))}" height="${barHeight}"/>`,
      );
      const half = plusMinus?.[row] ?? 0;
      if (half > 0) {
        const [low, high] = [n(x.place(Math.max(0, value - half))), n(x.place(value + half))];
        parts.push(`<path class="whisker" d="M${low} ${n(barY + barHeight / 2)}H${high}"/>`);
      }
      const labelX = (half > 0 ? x.place(value + half) : Math.max(end, zero)) + 6;
      parts.push(text(labelX, barY + barHeight - 4, digits(value)));
    });
  });
  if (chart.level) {
    const at = n(x.place(chart.level.at));
    parts.push(`<path class="level" d="M${at} ${top - 4}V${bottom}"/>`);
    parts.push(text(Number(at) + 4, top - 6, chart.level.name));
  }
  return framed(chart, bottom + 44, parts, chart.x, (left + width - 92) / 2);
}

// Instants -----------------------------------------------------------------------------------------

function marksSvg(chart: Marks): string {
  const longest = Math.max(...chart.rows.map(({ name }) => name.length));
  const left = Math.min(240, 24 + longest * letterPx);
  const top = 56;
  const rowHeight = 30;
  const bottom = top + chart.rows.length * rowHeight;
  const instants = chart.rows.flatMap(({ good, bad }) => [...good, ...bad]);
  const x = scaleOf(chart.x, instants, [left, width - margin.right], 8);
  const parts = [
    `<circle class="f0" cx="${left}" cy="36" r="4"/>`,
    text(left + 9, 40, chart.goodName),
    cross(left + 34 + chart.goodName.length * letterPx, 36),
    text(left + 44 + chart.goodName.length * letterPx, 40, chart.badName),
    ...xTicks(x, bottom, top),
  ];
  chart.rows.forEach(({ name, good, bad }, row) => {
    const y = top + row * rowHeight + rowHeight / 2;
    parts.push(text(left - 8, y + 4, name, 'end'));
    parts.push(`<path class="grid" d="M${left} ${n(y)}H${width - margin.right}"/>`);
    for (const at of bad) parts.push(cross(x.place(at), y));
    for (const at of good) {
      parts.push(`<circle class="f0 ring" cx="${n(x.place(at))}" cy="${n(y)}" r="4"/>`);
    }
  });
  return framed(chart, bottom + 44, parts, chart.x, (left + width - margin.right) / 2);
}

function cross(x: number, y: number): string {
  return `<path class="s1" d="M${n(x - 3.5)} ${n(y - 3.5)}l7 7m0 -7l-7 7"/>`;
}

// What they share ----------------------------------------------------------------------------------

function framed(
  chart: Chart,
  height: number,
  parts: readonly string[],
  x: Axis,
  middle = (margin.left + width - margin.right) / 2,
): string {
  const seriesCount = chart.kind === 'marks' ? 2 : chart.series.length;
  const labels = [
    `<text class="title" x="16" y="18">${escaped(chart.title)}</text>`,
    text(middle, height - 10, labelOf(x), 'middle'),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<style>${styles(seriesCount)}</style>`,
    ...labels,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function styles(seriesCount: number): string {
  const scheme = ({ ink, faint, series }: (typeof inks)['light' | 'dark']) =>
    [
      `--ink:var(--lab-ink,${ink})`,
      `--faint:var(--lab-faint,${faint})`,
      ...series
        .slice(0, seriesCount)
        .map((colour, index) => `--s${index}:var(--lab-${index},${colour})`),
    ].join(';');
  const perSeries = Array.from(
    { length: seriesCount },
    (_, index) =>
      `.s${index}{stroke:var(--s${index});fill:none;stroke-width:2}.f${index}{fill:var(--s${index})}`,
  );
  return [
    `svg{${scheme(inks.light)}}`,
    `@media (prefers-color-scheme:dark){svg{${scheme(inks.dark)}}}`,
    `text{font:${fontPx}px system-ui,sans-serif;fill:var(--ink)}`,
    '.title{font-size:14px;font-weight:600}',
    '.grid{stroke:var(--faint);stroke-width:1}',
    '.level{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}',
    '.whisker{stroke:var(--ink);stroke-width:1.5}',
    '.bar{fill-opacity:.85}',
    '.thin{stroke-width:1}',
    ...perSeries,
  ].join('');
}

function legendOf(names: readonly string[]): { readonly parts: string[]; readonly height: number } {
  const parts: string[] = [];
  let x = margin.left;
  let line = 0;
  names.forEach((name, index) => {
    const size = 40 + name.length * letterPx;
    if (x + size > width && x > margin.left) {
      x = margin.left;
      line++;
    }
    const y = 42 + line * 18;
    parts.push(`<path class="s${index}" ${dash(index)}d="M${n(x)} ${y - 4}h22"/>`);
    parts.push(text(x + 28, y, name));
    x += size + 8;
  });
  return { parts, height: 20 + line * 18 };
}

function grid(y: Scale, left: number, right: number): string[] {
  return y.ticks.flatMap(({ at, text: label }) => {
    const place = n(y.place(at));
    return [
      `<path class="grid" d="M${left} ${place}H${right}"/>`,
      text(left - 8, Number(place) + 4, label, 'end'),
    ];
  });
}

/** With `top`, lines across the picture; else short strokes. */
function xTicks(x: Scale, bottom: number, top = bottom): string[] {
  return x.ticks.flatMap(({ at, text: label }) => {
    const place = n(x.place(at));
    return [
      `<path class="grid" d="M${place} ${n(top)}V${n(bottom + 5)}"/>`,
      text(Number(place), bottom + 19, label, 'middle'),
    ];
  });
}

function levelAcross({ at, name }: { readonly at: number; readonly name: string }, y: Scale) {
  const place = n(y.place(at));
  return [
    `<path class="level" d="M${margin.left} ${place}H${width - margin.right}"/>`,
    text(width - margin.right, Number(place) - 5, name, 'end'),
  ];
}

function labelOf({ label, unit }: Axis): string {
  return unit ? `${label} (${unit})` : label;
}

function text(x: number, y: number, content: string, anchor?: 'end' | 'middle'): string {
  const at = anchor ? ` text-anchor="${anchor}"` : '';
  return `<text x="${n(x)}" y="${n(y)}"${at}>${escaped(content)}</text>`;
}

function dash(index: number): string {
  const pattern = dashes[index % dashes.length];
  return pattern ? `stroke-dasharray="${pattern}" ` : '';
}

/** A tenth of a pixel is finer than anybody sees, and keeps the files the same everywhere. */
function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(content: string): string {
  return content
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
