/**
 * The form of a block, from its knob table: one field an option, with what stands there, what the
 * design says, what is allowed and why. Typed text becomes a value here; whether a value is allowed
 * in all respects only the server knows, and what it refused comes back to the field it is about.
 */
import {
  type KnobView,
  type ProblemView,
  parseBytes,
  parseDuration,
  parseRate,
} from 'loadpath/studio';
import type { Edits, OptionValue } from '../state/edits.ts';

export type FieldUnit =
  | 'choice'
  | 'count'
  | 'duration'
  | 'rate'
  | 'bytes'
  | 'ratio'
  | 'text'
  | 'flag';

export interface FormField {
  /** `links.replicas`. */
  readonly key: string;
  readonly name: string;
  readonly unit: FieldUnit;
  /** What the next run gets; undefined: the option is left out. */
  readonly value: OptionValue | undefined;
  /** What the design says. */
  readonly own: OptionValue | undefined;
  readonly isEdited: boolean;
  /** The design says something else than the default. */
  readonly isSetByDesign: boolean;
  readonly preset: string | number | boolean | null;
  readonly choices: readonly string[];
  readonly bounds: Bounds;
  readonly allowed: string;
  readonly doc: string;
  readonly problem: string | null;
}

export interface Bounds {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

export function fieldsOf(
  block: string,
  knobs: readonly KnobView[],
  options: Readonly<Record<string, OptionValue>>,
  edits: Edits,
  problems: readonly ProblemView[],
): FormField[] {
  const known = new Set(knobs.map((knob) => knob.name));
  // Options of parts inside the block (`policy.retry.attempts`) have no knob of the block's own.
  const further = Object.keys(options).filter((name) => !known.has(name));
  return [...knobs, ...further.map((name) => knobOf(name, options[name]!))].map((knob) => {
    const key = `${block}.${knob.name}`;
    const own = options[knob.name];
    const edited = edits[key];
    return {
      key,
      name: knob.name,
      unit: unitOf(knob.unit),
      value: edited ?? own ?? undefined,
      own,
      isEdited: edited !== undefined,
      isSetByDesign: own !== undefined && own !== knob.preset,
      preset: knob.preset,
      choices: knob.choices ?? [],
      bounds: boundsIn(knob.allowed),
      allowed: knob.allowed,
      doc: knob.doc,
      problem: problems.find((problem) => problem.at === key)?.what ?? null,
    };
  });
}

/** The value that was typed, or what is wrong with it. */
export function readField(
  field: Pick<FormField, 'unit' | 'allowed' | 'bounds' | 'choices'>,
  typed: string,
): { readonly value: OptionValue } | { readonly problem: string } {
  const text = typed.trim();
  const wrong = { problem: `Must be ${field.allowed}.` };
  switch (field.unit) {
    case 'count':
    case 'ratio': {
      const value = Number(text);
      const isWhole = field.unit === 'ratio' || Number.isSafeInteger(value);
      return text !== '' && Number.isFinite(value) && isWhole && within(value, field.bounds)
        ? { value }
        : wrong;
    }
    case 'duration':
      return parseDuration(text) === undefined ? wrong : { value: text };
    case 'bytes':
      return parseBytes(text) === undefined ? wrong : { value: text };
    case 'rate':
      return parseRate(text) === undefined ? wrong : { value: text };
    case 'flag':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : wrong;
    case 'choice':
      return field.choices.includes(text) ? { value: text } : wrong;
    case 'text':
      return { value: typed };
  }
}

/** What a step up or down from a value comes to: by one, or to the next round number of its unit. */
export function stepped(unit: FieldUnit, value: string, direction: 1 | -1): string | undefined {
  if (unit === 'count') {
    const count = Number(value);
    return Number.isFinite(count) ? String(Math.max(0, count + direction)) : undefined;
  }
  const match = /^(\d+(?:\.\d+)?)(.*)$/.exec(value.trim());
  if (!match || (unit !== 'duration' && unit !== 'rate' && unit !== 'bytes')) return undefined;
  const figure = Number(match[1]);
  const step = 10 ** Math.floor(Math.log10(Math.max(1, direction > 0 ? figure : figure - 1e-9)));
  const next = Number((figure + direction * step).toPrecision(12));
  return next > 0 ? `${next}${match[2]}` : undefined;
}

/** Numbers in `a whole number from 1 to 9`, `at least 2`: for sliders and steppers, as far as told. */
export function boundsIn(allowed: string): Bounds {
  const span = /from (-?[\d.]+) to (-?[\d.]+)$/.exec(allowed);
  if (span) return { min: Number(span[1]), max: Number(span[2]) };
  const least = /at least (-?[\d.]+)$/.exec(allowed);
  return { min: least ? Number(least[1]) : undefined, max: undefined };
}

/** Fields that a word occurs in: a table of thirty options is searched, not read. */
export function matching(fields: readonly FormField[], search: string): readonly FormField[] {
  const wanted = search.trim().toLowerCase();
  if (wanted === '') return fields;
  return fields.filter(({ name, doc }) => `${name} ${doc}`.toLowerCase().includes(wanted));
}

function within(value: number, { min, max }: Bounds): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}

const units: readonly FieldUnit[] = [
  'choice',
  'count',
  'duration',
  'rate',
  'bytes',
  'ratio',
  'text',
  'flag',
];

function unitOf(unit: string): FieldUnit {
  return units.find((known) => known === unit) ?? 'text';
}

function knobOf(name: string, value: OptionValue): KnobView {
  const unit =
    typeof value === 'boolean'
      ? 'flag'
      : typeof value === 'number'
        ? Number.isInteger(value)
          ? 'count'
          : 'ratio'
        : parseDuration(value) === undefined
          ? 'text'
          : 'duration';
  const allowed = {
    flag: 'true or false',
    count: 'a whole number',
    ratio: 'a number',
    duration: `a duration like '${value}'`,
    text: 'text',
  }[unit];
  return { name, unit, preset: null, choices: null, allowed, doc: '' };
}
