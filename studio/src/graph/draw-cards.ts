/**
 * Blocks and their nodes. What only the layout decides (outlines, names) is drawn apart from what
 * every frame changes (state, load, queue, figures), so that the first is drawn once.
 */
import { countText, durationText, rateText } from '../parts/format.ts';
import { chevronOf } from './card.ts';
import { hueOf } from './colours.ts';
import {
  type CardPaint,
  drawFaultMark,
  drawPip,
  drawTicks,
  drawTile,
  grown,
} from './draw-nodes.ts';
import { glyph, shapeGlyphs } from './glyphs.ts';
import { cardTexts } from './label.ts';
import type { BlockBox } from './layout.ts';
import type { Pen } from './pen.ts';
import type { BlockFigures } from './scene.ts';

export function drawBlocks(pen: Pen, paint: CardPaint): void {
  for (const block of paint.blocks) {
    pen.ctx.globalAlpha = asideAlpha(block, paint);
    drawOutline(pen, block, paint);
    drawName(pen, block, paint);
    for (const zone of block.zones) {
      pen.box(pen.rect(zone), 5, paint.colours.zone);
      const style = { px: 10, colour: paint.colours.textFaint, weight: 500 } as const;
      pen.text(`zone ${zone.name}`, zone.x + 6, zone.y + 11.5, style);
    }
  }
  pen.ctx.globalAlpha = 1;
}

export function drawBlockFigures(pen: Pen, paint: CardPaint): void {
  const { ctx } = pen;
  for (const block of paint.blocks) {
    const figures = paint.figures.blocks.get(block.name);
    ctx.globalAlpha = asideAlpha(block, paint);
    if (figures?.health === 'down') drawDown(pen, block, paint);
    if (paint.named.has(block.name)) drawFaultMark(pen, block, paint.colours);
    if (figures) {
      drawFigures(pen, block, figures, paint);
    }
    const hue = hueFor(block, paint);
    for (const node of block.nodes) {
      const known = paint.figures.nodes.get(node.id);
      if (block.isOpen) drawTile(pen, node, known, hue, paint);
      else drawPip(pen, node, known, hue, paint);
      if (paint.named.has(node.id)) drawFaultMark(pen, node, paint.colours);
      if (paint.selected.has(node.id)) {
        pen.box(grown(pen.rect(node), 2), 5, undefined, paint.colours.accent, 2);
      }
    }
    if (paint.selected.has(block.name)) {
      pen.box(grown(pen.rect(block), 2), 9, undefined, paint.colours.accent, 2);
    }
  }
  ctx.globalAlpha = 1;
}

// What the layout decides ------------------------------------------------------------------------

function drawOutline(pen: Pen, block: BlockBox, paint: CardPaint): void {
  const { colours } = paint;
  const on = pen.rect(block);
  const scale = pen.view.scale;
  const { ctx } = pen;
  switch (shapeOf(block, paint)) {
    case 'person':
      pen.box(on, 20 * scale, colours.surface, colours.lineStrong);
      break;
    case 'store': {
      pen.box(on, 7 * scale, colours.surface, colours.lineStrong);
      // The rim of a drum.
      ctx.beginPath();
      ctx.moveTo(on.x + 1, on.y + 4.5 * scale);
      ctx.quadraticCurveTo(
        on.x + on.width / 2,
        on.y + 10 * scale,
        on.x + on.width - 1,
        on.y + 4.5 * scale,
      );
      ctx.strokeStyle = colours.line;
      ctx.lineWidth = 1;
      ctx.stroke();
      break;
    }
    case 'queue':
      // What waits stands behind what is next.
      for (const [behind, inset] of [
        [6, 10],
        [3, 5],
      ] as const) {
        const back = {
          x: on.x,
          y: on.y + inset * scale,
          width: on.width + behind * scale,
          height: on.height - 2 * inset * scale,
        };
        pen.box(back, 5 * scale, colours.surface, colours.line);
      }
      pen.box(on, 7 * scale, colours.surface, colours.lineStrong);
      break;
    case 'cloud':
      ctx.setLineDash([4, 3]);
      pen.box(on, 14 * scale, colours.surface, colours.lineStrong);
      ctx.setLineDash([]);
      break;
    default:
      pen.box(on, 7 * scale, colours.surface, colours.lineStrong);
  }
}

function drawName(pen: Pen, block: BlockBox, paint: CardPaint): void {
  const { colours, levels } = paint;
  const isFar = levels.figures === 0;
  const line = nameLineOf(block);
  if (!isFar) {
    const shape = shapeGlyphs[shapeOf(block, paint)] ?? shapeGlyphs.box!;
    const scale = pen.view.scale;
    const x = pen.x(block.x + block.card.pad + 6.5);
    glyph(pen.ctx, shape, x, pen.y(line - 4.5), 5.6 * scale, hueFor(block, paint), 1.5 * scale);
    if (block.nodes.length > 1) drawChevron(pen, block, colours.textFaint);
  }
  const px = Math.min(levels.namePx, isFar ? block.card.head * 0.85 : 15);
  const left = isFar ? block.x + 6 : nameLeftOf(block);
  const base = isFar ? block.y + Math.min(block.card.head - 2, 5 + px) : line;
  pen.text(block.name, left, base, {
    px,
    weight: 600,
    colour: colours.text,
    widthMax: block.x + block.width - left - (isFar ? 4 : block.card.pad + 14),
  });
}

