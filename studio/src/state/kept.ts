/**
 * What the drawing board knows for as long as the page is open: what was drawn, and what of it the file
 * holds. It outlives the board itself, which goes while one looks at the traffic. Pure.
 */
import type { JsonDesign } from 'loadpath/studio';
import { begin, type History } from './history.ts';

export interface Kept {
  readonly history: History<JsonDesign>;
  /** As text: what the file is known to hold, then what was sent to it since and has not come back. */
  readonly sent: readonly string[];
}

export function keptOf(design: JsonDesign): Kept {
  return { history: begin(design), sent: [JSON.stringify(design)] };
}

/**
 * The file was read. What comes back is what was sent, perhaps some strokes ago, unless somebody else
 * wrote to the file meanwhile: then that is what is on the board.
 */
export function withRead(kept: Kept, design: JsonDesign): Kept {
  const place = kept.sent.indexOf(JSON.stringify(design));
  if (place < 0) return keptOf(design);
  return place === 0 ? kept : { ...kept, sent: kept.sent.slice(place) };
}

export function withSent(kept: Kept, design: JsonDesign): Kept {
  return { ...kept, sent: [...kept.sent, JSON.stringify(design)] };
}

export function isSaved({ history, sent }: Kept): boolean {
  return JSON.stringify(history.now) === sent.at(-1);
}
