/** Draws the graph apart from the page: see `drawing.ts`. */
import { withChanges } from './changes.ts';
import { loadFaces } from './faces.ts';
import type { Order } from './orders.ts';
import { type Picture, Renderer } from './renderer.ts';

let renderer: Renderer | undefined;
let picture: Picture | undefined;

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  switch (data.type) {
    case 'start': {
      const made = new Renderer(data.canvases);
      renderer = made;
      // The types are those of a page; a worker's fonts are its own.
      const { fonts } = globalThis as unknown as FontFaceSource;
      void loadFaces(data.faces, fonts).then(() => made.redraw());
      break;
    }
    case 'show':
      picture = withChanges(picture, data.changes);
      renderer?.show(picture);
      break;
  }
});
postMessage('ready');
