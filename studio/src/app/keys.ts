/** What keys do on the page, where nobody types. The help lists these and no others. */
import { type Panel, panels } from '../state/store.ts';

export type KeyAction =
  | { readonly do: 'play' | 'run' | 'next' | 'previous' | 'forth' | 'back' | 'start' | 'end' }
  | { readonly do: 'faster' | 'slower' | 'theme' | 'keys' | 'panel' | 'faults' | 'clear' }
  | { readonly do: 'kill' }
  | { readonly do: 'show'; readonly panel: Panel };

export interface KeyHelp {
  readonly keys: readonly string[];
  readonly what: string;
  readonly group: 'Run' | 'Time' | 'Break' | 'Graph' | 'Board' | 'Page';
}

export const keyHelp: readonly KeyHelp[] = [
  { keys: ['R'], what: 'Run with what stands above', group: 'Run' },
  { keys: ['Space'], what: 'Play or pause', group: 'Time' },
  { keys: ['[', ']'], what: 'Previous and next event', group: 'Time' },
  { keys: [',', '.'], what: 'One frame back and forth', group: 'Time' },
  { keys: ['<', '>'], what: 'Slower and faster', group: 'Time' },
  { keys: ['Home', 'End'], what: 'To the beginning and the end', group: 'Time' },
  {
    keys: ['Right-click', 'Shift F10'],
    what: 'Faults for what is pointed at or focused',
    group: 'Break',
  },
  { keys: ['B'], what: 'Faults for what is selected', group: 'Break' },
  { keys: ['K'], what: 'Kill what is selected, at the playhead', group: 'Break' },
  { keys: ['Tab', '↑ ↓ ← →'], what: 'Into the graph, and from block to block', group: 'Graph' },
  { keys: ['+', '-', '0', 'F'], what: 'Zoom in, out, to 100 %, fit', group: 'Graph' },
  { keys: ['O'], what: 'Open or close a block', group: 'Graph' },
  { keys: ['/'], what: 'Search for a block or node', group: 'Graph' },
  { keys: ['Ctrl Z', 'Ctrl Y'], what: 'Undo and redo', group: 'Board' },
  { keys: ['C'], what: 'Connect the block that has the focus', group: 'Board' },
  { keys: ['↑ ↓ ← →'], what: 'Move the block that has the focus', group: 'Board' },
  { keys: ['Delete'], what: 'Remove what is selected', group: 'Board' },
  { keys: ['1 … 9'], what: 'Verdict, charts, faults and so on', group: 'Page' },
  { keys: ['S'], what: 'The source', group: 'Page' },
  { keys: ['\\'], what: 'Close or open the panel', group: 'Page' },
  { keys: ['T'], what: 'Light, dark or as the system', group: 'Page' },
  { keys: ['Esc'], what: 'Close what is open; select nothing', group: 'Page' },
  { keys: ['?'], what: 'These keys', group: 'Page' },
];

const plain: Readonly<Record<string, KeyAction>> = {
  ' ': { do: 'play' },
  r: { do: 'run' },
  '[': { do: 'previous' },
  ']': { do: 'next' },
  ',': { do: 'back' },
  '.': { do: 'forth' },
  '<': { do: 'slower' },
  '>': { do: 'faster' },
  Home: { do: 'start' },
  End: { do: 'end' },
  b: { do: 'faults' },
  k: { do: 'kill' },
  '\\': { do: 'panel' },
  s: { do: 'show', panel: 'source' },
  t: { do: 'theme' },
  '?': { do: 'keys' },
  Escape: { do: 'clear' },
};

export interface Press {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

export function keyAction(press: Press): KeyAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  // Zero is the graph's: 100 %.
  const panel = /^[1-9]$/.test(press.key) ? panels[Number(press.key) - 1] : undefined;
  if (panel !== undefined) return { do: 'show', panel };
  return plain[press.key] ?? plain[press.key.toLowerCase()];
}
