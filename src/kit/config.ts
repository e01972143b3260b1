/**
 * A knob is written once: default, unit, bounds and reason. From the table come the type
 * (`ConfigOf`), the check (`configure`), the README's table, `loadpath explain` and
 * Studio's form.
 *
 *   knobs = { timeout: duration('50ms', { min: '1ms', doc: '…' }) }
 *
 *   users write  { timeout: '80ms' }          OptionsOf<typeof knobs>
 *   code reads   { timeoutUs: 80_000 }        ConfigOf<typeof knobs>
 */
import type { Problem } from './errors.ts';
import { settle } from './settings.ts';
import {
  type BytesText,
  type DurationText,
  formatBytes,
  formatDuration,
  formatRate,
  parseBytes,
  parseDuration,
  parseRate,
  type Rate,
  type RateText,
  ratePerSec,
} from './units.ts';

export type Unit =
  | 'choice'
  | 'count'
  | 'duration'
  | 'rate'
  | 'bytes'
  | 'ratio'
  | 'text'
  | 'flag'
  /** A cost or a latency: a duration that may be drawn. */
  | 'draw';

/** One knob. `Given` is what a user may write, `Kept` what the code reads. */
export interface Knob<U extends Unit = Unit, Given = unknown, Kept = unknown> {
  readonly unit: U;
  /** As a user would write it, for tables; undefined when the knob is optional without a default. */
  readonly preset: Given | undefined;
  readonly doc: string;
  /** What is allowed, in words: `at least 1`, `one of lru, fifo`. */
  readonly allowed: string;
  /** The kept value, or undefined when `given` is not allowed. */
  parse(given: unknown): Kept | undefined;
  /** Set for `choice`. */
  readonly choices?: readonly string[];
  /** What was given as text that `parse` takes too, where it need not be text, number or flag. */
  print?(given: unknown): string | undefined;
}

export type Knobs = Readonly<Record<string, Knob>>;

type KeptName<K extends string, T> =
  T extends Knob<'duration', infer _G, infer _V>
    ? `${K}Us`
    : T extends Knob<'bytes', infer _G, infer _V>
      ? `${K}Bytes`
      : K;

/** What the code reads: durations end in `Us`, sizes in `Bytes`. */
export type ConfigOf<T extends Knobs> = {
  readonly [K in keyof T & string as KeptName<K, T[K]>]: T[K] extends Knob<Unit, unknown, infer V>
    ? V
    : never;
};

/** What a user may write. Everything has a default. */
export type OptionsOf<T extends Knobs> = {
  readonly [K in keyof T]?: T[K] extends Knob<Unit, infer G, unknown> ? G | undefined : never;
};

interface Bounds<T> {
  readonly min?: T;
  readonly max?: T;
  readonly doc: string;
}

export function choice<const C extends string>(
  choices: readonly [C, ...C[]],
  doc: string,
): Knob<'choice', C, C> {
  return {
    unit: 'choice',
    preset: choices[0],
    doc,
    choices,
    allowed: `one of ${choices.join(', ')}`,
    parse: (given) => choices.find((value) => value === given),
  };
}

export function count(preset: number, bounds: Bounds<number>): Knob<'count', number, number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, doc } = bounds;
  return {
    unit: 'count',
    preset,
    doc,
    allowed: `a whole number ${range(min, bounds.max, String)}`,
    parse: (given) =>
      typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max
        ? given
        : undefined,
  };
}

export function duration(
  preset: DurationText,
  bounds: Bounds<DurationText>,
): Knob<'duration', DurationText, number> {
  const min = bounds.min === undefined ? 0 : parseDuration(bounds.min)!;
  const max = bounds.max === undefined ? Number.MAX_SAFE_INTEGER : parseDuration(bounds.max)!;
  return {
    unit: 'duration',
    preset,
    doc: bounds.doc,
    allowed: `a duration like '${preset}', ${range(min, bounds.max === undefined ? undefined : max, formatDuration)}`,
    parse: (given) => {
      const us = typeof given === 'string' ? parseDuration(given) : undefined;
      return us !== undefined && us >= min && us <= max ? us : undefined;
    },
  };
}

export function rate(preset: RateText, bounds: Bounds<RateText>): Knob<'rate', RateText, Rate> {
  const min = bounds.min === undefined ? 0 : ratePerSec(parseRate(bounds.min)!);
  return {
    unit: 'rate',
    preset,
    doc: bounds.doc,
    allowed: `a rate like '${preset}'${bounds.min === undefined ? ' above zero' : `, at least ${formatRate(parseRate(bounds.min)!)}`}`,
    parse: (given) => {
      const parsed = typeof given === 'string' ? parseRate(given) : undefined;
      return parsed && parsed.count > 0 && ratePerSec(parsed) >= min ? parsed : undefined;
    },
  };
}

