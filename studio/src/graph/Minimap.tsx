/** The whole plane, small, with the part that is seen; press or drag to go elsewhere. */
import { type PointerEvent, useEffect, useRef } from 'react';
import type { Point } from '../parts/plane/curve.ts';
import { type Size, seen, type Viewport } from '../parts/plane/viewport.ts';
import type { Colours } from './colours.ts';
import styles from './Graph.module.css';
import type { GraphLayout } from './layout.ts';
import type { Figures } from './scene.ts';

export interface MinimapProps {
  readonly layout: GraphLayout;
  readonly figures: Figures;
  readonly colours: Colours;
  readonly view: Viewport;
  readonly size: Size;
  /** This place of the plane into the middle. */
  readonly onGo: (place: Point) => void;
}

const width = 168;
const height = 104;
const pad = 8;

export function Minimap({ layout, figures, colours, view, size, onGo }: MinimapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { bounds } = layout;
  const scale = Math.min(
    (width - 2 * pad) / Math.max(1, bounds.width),
    (height - 2 * pad) / Math.max(1, bounds.height),
  );
  const left = width / 2 - (bounds.x + bounds.width / 2) * scale;
  const top = height / 2 - (bounds.y + bounds.height / 2) * scale;

  useEffect(() => {
    const dpr = devicePixelRatio || 1;
    const ctx = canvas.current?.getContext('2d');
    if (!ctx) return;
    ctx.canvas.width = width * dpr;
    ctx.canvas.height = height * dpr;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    for (const block of layout.blocks) {
      const health = figures.blocks.get(block.name)?.health;
      ctx.fillStyle =
        health === 'down' ? colours.bad : health === 'hurt' ? colours.warn : colours.path;
      ctx.fillRect(
        left + block.x * scale,
        top + block.y * scale,
        Math.max(2, block.width * scale),
        Math.max(2, block.height * scale),
      );
    }
    const part = seen(view, size);
    ctx.strokeStyle = colours.accent;
    ctx.lineWidth = 1.5;
    const [x, y] = [left + part.x * scale, top + part.y * scale];
    const right = Math.min(width - 1, x + part.width * scale);
    const bottom = Math.min(height - 1, y + part.height * scale);
    ctx.strokeRect(Math.max(1, x), Math.max(1, y), right - Math.max(1, x), bottom - Math.max(1, y));
  }, [layout, figures, colours, view, size, scale, left, top]);

  const go = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    onGo({ x: (event.clientX - box.x - left) / scale, y: (event.clientY - box.y - top) / scale });
  };
  return (
    <div className={styles.minimap} aria-hidden="true" onPointerDown={go} onPointerMove={go}>
      <canvas ref={canvas} style={{ width, height }} />
    </div>
  );
}