/** Its baseline. */
function nameLineOf(block: BlockBox): number {
  return block.y + (block.card.lines === 1 ? 17.5 : 24);
}

/** Past its sign. */
function nameLeftOf(block: BlockBox): number {
  return block.x + block.card.pad + 20;
}

/** Down: its nodes are shown. Right: they would be. */
function drawChevron(pen: Pen, block: BlockBox, colour: string): void {
  const at = chevronOf(block);
  const scale = pen.view.scale;
  const x = pen.x(at.x + at.width / 2);
  const y = pen.y(at.y + at.height / 2);
  const arm = 2.6 * scale;
  const { ctx } = pen;
  ctx.beginPath();
  if (block.isOpen) {
    ctx.moveTo(x - arm, y - arm / 2);
    ctx.lineTo(x, y + arm / 2);
    ctx.lineTo(x + arm, y - arm / 2);
  } else {
    ctx.moveTo(x - arm / 2, y - arm);
    ctx.lineTo(x + arm / 2, y);
    ctx.lineTo(x - arm / 2, y + arm);
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.3 * scale;
  ctx.stroke();
}

// What every frame changes -----------------------------------------------------------------------

function drawFigures(pen: Pen, block: BlockBox, figures: BlockFigures, paint: CardPaint): void {
  const { colours, levels } = paint;
  if (levels.figures === 0) return;
  const { ctx } = pen;
  const alpha = ctx.globalAlpha;
  ctx.globalAlpha = alpha * levels.figures;
  const left = block.x + block.card.pad;
  const right = block.x + block.width - block.card.pad;
  drawCount(pen, block, figures, right - (block.nodes.length > 1 ? 11 : 0), paint);
  if (block.card.lines === 1) {
    ctx.globalAlpha = alpha;
    return;
  }
  const below = block.y + 41;
  const px = levels.figurePx;
  const style = { px, weight: 500 } as const;
  if (figures.health === 'unknown') {
    pen.text('–', left, below, { ...style, colour: colours.textFaint });
  } else {
    const hasErrors = figures.errorRatio > 0.0005;
    const { rate, p99 } = cardTexts(
      rateText(figures.ratePerSec),
      figures.p99Us > 0 ? durationText(figures.p99Us) : '',
      right - left,
      // As wide as the wider of the two: the rate stands in stronger letters.
      (text) => pen.width(text, px, style.weight),
    );
    pen.text(rate, left, below, {
      ...style,
      colour: hasErrors ? colours.badText : colours.textSoft,
    });
    pen.text(p99, right, below, { px, align: 'right', colour: colours.textFaint });
  }
  ctx.globalAlpha = alpha;
}

/**
 * Top right, in what room the name leaves: how many are up when not all are; else what waits, or
 * how many there are; where there is no second line, the rate.
 */
function drawCount(
  pen: Pen,
  block: BlockBox,
  figures: BlockFigures,
  right: number,
  { colours }: CardPaint,
): void {
  const y = nameLineOf(block);
  const style = { px: 10.5, align: 'right', weight: 600 } as const;
  const room = right - nameLeftOf(block) - pen.width(block.name, 13, 600) - 4;
  const total = block.nodes.length;
  if (figures.health === 'unknown') return;
  if (figures.upCount < total) {
    const up = `${figures.upCount}/${total}`;
    pen.text(up, right, y, { ...style, colour: colours.badText, halo: colours.surface });
  } else if (block.card.lines === 1) {
    const rate = rateText(figures.ratePerSec);
    if (pen.width(rate, style.px) > room) return;
    const colour = figures.errorRatio > 0.0005 ? colours.badText : colours.textFaint;
    pen.text(rate, right, y, { ...style, weight: 400, colour });
  } else if (figures.queue > 1) {
    const queue = countText(figures.queue);
    const width = pen.width(queue, style.px, 600);
    if (width > room) return;
    pen.text(queue, right, y, { ...style, colour: colours.warnText });
    if (width + 12 <= room) {
      drawTicks(pen, Math.min(3, figures.queue), right - width - 3, y - 8.5, 8.5, colours.queue);
    }
  } else if (total > 1 && pen.width(`×${total}`, style.px) <= room) {
    pen.text(`×${total}`, right, y, { ...style, weight: 400, colour: colours.textFaint });
  }
}

function drawDown(pen: Pen, block: BlockBox, { colours }: CardPaint): void {
  pen.box(grown(pen.rect(block), 1), 8, undefined, colours.bad, 2);
}

function shapeOf(block: BlockBox, paint: CardPaint): string {
  return paint.palette.get(paint.views.get(block.name)?.kind ?? '')?.shape ?? 'box';
}

function hueFor(block: BlockBox, paint: CardPaint): string {
  const kind = paint.views.get(block.name)?.kind ?? '';
  return hueOf(paint.colours, paint.palette.get(kind)?.colour);
}

function asideAlpha(block: BlockBox, { focus }: CardPaint): number {
  return focus === undefined || focus.has(block.name) ? 1 : 0.3;
}
