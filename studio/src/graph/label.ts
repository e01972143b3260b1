/** How things on the graph are called aloud, with the figures of now: `links/1, replica in zone b, up, 210/s, p99 3 ms`. */
import type { BlockView } from 'loadpath/studio';
import {
  countText,
  durationText,
  plural,
  rateText,
  shareText,
  shorterTexts,
} from '../parts/format.ts';
import {
  type BlockFigures,
  type NodeFigures,
  type NodeLook,
  nodeWord,
  type PathFigures,
  type PathLook,
} from './scene.ts';

export const nodeLookText: Readonly<Record<NodeLook, string>> = {
  unknown: 'no figures yet',
  up: 'up',
  standby: 'up, standing by',
  down: 'down',
  paused: 'paused',
  slow: 'slow',
  sick: 'disk full or failing',
  new: 'not started yet',
  absent: 'not there any more, or not yet',
};

export const pathLookText: Readonly<Record<PathLook, string>> = {
  unknown: 'no figures yet',
  open: 'open',
  idle: 'idle',
  standby: 'standing by',
  cut: 'cut',
  partly: 'cut for some',
  lossy: 'losing messages',
  slow: 'delayed',
  refused: 'most calls fail',
};

export function nodeLabel(
  node: { readonly id: string; readonly zone: string },
  block: BlockView,
  figures: NodeFigures | undefined,
): string {
  const who = `${node.id}, ${nodeWord(block)} in zone ${node.zone}`;
  return figures ? `${who}, ${nodeLookText[figures.look]}${rates(figures)}` : who;
}

export function blockLabel(block: BlockView, figures: BlockFigures | undefined): string {
  const who = `${block.name}, ${block.kind}, ${plural(block.nodes.length, nodeWord(block))}`;
  if (!figures || figures.health === 'unknown') return who;
  const up =
    figures.health === 'well' ? 'all up' : `${figures.upCount} of ${block.nodes.length} up`;
  return `${who}, ${up}${rates(figures)}`;
}

export function pathLabel(from: string, to: string, figures: PathFigures | undefined): string {
  const who = `path from ${from} to ${to}`;
  if (!figures) return who;
  const state =
    figures.look === 'partly'
      ? `cut for ${figures.cutCount} of ${figures.callerCount}`
      : pathLookText[figures.look];
  return `${who}, ${state}${rates(figures)}`;
}

/** Between the two figures of a card. */
const apart = 8;

/**
 * What a card says in one line of so much room: decimals go before a unit does, and a p99 that has
 * no room at all is left out, because a figure that is cut off reads as another one.
 */
export function cardTexts(
  rate: string,
  p99: string,
  room: number,
  widthOf: (text: string) => number,
): { readonly rate: string; readonly p99: string } {
  if (p99 === '') return { rate, p99 };
  const tails = [`p99 ${p99}`, ...shorterTexts(p99)];
  for (const shown of shorterTexts(rate)) {
    const left = room - apart - widthOf(shown);
    const tail = tails.find((text) => widthOf(text) <= left);
    if (tail !== undefined) return { rate: shown, p99: tail };
  }
  return { rate, p99: '' };
}

interface Rated {
  readonly ratePerSec: number;
  readonly errorRatio: number;
  readonly p99Us: number;
  readonly queue?: number;
}

function rates({ ratePerSec, errorRatio, p99Us, queue = 0 }: Rated): string {
  const parts = [rateText(ratePerSec)];
  if (errorRatio > 0) parts.push(`${shareText(errorRatio)} errors`);
  if (p99Us > 0) parts.push(`p99 ${durationText(p99Us)}`);
  if (queue > 0) parts.push(`queue ${countText(queue)}`);
  return `, ${parts.join(', ')}`;
}
