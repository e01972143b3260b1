/** The histogram as a file. */
import { durationText } from '../parts/format.ts';
import { placeOn } from '../parts/plot/axis.ts';
import { coloursNow, type PlotFormat, rasterised, save } from '../parts/plot/save.ts';
import { escaped } from '../parts/plot/svg.ts';
import { barsInWords, type LatencyBars } from './histogram.ts';

const width = 760;
const height = 280;
const edge = { top: 54, right: 20, bottom: 34, left: 20 };

export async function saveHistogram(shown: LatencyBars, format: PlotFormat): Promise<void> {
  if (format === 'csv') {
    save('latency-histogram.csv', new Blob([histogramCsv(shown)], { type: 'text/csv' }));
    return;
  }
  const { inkOf, colours } = coloursNow();
  const svg = histogramSvg(shown, { ...colours, bar: inkOf('series-1') });
  if (format === 'svg') save('latency-histogram.svg', new Blob([svg], { type: 'image/svg+xml' }));
  else save('latency-histogram.png', await rasterised(svg, width, height));
}

export function histogramCsv({ bars }: LatencyBars): string {
  const rows = bars.map((bar) => `${Math.round(bar.fromUs)},${Math.round(bar.toUs)},${bar.count}`);
  return `from us,to us,requests\n${rows.join('\n')}\n`;
}

export function histogramSvg(
  shown: LatencyBars,
  colours: {
    readonly paper: string;
    readonly text: string;
    readonly faint: string;
    readonly line: string;
    readonly bar: string;
  },
): string {
  const xAt = (us: number) =>
    edge.left + placeOn(shown.axis, us) * (width - edge.left - edge.right);
  const floor = height - edge.bottom;
  const bars = shown.bars
    .filter((bar) => bar.count > 0)
    .map((bar) => {
      const tall = Math.max(1, (bar.count / shown.greatest) * (floor - edge.top));
      return `<rect x="${xAt(bar.fromUs).toFixed(1)}" y="${(floor - tall).toFixed(1)}" width="${(xAt(bar.toUs) - xAt(bar.fromUs) - 1).toFixed(1)}" height="${tall.toFixed(1)}" fill="${colours.bar}"/>`;
    });
  const ticks = shown.axis.ticks.map(
    (tick) =>
      `<text x="${xAt(tick).toFixed(1)}" y="${floor + 18}" fill="${colours.faint}" font-size="11" text-anchor="middle">${durationText(tick)}</text>`,
  );
  const percentiles = shown.percentiles.map(
    ({ us }) =>
      `<path d="M${xAt(us).toFixed(1)} ${edge.top - 8}V${floor}" stroke="${colours.text}" stroke-dasharray="3 3"/>`,
  );
  const told = escaped(barsInWords(shown));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-sans-serif, system-ui, sans-serif" role="img" aria-label="${told}"><rect width="${width}" height="${height}" fill="${colours.paper}"/><text x="${edge.left}" y="22" fill="${colours.text}" font-size="13" font-weight="600">Latency</text><text x="${edge.left}" y="38" fill="${colours.faint}" font-size="11">${told}</text>${bars.join('')}<path d="M${edge.left} ${floor}H${width - edge.right}" stroke="${colours.line}"/>${ticks.join('')}${percentiles.join('')}</svg>\n`;
}
