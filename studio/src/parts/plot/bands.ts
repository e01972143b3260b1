/** Faults as spans of time, from the events that say when each began and ended. */
import { faultSpansOf, type RunEvent } from 'loadpath/studio';
import type { Band } from './plot.ts';

/** In the order of their beginning; the same sentence may be active more than once. */
export function faultBands(events: readonly RunEvent[]): Band[] {
  return faultSpansOf(events).map(({ text, fromUs, untilUs }) => ({
    fromUs,
    toUs: untilUs ?? Number.POSITIVE_INFINITY,
    text: withoutTimes(text),
  }));
}

/** `kill links/1 at 12s, restart after 5s` is drawn where it happened: `kill links/1`. */
export function withoutTimes(sentence: string): string {
  return sentence.replace(/ at \S+?(,? (?:and )?(?:for|restart after) \S+)?$/, '');
}

export interface PlacedBand extends Band {
  /** 0 for the topmost row of labels. */
  readonly row: number;
}

/**
 * Rows for labels, so that none lies on another: each takes the first row that is free where it
 * begins. What finds no row has its band drawn, without words.
 */
export function placeLabels(
  bands: readonly Band[],
  /** How much time a label of so many characters covers. */
  coveredUs: (text: string) => number,
  rowsMax: number,
): PlacedBand[] {
  const freeFromUs: number[] = Array.from({ length: rowsMax }, () => Number.NEGATIVE_INFINITY);
  const placed: PlacedBand[] = [];
  for (const band of [...bands].sort((a, b) => a.fromUs - b.fromUs)) {
    const row = freeFromUs.findIndex((free) => free <= band.fromUs);
    if (row === -1) continue;
    freeFromUs[row] = band.fromUs + coveredUs(band.text);
    placed.push({ ...band, row });
  }
  return placed;
}
