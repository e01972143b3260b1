/** Sizes of a closed block's card: what is laid out by them and what is drawn by them agree. */
import type { Rect } from '../parts/plane/curve.ts';

export interface Card {
  readonly width: number;
  readonly pad: number;
  /** From the top to the pips. */
  readonly head: number;
  readonly gap: number;
  /** Lines of text in the head. */
  readonly lines: 1 | 2;
}

/** Name and figures in two lines. */
export const roomyCard: Card = { width: 134, pad: 10, head: 49, gap: 28, lines: 2 };
/** One line: so many blocks are seen at a size at which the second could not be read. */
export const compactCard: Card = { width: 116, pad: 8, head: 25, gap: 12, lines: 1 };

/** Where a block is opened and closed by a press. */
export function chevronOf({ x, y, width, card }: ChevronPlace): Rect {
  return {
    x: x + width - card.pad - 10,
    y: y + card.pad / 2 + (card.lines === 1 ? 0 : 6),
    width: 16,
    height: 18,
  };
}

interface ChevronPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly card: Card;
}
