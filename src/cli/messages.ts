/** Messages between nodes, for a terminal or as a Mermaid sequence diagram for a document. */
import type { Micros } from '../host/host.ts';
import type { MessageRow, MessageWindow } from '../run/traced.ts';
import { count } from './figures.ts';
import { cut, table } from './style.ts';

const columnsMax = 100;

/**
 *   10.000 312s  links/0 → links/1  +0.421ms  store #5 a
 *   10.000 514s  links/0 → links/2      lost  store #5 a
 */
export function renderMessages({ messages, leftOut, fromUs, toUs }: MessageWindow): string {
  if (messages.length === 0) {
    return `Nothing was said between ${instant(fromUs)} and ${instant(toUs)}.`;
  }
  const rows = messages.map((row) => [
    instant(row.sentAt),
    `${row.from} → ${row.to}`,
    fateOf(row),
    row.what,
  ]);
  const lines = table(rows, [true, false, true, false]).map((line) => cut(line, columnsMax));
  return [...lines, ...(leftOut > 0 ? [`… and ${count(leftOut)} more`] : [])].join('\n');
}

function fateOf({ fate, sentAt, arrivedAt, late }: MessageRow): string {
  if (arrivedAt === null) return fate === 'delivered' ? 'under way' : fate;
  const after = `+${((arrivedAt - sentAt) / 1_000).toFixed(3)}ms`;
  return [...(fate === 'twice' ? ['again'] : []), ...(late ? ['late'] : []), after].join(' ');
}

/** To the microsecond, since most of what happens between nodes happens within one millisecond. */
function instant(at: Micros): string {
  return `${(at / 1e6).toFixed(6)}s`;
}

/** Late answers are dashed, what never got there ends in a cross. */
export function sequenceDiagram({ messages, leftOut, fromUs }: MessageWindow): string {
  const nodes = [...new Set(messages.flatMap(({ from, to }) => [from, to]))].sort();
  const names = new Map(nodes.map((node, index) => [node, `n${index}`]));
  return [
    'sequenceDiagram',
    ...nodes.map((node) => `  participant ${names.get(node)} as ${node}`),
    ...messages.map((row) => {
      const arrow = row.arrivedAt === null ? '-x' : row.late ? '-->>' : '->>';
      const fate = row.fate === 'delivered' ? '' : ` (${row.fate})`;
      const at = `+${((row.sentAt - fromUs) / 1_000).toFixed(3)}ms`;
      return `  ${names.get(row.from)}${arrow}${names.get(row.to)}: ${at} ${escaped(row.what)}${fate}`;
    }),
    ...(leftOut > 0 ? [`  %% and ${leftOut} more messages`] : []),
  ].join('\n');
}

/** Mermaid ends a statement at a semicolon and reads `#…;` as a character. */
function escaped(text: string): string {
  return cut(text, 60).replace(/[#;<>]/g, (letter) => `#${letter.charCodeAt(0)};`);
}
