/** What keys do on the page, where nobody types. The help lists these and no others. */
import { type Selection, selectionTypes } from '../state/selection.ts';
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
  { keys: ['B'], what: 'Faults for what is focused or selected', group: 'Break' },
  { keys: ['K'], what: 'Kill what is focused or selected, at the playhead', group: 'Break' },
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

/** A panel has the same key wherever it has a tab, and none where it has not. */
export function keyAction(press: Press, tabs: readonly Panel[]): KeyAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  const action = meaningOf(press.key);
  return action?.do === 'show' && !tabs.includes(action.panel) ? undefined : action;
}

function meaningOf(key: string): KeyAction | undefined {
  // Zero is the graph's: 100 %.
  const panel = /^[1-9]$/.test(key) ? panels[Number(key) - 1] : undefined;
  if (panel !== undefined) return { do: 'show', panel };
  return plain[key] ?? plain[key.toLowerCase()];
}

interface Focused {
  readonly dataset: Readonly<Record<string, string | undefined>>;
  matches(selectors: ':focus-visible'): boolean;
}

/**
 * What a key is about: where the keyboard has led to on the graph, before what was selected earlier.
 * A focus that only a click left behind is not seen: what that click selected may be selected no more.
 */
export function meantBy(focused: Focused | null, selection: Selection | null): Selection | null {
  const { type: named, id } = focused?.dataset ?? {};
  const type = selectionTypes.find((one) => one === named);
  if (!type || id === undefined || !focused?.matches(':focus-visible')) return selection;
  return { type, id };
}
