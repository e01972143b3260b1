/** Figures of a comparison as a table writes them. */
import type { ComparedRow, Difference, Estimate } from 'loadpath/studio';
import { countText, msText, rateText, shareText } from '../parts/format.ts';

export function unitText(unit: ComparedRow['unit'], value: number): string {
  switch (unit) {
    case 'ms':
      return msText(value);
    case '/s':
      return rateText(value);
    case 'ratio':
      return shareText(value);
    case 'count':
      return countText(value);
  }
}

/** `3.2 ms ± 0.1 ms`; the interval only where there is one. */
export function estimateText(unit: ComparedRow['unit'], { mean, plusMinus }: Estimate): string {
  const interval =
    plusMinus === null || plusMinus === 0 ? '' : ` ± ${intervalText(unit, plusMinus)}`;
  return `${unitText(unit, mean)}${interval}`;
}

/** `×1.32`, `−4.1 %`: by which of the two it is felt. */
export function changeText({ a, b, ratio, unit }: ComparedRow): string {
  if (a.mean === b.mean) return '=';
  if (unit === 'ratio') {
    const points = (b.mean - a.mean) * 100;
    return `${sign(points)}${Number(Math.abs(points).toPrecision(3))} points`;
  }
  if (ratio === null) return `+${unitText(unit, b.mean)}`;
  if (ratio >= 2) return `× ${Number(ratio.toPrecision(3))}`;
  const percent = (ratio - 1) * 100;
  return `${sign(percent)}${Number(Math.abs(percent).toPrecision(percent < 10 ? 2 : 3))} %`;
}

export const differenceWords: Readonly<
  Record<Difference, { readonly sign: string; readonly word: string }>
> = {
  better: { sign: '▲', word: 'better' },
  worse: { sign: '▼', word: 'worse' },
  changed: { sign: '◆', word: 'changed' },
  same: { sign: '=', word: 'same' },
  unclear: { sign: '~', word: 'may be chance' },
};

/** `p999` is said p99.9. */
export function figureName(what: string): string {
  return what === 'p999' ? 'p99.9' : what;
}

function intervalText(unit: ComparedRow['unit'], half: number): string {
  return unit === 'ratio' ? `${Number((half * 100).toPrecision(2))} points` : unitText(unit, half);
}

function sign(value: number): string {
  return value < 0 ? '−' : '+';
}
