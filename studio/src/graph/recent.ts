/**
 * The last second: a path of three calls a second would be idle in most frames of a tenth, and its
 * rate a flicker between 0 and 10. Also how often figures are worth drawing: nobody reads ten numbers
 * a second.
 */
import type { Frame, Micros } from 'loadpath/studio';
import { frameAt, lastSecond } from '../state/playhead.ts';

const readableUs = 240_000;

export interface Recent {
  /** The last is the one that is shown. */
  readonly frames: readonly Frame[];
}

export const nothingRecent: Recent = { frames: [] };

/** @returns the same object when what it shows need not change. */
export function showing(recent: Recent, frames: readonly Frame[], atUs: Micros): Recent {
  const frame = frameAt(frames, atUs);
  if (!frame) return recent.frames.length === 0 ? recent : nothingRecent;
  const last = recent.frames.at(-1);
  if (last === frame) return recent;
  const isSoon = last && frame.index > last.index && frame.toUs - last.toUs < readableUs;
  if (isSoon && looksLike(frame, last)) return recent;
  return { frames: lastSecond(frames, atUs) };
}

/** Nobody went down or came back, nothing was cut. */
function looksLike(a: Frame, b: Frame): boolean {
  return a.nodes.state === b.nodes.state && a.paths.state === b.paths.state;
}
