/** What the page tells the worker that draws. The worker says one thing: that it is there. */
import type { Changes } from './changes.ts';
import type { Face } from './faces.ts';
import type { Canvases } from './renderer.ts';

export type Order =
  | {
      readonly type: 'start';
      readonly canvases: Canvases<OffscreenCanvas>;
      readonly faces: readonly Face[];
    }
  | { readonly type: 'show'; readonly changes: Changes };
