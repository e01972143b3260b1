/**
 * The canvases, and when each is drawn. Four lie on one another, so that what changes often is drawn
 * without what does not:
 *
 *   lines     grid, paths                     when a path's look, the view or the theme changes
 *   traffic   particles                       every animation frame, while the playhead moves
 *   cards     outlines and names              when the layout, the view or the theme changes
 *   figures   state, load, queues, numbers    when a frame, the view or the theme changes
 *
 * One loop asks for animation frames, and only while something moves or is due.
 */
import type { BlockView, Frame, PaletteBlock } from 'loadpath/studio';
import type { Curve } from '../parts/plane/curve.ts';
import type { Size, Viewport } from '../parts/plane/viewport.ts';
import type { Colours } from './colours.ts';
import { drawBlockFigures, drawBlocks } from './draw-cards.ts';
import type { CardPaint } from './draw-nodes.ts';
import { drawPathFigures, drawPaths, drawStrands, type PathPaint, widthOf } from './draw-paths.ts';
import { drawGrid, drawTraffic } from './draw-traffic.ts';
import type { GraphLayout } from './layout.ts';
import { levelsAt } from './levels.ts';
import { type Flow, Particles } from './particles.ts';
import { type Context, forgetWidths, Pen } from './pen.ts';
import { type Figures, figuresOf, type Scene } from './scene.ts';

export interface Picture {
  readonly layout: GraphLayout;
  readonly views: ReadonlyMap<string, BlockView>;
  readonly palette: ReadonlyMap<string, PaletteBlock>;
  readonly scene: Scene;
  /** What is shown is the last; figures are over all of them. */
  readonly frames: readonly Frame[];
  readonly colours: Colours;
  readonly view: Viewport;
  readonly size: Size;
  /** Pixels of the screen to one of the page. */
  readonly dpr: number;
  readonly selected: ReadonlySet<string>;
  readonly selectedPath: string | undefined;
  readonly hoveredPath: string | undefined;
  readonly named: ReadonlySet<string>;
  readonly focus: ReadonlySet<string> | undefined;
  /** Particles move. */
  readonly isMoving: boolean;
  /** They never do: the reader asked for less motion. */
  readonly isStill: boolean;
}

export const layers = ['lines', 'traffic', 'cards', 'figures'] as const;
export type Layer = (typeof layers)[number];
/** A picture as it is painted: with what its frames say of each thing. */
type Painted = Picture & { readonly figures: Figures };

/** In the page, or handed over to a worker. */
export type Canvases<Canvas = HTMLCanvasElement | OffscreenCanvas> = Readonly<
  Record<Layer, Canvas>
>;

/** After a tab was hidden, traffic goes on from where it was rather than making up for it. */
const stepMaxMs = 50;

export class Renderer {
  readonly #contexts: Readonly<Record<Layer, Context>>;
  readonly #particles = new Particles();
  readonly #dirty = new Set<Layer>();
  #flows: readonly Flow[] = [];
  #curves: readonly (Curve | undefined)[] = [];
  #picture: Painted | undefined;
  #lines = '';
  #request = 0;
  #drawnAtMs = 0;

