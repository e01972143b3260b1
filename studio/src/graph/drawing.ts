/**
 * Who draws: a worker, so that the page's own thread is free for input and for the rest of the page
 * however much there is to draw; or, where a browser has no canvases for workers or does not let one
 * start, the page itself, by the same renderer.
 *
 *   page                                    worker
 *   show(picture)   ── what changed ──▶     Renderer, its own animation frames
 */
import { changesOf } from './changes.ts';
import DrawingWorker from './drawing-worker.ts?worker&inline';
import { pageFaces } from './faces.ts';
import type { Order } from './orders.ts';
import { type Canvases, layers, type Picture, Renderer } from './renderer.ts';

export class Drawing {
  readonly #canvases: Canvases<HTMLCanvasElement>;
  #worker: Worker | undefined;
  #isReady = false;
  #renderer: Renderer | undefined;
  #picture: Picture | undefined;
  #isClosed = false;

  constructor(canvases: Canvases<HTMLCanvasElement>) {
    this.#canvases = canvases;
    if (!('transferControlToOffscreen' in canvases.lines)) {
      this.#drawHere();
      return;
    }
    const worker = new DrawingWorker();
    this.#worker = worker;
    // A canvas cannot be taken back, so it is handed over only to who has said that he is there.
    worker.addEventListener('message', () => this.#handOver(worker), { once: true });
    worker.addEventListener('error', () => {
      if (!this.#isReady) this.#drawHere();
    });
  }

  show(picture: Picture): void {
    const former = this.#picture;
    this.#picture = picture;
    this.#renderer?.show(picture);
    if (!this.#worker || !this.#isReady) return;
    const changes = changesOf(former, picture);
    if (Object.keys(changes).length > 0) this.#order(this.#worker, { type: 'show', changes });
  }

  close(): void {
    this.#isClosed = true;
    this.#worker?.terminate();
    this.#renderer?.close();
  }

  #handOver(worker: Worker): void {
    this.#isReady = true;
    const of = (layer: keyof Canvases) => this.#canvases[layer].transferControlToOffscreen();
    const canvases = {
      lines: of('lines'),
      traffic: of('traffic'),
      cards: of('cards'),
      figures: of('figures'),
    };
    this.#order(
      worker,
      { type: 'start', canvases, faces: pageFaces() },
      layers.map((layer) => canvases[layer]),
    );
    if (this.#picture)
      this.#order(worker, { type: 'show', changes: changesOf(undefined, this.#picture) });
  }

  #drawHere(): void {
    if (this.#isClosed) return;
    this.#worker?.terminate();
    this.#worker = undefined;
    const renderer = new Renderer(this.#canvases);
    this.#renderer = renderer;
    if (this.#picture) renderer.show(this.#picture);
    void document.fonts.ready.then(() => renderer.redraw());
  }

  #order(worker: Worker, order: Order, moved: Transferable[] = []): void {
    worker.postMessage(order, moved);
  }
}
