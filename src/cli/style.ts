/** Colour where a terminal shows it, and nothing that needs colour to be read. */

export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly doubt: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

const plain = (text: string): string => text;

export const plainStyle: Style = {
  good: plain,
  bad: plain,
  doubt: plain,
  dim: plain,
  strong: plain,
};

const paint =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`;

const colours: Style = {
  good: paint(32, 39),
  bad: paint(31, 39),
  doubt: paint(33, 39),
  dim: paint(2, 22),
  strong: paint(1, 22),
};

/** Honours NO_COLOR and FORCE_COLOR (no-color.org, force-color.org); else colours on a terminal only. */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Style {
  if (env.NO_COLOR) return plainStyle;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return colours;
  return stream.isTTY && env.TERM !== 'dumb' ? colours : plainStyle;
}

const colourCodes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Columns that `text` takes on a terminal. */
export function widthOf(text: string): number {
  return [...text.replace(colourCodes, '')].length;
}

export function cut(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/**
 * Breaks at spaces so that no line is wider than `width`; further lines begin with `indent`, the
 * first with the spaces that `text` begins with.
 */
export function wrap(text: string, width: number, indent = ''): string {
  const lead = /^ */.exec(text)![0];
  const lines: string[] = [];
  let line = lead;
  let started = false;
  for (const word of text.slice(lead.length).split(' ')) {
    const longer = started ? `${line} ${word}` : line + word;
    if (started && widthOf(longer) > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
    started = true;
  }
  lines.push(line);
  return lines.join('\n');
}

/** Rows in columns: texts to the left, figures to the right. */
export function table(
  rows: readonly (readonly string[])[],
  right: readonly boolean[] = [],
  gap = '  ',
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, text] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(text));
  }
  return rows.map((row) =>
    row
      .map((text, i) => {
        const space = ' '.repeat(widths[i]! - widthOf(text));
        return right[i] ? space + text : text + space;
      })
      .join(gap)
      .trimEnd(),
  );
}
