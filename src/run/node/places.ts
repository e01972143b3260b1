/** How places in a user’s files are shown to him. */
import { relative } from 'node:path';

/** As the user would type it. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? path : near;
}

/** A line of a file, and below it a mark at the column. Both count from 1. */
export function excerpt(line: number, column: number, lineText: string): string {
  const number = String(line);
  const margin = ' '.repeat(number.length);
  const before = lineText.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `  ${number} │ ${lineText}\n  ${margin} │ ${before}^`;
}