  constructor(canvases: Canvases) {
    const of = (layer: Layer) => canvases[layer].getContext('2d') as Context;
    this.#contexts = {
      lines: of('lines'),
      traffic: of('traffic'),
      cards: of('cards'),
      figures: of('figures'),
    };
  }

  /** Compares with what was drawn, and draws only what looks different. */
  show(next: Picture): void {
    const former = this.#picture;
    const isSame = former && former.scene === next.scene && former.frames === next.frames;
    const figures = isSame ? former.figures : figuresOf(next.scene, next.frames);
    const picture = { ...next, figures };
    this.#picture = picture;
    this.#fitCanvases(picture);
    if (!former || former.layout !== picture.layout) this.#setFlows(picture);
    if (!former || former.figures !== picture.figures) this.#feed(picture);
    const changed = (...names: (keyof Painted)[]) =>
      !former || names.some((name) => former[name] !== picture[name]);
    const isElsewhere = changed('view', 'size', 'layout', 'colours', 'focus');
    if (isElsewhere || changed('views', 'palette')) this.#dirty.add('cards');
    if (
      isElsewhere ||
      changed('figures', 'selected', 'named', 'palette', 'selectedPath', 'hoveredPath')
    )
      this.#dirty.add('figures');
    const lines = signatureOf(picture);
    if (isElsewhere || changed('selectedPath', 'hoveredPath') || lines !== this.#lines)
      this.#dirty.add('lines');
    this.#lines = lines;
    if (isElsewhere || changed('isStill')) this.#dirty.add('traffic');
    if (changed('layout', 'focus')) this.#curves = curvesIn(picture);
    this.#ask();
  }

  close(): void {
    cancelAnimationFrame(this.#request);
    this.#picture = undefined;
  }

  /** Fonts have come. */
  redraw(): void {
    forgetWidths();
    for (const layer of layers) this.#dirty.add(layer);
    this.#ask();
  }

  #ask(): void {
    if (this.#request === 0) this.#request = requestAnimationFrame((nowMs) => this.#draw(nowMs));
  }

  #draw(nowMs: number): void {
    this.#request = 0;
    const picture = this.#picture;
    if (!picture) return;
    const moves = picture.isMoving && !picture.isStill;
    const elapsedMs = Math.min(stepMaxMs, nowMs - this.#drawnAtMs);
    this.#drawnAtMs = nowMs;
    if (moves) {
      const { particles: share, haste } = levelsAt(picture.view.scale);
      this.#particles.step(elapsedMs / 1_000, this.#flows, share * haste, haste);
      this.#dirty.add('traffic');
    }
    for (const layer of this.#dueNow()) {
      this.#paint(layer, picture);
      this.#dirty.delete(layer);
    }
    if (moves || this.#dirty.size > 0) this.#ask();
  }

  /**
   * All at once when the view moves: it must not come apart. Else one after the other, figures
   * before lines before traffic, so that no animation frame has the work of several.
   */
  #dueNow(): readonly Layer[] {
    const due = layers.filter((layer) => this.#dirty.has(layer));
    if (due.includes('cards')) return due;
    const first = (['figures', 'lines', 'traffic'] as const).find((layer) => due.includes(layer));
    return first ? [first] : [];
  }

  #paint(layer: Layer, picture: Painted): void {
    const ctx = this.#contexts[layer];
    const { view, size, dpr, colours } = picture;
    if (layer === 'traffic') {
      if (picture.isStill) this.#particles.reset(this.#flows.length);
      drawTraffic(ctx, this.#particles, this.#curves, view, size, dpr, colours);
      return;
    }
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
    const pen = new Pen(ctx, view, dpr, colours.font);
    switch (layer) {
      case 'lines':
        drawGrid(ctx, view, size, dpr, colours.grid);
        drawPaths(pen, pathPaint(picture));
        break;
      case 'cards':
        drawBlocks(pen, cardPaint(picture));
        break;
      case 'figures':
        drawPathFigures(pen, pathPaint(picture));
        drawStrands(pen, pathPaint(picture));
        drawBlockFigures(pen, cardPaint(picture));
        break;
    }
  }

  #setFlows({ layout }: Painted): void {
    this.#flows = layout.paths.map(({ curve }) => ({
      lengthPx: curve.lengthPx,
      figures: undefined,
    }));
    this.#particles.reset(this.#flows.length);
    this.#feed(this.#picture!);
  }

  #feed({ layout, figures }: Painted): void {
    for (const [index, { id }] of layout.paths.entries()) {
      this.#flows[index]!.figures = figures.paths.get(id);
    }
  }

  #fitCanvases({ size: { width, height }, dpr }: Picture): void {
    for (const { canvas } of Object.values(this.#contexts)) {
      const [wide, high] = [Math.round(width * dpr), Math.round(height * dpr)];
      if (canvas.width === wide && canvas.height === high) continue;
      canvas.width = wide;
      canvas.height = high;
      for (const layer of layers) this.#dirty.add(layer);
    }
  }
}

/** All that lines show of a frame: with the same, they need not be drawn again. */
function signatureOf({ layout, figures, isStill }: Painted): string {
  const lines = layout.paths.map(({ id }) => {
    const known = figures.paths.get(id);
    return known ? `${known.look} ${widthOf(known, isStill)}` : '';
  });
  return lines.join();
}

/** Traffic of what stepped back would lead the eye to it. */
function curvesIn({ layout, focus }: Picture): (Curve | undefined)[] {
  return layout.paths.map(({ from, to, curve }) =>
    !focus || (focus.has(from) && focus.has(to)) ? curve : undefined,
  );
}

function pathPaint(picture: Painted): PathPaint {
  return {
    ...picture,
    levels: levelsAt(picture.view.scale),
    selected: picture.selectedPath,
    hovered: picture.hoveredPath,
  };
}

function cardPaint(picture: Painted): CardPaint {
  return {
    ...picture,
    blocks: picture.layout.blocks,
    levels: levelsAt(picture.view.scale),
  };
}
