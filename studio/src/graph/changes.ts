/**
 * A picture goes to the worker as what changed since the last: a layout of 300 nodes is copied once
 * and not with every frame, and of the last second's frames only those that came. What was not sent
 * stays the same object there, so that the renderer sees, as it does here, what need not be drawn
 * again.
 */
import type { Frame } from 'loadpath/studio';
import type { Picture } from './renderer.ts';

export type Changes = Partial<Omit<Picture, 'frames'>> & { readonly frames?: NewFrames };

interface NewFrames {
  /** So many of the former ones, counted from their end, stand before those that came. */
  readonly kept: number;
  readonly come: readonly Frame[];
}

/** Without a former picture all of it is new. */
export function changesOf(former: Picture | undefined, next: Picture): Changes {
  const names = (Object.keys(next) as (keyof Picture)[]).filter(
    (name) => !former || former[name] !== next[name],
  );
  return Object.fromEntries(
    names.map((name) => [
      name,
      name === 'frames' ? newFrames(former?.frames ?? [], next.frames) : next[name],
    ]),
  );
}

/** The first changes are all of a picture. */
export function withChanges(former: Picture | undefined, changes: Changes): Picture {
  const { frames, ...rest } = changes;
  const known = former?.frames ?? [];
  return {
    ...former,
    ...rest,
    frames: frames ? [...known.slice(known.length - frames.kept), ...frames.come] : known,
  } as Picture;
}

function newFrames(former: readonly Frame[], next: readonly Frame[]): NewFrames {
  const start = former.indexOf(next[0]!);
  const kept = start < 0 ? 0 : former.length - start;
  const isContinued = former.slice(start).every((frame, index) => frame === next[index]);
  return kept > 0 && isContinued ? { kept, come: next.slice(kept) } : { kept: 0, come: next };
}
