/** The diagram as files: SVG as it is seen, and Mermaid for documents that draw it themselves. */
import type { MessageRow } from 'loadpath/studio';
import { spanAxis } from '../parts/plot/axis.ts';
import type { Ink } from '../parts/plot/plot.ts';
import { escaped } from '../parts/plot/svg.ts';
import {
  type Frame2D,
  fateWords,
  instantText,
  type Line,
  laneTop,
  laneY,
  messageInWords,
  xOf,
} from './diagram.ts';

export interface ExportColours {
  readonly paper: string;
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly fault: string;
}

const labelWidth = 90;

export function diagramSvg(
  frame: Frame2D,
  lines: readonly Line[],
  inks: ReadonlyMap<string, Ink>,
  inkOf: (ink: Ink) => string,
  colours: ExportColours,
): string {
  const { width, height, span } = frame;
  const ticks = spanAxis(span.fromUs / 1e6, span.toUs / 1e6, 6).ticks.map((tick) => {
    const x = near(xOf(frame, tick * 1e6));
    return `<path d="M${x} ${laneTop - 8}V${height}" stroke="${colours.line}"/><text x="${x}" y="16" fill="${colours.faint}" text-anchor="middle">${instantText(tick * 1e6, span.toUs - span.fromUs)}</text>`;
  });
  const lanes = frame.lanes.map((lane, index) => {
    const y = laneY(index);
    return `<path d="M0 ${y}H${width}" stroke="${colours.faint}"/><text x="-8" y="${y + 4}" fill="${colours.text}" text-anchor="end">${escaped(lane)}</text>`;
  });
  const arrows = lines.map(({ message, x1, y1, x2, y2, hasArrived }) => {
    const colour = hasArrived ? inkOf(inks.get(message.block) ?? 'series-1') : colours.fault;
    const dash = hasArrived && !message.late ? '' : ' stroke-dasharray="4 3"';
    const end = hasArrived ? arrowHead(x1, y1, x2, y2, colour) : cross(x2, y2, colour);
    return `<g><title>${escaped(messageInWords(message))}</title><path d="M${near(x1)} ${y1}L${near(x2)} ${near(y2)}" stroke="${colour}" fill="none" stroke-width="1.3"${dash}/>${end}</g>`;
  });
  const whole = width + labelWidth;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${height}" viewBox="${-labelWidth} 0 ${whole} ${height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="11"><rect x="${-labelWidth}" width="${whole}" height="${height}" fill="${colours.paper}"/>${ticks.join('')}${lanes.join('')}${arrows.join('')}</svg>\n`;
}

/** More than this no renderer of Mermaid lays out well. */
const mermaidMax = 120;

export function diagramMermaid(messages: readonly MessageRow[], lanes: readonly string[]): string {
  const names = new Map(lanes.map((lane, index) => [lane, `n${index}`]));
  const shown = messages.filter((message) => names.has(message.from) && names.has(message.to));
  const lines = [...shown]
    .sort((a, b) => a.sentAt - b.sentAt)
    .slice(0, mermaidMax)
    .map((message) => {
      const arrow = message.arrivedAt === null ? '--x' : message.late ? '-->>' : '->>';
      const fate = message.fate === 'delivered' ? '' : ` (${fateWords[message.fate]})`;
      // A semicolon or a hash would end Mermaid's line.
      const text = `${message.what}${fate}`.replace(/[;\n]/g, ' ').replaceAll('#', '');
      return `  ${names.get(message.from)}${arrow}${names.get(message.to)}: ${text}`;
    });
  const participants = lanes.map((lane) => `  participant ${names.get(lane)} as ${lane}`);
  const left = shown.length - lines.length;
  const rest = left > 0 ? [`  Note over n0: ${left} further messages are left out`] : [];
  return ['sequenceDiagram', ...participants, ...lines, ...rest, ''].join('\n');
}

function arrowHead(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const point = (turn: number) =>
    `${near(x2 - 7 * Math.cos(angle + turn))} ${near(y2 - 7 * Math.sin(angle + turn))}`;
  return `<path d="M${near(x2)} ${near(y2)}L${point(-0.4)}L${point(0.4)}Z" fill="${colour}"/>`;
}

function cross(x: number, y: number, colour: string): string {
  return `<path d="M${near(x - 4)} ${near(y - 4)}l8 8m0 -8l-8 8" stroke="${colour}" stroke-width="1.6"/>`;
}

function near(value: number): number {
  return Math.round(value * 10) / 10;
}
