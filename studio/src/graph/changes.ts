/**
 * A picture goes to the worker as what changed since the last: a layout of 300 nodes is copied once
 * and not with every frame. What was not sent stays the same object there, so that the renderer
 * sees, as it does here, what need not be drawn again.
 */
import type { Picture } from './renderer.ts';

export type Changes = Partial<Picture>;

export function changesOf(former: Picture | undefined, next: Picture): Changes {
  if (!former) return next;
  const names = Object.keys(next) as (keyof Picture)[];
  return Object.fromEntries(
    names.filter((name) => former[name] !== next[name]).map((name) => [name, next[name]]),
  );
}

/** The first changes are all of a picture. */
export function withChanges(former: Picture | undefined, changes: Changes): Picture {
  return { ...former, ...changes } as Picture;
}
