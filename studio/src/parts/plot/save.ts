/** A plot as a file: SVG from its data, PNG from that SVG, CSV from the same columns. */
import { readTokens } from '../../theme/theme.ts';
import { csvOf } from './csv.ts';
import type { Band, Ink, Plot } from './plot.ts';
import { svgOf } from './svg.ts';

export type PlotFormat = 'png' | 'svg' | 'csv';

export interface SaveOptions {
  readonly bands: readonly Band[];
  readonly log: boolean;
  readonly xName: string;
  readonly formatX?: ((x: number) => string) | undefined;
}

const size = { width: 760, height: 300 };

export async function savePlot(
  plot: Plot,
  format: PlotFormat,
  options: SaveOptions,
): Promise<void> {
  if (format === 'csv') {
    save(`${plot.id}.csv`, new Blob([csvOf(plot, options.xName)], { type: 'text/csv' }));
    return;
  }
  const svg = svgOf(plot, {
    ...size,
    ...coloursNow(),
    ...options,
    xTitle: options.formatX ? options.xName : undefined,
  });
  if (format === 'svg') save(`${plot.id}.svg`, new Blob([svg], { type: 'image/svg+xml' }));
  else save(`${plot.id}.png`, await rasterised(svg, size.width, size.height));
}

export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has its own reference by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export async function rasterised(svg: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  // Twice the size reads well in a document on any screen.
  canvas.width = width * 2;
  canvas.height = height * 2;
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) =>
      blob ? resolve(blob) : reject(new Error('the browser made no PNG of it')),
    );
  });
}

/** An export looks as the page does now. */
export function coloursNow() {
  const tokens = readTokens(['--surface', '--text', '--text-3', '--line', '--fault', ...inkTokens]);
  return {
    inkOf: (ink: Ink) => tokens[`--${ink}`],
    colours: {
      paper: tokens['--surface'],
      text: tokens['--text'],
      faint: tokens['--text-3'],
      line: tokens['--line'],
      fault: tokens['--fault'],
    },
  };
}

const inkTokens = [
  '--series-1',
  '--series-2',
  '--series-3',
  '--series-4',
  '--series-5',
  '--series-6',
  '--series-7',
  '--series-8',
] as const;
