/** What every look on the graph means, drawn by the same code that draws the graph. */
import { useEffect, useRef } from 'react';
import { curveThrough } from '../parts/plane/curve.ts';
import { roomyCard } from './card.ts';
import type { Colours } from './colours.ts';
import { drawBlockFigures } from './draw-cards.ts';
import { drawPathFigures, drawPaths, type PathPaint } from './draw-paths.ts';
import styles from './Graph.module.css';
import type { GraphLayout } from './layout.ts';
import { levelsAt } from './levels.ts';
import { Pen } from './pen.ts';
import type { NodeFigures, NodeLook, PathFigures, PathLook } from './scene.ts';

const paths: readonly (readonly [PathLook, string])[] = [
  ['open', 'open: the more traffic, the wider'],
  ['idle', 'idle: nobody calls'],
  ['standby', 'standing by: its caller works without it'],
  ['slow', 'delayed'],
  ['lossy', 'losing messages'],
  ['cut', 'cut'],
  ['partly', 'cut for some callers'],
  ['refused', 'open, and most calls fail'],
];

const nodes: readonly (readonly [NodeLook, string])[] = [
  ['up', 'up: filled as far as its cores are busy; ticks are its queue'],
  ['standby', 'up, and nothing to do'],
  ['slow', 'slow'],
  ['paused', 'paused'],
  ['sick', 'disk full or failing'],
  ['down', 'down'],
  ['new', 'not started yet'],
  ['absent', 'not there any more, or not yet'],
];

const width = 62;
const height = 22;

export function Legend({ colours }: { readonly colours: Colours }) {
  return (
    <section className={styles.legend} aria-label="Legend">
      <h3>Paths</h3>
      <ul>
        {paths.map(([look, text]) => (
          <li key={look}>
            <Swatch colours={colours} draw={(pen) => drawPathSwatch(pen, look, colours)} />
            {text}
          </li>
        ))}
      </ul>
      <h3>Nodes</h3>
      <ul>
        {nodes.map(([look, text]) => (
          <li key={look}>
            <Swatch colours={colours} draw={(pen) => drawNodeSwatch(pen, look, colours)} />
            {text}
          </li>
        ))}
      </ul>
      <p>
        Dots are requests on their way, crosses those that will fail. A bolt marks a fault in force.
      </p>
    </section>
  );
}

function Swatch({
  colours,
  draw,
}: {
  readonly colours: Colours;
  readonly draw: (pen: Pen) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const ctx = canvas.current?.getContext('2d');
    if (!ctx) return;
    const dpr = devicePixelRatio || 1;
    ctx.canvas.width = width * dpr;
    ctx.canvas.height = height * dpr;
    draw(new Pen(ctx, { x: 0, y: 0, scale: 1 }, dpr, colours.font));
  }, [colours, draw]);
  return (
    <span className={styles.swatch} aria-hidden="true">
      <canvas ref={canvas} style={{ width, height }} />
    </span>
  );
}

const nobody = { blocks: new Map(), nodes: new Map(), paths: new Map() };

function drawPathSwatch(pen: Pen, look: PathLook, colours: Colours): void {
  const y = height / 2;
  const curve = curveThrough([
    { x: 2, y },
    { x: width - 2, y },
  ]);
  // No room for figures: a label of no width shows none.
  const label = { x: 0, y, width: 0, height: 0, lines: 1 } as const;
  const path = { id: look, from: '', to: '', isConsumed: false, curve, label, strands: [] };
  const layout: GraphLayout = { blocks: [], paths: [path], bounds: label };
  const figures: PathFigures = {
    look,
    ratePerSec: look === 'idle' ? 0 : 400,
    errorRatio: 0,
    p99Us: 0,
    cutCount: 1,
    callerCount: 3,
  };
  const paint: PathPaint = {
    layout,
    figures: { ...nobody, paths: new Map([[look, figures]]) },
    colours,
    levels: { ...levelsAt(1), pathLabels: 0 },
    selected: undefined,
    hovered: undefined,
    isStill: false,
    focus: undefined,
  };
  drawPaths(pen, paint);
  drawPathFigures(pen, paint);
}

function drawNodeSwatch(pen: Pen, look: NodeLook, colours: Colours): void {
  const at = { x: 8, y: 3, width: 44, height: 16 };
  const figures: NodeFigures = {
    look,
    ratePerSec: 400,
    errorRatio: 0,
    busy: look === 'standby' || look === 'new' || look === 'absent' ? 0 : 0.6,
    queue: look === 'up' ? 5 : 0,
    p99Us: 0,
  };
  const node = { ...at, id: look, zone: 'a' };
  drawBlockFigures(pen, {
    blocks: [{ ...at, name: look, isOpen: false, card: roomyCard, nodes: [node], zones: [] }],
    views: new Map(),
    palette: new Map(),
    figures: { ...nobody, nodes: new Map([[look, figures]]) },
    colours: { ...colours, grey: colours.blue },
    levels: levelsAt(1),
    selected: new Set(),
    named: new Set(),
    focus: undefined,
  });
}