export function bytes(
  preset: BytesText,
  bounds: Bounds<BytesText>,
): Knob<'bytes', BytesText, number> {
  const min = bounds.min === undefined ? 0 : parseBytes(bounds.min)!;
  const max = bounds.max === undefined ? Number.MAX_SAFE_INTEGER : parseBytes(bounds.max)!;
  return {
    unit: 'bytes',
    preset,
    doc: bounds.doc,
    allowed: `a size like '${preset}', ${range(min, bounds.max === undefined ? undefined : max, formatBytes)}`,
    parse: (given) => {
      const size = typeof given === 'string' ? parseBytes(given) : undefined;
      return size !== undefined && size >= min && size <= max ? size : undefined;
    },
  };
}

export function ratio(preset: number, bounds: Bounds<number>): Knob<'ratio', number, number> {
  const { min = 0, max = 1, doc } = bounds;
  return {
    unit: 'ratio',
    preset,
    doc,
    allowed: `a number from ${min} to ${max}`,
    parse: (given) =>
      typeof given === 'number' && given >= min && given <= max ? given : undefined,
  };
}

export function flag(preset: boolean, doc: string): Knob<'flag', boolean, boolean> {
  return {
    unit: 'flag',
    preset,
    doc,
    allowed: 'true or false',
    parse: (given) => (typeof given === 'boolean' ? given : undefined),
  };
}

export function text(
  preset: string,
  options: { readonly pattern?: RegExp; readonly allowed?: string; readonly doc: string },
): Knob<'text', string, string> {
  return {
    unit: 'text',
    preset,
    doc: options.doc,
    allowed: options.allowed ?? 'text',
    parse: (given) =>
      typeof given === 'string' && (options.pattern?.test(given) ?? true) ? given : undefined,
  };
}

/** A knob that may be left out: the code then reads `undefined`. */
export function optional<U extends Unit, G, V>(knob: Knob<U, G, V>): Knob<U, G, V | undefined> {
  return { ...knob, preset: undefined };
}

/**
 * Fills in defaults and checks what was given, or was set from outside in its place. Every mistake
 * is in `problems`, each naming `at.option`, the value and what is allowed; `config` is only to be
 * used when there are none.
 */
export function configure<const T extends Knobs>(
  at: string,
  knobs: T,
  given: object,
  /** Options that are no knobs and were taken out of `given` before: for the list in the message. */
  besides: readonly string[] = [],
): {
  readonly config: ConfigOf<T>;
  /** What holds without the defaults. */
  readonly given: OptionsOf<T>;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const config: Record<string, unknown> = {};
  const held: Record<string, unknown> = {};
  const values = given as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(values)) {
    if (Object.hasOwn(knobs, name) || values[name] === undefined) continue;
    const known = [...besides, ...Object.keys(knobs)];
    const near = nearest(name, known);
    problems.push({
      at: `${at}.${name}`,
      what: `no such option${near ? `; did you mean ${near}?` : `; there are ${known.join(', ')}`}`,
    });
  }
  for (const [name, knob] of Object.entries(knobs)) {
    const settled = settle(`${at}.${name}`, knob, values[name]);
    if (settled !== undefined) held[name] = settled;
    const value = settled ?? knob.preset;
    if (value === undefined) continue;
    const kept = knob.parse(value);
    if (kept === undefined) {
      problems.push({ at: `${at}.${name}`, what: `must be ${knob.allowed}, got ${show(value)}` });
    }
    config[keptName(name, knob)] = kept;
  }
  return { config: config as ConfigOf<T>, given: held as OptionsOf<T>, problems };
}

export function keptName(name: string, knob: Knob): string {
  if (knob.unit === 'duration') return `${name}Us`;
  if (knob.unit === 'bytes') return `${name}Bytes`;
  return name;
}

/** The closest of `names` to a misspelt one, or undefined when none is close. */
export function nearest(wrong: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(wrong.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(wrong.length / 3)) ? best.name : undefined;
}

/** What was given, for a message: whatever it is, and never at length. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value)}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return String(value);
  return cut(jsonOf(value) ?? String(value));
}

/** Undefined for what JSON has no word for: undefined, a circle, a bigint inside. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** Letters added, left out, changed, or two neighbours exchanged: what fingers do. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, change);
      const exchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged && i > 1 && j > 1) next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}

function range<T>(min: T, max: T | undefined, format: (value: T) => string): string {
  return max === undefined ? `at least ${format(min)}` : `from ${format(min)} to ${format(max)}`;
}
