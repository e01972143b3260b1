/** A knob table as people read it: in a block's README (a test keeps it fresh) and in `explain`. */
import { type Knob, type Knobs, show } from '../kit/config.ts';

export interface KnobRow {
  readonly name: string;
  /** As a user would write it; undefined: left out. */
  readonly preset: string | undefined;
  readonly allowed: string;
  readonly doc: string;
}

export function knobRows(knobs: Knobs): KnobRow[] {
  return Object.entries(knobs).map(([name, knob]) => ({
    name,
    preset:
      knob.preset === undefined ? undefined : (knob.print?.(knob.preset) ?? show(knob.preset)),
    allowed: knob.allowed,
    doc: knob.doc,
  }));
}

/** A Markdown table, one row a knob. */
export function knobTable(knobs: Knobs): string {
  const rows = knobRows(knobs).map(
    ({ name, preset, allowed, doc }) =>
      `| \`${name}\` | ${preset === undefined ? 'none' : `\`${preset}\``} | ${cell(allowed)} | ${cell(doc)} |`,
  );
  return [
    '| option | default | allowed | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Whether a value that some module exports is a knob table. */
export function isKnobs(value: unknown): value is Knobs {
  if (typeof value !== 'object' || value === null) return false;
  const knobs = Object.values(value);
  return knobs.length > 0 && knobs.every(isKnob);
}

function isKnob(value: unknown): value is Knob {
  return (
    typeof value === 'object' &&
    value !== null &&
    'unit' in value &&
    'doc' in value &&
    'parse' in value &&
    typeof value.parse === 'function'
  );
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
