import type { Plot } from './plot.ts';

/** One row a position on the x axis, one column a curve; intervals as `low` and `high` beside it. */
export function csvOf(plot: Plot, xName: string): string {
  const columns: (readonly [string, readonly (number | null)[]])[] = [[xName, plot.x]];
  for (const { name, values, low, high } of plot.curves) {
    columns.push([`${name}${unitNote[plot.unit]}`, values]);
    if (low && high) columns.push([`${name} low`, low], [`${name} high`, high]);
  }
  const lines = [columns.map(([name]) => quoted(name)).join(',')];
  for (let row = 0; row < plot.x.length; row++) {
    lines.push(columns.map(([, values]) => values[row] ?? '').join(','));
  }
  return `${lines.join('\n')}\n`;
}

const unitNote = { perSec: ' per s', us: ' us', ratio: '', count: '' } as const;

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
