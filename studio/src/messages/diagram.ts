/**
 * A space-time diagram as arithmetic: a lane a node, time from left to right, a message a line from
 * where and when it left to where and when it came. Pure; `draw.ts` and `export.ts` put it on a canvas
 * and into a file.
 */
import type { MessageRow, RunEvent } from 'loadpath/studio';
import { durationText } from '../parts/format.ts';
import { type Ink, inks } from '../parts/plot/plot.ts';

export interface TimeSpan {
  readonly fromUs: number;
  readonly toUs: number;
}

export interface Frame2D {
  readonly width: number;
  readonly height: number;
  readonly span: TimeSpan;
  readonly lanes: readonly string[];
}

export const laneHeight = 34;
export const laneTop = 34;

export function heightOf(laneCount: number): number {
  return laneTop + laneCount * laneHeight;
}

export function xOf({ span, width }: Pick<Frame2D, 'span' | 'width'>, us: number): number {
  return ((us - span.fromUs) / (span.toUs - span.fromUs)) * width;
}

export function usAt({ span, width }: Pick<Frame2D, 'span' | 'width'>, x: number): number {
  return span.fromUs + (x / width) * (span.toUs - span.fromUs);
}

export function laneY(index: number): number {
  return laneTop + index * laneHeight + laneHeight / 2;
}

/** The nodes that speak or are spoken to, in the order of the design. */
export function lanesOf(messages: readonly MessageRow[], order: readonly string[]): string[] {
  const there = new Set(messages.flatMap((message) => [message.from, message.to]));
  const known = order.filter((node) => there.delete(node));
  return [...known, ...there];
}

export interface Line {
  readonly message: MessageRow;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** It came; what did not ends on its way. */
  readonly hasArrived: boolean;
}

/** How far what was lost is drawn: it left, and nobody knows where it ended. */
const lostShare = 0.55;

/**
 * Lines that touch the span, between lanes that are shown. What never came is drawn as if it had
 * been as quick as others were, for a part of the way.
 */
export function linesOf(messages: readonly MessageRow[], frame: Frame2D): Line[] {
  const laneIndex = new Map(frame.lanes.map((lane, index) => [lane, index]));
  const usualUs = usualDelay(messages);
  const lines: Line[] = [];
  for (const message of messages) {
    const from = laneIndex.get(message.from);
    const to = laneIndex.get(message.to);
    if (from === undefined || to === undefined) continue;
    const hasArrived = message.arrivedAt !== null;
    const untilUs =
      message.arrivedAt ?? message.sentAt + usualUs * (message.fate === 'refused' ? 1 : lostShare);
    if (untilUs < frame.span.fromUs || message.sentAt > frame.span.toUs) continue;
    const share = hasArrived || message.fate === 'refused' ? 1 : lostShare;
    const y1 = laneY(from);
    lines.push({
      message,
      x1: xOf(frame, message.sentAt),
      y1,
      x2: xOf(frame, untilUs),
      y2: y1 + (laneY(to) - y1) * share,
      hasArrived,
    });
  }
  return lines;
}

/** The median of what arrived. */
export function usualDelay(messages: readonly MessageRow[]): number {
  const delays = messages.flatMap(({ sentAt, arrivedAt }) =>
    arrivedAt === null ? [] : [arrivedAt - sentAt],
  );
  delays.sort((a, b) => a - b);
  return delays[delays.length >> 1] ?? 500;
}

/** The line nearest to a point, as long as it is near enough to be meant. */
export function lineAt(
  lines: readonly Line[],
  x: number,
  y: number,
  reachPx = 7,
): Line | undefined {
  let nearest: Line | undefined;
  let least = reachPx;
  for (const line of lines) {
    const distance = distanceTo(line, x, y);
    if (distance < least) {
      least = distance;
      nearest = line;
    }
  }
  return nearest;
}

function distanceTo({ x1, y1, x2, y2 }: Line, x: number, y: number): number {
  const dx = x2 - x1;
  const dy = y2 - y1;
  const length = dx * dx + dy * dy;
  const share =
    length === 0 ? 0 : Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / length));
  return Math.hypot(x - (x1 + share * dx), y - (y1 + share * dy));
}

/** Closer or farther, with the instant under the pointer staying where it is; never outside the whole. */
export function zoomed(span: TimeSpan, whole: TimeSpan, atUs: number, factor: number): TimeSpan {
  const wholeUs = whole.toUs - whole.fromUs;
  const lengthUs = Math.max(20, Math.min(wholeUs, (span.toUs - span.fromUs) * factor));
  const share = (atUs - span.fromUs) / (span.toUs - span.fromUs);
  return within(atUs - share * lengthUs, lengthUs, whole);
}

export function panned(span: TimeSpan, whole: TimeSpan, byUs: number): TimeSpan {
  return within(span.fromUs + byUs, span.toUs - span.fromUs, whole);
}

function within(fromUs: number, lengthUs: number, whole: TimeSpan): TimeSpan {
  const start = Math.max(whole.fromUs, Math.min(fromUs, whole.toUs - lengthUs));
  return { fromUs: start, toUs: start + lengthUs };
}

export interface Outage extends TimeSpan {
  readonly node: string;
}

/** When which node was down, from the crashes and boots of the run. */
export function outagesOf(events: readonly RunEvent[]): Outage[] {
  const outages: Outage[] = [];
  const since = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'crash' && !since.has(event.node)) since.set(event.node, event.at);
    if (event.type !== 'boot') continue;
    const fromUs = since.get(event.node);
    if (fromUs !== undefined) outages.push({ node: event.node, fromUs, toUs: event.at });
    since.delete(event.node);
  }
  for (const [node, fromUs] of since)
    outages.push({ node, fromUs, toUs: Number.POSITIVE_INFINITY });
  return outages;
}

/** Not the colour of what never arrived. */
const blockInks = inks.filter((ink) => ink !== 'series-2');

/** A colour a block; the same for the same blocks. */
export function inksOf(messages: readonly MessageRow[]): ReadonlyMap<string, Ink> {
  const blocks = [...new Set(messages.map((message) => message.block))].sort();
  return new Map(blocks.map((block, index) => [block, blockInks[index % blockInks.length]!]));
}

export const fateWords: Readonly<Record<MessageRow['fate'], string>> = {
  delivered: 'delivered',
  lost: 'lost on the way',
  cut: 'cut off: no way between them',
  refused: 'refused: nobody listened there',
  twice: 'delivered twice',
};

/** `links/0 → links/2: prepare k3f9, after 1.2 ms` */
export function messageInWords({
  from,
  to,
  what,
  sentAt,
  arrivedAt,
  fate,
  late,
}: MessageRow): string {
  const how =
    arrivedAt === null ? fateWords[fate] : `${durationText(arrivedAt - sentAt)} on the way`;
  const twice = fate === 'twice' ? ', delivered twice' : '';
  return `${from} → ${to}: ${what}. ${how}${twice}${late ? ', late: nobody waited for it any more' : ''}`;
}

/** An instant, as exactly as a window of this length needs it: `20.4123 s`. */
export function instantText(us: number, spanUs: number): string {
  const digits = Math.max(0, Math.min(6, Math.ceil(6 - Math.log10(Math.max(1, spanUs / 10)))));
  return `${(us / 1e6).toFixed(digits)} s`;
}
