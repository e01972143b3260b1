/**
 * The frames of the last second as they were shown: a path of three calls a second would be idle in
 * most frames of a tenth, and its rate a flicker between 0 and 10. Also how often figures are worth
 * drawing: nobody reads ten numbers a second.
 */
import type { Frame } from 'loadpath/studio';

const windowUs = 1_000_000;
/** A jump further than this shows another time, of which nothing is known yet. */
const gapMaxUs = 2_000_000;
const readableUs = 240_000;

export interface Recent {
  /** The last is the one that is shown. */
  readonly frames: readonly Frame[];
}

export const nothingRecent: Recent = { frames: [] };

/**
 * @param previous the frame before, known also after a jump.
 * @returns the same object when what it shows need not change.
 */
export function showing(
  recent: Recent,
  frame: Frame | undefined,
  previous: Frame | undefined,
): Recent {
  if (!frame) return recent.frames.length === 0 ? recent : nothingRecent;
  const last = recent.frames.at(-1);
  if (last === frame) return recent;
  const follows = last && frame.index > last.index && frame.fromUs - last.toUs <= gapMaxUs;
  if (!follows) return { frames: previous ? [previous, frame] : [frame] };
  if (frame.toUs - last.toUs < readableUs && looksLike(frame, last)) return recent;
  // What was passed over in between is not known; the one before is.
  const between = previous && previous.index > last.index ? [previous] : [];
  const all = [...recent.frames, ...between, frame];
  return {
    frames: all.filter(({ fromUs }) => frame.toUs - fromUs <= windowUs || fromUs === frame.fromUs),
  };
}

/** Nobody went down or came back, nothing was cut. */
function looksLike(a: Frame, b: Frame): boolean {
  return a.nodes.state === b.nodes.state && a.paths.state === b.paths.state;
}
